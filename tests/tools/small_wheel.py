"""Wheels of a few lines, for tests that install something without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path


def make_wheel(folder: str | Path, name: str, *, version: str = "1.0", requires: str = "", code: str = "") -> str:
    """A wheel of one package whose `__main__` is `code`; returns its file's name."""
    file = f"{name}-{version}-py3-none-any.whl"
    told = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(Path(folder, file), "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "")
        wheel.writestr(f"{name}/__main__.py", code)
        wheel.writestr(f"{told}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
        wheel.writestr(
            f"{told}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{told}/RECORD", "")
    return file
