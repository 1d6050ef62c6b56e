"""A learner's copy follows the course, and never loses what the learner did."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytest.importorskip("resource", reason="the hub needs Linux")
pytest.importorskip("nbgitpuller", reason="the hub needs the extra `hub`")
pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="the hub needs git")

import server  # noqa: E402
from publish import publish  # noqa: E402

LESSONS = ("kept.ipynb", "changed.ipynb", "dropped.ipynb")


class Class:
    """The course's folder, the published course, and one learner's home."""

    def __init__(self, folder: Path):
        self.lessons, self.course, self.home = folder / "lessons", folder / "course", folder / "home"
        for each in (self.lessons, self.home):
            each.mkdir()
        for name in LESSONS:
            write(self.lessons / name, "first version")
        self.course.mkdir()
        self.next_day()

    def next_day(self) -> None:
        publish(self.lessons, self.course)
        server.update(self.course, self.home)

    @property
    def copy(self) -> Path:
        return self.home / server.COPY


def write(path: Path, *cells: str) -> None:
    nbformat.write(new_notebook(cells=[new_code_cell(text, id=f"cell-{i}") for i, text in enumerate(cells)]), path)


def read(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


@pytest.fixture
def course(tmp_path: Path) -> Class:
    return Class(tmp_path)


def test_a_folder_without_lessons_is_not_published(course: Class, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no notebook in .*lesons; expected the folder with the lessons"):
        publish(tmp_path / "lesons", course.course)
    course.next_day()
    assert sorted(path.name for path in course.copy.glob("*.ipynb")) == sorted(LESSONS)


def test_what_only_one_has_changed_is_taken_from_that_one(course: Class) -> None:
    write(course.copy / "kept.ipynb", "the learner's")
    write(course.lessons / "changed.ipynb", "second version")
    course.next_day()
    assert read(course.copy / "kept.ipynb") == ["the learner's"]
    assert read(course.copy / "changed.ipynb") == ["second version"]
    assert read(course.home / server.PUBLISHED / "changed.ipynb") == ["second version"]


def test_a_notebook_that_both_have_changed_stays_the_learners_whole(course: Class) -> None:
    cells = [f"line {n}" for n in range(20)]
    write(course.lessons / "changed.ipynb", *cells)
    course.next_day()
    write(course.copy / "changed.ipynb", *cells[:-1], "the learner's")
    write(course.lessons / "changed.ipynb", "second version", *cells[1:])
    course.next_day()
    assert read(course.copy / "changed.ipynb") == [*cells[:-1], "the learner's"]
    write(course.lessons / "changed.ipynb", "third version")
    course.next_day()
    assert read(course.copy / "changed.ipynb") == [*cells[:-1], "the learner's"]


def test_a_deleted_notebook_comes_back_in_its_newest_version(course: Class) -> None:
    write(course.copy / "changed.ipynb", "spoilt")
    course.next_day()
    (course.copy / "changed.ipynb").unlink()
    write(course.lessons / "changed.ipynb", "second version")
    course.next_day()
    assert read(course.copy / "changed.ipynb") == ["second version"]


def test_a_lesson_taken_out_of_the_course_stays_with_those_who_worked_on_it(course: Class) -> None:
    write(course.copy / "dropped.ipynb", "the learner's")
    (course.lessons / "dropped.ipynb").unlink()
    course.next_day()
    assert read(course.copy / "dropped.ipynb") == ["the learner's"]


def test_a_new_lesson_does_not_overwrite_a_notebook_of_that_name(course: Class) -> None:
    write(course.copy / "new.ipynb", "the learner's")
    write(course.copy / "own.ipynb", "the learner's own")
    write(course.lessons / "new.ipynb", "first version")
    course.next_day()
    assert read(course.copy / "new.ipynb") == ["first version"]
    (moved,) = course.copy.glob("new__*.ipynb")
    assert read(moved) == ["the learner's"]
    assert read(course.copy / "own.ipynb") == ["the learner's own"]


def test_an_update_that_fails_changes_nothing_and_stops_nothing(course: Class, capfd: pytest.CaptureFixture) -> None:
    subprocess.run(["git", "init", "--quiet", course.home.parent], check=True)  # none of the learner's business
    shutil.rmtree(course.copy / ".git")
    write(course.copy / "kept.ipynb", "the learner's")
    course.next_day()
    assert read(course.copy / "kept.ipynb") == ["the learner's"]
    assert "stays as it is: its update failed" in capfd.readouterr().err
    assert not (course.home.parent / ".git/FETCH_HEAD").exists()
