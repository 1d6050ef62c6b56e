"""The sanitiser hides what differs between runs and machines, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nbval.plugin import get_sanitize_patterns

PAIRS = get_sanitize_patterns((Path(__file__).resolve().parents[1] / "nbval_sanitize.cfg").read_text(encoding="utf-8"))


def sanitised(text: str) -> str:
    """What nbval compares."""
    for pattern, stand_in in PAIRS:
        text = re.sub(pattern, stand_in, text)
    return text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<img alt="a" src="data:image/svg+xml;base64,PHN2Zz4=">', '<img alt="a" src="data:image/png;base64,AA/+A==">'),
        ("/tmp/ipykernel_12/345.py:3: UserWarning: no", "C:\\Users\\ada\\Temp\\ipykernel_9\\8.py:3: UserWarning: no"),
        ("/var/folders/a_b/T/ipykernel_1/2.py:3", "/home/ada/my-tmp~1/ipykernel_12/22.py:3"),
        ("/tmp/für Übung & [Kurs] (neu), a's/ipykernel_1/2.py:3", "C:\\Users\\Anna Müller\\Temp\\ipykernel_1\\2.py:3"),
        ("~/a b/ipykernel_1/2.py:3", "\\\\server\\home\\Anna Müller\\ANNAMU~1\\ipykernel_1\\2.py:3"),
        ("/" + 40 * "sehr langer Name/" + "ipykernel_1/2.py:3", "~\\AppData\\ipykernel_1\\2.py:3"),
        ('File "/a b/ipykernel_1/2.py", line 3', 'File "C:\\ä ö\\ipykernel_2\\4.py", line 3'),
        ("<function f at 0x7f0011223344>", "<function f at 0x10A0B0C0>"),
        ("/opt/a/lib/python3.10/site-packages/torch/x.py:7", "C:\\venv\\Lib\\site-packages\\torch/x.py:7"),
        (
            "/a b/site-packages/torch/nn/x.py:7: W",
            "C:\\Anna Müller\\Lib\\site-packages\\torch\\nn\\modules\\y.py:979: W",
        ),
        (
            "/usr/lib/python3/dist-packages/torch/x.py:7",
            "/srv/Übung & Kurs/.venv/lib64/python3.12/site-packages/torch/x.py:8",
        ),
        (
            'File "/a b/site-packages/torch/x.py", line 7, in f',
            'File "C:\\b\\site-packages\\torch\\y.py", line 8, in f',
        ),
        (
            "/srv/Übung & Kurs/course_utils/graph/walk.py:7",
            "/opt/v/lib/python3.10/site-packages/course_utils/walk.py:8",
        ),
        ("/usr/lib/python3.12/contextlib.py:7: W", "C:\\Program Files\\Python313\\Lib\\warnings.py:8: W"),
        ("in /a b/site-packages/torch", "in C:\\c d\\Lib\\site-packages\\torch"),
        ("no. (Triggered internally at /build/a/B.h:5.)", "no. (Triggered internally at C:\\b\\B.h:57.)"),
    ],
)
def test_runs_and_machines_look_alike(one: str, other: str) -> None:
    assert sanitised(one) == sanitised(other)


@pytest.mark.parametrize(
    "text",
    [
        "tensor([43., 20.], dtype=torch.float64)",
        "tangent of f at x = 0.5: f = −1.375, slope = −2.25",
        "RuntimeError: output 0 of ExpBackward0, is at version 1; expected version 0 instead",
        "0xff 0b101 1e-06 nan inf -0.0",
        '<img alt="f at x = 2, slope 12" width="640" src="plot.svg">',
        '<svg width="90"><text x="5">slope 18</text><path d="M0 0L12.5 7"/></svg>',
        "torch.Size([3]) 100 % 3/4 a/b ~5",
        "3/4 of site-packages, 1 / 2 / 3 ipykernel_1, and/or dist-packages",
        "https://pytorch.org/docs/2.13/site-packages/18.py",
        "x / ipykernel_1/2.py",
        "/home/ada/mine.py:3: slope 18",
        "mine.py:3: UserWarning: 18",
        "<b>Right</b> (3 of 4)",
    ],
)
def test_what_a_learner_reads_is_left_alone(text: str) -> None:
    assert sanitised(text) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<img alt="slope 18" src="data:image/png;base64,A=">', '<img alt="slope 19" src="data:image/png;base64,A=">'),
        ("/tmp/ipykernel_1/2.py:3: UserWarning: 4 nodes", "/tmp/ipykernel_1/2.py:3: UserWarning: 5 nodes"),
        ("<Node 18 at 0x7f0011223344>", "<Node 19 at 0x7f0011223344>"),
        ("/a/site-packages/torch/x.py:7", "/a/site-packages/numpy/x.py:7"),
        ("/a/site-packages/torch/x.py:7: W 18", "/a/site-packages/torch/x.py:7: W 19"),
        ("/tmp/ipykernel_1/2.py:3: W", "/tmp/ipykernel_1/2.py:4: W"),
        ("3/4 in /a b/ipykernel_1/2.py:3", "2/4 in /a b/ipykernel_1/2.py:3"),
        ("1 / 2 /a/site-packages/torch/x.py:7", "1 / 3 /a/site-packages/torch/x.py:7"),
        ("7 /x stays in /a/site-packages/", "8 /x stays in /a/site-packages/"),
        ("/x is 7 in /a/site-packages/torch", "/x is 8 in /a/site-packages/torch"),
        ("/x: 7 in /a/site-packages/torch", "/x: 8 in /a/site-packages/torch"),
        ("is 3. (Triggered internally at /a.h:1.)", "is 4. (Triggered internally at /a.h:1.)"),
    ],
)
def test_numbers_beside_what_is_hidden_are_compared(one: str, other: str) -> None:
    assert sanitised(one) != sanitised(other)
