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
        ("<function f at 0x7f0011223344>", "<function f at 0x10A0B0C0>"),
        ("/opt/a/lib/python3.10/site-packages/torch/x.py:7", "C:\\venv\\Lib\\site-packages\\torch/x.py:7"),
        ("no. (Triggered internally at /build/a/B.h:5.)", "no. (Triggered internally at C:\\b\\B.h:57.)"),
    ],
)
def test_runs_and_machines_look_alike(one: str, other: str) -> None:
    assert sanitised(one) == sanitised(other)


@pytest.mark.parametrize(
    "text",
    [
        "tensor([43., 20.], dtype=torch.float64)",
        "tangent of f at x = 0.50: f = -1.375, slope = -2.250",
        "RuntimeError: output 0 of ExpBackward0, is at version 1; expected version 0 instead",
        "0xff 0b101 1e-06 nan inf -0.0",
        '<img alt="f at x = 2, slope 12" width="640" src="plot.svg">',
        '<svg width="90"><text x="5">slope 18</text><path d="M0 0L12.5 7"/></svg>',
        "torch.Size([3]) 100 % 3/4 a/b ~5",
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
        ("is 3. (Triggered internally at /a.h:1.)", "is 4. (Triggered internally at /a.h:1.)"),
    ],
)
def test_numbers_beside_what_is_hidden_are_compared(one: str, other: str) -> None:
    assert sanitised(one) != sanitised(other)
