"""Writes constraints.txt: the versions installed here of everything the project and its extras need."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# The set the course is tested with. Written by tools/pin.py; do not edit.
# What only Windows, macOS or CUDA builds need is left to pip; so are, on Python 3.10, the packages whose
# version here has left it behind (those with a marker): pip then takes the newest that still runs there.
"""


def needed(project: str, extras: set[str]) -> set[str]:
    """Names of all packages that `project` with `extras` needs on this machine, itself not counted."""
    seen: set[tuple[str, str]] = set()
    queue = [(project, extra) for extra in {"", *extras}]
    while queue:
        name, extra = queue.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for line in distribution(name).requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                wanted = canonicalize_name(requirement.name)
                queue += [(wanted, wanted_extra) for wanted_extra in {"", *requirement.extras}]
    return {name for name, _ in seen} - {project}


def pin(name: str) -> str:
    """One line of the file, with a marker where this version does not run on the oldest Python of the course."""
    package = distribution(name)
    oldest = re.search(r">=\s*(3\.[\d.]+)", package.metadata["Requires-Python"] or "")
    left_behind = oldest and Version(oldest[1]) > Version("3.10")
    marker = f' ; python_full_version >= "{oldest[1]}"' if left_behind else ""
    return f"{name}=={package.version.partition('+')[0]}{marker}"


def main() -> None:
    """Writes the file."""
    extras = set(distribution("course-utils").metadata.get_all("Provides-Extra") or [])
    names = sorted(needed("course-utils", extras))
    (ROOT / "constraints.txt").write_text(HEADER + "".join(f"{pin(name)}\n" for name in names), encoding="utf-8")
    print(f"{len(names)} packages pinned from {sys.prefix}")


if __name__ == "__main__":
    main()
