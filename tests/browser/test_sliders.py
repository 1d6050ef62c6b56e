"""Explorers under a learner's hand: by mouse, by keyboard, in both themes, with errors, with a kernel or without."""

import re
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from course_utils.core import palette
from course_utils.core.numbers import typable

SETUP = """
import time
import numpy
from course_utils import Picture, explore
from course_utils.core import palette
from course_utils.sliders import play
xs = numpy.linspace(-2, 2, 101)
calls = []
"""
TANGENT = """
@explore(x0=(-2, 2, 0.05, 0))
def tangent(ax):
    "The tangent of a cube."
    ax.plot(xs, xs**3)
    line, = ax.plot([], [])
    point, = ax.plot([], [], "o", markersize=20, color=palette.LEAF)
    ax.set(xlim=(-2, 2), ylim=(-8, 8))

    def update(x0):
        line.set_data([x0 - 1, x0 + 1], [x0**3 - 3 * x0**2, x0**3 + 3 * x0**2])
        point.set_data([x0], [x0**3])
        return f"slope {3 * x0**2:.4f} at {x0:.2f}"

    return update

tangent
"""
DRAWING = """
@explore(step=play(range(8), seconds=0.05), size=[1, 2, 3], colour={"plain": "ink", "bold": "leaf"}, frame=False)
def bars(step, size, colour, frame):
    "Bars."
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="{60 + 20 * (step % 3)}"><rect x="0" y="0" ' \\
          f'width="{20 + 40 * step}" height="40" fill="{palette.LEAF if colour == "leaf" else palette.INK}"/></svg>'
    return Picture(svg, description=f"{step} bars of {size}, {colour}, {'framed' if frame else 'bare'}")

bars
"""
TROUBLE = """
@explore(n=range(1, 10))
def trouble(n):
    "Trouble at 3, slow at 5."
    if n == 3:
        raise ValueError("three is bad")
    if n >= 5:
        time.sleep(4 if n == 5 else 20)
    return f"{n} is fine"

trouble
"""


@pytest.fixture(scope="module")
def page(lab) -> Page:
    """A notebook with three explorers, run once, in the light theme."""
    lab.set_theme("light")
    page = lab.open(lab.write("sliders.ipynb", SETUP, TANGENT, DRAWING, TROUBLE), height=1400)
    lab.run_all(page)
    yield page
    page.context.close()


def explorer(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=name)


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


def colours(place: Locator) -> set[str]:
    """Every colour on the explorer's canvas."""
    return set(
        place.locator("canvas").evaluate("""canvas => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set();
      for (let i = 0; i < data.length; i += 4) seen.add(data[i] * 65536 + data[i + 1] * 256 + data[i + 2]);
      return [...seen].map(colour => '#' + colour.toString(16).padStart(6, '0'));
    }""")
    )


def readout(page: Page, name: str) -> Locator:
    return explorer(page, name).locator(".cu-readout")


def test_a_drag_ends_with_the_picture_of_its_last_position(page: Page):
    place, handle = explorer(page, "The tangent of a cube"), slider(page, "x0")
    box = handle.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.35 * step / 39), middle)
    page.mouse.up()
    x0 = handle.get_attribute("aria-valuetext")
    assert 1.2 < float(x0) < 1.6
    expect(readout(page, "The tangent of a cube")).to_have_text(f"slope {3 * float(x0) ** 2:.4f} at {x0}")
    expect(place.get_by_role("img")).to_have_accessible_name(re.compile(f"^The tangent of a cube: .* at {x0}$"))
    assert palette.LEAF in colours(place)


KEYS = {
    "Home": "−2.00",
    "ArrowRight": "−1.95",
    "ArrowUp": "−1.90",
    "PageUp": "−1.50",
    "ArrowLeft": "−1.55",
    "ArrowDown": "−1.60",
    "PageDown": "−2.00",
    "End": "2.00",
}


def test_every_key_moves_the_slider_and_not_the_notebook(page: Page):
    handle = slider(page, "x0")
    handle.focus()
    before = page.evaluate(ACTIVE)
    for key, expected in KEYS.items():
        page.keyboard.press(key)
        expect(handle).to_have_attribute("aria-valuetext", expected)
        expect(readout(page, "The tangent of a cube")).to_have_text(re.compile(f"at {re.escape(typable(expected))}$"))
    assert page.evaluate(ACTIVE) == before


ACTIVE = "[...document.querySelectorAll('.jp-Cell')].findIndex(cell => cell.classList.contains('jp-mod-active'))"


@pytest.fixture
def touched(lab) -> Iterator[Page]:
    """A notebook of its own in which a slider was just clicked; the cell of the slider is the first of two."""
    page = lab.open(lab.write("keys.ipynb", SETUP + TANGENT, "1 + 1"), height=1400)
    lab.run_all(page)
    handle = slider(page, "x0")
    handle.click()
    expect(handle).to_be_focused()
    yield page
    page.context.close()


def test_shift_enter_runs_the_cell_at_once_after_a_slider(touched: Page):
    assert touched.evaluate(ACTIVE) == 0
    touched.keyboard.press("ArrowRight")
    touched.keyboard.press("Shift+Enter")
    expect(touched.locator(".jp-Cell").nth(0).locator(".jp-InputPrompt")).to_have_text("[3]:")
    assert touched.evaluate(ACTIVE) == 1


def test_ctrl_s_saves_at_once_after_a_slider(touched: Page):
    tab = touched.locator(".jp-mod-dirty, [title*='keys.ipynb'].jp-mod-dirty")
    touched.keyboard.press("ArrowRight")
    with touched.expect_response(lambda answer: answer.request.method == "PUT" and "keys.ipynb" in answer.url):
        touched.keyboard.press("Control+s")
    expect(tab).to_have_count(0)


def test_letters_and_escape_go_to_the_notebook_after_a_slider(touched: Page):
    touched.keyboard.press("Escape")
    touched.keyboard.press("b")
    expect(touched.locator(".jp-Notebook .jp-Cell")).to_have_count(3)


def test_many_presses_end_at_the_last_one_and_the_picture_never_goes_away(page: Page):
    place, handle = explorer(page, "The tangent of a cube"), slider(page, "x0")
    handle.focus()
    page.keyboard.press("Home")
    expect(readout(page, "The tangent of a cube")).to_have_text(re.compile("at -2.00$"))
    place.evaluate("""root => {
      window.bad = []; window.looking = true; window.since = 0;
      document.addEventListener('keydown', () => since = 0, true);
      new MutationObserver(() => since += 1).observe(root.querySelector('canvas'), { attributeFilter: ['aria-label'] });
      const stage = root.querySelector('.cu-stage'), height = root.offsetHeight, top = stage.firstChild.offsetHeight;
      const look = () => {
        const shown = stage.querySelector('canvas, img');
        const heights = [shown?.offsetHeight ?? 0, root.offsetHeight];
        if (heights[0] < top || heights[1] < height) bad.push(heights);
        if (looking) requestAnimationFrame(look);
      };
      look();
    }""")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    expect(readout(page, "The tangent of a cube")).to_have_text("slope 3.0000 at 1.00")
    assert page.evaluate("looking = false, bad") == []
    assert page.evaluate("since") <= 2  # the one that was in the air, and the last


def test_choices_and_a_checkbox_have_names_and_move_the_picture(page: Page):
    place = explorer(page, "Bars")
    place.get_by_role("combobox", name="colour").select_option("bold")
    expect(readout(page, "Bars")).to_have_text("0 bars of 1, leaf, bare")
    place.get_by_role("checkbox", name="frame").check()
    expect(place.get_by_role("img")).to_have_accessible_name("0 bars of 1, leaf, framed")
    place.get_by_role("slider", name="size").press("End")
    expect(readout(page, "Bars")).to_have_text("0 bars of 3, leaf, framed")


def test_play_runs_to_the_end_and_can_be_paused(page: Page):
    place = explorer(page, "Bars")
    place.get_by_role("slider", name="step").press("Home")
    place.get_by_role("button", name="Play step").click()
    place.get_by_role("button", name="Pause step").click()
    place.get_by_role("button", name="Play step").click()
    expect(readout(page, "Bars")).to_have_text(re.compile("^7 bars"))
    expect(place.get_by_role("button", name="Play step")).to_be_visible()


def test_space_on_play_stays_with_the_button(page: Page):
    button = explorer(page, "Bars").get_by_role("button", name="Play step")
    button.focus()
    before = page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop")
    page.keyboard.press("Space")
    expect(readout(page, "Bars")).to_have_text(re.compile("^7 bars"))
    expect(button).to_be_focused()
    assert page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop") == before


def test_the_area_grows_and_never_shrinks(page: Page):
    place = explorer(page, "Bars")
    heights = []
    for key in ["Home", "ArrowRight", "ArrowRight", "ArrowRight"]:
        place.get_by_role("slider", name="step").press(key)
        page.wait_for_timeout(300)
        heights.append(place.locator(".cu-stage").evaluate("stage => stage.offsetHeight"))
    assert len(set(heights)) == 1  # the play button has been at the tallest picture before


def test_pictures_that_were_replaced_are_given_back(page: Page):
    page.evaluate("""() => {
      window.alive = new Set();
      const { createObjectURL, revokeObjectURL } = URL;
      URL.createObjectURL = blob => { const url = createObjectURL.call(URL, blob); alive.add(url); return url; };
      URL.revokeObjectURL = url => { alive.delete(url); revokeObjectURL.call(URL, url); };
    }""")
    step = explorer(page, "Bars").get_by_role("slider", name="step")
    for _ in range(10):
        step.press("Home")
        step.press("End")
    expect(readout(page, "Bars")).to_have_text(re.compile("^7 bars"))
    page.wait_for_function("alive.size <= 1")


def test_an_error_is_shown_and_the_next_move_works(page: Page):
    place, handle = explorer(page, "Trouble at 3, slow at 5"), slider(page, "n")
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    alert = place.get_by_role("alert")
    expect(alert.locator("strong")).to_have_text("ValueError: three is bad")
    expect(alert.locator("pre")).to_contain_text("Cell In[4], line 5, in trouble")
    expect(alert.locator("pre")).to_contain_text('raise ValueError("three is bad")')
    expect(alert.locator("pre")).not_to_contain_text("course_utils")
    page.keyboard.press("ArrowRight")
    expect(readout(page, "Trouble at 3, slow at 5")).to_have_text("4 is fine")
    expect(alert).to_be_empty()


def test_a_slow_move_says_that_it_works(page: Page):
    place, handle = explorer(page, "Trouble at 3, slow at 5"), slider(page, "n")
    handle.press("Home")
    expect(readout(page, "Trouble at 3, slow at 5")).to_have_text("1 is fine")
    handle.evaluate("input => { input.value = 4; input.dispatchEvent(new Event('input')) }")
    expect(place.get_by_text("working…")).to_be_visible()
    expect(readout(page, "Trouble at 3, slow at 5")).to_have_text("5 is fine")
    expect(place.locator(".cu-working")).to_be_empty()


@pytest.fixture
def moves_beside_cells_off(lab) -> Iterator[None]:
    """JupyterLab sends moves to a thread beside the cells as soon as there is one, and no interrupt reaches that."""
    settings = "@jupyterlab/apputils-extension/kernels-settings"
    lab.set(settings, {"commsOverSubshells": "disabled"})
    yield
    lab.set(settings, {})


@pytest.mark.usefixtures("moves_beside_cells_off")
def test_a_move_can_be_interrupted_and_the_next_one_works(lab):
    page = lab.open(lab.write("interrupt.ipynb", SETUP, TROUBLE))
    lab.run_all(page)
    place = explorer(page, "Trouble at 3, slow at 5")
    slider(page, "n").press("End")
    expect(place.get_by_text("working…")).to_be_visible()
    lab.menu(page, "Kernel", "Interrupt Kernel")
    expect(place.get_by_role("alert")).to_contain_text("Interrupted")
    slider(page, "n").press("Home")
    expect(readout(page, "Trouble at 3, slow at 5")).to_have_text("1 is fine")
    page.context.close()


def test_sliders_move_while_a_cell_runs(lab):
    page = lab.open(lab.write("busy.ipynb", SETUP, TANGENT, "time.sleep(60)"))
    lab.menu(page, "Run", "Run Selected Cell")
    lab.menu(page, "Run", "Run Selected Cell")
    place = explorer(page, "The tangent of a cube")
    expect(place.locator("canvas")).to_be_visible()
    slider(page, "x0").press("End")  # the first message of a kernel makes JupyterLab open that thread
    expect(readout(page, "The tangent of a cube")).to_have_text(re.compile("at 2.00$"))
    page.locator(".jp-CodeCell .jp-InputArea-editor").last.click()
    lab.menu(page, "Run", "Run Selected Cell")
    slider(page, "x0").press("Home")
    expect(readout(page, "The tangent of a cube")).to_have_text(re.compile("at -2.00$"))
    expect(page.locator(".jp-CodeCell .jp-InputPrompt").nth(2)).to_have_text("[*]:")
    page.context.close()


def test_two_explorers_leave_each_other_alone(page: Page):
    handle = slider(page, "x0")
    handle.press("End")
    expect(readout(page, "The tangent of a cube")).to_have_text(re.compile("at 2.00$"))
    before = readout(page, "The tangent of a cube").text_content()
    explorer(page, "Bars").get_by_role("slider", name="size").press("Home")
    expect(readout(page, "Bars")).to_have_text(re.compile("of 1,"))
    assert readout(page, "The tangent of a cube").text_content() == before


def test_the_dark_theme_has_the_dark_tones(lab):
    lab.set_theme("dark")
    page = lab.open(lab.write("dark.ipynb", SETUP, TANGENT), scale=2)
    lab.run_all(page)
    place = explorer(page, "The tangent of a cube")
    expect(place.locator("canvas")).to_have_attribute("width", "1280")
    dark = {light: twin for light, (_, twin) in palette.TONES.items()}
    found = colours(place)
    assert {dark[palette.LEAF], dark[palette.PAPER], dark[palette.VALUE]} <= found
    assert not {palette.LEAF, palette.PAPER, palette.VALUE} & found
    page.click('.lm-MenuBar-itemLabel:text-is("Settings")')
    page.hover('.lm-Menu-itemLabel:text-is("Theme")')
    page.click('.lm-Menu-itemLabel:text-is("JupyterLab Light")')
    page.wait_for_function("document.querySelector('canvas').getContext('2d').getImageData(0, 0, 1, 1).data[0] === 255")
    assert {palette.LEAF, palette.PAPER, palette.VALUE} <= colours(place)
    page.context.close()


RED_CHAIN = "element => getComputedStyle(element.closest('.jupyter-widgets-disconnected'), '::before').content"


def test_after_a_restart_an_explorer_stands_still_and_says_what_to_do(lab):
    lab.set_theme("light")
    page = lab.open(lab.write("restart.ipynb", SETUP, TANGENT, DRAWING))
    lab.run_all(page)
    place = explorer(page, "The tangent of a cube")
    slider(page, "x0").press("End")
    expect(readout(page, "The tangent of a cube")).to_have_text(re.compile("at 2.00$"))
    expect(place.get_by_text("Run this cell again to move it.")).to_be_hidden()
    lab.menu(page, "Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog .jp-mod-warn").click()
    expect(place.get_by_text("Run this cell again to move it.")).to_be_visible()
    expect(place.locator("canvas")).to_be_visible()
    for control in [slider(page, "x0"), *explorer(page, "Bars").locator("input, select, button").all()]:
        expect(control).to_be_disabled()
    expect(slider(page, "x0")).to_have_attribute("aria-valuetext", "2.00")
    page.context.close()


def test_a_move_that_a_restart_cut_off_is_taken_back(lab):
    page = lab.open(lab.write("cut_off.ipynb", SETUP, TROUBLE))
    lab.run_all(page)
    slider(page, "n").press("End")  # takes 20 seconds
    expect(slider(page, "n")).to_have_attribute("aria-valuetext", "9")
    lab.menu(page, "Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog .jp-mod-warn").click()
    expect(slider(page, "n")).to_be_disabled()
    expect(slider(page, "n")).to_have_attribute("aria-valuetext", "1")
    expect(readout(page, "Trouble at 3")).to_have_text("1 is fine")
    page.context.close()


def test_a_second_view_keeps_in_step(lab):
    page = lab.open(lab.write("views.ipynb", SETUP, TANGENT), height=1400)
    lab.run_all(page)
    slider(page, "x0").click(button="right", position={"x": 2, "y": 2})
    page.locator(".lm-Menu-itemLabel", has_text="Create New View for Cell Output").click()
    expect(slider(page, "x0")).to_have_count(2)
    for mover, follower, key, value in [(0, 1, "Home", "−2.00"), (1, 0, "End", "2.00"), (1, 0, "PageDown", "1.60")]:
        slider(page, "x0").nth(mover).press(key)
        expect(slider(page, "x0").nth(follower)).to_have_attribute("aria-valuetext", value)
        expect(readout(page, "The tangent of a cube").nth(follower)).to_have_text(re.compile(f"at {typable(value)}$"))
    page.context.close()


def test_what_a_learner_saved_shows_its_picture_without_a_kernel(lab):
    name = lab.write("saved.ipynb", SETUP, TANGENT)
    page = lab.open(name)
    lab.run_all(page)
    expect(explorer(page, "The tangent of a cube").locator("canvas")).to_be_visible()
    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    lab.menu(page, "Kernel", "Shut Down Kernel")
    page.wait_for_timeout(500)
    page.context.close()
    assert "widgets" in nbformat.read(lab.folder / name, 4).metadata
    page = lab.open(name)
    place = explorer(page, "The tangent of a cube")
    expect(place.get_by_role("img")).to_have_accessible_name("The tangent of a cube: slope 0.0000 at 0.00")
    expect(place.get_by_text("Run this cell again to move it.")).to_be_visible()
    expect(slider(page, "x0")).to_be_disabled()
    assert place.evaluate(RED_CHAIN) == "none"
    page.context.close()


def test_what_the_course_stores_shows_its_picture_before_it_is_run(lab):
    name = lab.write("stored.ipynb", SETUP, TANGENT)
    page = lab.open(name)
    lab.run_all(page)
    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    page.context.close()
    notebook = nbformat.read(lab.folder / name, 4)
    del notebook.metadata["widgets"]
    del notebook.cells[1].outputs[0].data["application/vnd.jupyter.widget-view+json"]
    nbformat.write(notebook, lab.folder / "as_stored.ipynb")
    page = lab.open("as_stored.ipynb")
    expect(page.get_by_role("img", name="The tangent of a cube: slope 0.0000 at 0.00")).to_be_visible()
    expect(page.get_by_text("Run this cell to move it: x0 from −2.00 to 2.00.")).to_be_visible()
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    page.context.close()
