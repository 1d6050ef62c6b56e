"""The palette keeps what it promises: text tones reach 4.5:1 on their own paper and panel, in both themes."""

from __future__ import annotations

import pytest

from course_utils.core import palette

TEXT = [palette.INK, palette.MUTED, palette.VALUE, palette.GRADIENT, palette.LEAF, palette.TROUBLE]
THEMES = {"light": lambda tone: tone, "dark": lambda tone: palette.TONES[tone][1]}


def luminance(tone: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(tone[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_itself() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("paper", [palette.PAPER, palette.PANEL])
@pytest.mark.parametrize("tone", TEXT)
def test_text_is_legible(tone: str, paper: str, theme: str) -> None:
    shown = THEMES[theme]
    assert contrast(shown(tone), shown(paper)) >= 4.5


def test_colour_is_never_the_only_cue() -> None:
    assert len({each["linestyle"] for each in palette.CYCLE}) == len(palette.CYCLE)
