"""The course as it was committed, or released: what every edition is made from.

Where git keeps the course, that is HEAD. A folder without git is a release: the files that its SHA256SUMS lists, as
long as they are what it lists. An archive without that list is taken as it lies, and the course says so. Whatever else
lies in the folder, a list of names or a key, belongs to no edition.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

GUIDE = "docs/instructors.md"
SUMS = "SHA256SUMS"  # as the program sha256sum writes and checks it
FOLDERS = (
    "benchmarks", "classroom", "course_utils", "deploy", "docs", "instructor", "notebooks", "tests", "tools", "web",
)  # fmt: skip
KINDS = {
    ".cff", ".cfg", ".css", ".dockerignore", ".html", ".ipynb", ".js", ".json", ".md", ".png", ".py", ".pyi", ".svg",
    ".toml", ".typed", ".yaml", ".yml",
}  # fmt: skip
NAMED = {"Dockerfile", "LICENSE", "Makefile", "constraints.txt", "gitconfig", ".gitattributes", ".gitignore"}
STATES = {"?": "new", "A": "new", "D": "removed"}  # by git's letters; all others are changes

Belongs = Callable[[str], bool]


@dataclass(frozen=True)
class Course:
    """The files of one state of the course.

    Attributes:
        files: their bytes by path, with slashes, from the course's folder.
        left_out: what lies on disk and is not of that state, as in "notebooks/02_backward.ipynb (changed)".
        is_unlisted: the files were taken as they lie, since there is neither git nor a release's list.
    """

    files: dict[str, bytes]
    left_out: tuple[str, ...] = ()
    is_unlisted: bool = False

    @property
    def notice(self) -> str:
        """One line on what was left out, or on files taken as they lie; "" if there is nothing to say."""
        if self.left_out:
            return f"Not committed, so left out: {', '.join(self.left_out)}. To take them as they are: --as-it-is"
        return f"Neither git nor {SUMS} is here: the files are taken as they lie." if self.is_unlisted else ""


def of_course(path: str) -> bool:
    """Whether the course itself has files of this name at this place: no key, no list of names, nothing hidden."""
    parts = PurePosixPath(path).parts
    if any(part.startswith(".") or part == "__pycache__" for part in parts[:-1]):
        return False
    return (len(parts) == 1 or parts[0] in FOLDERS) and is_of_a_kind(parts[-1])


def is_of_a_kind(name: str) -> bool:
    """Whether it is the name of a kind of file that the course is made of."""
    return name in NAMED or (PurePosixPath(name).suffix in KINDS and not name.startswith("."))


def is_lesson(path: str) -> bool:
    """Whether it is the path of a lesson: notebooks/02_backward.ipynb."""
    return re.fullmatch(r"notebooks/\d\d_\w+\.ipynb", path) is not None


def read_course(root: Path, *, belongs: Belongs = of_course, as_it_is: bool = False) -> Course:
    """The course in `root` as it was committed or released.

    Args:
        root: the course's folder, or one folder of it.
        belongs: whether a path, from `root`, is part of what is wanted.
        as_it_is: takes the files as they lie on disk instead, new and changed ones too.

    Raises:
        ValueError: `root` is no folder, or git cannot read what was committed there.
        OSError: a file cannot be read.
    """
    if not root.is_dir():
        raise ValueError(f"there is no folder {root}; expected the course's")
    if (root / ".git").exists() or _git(root, "ls-tree", "--name-only", "HEAD", check=False):
        on_disk = filter(belongs, _names(_git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")))
        return _as_it_is(root, on_disk) if as_it_is else _committed(root, belongs)
    listed = next((folder for folder in (root, root.parent) if (folder / SUMS).is_file()), None)
    if as_it_is or listed is None:
        course = _as_it_is(root, filter(belongs, _all_files(root)))
        return course if as_it_is else Course(course.files, is_unlisted=True)
    return _released(root, listed, belongs)


def sums(files: dict[str, bytes]) -> bytes:
    """The list that makes these files a release."""
    return "".join(f"{_sum(files[path])}  {path}\n" for path in sorted(files)).encode()


def _committed(root: Path, belongs: Belongs) -> Course:
    with tarfile.TarFile(fileobj=io.BytesIO(_git(root, "archive", "--format=tar", "HEAD"))) as archive:
        members = [member for member in archive.getmembers() if member.isfile() and belongs(member.name)]
        files = {member.name: part.read() for member in members if (part := archive.extractfile(member))}
    prefix = _git(root, "rev-parse", "--show-prefix").decode().strip()
    lines = _names(_git(root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", "."))
    changed = {line[3:].removeprefix(prefix): STATES.get(line[:2].strip()[:1], "changed") for line in lines}
    return Course(files, tuple(f"{path} ({what})" for path, what in sorted(changed.items()) if belongs(path)))


def _released(root: Path, listed: Path, belongs: Belongs) -> Course:
    prefix = "" if root == listed else f"{root.name}/"
    lines = [line.split("  ", 1) for line in (listed / SUMS).read_text(encoding="utf-8").splitlines()]
    released = {path.removeprefix(prefix): its_sum for its_sum, path in lines if path.startswith(prefix)}
    files = _as_it_is(root, filter(belongs, _all_files(root))).files
    states = {path: "changed" if path in released else "new" for path in files}
    states |= {path: "removed" for path in released if belongs(path) and path not in files}
    same = {path: content for path, content in files.items() if released.get(path) == _sum(content)}
    return Course(same, tuple(f"{path} ({what})" for path, what in sorted(states.items()) if path not in same))


def _as_it_is(root: Path, paths: Iterable[str]) -> Course:
    return Course({path: (root / path).read_bytes() for path in paths if (root / path).is_file()})


def _all_files(root: Path) -> list[str]:
    found = []
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if not name.startswith(".")]
        found += [Path(folder, name).relative_to(root).as_posix() for name in names]
    return found


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _names(output: bytes) -> list[str]:
    return output.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _git(root: Path, *arguments: str, check: bool = True) -> bytes:
    """What git says about `root`, of no other repository than the one around it; b"" if it fails and need not work."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, env=environment)
    except FileNotFoundError:
        if not check:
            return b""
        raise ValueError("git is missing, and it keeps what was committed here; install git") from None
    if done.returncode and check:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(f"git cannot read what was committed in {root}: {said[0] if said else 'no reason given'}")
    return b"" if done.returncode else done.stdout
