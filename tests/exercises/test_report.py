"""The board learns of each check: what, where, who can read it; and what happens if it cannot be reached."""

import json
import os
import stat
import subprocess
import sys
import threading

import pytest

import course_utils
from course_utils.exercises import lesson_02, report
from course_utils.exercises.report import BOARD_VARIABLE, PSEUDONYM, PSEUDONYM_VARIABLE, pseudonym

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and modes as Linux and macOS have them")
EXERCISE = "lesson_02.first_slope"


@pytest.fixture
def board(tmp_path, monkeypatch):
    (tmp_path / "board").mkdir()
    monkeypatch.setenv(BOARD_VARIABLE, str(tmp_path / "board"))
    monkeypatch.setattr(report, "_TOLD", set())
    monkeypatch.setattr(report, "PATIENCE", 20)  # seconds: a busy machine is no broken board
    return tmp_path / "board"


def lines(board):
    (file,) = board.iterdir()
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def trouble(wrong=9.0):
    """What a check says beyond the verdict itself."""
    return lesson_02.first_slope.check(wrong).message.removeprefix(lesson_02.first_slope.grade(wrong).message).strip()


def test_without_a_board_nothing_is_written_or_said(tmp_path):
    assert BOARD_VARIABLE not in os.environ
    assert lesson_02.first_slope.check(9.0) == lesson_02.first_slope.grade(9.0)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["recall.jsonl"]  # the miss, for `recap`
    assert course_utils.progress().board == ""


def test_each_check_is_a_line_with_four_things_and_the_card_says_so(board):
    verdicts = [lesson_02.first_slope.check(answer) for answer in (..., 9.0, 1234.5, 18.0)]
    told = lines(board)
    assert {frozenset(line) for line in told} == {frozenset(["exercise", "verdict", "mistake", "time"])}
    assert [(line["exercise"], line["verdict"], line["mistake"]) for line in told] == [
        (EXERCISE, "unfinished", None), (EXERCISE, "wrong", verdicts[1].mistake), (EXERCISE, "wrong", None),
        (EXERCISE, "right", None),
    ]  # fmt: skip
    assert verdicts[1].mistake is not None
    assert all(verdict.message.endswith(f"Also on the instructor's board, as `{pseudonym()}`.") for verdict in verdicts)
    assert "Done in this lesson: 1 of" in verdicts[-1].message
    assert pseudonym() in course_utils.progress().board


def test_an_exercise_outside_the_course_is_not_told(board):
    made_here = course_utils.Exercise("?", 1.0, hints=["a", "b"])
    assert made_here.check(2.0) == made_here.grade(2.0)
    assert list(board.iterdir()) == []


def test_the_pseudonym_is_random_and_kept(board, tmp_path, monkeypatch):
    mine = pseudonym()
    assert PSEUDONYM.fullmatch(mine) and mine == pseudonym()
    monkeypatch.setenv("COURSE_UTILS_DATA", str(tmp_path / "another home"))
    assert pseudonym() != mine


def test_a_pseudonym_file_that_was_cut_short_gets_another_line(tmp_path):
    (tmp_path / "pseudonym.jsonl").write_text('\n{"pseudonym": "3f9', encoding="utf-8")
    assert PSEUDONYM.fullmatch(pseudonym()) and pseudonym() == pseudonym()


def test_notebooks_that_tell_at_once_agree_on_a_name_and_lose_nothing(board):
    program = f"""
import sys
from course_utils.exercises import report
report.PATIENCE = 20
print({{report.report({EXERCISE!r}, "wrong", number) for number in range(int(sys.argv[1]), 90, 3)}})
"""
    run = [sys.executable, "-c", program]
    notebooks = [
        subprocess.Popen([*run, str(first)], stdout=subprocess.PIPE, text=True, encoding="utf-8") for first in range(3)
    ]
    assert len({notebook.communicate(timeout=60)[0] for notebook in notebooks}) == 1
    assert sorted(line["mistake"] for line in lines(board)) == list(range(90))


def test_the_hub_may_give_the_pseudonym(board, monkeypatch):
    monkeypatch.setenv(PSEUDONYM_VARIABLE, "desk-07")
    assert trouble() == "Also on the instructor's board, as `desk-07`."
    assert [file.name for file in board.iterdir()] == ["desk-07.jsonl"]


@pytest.mark.parametrize("name", ["../ada", "a/b", ".", "a b", "ada\n", "-", "x" * 49, "é"])
def test_what_cannot_be_a_pseudonym_is_told_once_and_never_used(board, monkeypatch, name):
    monkeypatch.setenv(PSEUDONYM_VARIABLE, name)
    assert f"was not told: {PSEUDONYM_VARIABLE} is" in trouble()
    assert trouble() == "" and list(board.iterdir()) == []
    assert PSEUDONYM_VARIABLE in course_utils.progress().board


def test_a_board_that_is_not_there_is_told_once(board):
    board.rmdir()
    assert "The instructor's board was not told: No such file or directory" in trouble()
    assert trouble() == ""
    assert lesson_02.first_slope.check(18.0).status == "right"


@posix
@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "pipe", "folder"])
def test_whatever_lies_in_the_files_place_is_left_alone(board, tmp_path, kind):
    place, other = board / f"{pseudonym()}.jsonl", tmp_path / "other"
    if kind != "dangling link":
        other.write_text("precious", encoding="utf-8")
    if kind in ("link", "dangling link"):
        place.symlink_to(other)
    elif kind == "hard link":
        place.hardlink_to(other)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    assert "was not told" in trouble() and trouble() == ""
    assert not other.exists() or other.read_text(encoding="utf-8") == "precious"


@posix
@pytest.mark.parametrize(("folder", "file"), [(0o755, 0o600), (0o3773, 0o640), (0o1777, 0o600)])
def test_others_may_read_it_only_by_the_folders_group(board, folder, file):
    board.chmod(folder)
    umask = os.umask(0o077)
    try:
        assert "Also on" in trouble()
    finally:
        os.umask(umask)
    (mine,) = board.iterdir()
    assert stat.S_IMODE(mine.stat().st_mode) == file


@posix
def test_a_full_disk_is_told_and_not_raised(board):
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (150, 150))  # a line has about 110 bytes
from course_utils.exercises.report import report
print([report({EXERCISE!r}, "wrong", 1) for _ in range(3)])
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, encoding="utf-8")
    first, second, third = eval(told.stdout)
    assert first.startswith("Also on") and "No space left on device" in second and "File too large" in third


def test_a_board_that_hangs_does_not_hold_up_a_check(board, monkeypatch):
    monkeypatch.setattr(report, "PATIENCE", 0.05)
    monkeypatch.setenv(PSEUDONYM_VARIABLE, "desk-07")
    hangs = threading.Event()  # it is let go only when the checks are back; one that waits for it shows otherwise
    monkeypatch.setattr(report, "append", lambda *_, **__: hangs.wait(60))
    assert "was not told: no answer yet" in report.report(EXERCISE, "wrong", 1)
    assert report.report(EXERCISE, "wrong", 1) == ""
    hangs.set()


def test_the_board_is_told_where_no_thread_is_left(board, monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(report.Thread, "start", start)
    assert report.report(EXERCISE, "wrong", 1).startswith("Also on the instructor's board")


def test_exercises_tell_the_board_without_the_classroom():
    check = "from course_utils.exercises import lesson_02 as it; it.first_slope.check(1)"
    program = f"import sys; {check}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout.split()
    assert "course_utils.exercises.report" in loaded
    assert not [name for name in loaded if name.startswith("classroom")]


def open_lessons(board, *lessons):
    (board / report.OPENED).write_text(json.dumps(lessons), encoding="utf-8")


def test_without_a_board_a_solution_is_open():
    assert lesson_02.first_slope.solution().word == "A solution"


@pytest.fixture
def untried(board, monkeypatch):
    monkeypatch.setattr(lesson_02.slope, "_wrong", 0)
    monkeypatch.setattr(lesson_02.slope, "_passed", False)
    return lesson_02.slope


def test_in_a_workshop_three_wrong_answers_open_the_solution(untried, monkeypatch):
    for answer in (lambda f, x: 0.0, lambda f, x: 1.0, ...):
        untried.check(answer)
        said = untried.solution()
        assert said.word == "After the exercise" and "exercises.slope.hint()" in said.text
        assert untried.cell() not in repr(said)
    untried.check(lambda f, x: 2.0)
    assert untried.solution().word == "A solution"
    monkeypatch.setattr(untried, "_wrong", 0)  # a kernel that was restarted
    assert untried.solution().word == "A solution"


def test_a_right_answer_opens_it(untried):
    untried.check(untried.answer)
    assert untried.solution().word == "A solution"


def test_the_instructor_opens_one_lesson(untried, board):
    open_lessons(board, "01", "03")
    assert untried.solution().word == "After the exercise"
    open_lessons(board, "01", "02")
    assert untried.solution().word == "A solution"
    (board / report.OPENED).write_text("{ half", encoding="utf-8")
    assert untried.solution().word == "After the exercise"


@posix
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives a file to another account")
def test_what_another_account_opened_is_not_believed(untried, board):
    open_lessons(board, "02")
    os.chown(board / report.OPENED, 61001, 61001)
    assert untried.solution().word == "After the exercise"
