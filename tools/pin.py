"""Writes constraints.txt: one version of everything that the course and its extras need, on every Python and system.

What is installed here, and so was tested, stays. What other Pythons and systems need instead keeps its line in the old
file where that still fits; uv chooses the rest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course import supported_minors

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "constraints.txt"
HEADER = """\
# The set the course is tested with, for every Python and system. Written by tools/pin.py; do not edit.
# Packages of CUDA are named too: a constraint installs nothing, it only says which version if one is wanted.
"""


def read(text: str) -> list[Requirement]:
    """The lines of a constraints file."""
    return [Requirement(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def holds_here(pin: Requirement) -> bool:
    """Whether the pin is for this Python and system."""
    return pin.marker is None or pin.marker.evaluate()


def installed() -> dict[str, str]:
    """The packages of this environment, with their versions as an index names them: without `+cpu`."""
    return {canonicalize_name(it.name): it.version.partition("+")[0] for it in metadata.distributions() if it.name}


def preferred(old: list[Requirement], here: dict[str, str]) -> str:
    """What uv keeps if it can: the versions of this environment, and the old pins for other Pythons and systems."""
    others = [str(pin) for pin in old if not (holds_here(pin) and canonicalize_name(pin.name) in here)]
    return "".join(f"{line}\n" for line in [*others, *(f"{name}=={version}" for name, version in here.items())])


def resolve(preferences: str) -> str:
    """The pins that uv finds for all supported Pythons and all systems at once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "constraints.txt")
        file.write_text(preferences, encoding="utf-8")
        options = ["--universal", f"--python-version=3.{supported_minors()[0]}", "--all-extras", "--quiet"]
        output = ["--no-header", "--no-annotate", "--no-emit-package=see-gradients", f"--output-file={file}"]
        # A wheel of PyTorch on this disk would hide what the published ones need on other machines.
        environment = {name: value for name, value in os.environ.items() if name != "UV_FIND_LINKS"}
        command = [sys.executable, "-m", "uv", "pip", "compile", *options, *output, str(ROOT / "pyproject.toml")]
        if subprocess.call(command, env=environment):
            sys.exit(f"\nuv stopped (its reason stands above). {PINS.name} is as it was.")
        return file.read_text(encoding="utf-8")


def main() -> None:
    """Writes the file, unless it would name other versions than those tested here."""
    here = installed()
    text = resolve(preferred(read(PINS.read_text(encoding="utf-8")), here))
    pins = read(text)
    apart = [
        f"{pin.name} {here[name]} is installed, {pin.specifier} would be pinned"
        for pin in pins
        if holds_here(pin) and (name := canonicalize_name(pin.name)) in here and not pin.specifier.contains(here[name])
    ]
    if apart:
        sys.exit("\n".join(["pyproject.toml does not allow what is installed; install it afresh, then test:", *apart]))
    PINS.write_text(HEADER + text, encoding="utf-8", newline="\n")
    print(f"{len({pin.name for pin in pins})} packages pinned; {sys.prefix} has the versions for this Python")


if __name__ == "__main__":
    main()
