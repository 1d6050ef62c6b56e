"""The door for commands: `python -m course_utils lab`, `doctor` and others; they live in `classroom.commands`."""

import sys
from io import TextIOWrapper

from classroom.commands import main

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # ✓ is not among the letters of a pipe or a file on Windows
            stream.reconfigure(errors="replace")
    sys.exit(main())
