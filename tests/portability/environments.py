"""A fresh clone with its own environment, anywhere on the disk and for any user, in seconds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from conditions import NOBODY, ROOT, Condition, find_python

KNOW_THEIR_PLACE = [
    "bin/*", "pyvenv.cfg", "share/jupyter/kernels/*/kernel.json", "lib/*/site-packages/__editable__*",
    "lib/*/site-packages/*.dist-info/direct_url.json",
]  # fmt: skip
LONGEST_SHEBANG = 120


def run(*command: object, cwd: Path | None = None) -> None:
    """Runs a command.

    Raises:
        RuntimeError: it failed; with the last of what it said.
    """
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-600:]
        raise RuntimeError(f"{' '.join(map(str, command))} ended with code {done.returncode}: {said}")


def clone(condition: Condition, source: Path, place: Path) -> Path:
    """The committed state of `source` in the condition's folder, owned by the condition's user."""
    folder = place / condition.folder
    run("git", "clone", "--quiet", "--no-hardlinks", source, folder)
    if condition.user == "owner":
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    if not condition.link:
        return folder
    link = place / condition.link
    link.symlink_to(folder, target_is_directory=True)
    return link


def link_or_copy(source: str, target: str) -> None:
    """The same file under a second name; on another disk, a copy."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, copy_function=link_or_copy)


def move_names(file: Path, names: dict[Path, Path]) -> None:
    """Writes new folders for old into a text file, which loses its second name; #! lines hold no spaces."""
    try:
        text = old = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    for before, now in names.items():
        text = text.replace(before.as_uri(), now.as_uri()).replace(str(before), str(now))
    if text == old:
        return
    first, _, rest = text.partition("\n")
    if first.startswith("#!") and (" " in first or len(first.encode()) > LONGEST_SHEBANG):
        text = f"#!/bin/sh\n'''exec' \"{first[2:]}\" \"$0\" \"$@\"\n' '''\n{rest}"
    mode = file.stat().st_mode
    file.unlink()
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def is_open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in [path, *path.parents])


def copy_environment(folder: Path, condition: Condition, place: Path) -> Path:
    """This Python's environment in the clone's `.venv`; its files are linked, so that they take no room."""
    venv, prefix = folder / ".venv", Path(sys.prefix)
    copy_tree(prefix, venv)
    names = {prefix: venv, ROOT: folder}
    base = Path(sys.base_prefix).resolve()
    if condition.user and not is_open_to_others(base):
        copy_tree(base, place / "python")
        names[base] = place / "python"
        for link in (venv / "bin").iterdir():
            if link.is_symlink() and Path(os.readlink(link)).is_absolute():
                link.unlink()
                link.symlink_to(place / "python/bin" / Path(sys.executable).resolve().name)
    for file in [file for pattern in KNOW_THEIR_PLACE for file in venv.glob(pattern)]:
        if file.is_file() and not file.is_symlink():
            move_names(file, names)
    return venv / "bin/python"


def install(folder: Path, condition: Condition) -> Path:
    """An environment made by the course's own set-up, for another Python or another PyTorch."""
    python = find_python(condition.python) if condition.python else sys.executable
    run(python, "tools/course.py", "--with=test", "--with=hub", cwd=folder)
    own = folder / ".venv/bin/python"
    if condition.torch:
        run(own, "-m", "pip", "install", "--quiet", f"torch=={condition.torch}")
    return own


def bring_environment(folder: Path, condition: Condition, place: Path) -> Path:
    """The clone's Python."""
    return install(folder, condition) if condition.large else copy_environment(folder, condition, place)
