"""Errors in a notebook show the learner's own lines and the message; one call brings the rest back."""

import re
import subprocess
import sys
import sysconfig

import course_utils.core.tracebacks as tracebacks
from course_utils.core.tracebacks import COURSE, fold

HEAD, LAST = "RuntimeError   Traceback (most recent call last)", "RuntimeError: why"
CELL, OWN = "\x1b[36mCell\x1b[39m In[3], line 2\n----> 2 f()", "File /home/ada/mine.py:3, in f()"
TORCH = "\x1b[36mFile \x1b[39m/somewhere else/site-packages/torch/_tensor.py:623, in Tensor.backward(self)\n  623 it()"
ENGINE = "File ~/env/lib/dist-packages/torch/autograd/graph.py:979, in _engine_run_backward(t_outputs)"


def without_colours(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_calls_inside_a_library_become_one_line_that_says_how_to_see_them():
    assert fold([HEAD, CELL, OWN, TORCH, ENGINE, LAST]) == [
        HEAD, CELL, OWN, f"… calls inside torch; to see them: {tracebacks._HOW}", LAST,
    ]  # fmt: skip


def test_what_follows_a_library_stays_and_the_way_back_is_told_once():
    own = f"File {COURSE / 'graph' / 'show.py'}:3, in draw_graph(target)"
    python = f"File {sysconfig.get_path('stdlib')}/json/__init__.py:346, in loads(s)"
    folded = fold([HEAD, TORCH, CELL, own, python, LAST])
    assert [line.partition(";")[0] for line in folded] == [
        HEAD, "… calls inside torch", CELL, "… calls inside course_utils", "… calls inside Python", LAST,
    ]  # fmt: skip
    assert "".join(folded).count("full_tracebacks()") == 1 and fold(folded) == folded


def test_a_traceback_of_cells_alone_stays_and_the_call_at_hand_is_bold():
    lit = "----> 2 \x1b[30;43mf\x1b[39;49m\x1b[30;43;03m()\x1b[39;49;00m"
    assert fold([HEAD, CELL, OWN, lit, LAST]) == [
        HEAD, CELL, OWN, "----> 2 \x1b[1mf\x1b[22;39m\x1b[1m()\x1b[22;39m", LAST,
    ]  # fmt: skip


SESSION = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shown = []
shell._showtraceback = lambda kind, error, frames: shown.append(frames)
shell.run_cell("import course_utils, torch")
shell.run_cell("import course_utils.core.tracebacks as t; t.fold_tracebacks()")
for cell in ["torch.ones(1).backward()", "course_utils.full_tracebacks()", "torch.ones(1).backward()"]:
    shell.run_cell(cell)
for frames in shown:
    print(sum("_tensor.py" in frame for frame in frames), sum("… calls" in frame for frame in frames), frames[-1])
"""


def test_importing_the_course_folds_in_ipython_and_one_call_undoes_it_and_shows_the_last_error_whole():
    ran = subprocess.run([sys.executable, "-c", SESSION], capture_output=True, text=True, encoding="utf-8", check=True)
    lines = without_colours(ran.stdout).splitlines()
    assert [line[:3] for line in lines] == ["0 1", "1 0", "1 0"], ran.stdout
    assert all("does not require grad" in line for line in lines)


def test_outside_of_ipython_nothing_is_loaded_and_nothing_happens():
    program = "import sys, course_utils; course_utils.full_tracebacks(); print('IPython' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", check=True)
    assert ran.stdout == "False\n"
