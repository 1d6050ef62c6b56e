"""The board counts what checks have written, and nothing else, whatever else lies in its folder."""

import json
import os
import re
from datetime import datetime, timedelta, timezone

import pytest

from classroom import plot_board, read_board, reading
from classroom.board import STUCK_AFTER, shorten
from classroom.sample import write_sample
from course_utils.exercises import lesson_02
from course_utils.exercises.report import BOARD_VARIABLE

NOW = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)
SLOPE, DIAMOND = "lesson_02.slope", "lesson_02.diamond"
posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes as Linux and macOS have them")


def line(exercise=SLOPE, verdict="wrong", mistake=None, *, ago=1.0, **more):
    time = (NOW - timedelta(minutes=ago)).isoformat(timespec="seconds")
    return json.dumps({"exercise": exercise, "verdict": verdict, "mistake": mistake, "time": time, **more})


def look(folder):
    return read_board(folder, now=NOW)


def row(board, exercise=SLOPE):
    return board[exercise]


@pytest.fixture
def learner(tmp_path):
    def write(name, *lines, folder=tmp_path):
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")

    return write


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([], "not tried"),
        ([line(verdict="unfinished", ago=60)] * 5, "not tried"),
        ([line()], "trying"),
        ([line()] * 2, "trying"),
        ([line()] * 3, "stuck"),
        ([line(ago=STUCK_AFTER.seconds / 60 + 1)], "stuck"),
        ([line(ago=11), line(verdict="right", ago=10)], "done"),
        ([line()] * 5 + [line(verdict="right")], "done"),
        ([line(verdict="right"), *[line()] * 5], "done"),
        ([line(), line(verdict="unfinished"), line()], "trying"),
    ],
)
def test_where_a_learner_is(tmp_path, learner, lines, state):
    learner("ada", *lines)
    learner("bob", line(DIAMOND, "right"))
    board = look(tmp_path)
    here = row(board)
    found = {"done": here.done, "stuck": len(here.stuck), "trying": len(here.trying)}
    assert found == {**dict.fromkeys(found, 0), **({} if state == "not tried" else {state: 1})}
    assert board.counts(here)["not tried"] == board.learners - (state != "not tried")
    assert row(board, DIAMOND).done == 1


def test_the_latest_mistake_counts_once_for_each_learner_that_has_it_not_right(tmp_path, learner):
    learner("ada", *[line(mistake=1)] * 5)
    learner("bob", line(mistake=2), line(mistake=1))
    learner("cyd", line(mistake=2), line())
    learner("dan", line(mistake=3), line(verdict="right"))
    here = row(look(tmp_path))
    assert here.on == {1: 2, None: 1}
    assert here.on_what(500) == f"2 × mistake 1: {shorten(lesson_02.slope.mistakes[0][1], 480)}"


def test_what_to_explain_next_is_where_most_are_stuck(tmp_path, learner):
    assert look(tmp_path).explain_next is None
    learner("ada", *[line(mistake=1)] * 3, *[line(DIAMOND, mistake=1)] * 3)
    learner("bob", *[line(mistake=1)] * 3)
    board = look(tmp_path)
    assert board.explain_next.exercise == SLOPE
    assert "2 learners, 2 stuck." in repr(board) and "Explain next: 02 slope, 2 stuck, 2 × mistake 1: " in repr(board)
    assert repr(board.explain_next).endswith("Stuck: `ada`, `bob`")
    assert lesson_02.slope.mistakes[0][1] in board.explain_next._repr_markdown_()
    assert "Stuck on 02 slope: ada, bob" in board.text(who=True) and "ada" not in board.text()


def test_folders_of_learners_inside_are_read_too_and_two_files_are_two_learners(tmp_path, learner):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        learner("ada", line(verdict="right" if name == "one" else "wrong"), folder=tmp_path / name)
    board = look(tmp_path)
    assert (board.learners, row(board).done, row(board).trying) == (2, 1, ["ada"])


HOSTILE = [
    "", "null", "[]", "{}", "3", '"text"', "{" * 300, "[" * 400, '{"exercise": "lesson_02.slope"', "\x00" * 50, "NaN",
    line(more="x"), line(exercise=3), line(exercise=["lesson_02.slope"]), line(verdict="Right"), line(verdict=None),
    line(verdict=["right"]), line(mistake=0), line(mistake=-1), line(mistake=99), line(mistake=1.0), line(mistake=True),
    line(mistake="1"), line(verdict="right", mistake=1), line(time=3), line(time=None), line(time="today"),
    line(time="2026-01-05"), line(time="2026-01-05T11:59:00"), line(mistake=10**200),
    line(exercise="lesson_02.no_such"), line(exercise="\x1b[2J<script>alert(1)</script>"), line(exercise="\ud800"),
    line(time="9999-12-31T23:59:59-14:00"), line(ago=-5), line() + " " * 1000, line() + line(),
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_or_broken_line_is_left_out_and_counted(tmp_path, learner, hostile):
    learner("ada", line(), hostile, line())
    board = look(tmp_path)
    assert row(board).trying == ["ada"]
    assert sum(board.left_out.values()) == (hostile != "")
    assert "\x1b" not in repr(board) and "<script>" not in board._repr_html_()
    assert ("Left out: 1 × line " in repr(board)) is (hostile != "")


def test_lines_that_are_not_text_are_left_out(tmp_path):
    (tmp_path / "ada.jsonl").write_bytes(b"\xff\xfe\n" + line().encode() + b"\n\xc3\x28\r\n" + bytes(range(11, 256)))
    assert row(look(tmp_path)).trying == ["ada"]


@posix
def test_what_is_no_plain_file_of_a_learner_is_left_out(tmp_path, learner):
    box = tmp_path / "board"
    box.mkdir()
    learner("ada", line(), folder=box)
    learner("elsewhere", line())
    (box / "link.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    (box / "endless.jsonl").symlink_to("/dev/zero")
    (box / "folder").symlink_to(tmp_path)
    os.mkfifo(box / "pipe.jsonl")
    (box / "sub.jsonl").mkdir()
    (box / "sub.jsonl" / "deeper").mkdir()
    (box / "notes.txt").write_text("hello", encoding="utf-8")
    (box / ".hidden.jsonl").write_text(line(), encoding="utf-8")
    (box / "\x1b[2J.jsonl").write_text(line(), encoding="utf-8")
    board = look(box)
    assert board.learners == 1 and board.left_out == {reading.NOT_A_FILE: 8}


@posix
def test_a_file_that_becomes_a_link_while_it_is_read_is_not_followed(tmp_path, learner, monkeypatch):
    learner("elsewhere", line())
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "link.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    found = [(100, tmp_path / "board" / "link.jsonl"), (1, tmp_path / "gone.jsonl")]
    monkeypatch.setattr(reading, "_files", lambda *_: found)
    board = look(tmp_path / "board")
    assert board.learners == 0 and board.left_out == {reading.UNREADABLE: 2}


def test_a_huge_file_is_read_in_part_and_hides_no_other(tmp_path, learner):
    learner("ada", line())
    with (tmp_path / "0huge.jsonl").open("wb") as huge:
        huge.write((line() + "\n").encode())
        huge.truncate(10**12)  # sparse: takes no room
    board = look(tmp_path)
    assert row(board).trying == ["0huge", "ada"]
    assert board.left_out == {reading.TOO_LONG: 1}


def test_too_much_in_all_is_read_in_part_the_small_files_first(tmp_path, learner, monkeypatch):
    monkeypatch.setattr(reading, "MAX_TOTAL", 400)
    learner("ada", *[line(verdict="unfinished")] * 9)
    learner("bob", line())
    board = look(tmp_path)
    assert row(board).trying == ["bob"] and board.left_out == {reading.TOO_LONG: 1}


def test_a_folder_that_cannot_be_listed_or_is_not_set_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        read_board(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=f"set the variable {BOARD_VARIABLE}"):
        read_board()
    monkeypatch.setenv(BOARD_VARIABLE, str(tmp_path))
    assert repr(read_board()) == "Nobody has checked an answer yet."
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_board(read_board())
    with pytest.raises(TypeError, match="board is 3; expected what read_board returns"):
        plot_board(3)


@pytest.mark.parametrize("learners", [1, 5, 24, 30, 31, 200])
@pytest.mark.parametrize("width", [80, 100, 160])
def test_it_fits_the_terminal_and_its_bars_have_one_length(tmp_path, learners, width):
    board = look(write_sample(tmp_path, learners=learners, now=NOW))
    lines = board.text(width).splitlines()
    assert max(map(len, lines)) <= width
    bars = [re.search("[■✗▫·]+", line)[0] for line in lines if line[:3] in ("00 ", "01 ", "02 ")]
    assert len(bars) >= 3 and len({*map(len, bars)}) == 1


def test_the_sample_is_the_same_every_time_and_shows_every_state(tmp_path):
    shown = repr(look(write_sample(tmp_path, now=NOW)))
    assert repr(look(write_sample(tmp_path, now=NOW))) == shown
    assert all(sign in shown for sign in "■✗▫·") and "Explain next" in shown and "not foreseen" in shown
    with pytest.raises(ValueError, match="learners = 0; expected at least 1"):
        write_sample(tmp_path, learners=0)


def test_the_picture_tells_what_the_table_tells(tmp_path):
    board = look(write_sample(tmp_path, now=NOW))
    here = row(board)
    counts = ", ".join(f"{count} {state}" for state, count in board.counts(here).items())
    assert f"02 slope {counts}" in plot_board(board).description


def test_an_exercise_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KeyError, match="the course has no exercise 'slope'; expected one such as 'lesson_02.slope'"):
        look(tmp_path)["slope"]


def test_json_holds_all_of_it(tmp_path, learner):
    learner("ada", *[line(mistake=1)] * 3, "broken")
    assert json.loads(json.dumps(look(tmp_path).as_json())) == {
        "learners": 1,
        "explain_next": SLOPE,
        "exercises": [
            {
                "exercise": SLOPE,
                "done": 0,
                "stuck": ["ada"],
                "trying": [],
                "mistakes": [{"mistake": 1, "learners": 1, "says": lesson_02.slope.mistakes[0][1]}],
            }
        ],
        "left_out": {reading.BROKEN: 1},
    }


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Short.", 20, "Short."),
        ("One two three four", 12, "One two…"),
        ("Use `x.grad` here", 30, "Use x.grad here"),
        ("*Never* `w * x**2`", 30, "Never w * x**2"),
        ("The slope is $2 x$ at the place", 18, "The slope is…"),
        ("Averyveryverylongword", 8, "Averyve…"),
    ],
)
def test_first_words(text, limit, short):
    assert shorten(text, limit) == short
