"""How a number reads: one rule for cards, tables, plots, sliders and verdicts, and nobody else who formats floats."""

import ast
import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.core.numbers import (
    format_column,
    format_fixed,
    format_given,
    format_measured,
    format_number,
    format_point,
    format_vector,
    typable,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (4.0, "4.00"),
        (-1.375, "−1.375"),
        (0.9092974, "0.9093"),
        (27.346, "27.35"),
        (123.456, "123.46"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (0.001, "0.001"),
        (9.99999, "10.00"),
        (0.00099999, "1.00e−3"),
        (1.5e-7, "1.50e−7"),
        (-123456.0, "−1.235e5"),
        (math.inf, "inf"),
        (-math.inf, "−inf"),
        (math.nan, "nan"),
        (3, "3"),
        (-3, "−3"),
        (12345678, "1.235e7"),
        (True, "True"),
        (1 - 2j, "1.00−2.00i"),
    ],
)
def test_format_number(number, text):
    assert format_number(number) == text


@given(st.floats(width=32))
def test_format_number_is_short_and_close(number):
    text = format_number(number)
    assert len(text) <= 10
    assert "-" not in text
    if math.isfinite(number):
        assert float(typable(text)) == pytest.approx(number, rel=6e-4)


@pytest.mark.parametrize(
    ("number", "texts"),
    [
        (2 / 3, ["0.6667", "0.667", "0.67"]),
        (27.346, ["27.35", "27.3", "27.3"]),
        (15582.9, ["15582.90", "1.56e4", "1.6e4"]),
        (-1.234e-7, ["−1.234e−7", "−1.23e−7", "−1.2e−7"]),
        (1.0, ["1.00", "1.0", "1.0"]),
    ],
)
def test_fewer_digits_for_a_tight_place(number, texts):
    assert [format_number(number, digits=digits) for digits in (4, 3, 2)] == texts


@pytest.mark.parametrize(
    ("number", "text"),
    [(-0.5, "−0.5"), (2.0, "2"), (-2, "−2"), (0.1, "0.1"), (1e-5, "1e−5"), (-0.0, "0"), (1234567, "1234567")],
)
def test_what_the_learner_gave_is_written_as_it_is_typed(number, text):
    assert format_given(number) == text
    assert float(typable(text)) == number


def test_a_number_that_nobody_types_has_four_digits():
    assert [format_given(number) for number in (2 * math.pi, 1 / 3, -123456.789)] == ["6.283", "0.3333", "−1.235e5"]
    assert [format_given(number) for number in (0.1 + 0.2, torch.tensor(0.1).item(), math.inf)] == ["0.3", "0.1", "inf"]


def test_what_a_plot_measured_has_no_noise():
    assert [format_measured(number) for number in (4e-7, -3e-16, 3.21234e-5, -0.12345678, 27.346, math.nan)] == [
        "0.00",
        "0.00",
        "3.20e−5",
        "−0.1235",
        "27.35",
        "nan",
    ]


@given(st.floats(-1e4, 1e4), st.floats(-1e-8, 1e-8))
def test_noise_reads_as_nothing_around_zero(number, noise):
    assert format_measured(noise) == "0.00"
    assert float(typable(format_measured(number))) == pytest.approx(number, rel=6e-4, abs=6e-7)


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([1.92, 1.898], ["1.920", "1.898"]),
        ([1.0, 2.5], ["1.00", "2.50"]),
        ([1.2331, 0.05827, 0.0196], ["1.233", "0.058", "0.020"]),
        ([9.5, 0.0031], ["9.5000", "0.0031"]),
        ([86.89781, 4.1537, 0.0038], ["86.898", "4.154", "0.004"]),
        ([5000.0, 0.0031], ["5000.0000", "0.0031"]),
        ([5000.125, 0.0031], ["5000.12", "3.10e−3"]),
        ([0.1966, 3.352e-4, 0.0, -0.0], ["0.1966", "3.352e−4", "0.0000", "0.0000"]),
        ([math.nan, -math.inf, 1.0], ["nan", "−inf", "1.00"]),
        ([0.0, 0.0], ["0.00", "0.00"]),
        ([1, 2.5, True], ["1", "2.50", "True"]),
        ([0.12692, 0.69312, 100.0], ["0.1269", "0.6931", "100.0000"]),
        ([0.12692, 2.12692, 100.0], ["0.127", "2.127", "100.000"]),
        ([1.0, 0.87758, 0.07074], ["1.0000", "0.8776", "0.0707"]),
        (torch.tensor([0.1, 2.0, 1.5]).tolist(), ["0.10", "2.00", "1.50"]),
        ([], []),
    ],
)
def test_a_column_shares_its_decimals(numbers, texts):
    assert format_column(numbers) == texts


@given(st.lists(st.floats(-99999, 99999), min_size=1, max_size=6))
def test_a_column_is_as_true_as_its_largest_number_allows(numbers):
    texts = format_column(numbers)
    plain = [text for text in texts if "e" not in text]
    assert len({len(text.partition(".")[2]) for text in plain}) <= 1
    for number, text in zip(numbers, texts, strict=True):
        assert "-" not in text
        assert float(typable(text)) == pytest.approx(number, rel=0.5, abs=1e-300)
    assert (
        float(typable(max(texts, key=lambda text: abs(float(typable(text))))))
        == pytest.approx(max(numbers, key=abs), rel=6e-4, abs=1e-300)
        or max(map(abs, numbers)) < 0.001
    )


def test_places_and_vectors():
    assert format_point([1, -0.5]) == "(1, −0.5)"
    assert format_vector([43, -20.1234]) == "(43.00, −20.12)"
    assert format_vector([1e-9, 2.0]) == "(0.00, 2.00)"
    assert [format_fixed(number, 2) for number in (-2, -1e-9, 3.14159)] == ["−2.00", "0.00", "3.14"]


FORMATTERS = {"array2string", "format_float_positional", "format_float_scientific", "set_printoptions"}
TEMPLATE = re.compile(r"\{\w*:[+,#\d]*(\.\d+)?[eEfFgGn%]\}")  # "{x:.3f}", for str.format and matplotlib
MADE_HERE = "core/numbers.py"
# file -> why it may write floats by itself
ALLOWED = {
    "graph/draw/drawing.py": "coordinates of an SVG",
    "graph/draw/faces.py": "coordinates of an SVG",
    "graph/draw/strokes.py": "coordinates of an SVG",
    "graph/read/values.py": "a number made from a number: the shortest decimal that float32 rounds to it",
}


def formats_floats(source: str) -> list[int]:
    """The lines of a source that turn floats into text, or hyphens into minus signs, by themselves."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if _has_a_format(node) or _is_a_formatter(node)]


def _has_a_format(node: ast.AST) -> bool:
    """f"{x:.3f}", also with digits that are computed; "%.3f" % x; "{:.3f}"."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(TEMPLATE.search(node.value))
    if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
        return bool(re.search("[.%eEfFgGn]", ast.unparse(node.format_spec)[2:-1].replace("{", ".")))
    is_modulo = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant)
    return is_modulo and isinstance(node.left.value, str)


def _is_a_formatter(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    given = [part.value for part in node.args if isinstance(part, ast.Constant)]
    inner = [getattr(getattr(part, "func", None), "id", "") for part in node.args]
    return (
        name in FORMATTERS
        or (name == "format" and isinstance(node.func, ast.Name))
        or (name in ("str", "repr") and inner in (["float"], ["round"]))
        or (name == "replace" and given == ["-", "−"])
    )


def sources() -> dict[str, str]:
    files = [*(ROOT / "course_utils").rglob("*.py"), *(ROOT / "classroom").rglob("*.py")]
    return {
        str(file.relative_to(ROOT).as_posix()).removeprefix("course_utils/"): file.read_text("utf-8") for file in files
    }


def test_nobody_else_formats_floats():
    found = {name: formats_floats(source) for name, source in sources().items() if name != MADE_HERE}
    assert {name: lines for name, lines in found.items() if lines and name not in ALLOWED} == {}
    assert [name for name in ALLOWED if not found.get(name)] == [], "an exception that nothing needs any more"


@pytest.mark.parametrize(
    "line",
    [
        'f"{x:.3f}"',
        'f"{x:g}"',
        'f"{x:.{digits}f}"',
        '"%.2f" % x',
        '"{:.1e}".format(x)',
        'format(x, ".4g")',
        "str(round(x, 2))",
        "np.array2string(x)",
        "torch.set_printoptions(precision=2)",
        'text.replace("-", "−")',
        'ax.yaxis.set_major_formatter("{x:g}")',
    ],
)
def test_each_way_to_format_a_float_is_seen(line):
    assert formats_floats(line) == [1]


@pytest.mark.parametrize(
    "line", ['f"{x}"', 'f"{count:,}"', 'f"{mode:o}"', "str(whole)", "a % b", "text.format(name)", 'f"{number:03d}"']
)
def test_other_texts_are_left_alone(line):
    assert formats_floats(line) == []
