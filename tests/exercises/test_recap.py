"""Questions come back: missed ones first, then those whose pause is over, then new ones; records outlive kernels."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from course_utils import recap
from course_utils.exercises import lesson_01, lesson_02
from course_utils.exercises.records import FOLDER_VARIABLE, append, progress_file, recall_file

FIRST, TWICE = "lesson_02.first_slope", "lesson_02.backward_twice"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def note(name, *, days_ago, right):
    time = datetime.now(timezone.utc) - timedelta(days=days_ago)
    append(recall_file(), {"exercise": name, "asked": time.isoformat(timespec="seconds"), "right": right})


def names(count=3, **options):
    return list(recap(count, **options).questions)


def test_without_records_it_asks_the_same_of_everybody_and_only_from_earlier_lessons():
    assert names(before=3) == names(before=3) and len(names(before=3)) == 3
    assert all(name < "lesson_03" for name in names(20, before=3))
    assert names(before=3) != names(before=4)
    assert names(20, before=1) == ["lesson_00.first_gradient"]


def test_a_miss_in_a_lesson_comes_first_even_after_a_pass():
    lesson_02.backward_twice.check(6)
    lesson_02.backward_twice.check(12)
    assert names(before=5)[0] == TWICE


def test_a_pass_at_the_first_try_waits_a_day():
    lesson_02.first_slope.check(18)
    assert FIRST not in names(5, before=3) and names(20, before=3)[-1] == FIRST
    progress_file().unlink()
    append(progress_file(), {"exercise": FIRST, "passed": (datetime.now(timezone.utc) - timedelta(days=2)).isoformat()})
    assert names(before=3)[0] == FIRST


@pytest.mark.parametrize(("rights", "pause"), [(1, 1), (2, 3), (3, 7), (4, 14), (5, 30), (6, 90), (9, 90)])
def test_each_right_answer_makes_the_pause_longer(rights, pause):
    for _ in range(rights):
        note(FIRST, days_ago=pause - 0.5, right=True)
    assert names(1, before=3) != [FIRST]
    recall_file().unlink()
    for _ in range(rights):
        note(FIRST, days_ago=pause + 0.5, right=True)
    assert names(1, before=3) == [FIRST]


def test_a_miss_sends_it_back_to_the_first_box():
    for days, right in [(40, True), (30, True), (20, False), (1.5, True)]:
        note(FIRST, days_ago=days, right=right)
    assert names(1, before=3) == [FIRST]  # box 1 again: a day is enough


def test_it_shows_its_questions_and_answers_each():
    note(FIRST, days_ago=1, right=False)
    note(TWICE, days_ago=0.5, right=False)
    again = recap(before=3)
    assert list(again.questions)[:2] == [FIRST, TWICE]
    assert lesson_02.first_slope.prompt in repr(again) and "prediction = " not in repr(again)
    said = repr(again.check(18, 6, ...))
    assert said.startswith("Recap. 1 of 3 right.")
    assert f"**1.** **Right.** {lesson_02.first_slope.because}" in said
    assert f"**2.** **Not yet.** {lesson_02.backward_twice.mistakes[0][1]} Lesson 02 has it." in said
    assert "**3.** **Left out.**" in said
    kept = [json.loads(line) for line in recall_file().read_text(encoding="utf-8").split("\n") if line]
    assert [(record["exercise"], record["right"]) for record in kept[2:]] == [(FIRST, True), (TWICE, False)]
    assert names(1, before=3) == [TWICE]


def test_an_answer_of_any_sort_gets_words():
    again = recap(before=3)
    assert "You gave 1; this recap has 3 questions." in repr(again.check(3))
    assert "Not yet" in repr(again.check(object(), print, {1: 2}))


def test_a_disk_that_fails_is_told(home, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(home / "file"))
    (home / "file").write_text("in the way", encoding="utf-8")
    assert "This answer could not be remembered: " in lesson_01.silent_data.check(6).message
    assert "What was remembered cannot be read: " in repr(recap())


def test_broken_lines_are_left_out():
    lines = [
        b'{"exercise": 3, "asked": "2026-01-01T00:00:00+00:00"}',
        b'{"exercise": "x", "asked": "soon"}',
        b"[]",
        b"{",
    ]
    lines.append(f'{{"exercise": "{FIRST}", "asked": "2026-01-01T00:00:00", "right": false}}'.encode())
    recall_file().write_bytes(b"\n".join(lines))
    note("lesson_99.gone", days_ago=1, right=False)
    assert len(names(before=3)) == 3


@pytest.mark.parametrize(("options", "words"), [({"before": 0}, "before is 0"), ({"count": 0}, "count is 0")])
def test_numbers_outside_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        recap(**options)
