"""The door for commands: `python -m course_utils doctor`, `progress` and `board`; they live in `classroom.commands`."""

import sys

from classroom.commands import main

if __name__ == "__main__":
    sys.exit(main())
