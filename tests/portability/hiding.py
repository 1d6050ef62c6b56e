"""Programs out of sight, so that the course can be tried without them: `python hiding.py FOLDER dot git` prints a PATH.

Standard library only: CI runs it before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def path_without(programs: list[str], links: Path, path: str) -> str:
    """The PATH on which these programs are not found and all others are.

    Args:
        links: an empty folder; it has to stay for as long as the PATH is used.
        path: the PATH as it is.
    """
    shown = []
    for number, folder in enumerate(filter(os.path.isdir, path.split(os.pathsep))):
        if any(shutil.which(program, path=folder) for program in programs):
            seen = links / str(number)
            seen.mkdir()
            for file in Path(folder).iterdir():
                if file.name not in programs:
                    (seen / file.name).symlink_to(file)
            folder = str(seen)
        shown.append(folder)
    return os.pathsep.join(shown)


if __name__ == "__main__":
    print(path_without(sys.argv[2:], Path(sys.argv[1]), os.environ["PATH"]))
