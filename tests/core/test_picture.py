import pytest

from course_utils import Picture, plot_curves

SVG = '<svg width="40" height="20"></svg>'


def test_a_picture_says_what_it_shows_and_is_as_wide_as_its_drawing():
    picture = Picture(SVG, description='a "line" & more', details="1  2")
    assert repr(picture) == 'a "line" & more\n1  2'
    assert '<img alt="a &quot;line&quot; &amp; more" width="40" ' in picture.to_html()


def test_details_are_made_once_and_when_they_are_asked_for():
    made = []
    picture = Picture(SVG, description="a line", details=lambda: made.append(1) or "1  2")
    assert not made
    assert (picture.details, picture.details, made) == ("1  2", "1  2", [1])


@pytest.mark.parametrize(
    ("svg", "description", "kind", "message"),
    [
        (SVG, " ", ValueError, "description is empty; give one sentence"),
        (SVG, None, TypeError, "description is None; expected a text"),
        (b"<svg>", "a line", TypeError, "svg is b'<svg>'; expected a text"),
        ("<svg></svg>", "a line", ValueError, "svg has no width: its root must read"),
        ('<svg width="100%"></svg>', "a line", ValueError, "svg has no width: .* in pixels"),
    ],
)
def test_bad_arguments(svg, description, kind, message):
    with pytest.raises(kind, match=message):
        Picture(svg, description=description)


@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf"])
def test_a_plot_is_saved_by_its_ending(tmp_path, ending):
    path = plot_curves([1, 2], y=[1, 2]).save(tmp_path / f"plot{ending}")
    start = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(start)


def test_an_ending_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"path ends in '.bmp'; this picture can be saved as .svg, .png or .pdf"):
        plot_curves([1, 2], y=[1, 2]).save(tmp_path / "plot.bmp")
    with pytest.raises(ValueError, match=r"path ends in '.png'; this picture can be saved as .svg$"):
        Picture(SVG, description="a line").save(tmp_path / "plot.png")
