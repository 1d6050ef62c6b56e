"""The drop box, tried by accounts that really are others."""

import os
import stat
from datetime import datetime, timezone

import pytest

from classroom.dropbox import MODE, open_solutions, prepare
from classroom.reading import read_folder
from course_utils.exercises.report import BOARD_VARIABLE, report

grp = pytest.importorskip("grp", reason="accounts and groups as Linux and macOS have them")

ADA, BOB, TUTOR = 61001, 61002, 61003
GROUP = "daemon"  # one that every Linux and macOS has
IMPORT = "import platformdirs.unix; from course_utils.exercises.report import report"
TELL = "print(report('lesson_02.slope', 'wrong', 1))"


def attempt(code):
    """A program that prints the name of the error that the line raises, or "it worked"."""
    return f"try:\n    {code}\nexcept OSError as error:\n    print(type(error).__name__)\nelse:\n    print('it worked')"


@pytest.fixture
def box(town, run_as):
    box = prepare(town / "board", group=GROUP)
    for account in (ADA, BOB):
        (town / str(account)).mkdir()
        os.chown(town / str(account), account, account)
    return box


@pytest.fixture
def tells(box, run_as):
    def tell(account, name):
        """What an account is told about its check; an empty name makes the pseudonym a random one."""
        own = {"COURSE_UTILS_DATA": box.parent / str(account), "COURSE_UTILS_PSEUDONYM": name}
        return run_as(account, TELL, before=IMPORT, COURSE_UTILS_BOARD=box, **own)

    return tell


def test_a_learner_can_add_to_the_own_file_and_see_no_other(box, tells, run_as):
    for account, name in [(ADA, "ada"), (BOB, ""), (ADA, "ada")]:
        assert tells(account, name).startswith("Also on the instructor's board")
    ada = box / "ada.jsonl"
    found = ada.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (ADA, grp.getgrnam(GROUP).gr_gid, 0o640)
    hostile = [
        f"os.listdir({str(box)!r})", f"open({str(ada)!r}).read()", f"open({str(ada)!r}, 'a').write('x')",
        f"os.remove({str(ada)!r})", f"os.rename({str(ada)!r}, {str(box / 'mine.jsonl')!r})",
        f"os.chmod({str(ada)!r}, 0o666)", f"os.truncate({str(ada)!r}, 0)", f"os.rmdir({str(box)!r})",
    ]  # fmt: skip
    assert {code: run_as(BOB, attempt(code)) for code in hostile} == dict.fromkeys(hostile, "PermissionError")
    assert ada.read_text(encoding="utf-8").count("lesson_02.slope") == 2


def test_a_name_that_is_taken_is_told(tells):
    tells(ADA, "ada")
    assert "was not told: Permission denied" in tells(BOB, "ada")


def test_a_trap_that_another_has_laid_is_not_stepped_into(box, tells, run_as, town):
    precious = town / str(ADA) / "precious"
    precious.write_text("precious", encoding="utf-8")
    os.chown(precious, ADA, ADA)
    run_as(BOB, f"os.symlink({str(precious)!r}, {str(box / 'ada.jsonl')!r})")
    assert "was not told" in tells(ADA, "ada")
    assert precious.read_text(encoding="utf-8") == "precious"


def test_members_of_the_group_read_all_of_it(box, tells, run_as):
    tells(ADA, "ada")
    tells(BOB, "")
    before = "import datetime; from pathlib import Path; from classroom.reading import read_folder"
    now = "datetime.datetime.now(datetime.timezone.utc)"
    read = f"read_folder(Path({str(box)!r}), mistakes={{'lesson_02.slope': 3}}, now={now})"
    program = f"learners, left_out = {read}; print(len(learners), 'ada' in dict(learners), dict(left_out))"
    told = run_as(TUTOR, program, before=before, groups=(grp.getgrnam(GROUP).gr_gid,))
    assert told == "2 True {}"


def test_preparing_again_changes_nothing(box):
    assert prepare(box, group=GROUP) == box
    assert stat.S_IMODE(box.stat().st_mode) == MODE


def test_parents_that_learners_cannot_pass_are_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o700)
    with pytest.raises(ValueError, match=r"learners cannot reach .*/closed/board: closed to others .*/closed, "):
        prepare(tmp_path / "closed" / "board", group=GROUP)
    assert not (tmp_path / "closed" / "board").exists()


def test_a_group_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="there is no group 'no-such-group'; `groupadd no-such-group` makes one"):
        prepare(tmp_path / "board", group="no-such-group")


def test_somebody_elses_folder_is_left_alone(town, run_as):
    (town / "board").mkdir(mode=0o700)
    before = "import grp, pwd; from classroom.dropbox import prepare"
    grab = attempt(f"prepare({str(town / 'board')!r}, group={GROUP!r})")
    assert run_as(ADA, grab, before=before) == "PermissionError"
    (town / "link").symlink_to(town / "board")
    with pytest.raises(NotADirectoryError):
        prepare(town / "link", group=GROUP)
    assert stat.S_IMODE((town / "board").stat().st_mode) == 0o700


def test_an_unprepared_folder_works_for_one_account(tmp_path, monkeypatch):
    monkeypatch.setenv(BOARD_VARIABLE, str(tmp_path / "board"))
    (tmp_path / "board").mkdir()
    report("lesson_02.slope", "wrong", 1)
    known, now = {"lesson_02.slope": 3}, datetime.now(timezone.utc)
    learners, left_out = read_folder(tmp_path / "board", mistakes=known, now=now)
    assert len(learners) == 1 and not left_out


def test_the_owner_opens_solutions_lesson_by_lesson(town, box, run_as):
    assert (open_solutions(box, "02"), open_solutions(box, "04")) == (["02"], ["02", "04"])
    learners, left_out = read_folder(box, mistakes={}, now=datetime.now(timezone.utc))
    assert (learners, left_out) == ([], {})
    ask = "from course_utils.exercises.report import has_opened"
    assert run_as(ADA, "print(has_opened('02'), has_opened('03'))", before=ask, COURSE_UTILS_BOARD=box) == "True False"
    with pytest.raises(ValueError, match=r"there is no lesson '99' with exercises; expected one of 00, 01"):
        open_solutions(box, "99")


def test_only_the_owner_opens_solutions(box):
    os.chown(box, ADA, -1)
    with pytest.raises(ValueError, match="belongs to another account"):
        open_solutions(box, "02")
