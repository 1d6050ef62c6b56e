"""`python -m course_utils`: what it prints and returns."""

import json
import os
import stat
import subprocess
import sys

import pytest

from classroom import commands as command_line
from classroom import watch as watching
from classroom.sample import write_sample
from course_utils.exercises.records import remember
from course_utils.exercises.report import BOARD_VARIABLE


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = command_line.main(list(map(str, arguments)))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_progress(run):
    remember("lesson_02.slope", ["lesson_02.slope"])
    code, out, _ = run("progress")
    assert code == 0 and "1 of" in out and "□" in out and "02" in out
    code, out, _ = run("progress", "--json")
    assert code == 0 and json.loads(out)["done"]["lesson_02"] == 1


def test_the_board(run, tmp_path, monkeypatch):
    write_sample(tmp_path)
    code, out, _ = run("board", tmp_path)
    assert code == 0 and out.startswith("24 learners") and "sample-" not in out
    assert "Stuck on 02 slope: sample-" in run("board", tmp_path, "--who")[1]
    assert json.loads(run("board", tmp_path, "--json")[1])["learners"] == 24
    monkeypatch.setenv(BOARD_VARIABLE, str(tmp_path))
    assert run("board")[1] == out


def test_a_board_that_is_not_there_is_one_line(run, tmp_path):
    assert run("board")[0::2] == (1, f"no board: give its folder, or set the variable {BOARD_VARIABLE} to it\n")
    assert run("board", tmp_path / "gone")[0::2] == (1, f"No such file or directory: {tmp_path / 'gone'}\n")


def test_prepare_makes_a_drop_box_and_says_what_to_set(run, town):
    grp = pytest.importorskip("grp", reason="accounts and groups as Linux and macOS have them")
    group = grp.getgrgid(os.getegid()).gr_name
    code, out, _ = run("board", "--prepare", town / "board", "--group", group)
    assert stat.S_IMODE((town / "board").stat().st_mode) == 0o3773
    assert code == 0 and f"COURSE_UTILS_BOARD={town / 'board'}" in out
    code, _, err = run("board", "--prepare", town / "board", "--group", "no-such-group")
    assert code == 1 and err.startswith("there is no group")


def test_live_draws_until_it_is_interrupted_and_tells_what_fails_meanwhile(tmp_path, capsys):
    write_sample(tmp_path)
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 1:
            write_sample(tmp_path, learners=30)
        elif len(looks) == 2:
            tmp_path.rename(tmp_path.with_name("moved"))
        else:
            raise KeyboardInterrupt

    watching.watch(tmp_path, every=2, sleep=sleep)
    screen = capsys.readouterr().out
    assert screen.startswith(watching.ENTER) and screen.endswith(watching.LEAVE) and looks == [2, 2, 2]
    first, second, third = screen.split(watching.HOME)[1:]
    assert "24 learners" in first and "30 learners" in second and "cannot be read at the moment" in third
    assert "Ctrl-C ends it" in third


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "x", "1e9"])
def test_a_pace_that_makes_no_sense_is_refused(run, capsys, seconds):
    with pytest.raises(SystemExit) as stopped:
        run("board", f"--live={seconds}")
    assert stopped.value.code == 2 and "--live" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--group=class"], "--group class goes with --prepare"),
        (["--live", "--json"], "--json prints the board once"),
        (["--prepare=town", "--json"], "--json prints the board once"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run, capsys, options, said):
    with pytest.raises(SystemExit) as stopped:
        run("board", *options)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_without_pytorch_it_points_to_the_doctor():
    without = "import sys; sys.modules['torch'] = None; from classroom.commands import main"
    program = f"{without}; sys.exit(main(['progress']))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == 1 and ran.stderr.startswith("torch is not installed; ") and "doctor" in ran.stderr


def test_letters_that_a_pipe_on_windows_has_not_are_no_error():
    narrow = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run([sys.executable, "-m", "course_utils", "progress"], env=narrow, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    assert b"0 of " in ran.stdout and b"??" in ran.stdout
