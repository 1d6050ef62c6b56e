"""The board in a terminal, drawn again and again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from course_utils.core.numbers import format_given

from .board import read_board

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"  # a separate screen without a cursor, and back
HOME, END_OF_LINE, REST = "\x1b[H", "\x1b[K", "\x1b[J"


def watch(
    folder: Path | None, *, every: float, who: bool = False, sleep: Callable[[float], object] = time.sleep
) -> None:
    """Shows the board every few seconds until it is interrupted (Ctrl-C).

    Args:
        folder: as for `read_board`.
        every: seconds between two looks.
        who: names those who are stuck.
        sleep: waits that long.

    Raises:
        ValueError, OSError: as `read_board`, on the first look; later ones are shown in the board's place.
    """
    print(ENTER, end="")
    try:
        text = _look(folder, who)
        while True:
            _draw(text, every)
            sleep(every)
            try:
                text = _look(folder, who)
            except OSError as error:
                text = f"The board cannot be read at the moment: {error.strerror} ({error.filename})"
    except KeyboardInterrupt:
        pass
    finally:
        print(LEAVE, end="", flush=True)


def _look(folder: Path | None, who: bool) -> str:
    return read_board(folder).text(shutil.get_terminal_size().columns, who=who)


def _draw(text: str, every: float) -> None:
    """Over what was there before, line by line, so that nothing flickers; what is too long or too much is cut."""
    columns, rows = shutil.get_terminal_size()
    clock = f"{time.strftime('%H:%M:%S')}, looks again every {format_given(every)} s, Ctrl-C ends it"
    lines = [line[:columns] for line in [clock, *text.splitlines()][: rows - 1]]
    print(HOME + "".join(f"{line}{END_OF_LINE}\r\n" for line in lines) + REST, end="", flush=True)
