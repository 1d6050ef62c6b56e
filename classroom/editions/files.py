"""Writing that leaves nothing half-made: beside the place first, then renamed into it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files, by path from `folder`; none takes its place before all are on the disk. Other files stay.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as aside:
        for path, content in files.items():
            beside = Path(aside, path)
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
        for path in files:
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            Path(aside, path).replace(place)


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes the folder hold these files and no others; until all are on the disk it stays as it was.

    Raises:
        OSError: as `write_all`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as aside:
        new, old = Path(aside, "new"), Path(aside, "old")
        write_all(new, files)
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
