"""The kernel's side of the conversation: one answer to each question, errors told, memory flat."""

import gc
import threading
import tracemalloc
import zlib

import matplotlib.pyplot as plt
import numpy
import pytest
from matplotlib.image import imread

import slider_views as views
from course_utils import Picture, explore
from course_utils.core import palette
from course_utils.sliders.dark import dark_twins
from course_utils.sliders.widget import ExplorerWidget, encode

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"/>'


class Page:
    """A page that asks as the real one does, and keeps the answers."""

    def __init__(self, explorer):
        self.widget = ExplorerWidget(explorer)
        self.widget.send = lambda answer, buffers=None: self.answers.append((answer, buffers))
        self.answers, self.held = [], 0

    def ask(self, *places, ratio=1, dark=False):
        question = {"view": "a", "places": list(places) or None, "ratio": ratio, "dark": dark, "still": self.held}
        self.widget._answer(None, question, [])
        answer, buffers = self.answers.pop()
        assert self.answers == []
        if "png" in answer:
            self.held = answer["png"]["still"]
        return answer, buffers


@pytest.fixture
def page():
    return Page(explore(views.tangent, x=(-2, 2, 0.05)))


def test_the_first_answer_brings_everything_and_the_next_only_what_moved(page):
    answer, (still, _) = page.ask()
    assert answer["places"] == [40]
    assert (answer["text"], answer["alt"], answer["width"]) == ("slope -1.500", "The tangent of f: slope -1.500", 640)
    assert answer["png"]["size"] == [640, 380]
    answer, (moved,) = page.ask(60)
    assert answer["text"] == "slope 1.500"
    assert len(moved) < len(still)
    assert page.widget.live.canvas.full_draws == 1


def test_density_and_theme_are_the_pages(page, tmp_path):
    answer, (still, _) = page.ask(ratio=2, dark=True)
    assert answer["png"]["size"] == [1280, 760]
    (tmp_path / "still.png").write_bytes(still)
    paper = (imread(tmp_path / "still.png")[0, 0, :3] * 255).round().astype(int)
    assert "#{:02x}{:02x}{:02x}".format(*paper) == palette.TONES[palette.PAPER][1]


def test_a_page_that_comes_back_gets_the_last_position(page):
    page.ask(60)
    assert page.ask()[0]["places"] == [60]


def test_nobody_looking_costs_no_pixels(page):
    page.ask(60)
    page.widget._answer(None, {"asleep": True}, [])
    assert page.widget.live.canvas._paper is None
    answer, buffers = page.ask(61)
    assert answer["text"].startswith("slope")
    assert len(buffers) == 2


def test_errors_come_with_the_learners_lines_and_the_next_move_works():
    def view(ax):
        (line,) = ax.plot([0, 1], [0, 1])

        def update(n):
            line.set_ydata([0, n])
            if n == 2:
                raise ZeroDivisionError("two")
            return f"n is {n}"

        return update

    page = Page(explore(view, n=range(5)))
    page.ask()
    answer, buffers = page.ask(2)
    assert (answer["error"], buffers) == ("ZeroDivisionError: two", [])
    assert 'in update\n    raise ZeroDivisionError("two")' in answer["traceback"]
    assert "sliders" not in answer["traceback"].replace("tests/sliders", "")
    assert page.ask(3)[0]["text"] == "n is 3"


def test_an_interrupt_is_an_answer():
    def view(n):
        if n == 1:
            raise KeyboardInterrupt
        return "text"

    page = Page(explore(view, n=range(3)))
    assert page.ask(1)[0]["error"].startswith("Interrupted")
    assert page.ask(0)[0]["text"] == "text"


def test_drawings_go_as_they_are():
    page = Page(explore(lambda n: Picture(SVG, description=f"{n} things"), n=range(3)))
    answer, buffers = page.ask(2)
    assert (answer["text"], answer["alt"], answer["width"], buffers) == ("2 things", "2 things", 100, [])
    assert answer["svg"].startswith("<svg ")


@pytest.mark.parametrize(
    ("exact", "own_words", "spoken"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_words_that_are_on_the_drawing_are_not_written_twice(exact, own_words, spoken):
    picture = Picture(SVG, description="three things", exact=exact)
    explorer = explore(lambda n: (picture, "n is 1") if own_words else picture, n=range(3))
    assert Page(explorer).ask(1)[0]["spoken"] is spoken
    assert ("<p>" in explorer.stored()["text/html"].partition("<p><em>")[0]) is not spoken


@pytest.mark.slow
def test_memory_is_flat_over_a_thousand_moves(page):
    tracemalloc.start()
    for move in range(1250):
        page.ask(move % 81)
        if move == 250:
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000  # a frame holds a million
    assert page.widget.live.canvas.full_draws == 1


def test_two_explorers_and_pyplot_leave_each_other_alone():
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    settings = dict(plt.rcParams)
    first, second = Page(explore(views.tangent, x=(-2, 2, 0.05))), Page(explore(views.tangent, x=(-2, 2, 0.05)))
    alone = first.ask(10)[1]
    second.ask(70)
    first.held = 0
    assert first.ask(10)[1] == alone
    assert plt.get_fignums() == [figure.number]
    assert plt.gca() is axes
    assert dict(plt.rcParams) == settings
    plt.close(figure)


def test_moves_in_another_thread_leave_the_settings_alone(page):
    settings = dict(plt.rcParams)
    mover = threading.Thread(target=lambda: [page.ask(place) for place in range(0, 80, 2)])
    mover.start()
    while mover.is_alive():
        with palette.style():
            pass
    assert dict(plt.rcParams) == settings


def test_every_tone_becomes_its_twin_and_other_colours_stay():
    tones = numpy.array([[int(tone[i : i + 2], 16) / 255 for i in (1, 3, 5)] + [0.5] for tone in palette.TONES])
    twins = [[int(dark[i : i + 2], 16) / 255 for i in (1, 3, 5)] + [0.5] for _, dark in palette.TONES.values()]
    assert numpy.allclose(dark_twins(tones), twins)
    others = numpy.array([[1.0, 0, 0, 1], [0.5, 0.5, 0.5, 1]])
    assert (dark_twins(others) == others).all()
    assert dark_twins(numpy.zeros((0, 4))).shape == (0, 4)


def test_a_png_holds_every_pixel(tmp_path):
    pixels = numpy.random.default_rng(0).integers(0, 256, (7, 13, 4), numpy.uint8)
    (tmp_path / "a.png").write_bytes(encode(pixels))
    assert ((imread(tmp_path / "a.png") * 255).round() == pixels).all()
    assert zlib.crc32(encode(pixels)) == zlib.crc32(encode(pixels[:, ::-1][:, ::-1]))
