"""Editions: made from what is committed, and never over a learner's work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from classroom.editions import lab
from classroom.editions.commands import FOLDER
from classroom.editions.instructor import for_instructors, notes_of
from classroom.editions.learner import for_learners, to_bytes
from classroom.editions.questions import PROMPT, code_cells, questions
from classroom.editions.source import SUMS, is_lesson, of_course, read_course, sums
from course_utils.exercises import lesson_02

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
IMPORTS = "from course_utils.exercises import lesson_02 as exercises"
OUTPUT = new_output("execute_result", data={"text/plain": "tensor(18.)"}, execution_count=1)
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is missing")
in_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this folder is no clone")


def lesson(*sources: str) -> bytes:
    run = {"outputs": [OUTPUT], "execution_count": 1}
    cells = [new_code_cell(source, id=f"cell-{i}", **run) for i, source in enumerate(sources)]
    return to_bytes(new_notebook(cells=[new_markdown_cell("# A lesson", id="title"), *cells]))


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A small course in a folder, without git."""
    root = tmp_path / "course"
    (root / "notebooks").mkdir(parents=True)
    for number in ("00", "01"):
        (root / f"notebooks/{number}_lesson.ipynb").write_bytes(lesson(f"{number} first version"))
    (root / "README.md").write_text("A course.\n", encoding="utf-8")
    return root


@pytest.fixture
def committed(course: Path) -> Path:
    git(course, "init", "--quiet")
    git(course, "add", "--all")
    git(course, "commit", "--quiet", "--message=Everything")
    return course


def sources(place: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(place, as_version=4).cells[1:]]


def type_in(place: Path, text: str) -> None:
    page = nbformat.read(place, as_version=4)
    page.cells[1].source = text
    nbformat.write(page, place)


@needs_git
def test_what_is_not_committed_is_named_and_left_out(committed: Path) -> None:
    type_in(committed / "notebooks/00_lesson.ipynb", "my own answer")
    (committed / "notebooks/02_half.ipynb").write_bytes(lesson("half"))
    (committed / "notebooks/01_lesson.ipynb").unlink()
    (committed / "KEY.pem").write_text("secret", encoding="utf-8")
    read = read_course(committed)
    assert sorted(read.files) == ["README.md", "notebooks/00_lesson.ipynb", "notebooks/01_lesson.ipynb"]
    assert b"my own answer" not in read.files["notebooks/00_lesson.ipynb"]
    assert read.notice == (
        "Not committed, so left out: notebooks/00_lesson.ipynb (changed), notebooks/01_lesson.ipynb (removed), "
        "notebooks/02_half.ipynb (new). To take them as they are: --as-it-is"
    )
    as_it_is = read_course(committed, as_it_is=True)
    assert sorted(as_it_is.files) == ["README.md", "notebooks/00_lesson.ipynb", "notebooks/02_half.ipynb"]
    assert b"my own answer" in as_it_is.files["notebooks/00_lesson.ipynb"]
    assert as_it_is.notice == ""


@needs_git
def test_one_folder_of_the_course_can_be_read_alone(committed: Path) -> None:
    type_in(committed / "notebooks/00_lesson.ipynb", "my own answer")
    read = read_course(committed / "notebooks", belongs=lambda path: "/" not in path and path.endswith(".ipynb"))
    assert sorted(read.files) == ["00_lesson.ipynb", "01_lesson.ipynb"]
    assert read.left_out == ("00_lesson.ipynb (changed)",)


@needs_git
def test_git_around_the_folder_that_knows_nothing_of_it_is_not_asked(course: Path) -> None:
    git(course.parent, "init", "--quiet")
    (course.parent / "other").write_text("", encoding="utf-8")
    git(course.parent, "add", "other")
    git(course.parent, "commit", "--quiet", "--message=Other")
    assert read_course(course).is_unlisted


@needs_git
def test_git_that_cannot_answer_is_told_in_one_line(course: Path) -> None:
    git(course, "init", "--quiet")
    with pytest.raises(ValueError, match=r"^git cannot read what was committed in .*: fatal: .*HEAD"):
        read_course(course)


def test_a_missing_git_is_told(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (course / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match="git is missing"):
        read_course(course)


def test_a_release_is_what_its_list_says(course: Path) -> None:
    (course / SUMS).write_bytes(sums(read_course(course).files))
    assert (read_course(course).notice, read_course(course).left_out) == ("", ())
    type_in(course / "notebooks/00_lesson.ipynb", "my own answer")
    (course / "notebooks/02_half.ipynb").write_bytes(lesson("half"))
    read = read_course(course)
    assert sorted(read.files) == ["README.md", "notebooks/01_lesson.ipynb"]
    assert read.left_out == ("notebooks/00_lesson.ipynb (changed)", "notebooks/02_half.ipynb (new)")
    alone = read_course(course / "notebooks", belongs=lambda path: path.endswith(".ipynb"))
    assert sorted(alone.files) == ["01_lesson.ipynb"]


def test_an_archive_without_a_list_says_so(course: Path) -> None:
    read = read_course(course)
    assert "notebooks/00_lesson.ipynb" in read.files
    assert read.notice == "Neither git nor SHA256SUMS is here: the files are taken as they lie."


@pytest.mark.parametrize(
    "path", ["class.txt", "KEY.pem", ".env", "notebooks/.ipynb_checkpoints/02-checkpoint.ipynb", "hub/learners.txt",
             "learn/02_backward.ipynb", "tools/__pycache__/x.py", "deploy/key.pem", "slides/02.html"],
)  # fmt: skip
def test_names_and_keys_belong_to_no_edition(path: str) -> None:
    assert not of_course(path) and not is_lesson(path)


@needs_git
@in_git
def test_every_committed_file_is_of_the_course_or_for_its_makers() -> None:
    listed = git(ROOT, "ls-files").splitlines()
    for_makers = (".ci/", ".devcontainer/", ".github/", ".pre-commit-config.yaml")
    assert [path for path in listed if not of_course(path) and not path.startswith(for_makers)] == []


def test_a_learners_page_has_no_outputs_and_shows_the_task_as_text() -> None:
    made = new_notebook(
        cells=[
            new_code_cell(IMPORTS, outputs=[OUTPUT], execution_count=1, id="a"),
            new_code_cell("exercises.slope", outputs=[OUTPUT], execution_count=2, id="b"),
            new_code_cell("def f(x):\n    return x\n\nexercises.first_slope", execution_count=3, id="c"),
        ]
    )
    made.cells[1].metadata["tags"] = ["raises-exception"]
    page = for_learners(made)
    assert [(cell.cell_type, cell.id) for cell in page.cells] == [
        ("code", "a"), ("markdown", "b"), ("code", "c"), ("markdown", "c-task"),
    ]  # fmt: skip
    assert lesson_02.slope.prompt in page.cells[1].source and lesson_02.first_slope.prompt in page.cells[3].source
    assert page.cells[2].source == "def f(x):\n    return x"
    assert all(cell.outputs == [] and cell.execution_count is None for cell in page.cells if cell.cell_type == "code")
    assert made.cells[0].outputs


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_has_a_learners_page(path: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    page = for_learners(stored)
    nbformat.validate(page)
    left = code_cells(page)
    assert not any(cell.outputs or cell.execution_count or PROMPT.search(cell.source) for cell in left)
    kept = {cell.id: cell.source for cell in page.cells}
    assert all(kept[cell.id] == cell.source for cell in stored.cells if cell.cell_type == "markdown")


def pages(**texts: str) -> dict[str, bytes]:
    return {f"{name}.ipynb": lesson(text) for name, text in texts.items()}


def test_an_update_renews_what_is_untouched_and_keeps_what_is_the_learners(tmp_path: Path) -> None:
    folder = tmp_path / "learn"
    first = pages(a_00="1", b_01="1", c_02="1")
    assert lab.update(folder, first).new == ["a_00.ipynb", "b_01.ipynb", "c_02.ipynb"]
    assert str(lab.update(folder, first)) == ""
    type_in(folder / "b_01.ipynb", "mine")
    (folder / "own.ipynb").write_bytes(lesson("my own"))
    done = lab.update(folder, pages(a_00="2", b_01="2", c_02="1", d_03="1"))
    assert (done.new, done.renewed, done.kept) == (["d_03.ipynb"], ["a_00.ipynb"], ["b_01.ipynb"])
    assert "Newer in the course, and left as you have it: b_01 (make lesson FRESH=" in str(done)
    assert [sources(folder / f"{name}.ipynb") for name in ("a_00", "b_01", "own")] == [["2"], ["mine"], ["my own"]]
    assert sorted(path.name for path in folder.iterdir()) == [
        ".editions.json", "a_00.ipynb", "b_01.ipynb", "c_02.ipynb", "d_03.ipynb", "own.ipynb",
    ]  # fmt: skip


def test_opening_a_lesson_is_not_touching_it_and_running_it_is(tmp_path: Path) -> None:
    lab.update(tmp_path, pages(opened="1", run="1", lost="1"))
    for name in ("opened", "run"):
        page = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
        page.metadata["language_info"] = {"name": "python", "version": "3.12.1"}
        if name == "run":
            page.cells[1].execution_count = 7
        nbformat.write(page, tmp_path / f"{name}.ipynb")
    (tmp_path / "lost.ipynb").unlink()
    done = lab.update(tmp_path, pages(opened="2", run="2", lost="2"))
    assert (done.renewed, done.kept, done.new) == (["opened.ipynb"], ["run.ipynb"], ["lost.ipynb"])


def test_without_its_notes_an_update_overwrites_nothing(tmp_path: Path) -> None:
    lab.update(tmp_path, pages(a="1", b="1"))
    (tmp_path / ".editions.json").write_text("{", encoding="utf-8")
    done = lab.update(tmp_path, pages(a="1", b="2"))
    assert (done.new, done.renewed, done.kept) == ([], [], ["b.ipynb"])


def test_a_spoilt_notebook_is_the_learners(tmp_path: Path) -> None:
    lab.update(tmp_path, pages(a="1"))
    (tmp_path / "a.ipynb").write_text("{ half", encoding="utf-8")
    assert lab.update(tmp_path, pages(a="2")).kept == ["a.ipynb"]
    assert (tmp_path / "a.ipynb").read_text(encoding="utf-8") == "{ half"


def test_a_lesson_taken_out_of_the_course_stays_and_is_told_once(tmp_path: Path) -> None:
    lab.update(tmp_path, pages(a="1", b="1"))
    assert lab.update(tmp_path, pages(a="1")).gone == ["b.ipynb"]
    assert lab.update(tmp_path, pages(a="1")).gone == []
    assert (tmp_path / "b.ipynb").exists()


def test_a_clean_copy_keeps_the_old_ones_beside_it(tmp_path: Path) -> None:
    lessons = {"02_backward.ipynb": lesson("1")}
    lab.update(tmp_path, lessons)
    assert lab.fresh(tmp_path, lessons, "2") == (tmp_path / "02_backward.ipynb", None)
    for count, text in enumerate(("mine", "mine again"), 1):
        type_in(tmp_path / "02_backward.ipynb", text)
        place, old = lab.fresh(tmp_path, lessons, "02")
        assert old == tmp_path / f"02_backward_old_{count}.ipynb"
        assert (sources(place), sources(old)) == (["1"], [text])
    assert lab.update(tmp_path, {"02_backward.ipynb": lesson("2")}).renewed == ["02_backward.ipynb"]


@pytest.mark.parametrize("number", ["99", "", "two", "../02", "002"])
def test_a_lesson_that_is_not_there_is_named(tmp_path: Path, number: str) -> None:
    lessons = {"00_a.ipynb": lesson("1"), "02_b.ipynb": lesson("1")}
    with pytest.raises(ValueError, match="there is no lesson .*; expected a number from 00 to 02"):
        lab.fresh(tmp_path, lessons, number)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_every_lesson_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.update(tmp_path, pages(a="1", b="1"))
    whole = Path.write_bytes

    def write(place: Path, content: bytes) -> int:
        if place.name == "b.ipynb":
            raise OSError(28, os.strerror(28), str(place))
        return whole(place, content)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(OSError, match="No space left"):
        lab.update(tmp_path, pages(a="2", b="2"))
    assert [sources(tmp_path / f"{name}.ipynb") for name in "ab"] == [["1"], ["1"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".editions.json", "a.ipynb", "b.ipynb"]


@needs_git
@in_git
def test_who_learns_in_a_clone_changes_nothing_that_is_tested(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone))
    folder = clone / FOLDER
    lab.update(folder, lab.learners_lessons(read_course(clone)))
    for place in folder.glob("*.ipynb"):
        type_in(place, "prediction = 18")
    assert git(clone, "status", "--porcelain") == ""
    assert [path.name for path in LESSONS] == [path.name for path in sorted(folder.glob("*.ipynb"))]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_an_instructors_page_has_outputs_solutions_and_every_question_below_its_section(path: Path) -> None:
    notes = notes_of((ROOT / "docs/instructors.md").read_text(encoding="utf-8"))[path.name[:2]]
    stored = nbformat.read(path, as_version=4)
    page = for_instructors(stored, notes)
    nbformat.validate(page)
    asked = list(questions(page))
    assert asked and all(question.exercise.cell(question.variable) == question.stub.rstrip() for question in asked)
    assert all(q.cell.outputs[0].data["text/plain"] == f"Right. {q.exercise.because}" for q in asked)
    others = {cell.id: cell.outputs for cell in code_cells(page) if cell.id not in {q.cell.id for q in asked}}
    assert all(cell.outputs == others[cell.id] for cell in code_cells(stored) if cell.id in others)
    made = [cell.source for cell in page.cells if cell.id.startswith("note-")]
    assert made[0].count("**On the board.**") == 1 and page.cells[1].source == made[0]
    assert sum(text.count("\n- ") for text in made[1:]) == notes.count("\n- ") + notes.startswith("- ")
    for before, cell in zip(page.cells, page.cells[1:]):
        if "**Learners ask**" in cell.source:
            pointed = re.findall(r"→\s+\*(.+?)\*(?=[\s;.]|$)", cell.source)
            assert any(f"# {section}\n" in f"{before.source}\n" for section in pointed)
