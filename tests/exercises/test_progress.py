"""What was passed is remembered, whatever happens to kernels, notebooks and disks."""

import json
import multiprocessing
from pathlib import Path

import pytest

import course_utils
from course_utils.exercises import find_exercises, lesson_02
from course_utils.exercises.progress import progress
from course_utils.exercises.records import FOLDER_VARIABLE, passed, progress_file, remember


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_pass_is_kept_once_and_a_failure_never(home):
    assert passed() == set()
    lesson_02.first_slope.check(9.0)
    lesson_02.first_slope.check(...)
    lesson_02.first_slope.grade(18.0)
    assert not progress_file().exists()
    total = len(find_exercises()["lesson_02"])
    assert lesson_02.first_slope.check(18.0).message.endswith(f"\n\nDone in this lesson: 1 of {total}.")
    assert lesson_02.first_slope.check(18).message.endswith(f"\n\nDone in this lesson: 1 of {total}.")
    assert lesson_02.backward_twice.check(12).message.endswith(f"\n\nDone in this lesson: 2 of {total}.")
    assert passed() == {"lesson_02.first_slope", "lesson_02.backward_twice"}
    assert len(progress_file().read_text(encoding="utf-8").split()) == 2 * 4


def test_done_and_total_by_lesson(home):
    remember("lesson_02.slope", ["lesson_02.slope"])
    shown = course_utils.progress()
    assert shown.done["lesson_02"] == 1 and shown.done["lesson_00"] == 0
    assert shown.total == {lesson: len(its) for lesson, its in find_exercises().items()}
    assert f"1 of {sum(shown.total.values())} exercises done." in repr(shown)
    assert "■□" in repr(shown) and "<table>" in shown._repr_html_()


def test_broken_hostile_and_outdated_lines_are_left_out(home):
    remember("lesson_02.slope", ["lesson_02.slope"])
    hostile = [b"\xff\xfe", b'{"exercise": "lesson_02.dia', b"[" * 100_000, b"null", b"[1]", b'{"exercise": 3}']
    hostile.append(b'{"exercise": "lesson_99.gone"}')
    with progress_file().open("ab") as file:
        file.write(b"\n" + b"\n".join(hostile))
    remember("lesson_02.diamond", ["lesson_02.diamond"])
    assert passed() == {"lesson_02.slope", "lesson_02.diamond", "lesson_99.gone"}
    assert sum(progress().done.values()) == 2


def test_a_line_cut_short_spoils_only_itself(home):
    remember("lesson_02.slope", ["lesson_02.slope"])
    with progress_file().open("ab") as file:
        file.truncate(progress_file().stat().st_size - 5)
    remember("lesson_02.diamond", ["lesson_02.diamond"])
    assert passed() == {"lesson_02.diamond"}


def _remember_many(names):
    for name in names:
        remember(name, [name])


@pytest.mark.slow
def test_notebooks_that_write_at_once_lose_nothing(home):
    names = [f"lesson_02.exercise_{number}" for number in range(40)]
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_remember_many, args=(names[start::2],)) for start in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert passed() == set(names)


def test_a_folder_that_cannot_be_made_is_told_and_not_raised(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file"))
    verdict = lesson_02.first_slope.check(18.0)
    assert verdict.status == "right" and "\n\nThis pass could not be remembered: " in verdict.message
    trouble = progress().trouble
    assert trouble.startswith("What was remembered cannot be read: ") and trouble in repr(progress())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_told_and_not_raised(home, monkeypatch):
    home.mkdir()
    (home / "progress.jsonl").symlink_to("/dev/full")
    monkeypatch.setattr("course_utils.exercises.records.passed", set)  # /dev/full would be read for ever
    assert "No space left on device" in lesson_02.first_slope.check(18.0).message


def test_without_the_variable_the_folder_is_the_users_own(monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE)
    assert progress_file().name == "progress.jsonl" and "course_utils" in progress_file().parts


def test_under_pytest_the_users_own_folder_is_out_of_reach(tmp_path):
    assert progress_file().parent == tmp_path


def test_a_record_holds_the_exercise_and_the_time_only(home):
    remember("lesson_02.slope", ["lesson_02.slope"])
    assert json.loads(progress_file().read_text(encoding="utf-8")).keys() == {"exercise", "passed"}
