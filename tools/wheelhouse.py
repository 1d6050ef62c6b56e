"""Fills a folder for a USB stick: the course, and every package that a laptop without a network installs from it.

    python tools/wheelhouse.py                                       for machines like this one
    python tools/wheelhouse.py windows-3.12 macos-3.12 linux-3.12    for others, all in one folder
    python tools/wheelhouse.py --with=test --into=/media/stick       with what the tests need, straight onto the stick

pip does the fetching, and its own settings hold: PIP_ variables for a proxy, or for the index of PyTorch's CPU builds.
On the laptop tools/course.py finds the folder `wheels` in the course and asks no index.
"""

from __future__ import annotations

import argparse
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from classroom.editions.files import write_all
from classroom.editions.source import SUMS, read_course, sums
from course import LESSONS, supported_minors

ROOT = Path(__file__).resolve().parent.parent
COURSE, WHEELS = "see-gradients", "wheels"
PROJECT, BUILD = "see-gradients", "setuptools"  # the second is what pip needs to install the first from its folder
# system -> (pip's names for it, what markers find there: os_name, sys_platform, platform_system, platform_machine)
SYSTEMS = {
    "windows": (["win_amd64"], ("nt", "win32", "Windows", "AMD64")),
    "macos": (["macosx_14_0_arm64"], ("posix", "darwin", "Darwin", "arm64")),
    "linux": (
        ["manylinux2014_x86_64", *(f"manylinux_2_{minor}_x86_64" for minor in range(18, 29))],
        ("posix", "linux", "Linux", "x86_64"),
    ),
}
INSTALL = """\
See gradients: how to install it without a network

Made for {targets}. This folder takes {megabytes} MB; the course installed takes about 2 GB.

1. Python has to be there, 64-bit, in a version named above. If it is not, ask for its installer.
2. Copy the folder {course} to your own disk.
3. Open a terminal in the copy and start the first lesson:

{commands}

The first start installs everything from the folder {wheels}, which takes a few minutes and no network. Later starts
take seconds. If one stops, it says why, and what to do.
"""


@dataclass(frozen=True)
class Target:
    """A kind of machine: a system of `SYSTEMS`, and the minor version of its Python 3."""

    system: str
    minor: int

    def __str__(self) -> str:
        return f"{self.system}-3.{self.minor}"

    @property
    def command(self) -> str:
        """What a learner types to start the first lesson."""
        if self.system == "windows":
            return f"py -3.{self.minor} tools\\course.py -m course_utils lab"
        return f"python3.{self.minor} tools/course.py -m course_utils lab"

    @property
    def pip_options(self) -> list[str]:
        """What makes pip fetch for it from any machine."""
        names = [f"--platform={name}" for name in SYSTEMS[self.system][0]]
        return ["--only-binary=:all:", f"--python-version=3.{self.minor}", *names]

    def needs(self, requirement: Requirement, *, extra: str = "") -> bool:
        """Whether the requirement's marker holds there."""
        names = ("os_name", "sys_platform", "platform_system", "platform_machine")
        found = dict(zip(names, SYSTEMS[self.system][1], strict=True))
        found |= {"python_version": f"3.{self.minor}", "python_full_version": f"3.{self.minor}.99", "extra": extra}
        return requirement.marker is None or requirement.marker.evaluate(found)


def this_machine() -> Target:
    """The kind of machine that this runs on."""
    system = {"Windows": "windows", "Darwin": "macos"}.get(platform.system(), "linux")
    return Target(system, sys.version_info.minor)


def parse_target(text: str) -> Target:
    """`windows-3.12` as a target.

    Raises:
        argparse.ArgumentTypeError: the text is of another form, or names an unknown system or an unfit Python.
    """
    found = re.fullmatch(rf"({'|'.join(SYSTEMS)})-3\.(\d+)", text)
    if not found:
        known = ", ".join(SYSTEMS)
        raise argparse.ArgumentTypeError(f"{text!r}: write one of {known}, and a Python, as in windows-3.12")
    minors = supported_minors()
    if int(found[2]) not in minors:
        fitting = f"3.{minors[0]} to 3.{minors[-1]}"
        raise argparse.ArgumentTypeError(f"{text!r}: the course needs Python {fitting}, as in windows-3.12")
    return Target(found[1], int(found[2]))


def pip(*arguments: object) -> None:
    """Runs pip; ends the program, below pip's own words, where it fails."""
    if subprocess.call([sys.executable, "-m", "pip", *map(str, arguments), "--disable-pip-version-check"]):
        sys.exit("\npip stopped (its reason stands above). What was in the folder before is still there.")


def fetch_for_this_machine(project: Path, extras: list[str], folder: Path) -> None:
    """Puts the wheels for this machine into `folder`, builds those that are missing, and rehearses the install."""
    names = f"[{','.join(extras)}]"
    constraints = ["-c", project / "constraints.txt"]
    pip("wheel", "--wheel-dir", folder, *constraints, f"{project}{names}", BUILD)
    print("Rehearsing an install from the folder alone ...", flush=True)
    alone = ["--dry-run", "--ignore-installed", "--quiet", "--no-index", "--find-links", folder]
    pip("--isolated", "install", *alone, *constraints, f"{PROJECT}{names}", BUILD)


def requirements_of(wheel: Path) -> list[Requirement]:
    """What a wheel asks for, with markers."""
    with zipfile.ZipFile(wheel) as file:
        (place,) = [name for name in file.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
        metadata = message_from_bytes(file.read(place))
    return [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]


def by_name(folder: Path) -> dict[str, Path]:
    """The wheels of a folder."""
    return {parse_wheel_filename(wheel.name)[0]: wheel for wheel in folder.glob("*.whl")}


def fetch_for(target: Target, project: Path, extras: list[str], folder: Path) -> None:
    """Puts the wheels for another kind of machine into `folder`.

    pip asks the machine it runs on whether a marker holds. So pip fetches single packages here, and what each of them
    needs on the target is worked out from its own metadata, until nothing is missing.
    """
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", folder, project)
    versions: dict[str, SpecifierSet] = defaultdict(SpecifierSet)
    lines = (project / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for pin in (Requirement(line) for line in lines if not line.startswith("#")):
        if target.needs(pin):
            versions[canonicalize_name(pin.name)] = pin.specifier
    missing = {(BUILD, ""), *((PROJECT, extra) for extra in ["", *extras])}
    done: set[tuple[str, str]] = set()
    while missing:
        names = sorted({name for name, _ in missing} - set(by_name(folder)))
        if names:
            pip("download", "--quiet", "--no-deps", *target.pip_options, "--dest", folder,
                *(f"{name}{versions[name]}" for name in names))  # fmt: skip
        following = set()
        for name, extra in missing:
            for need in requirements_of(by_name(folder)[name]):
                if target.needs(need, extra=extra):
                    wanted = canonicalize_name(need.name)
                    versions[wanted] &= need.specifier
                    following |= {(wanted, each) for each in {"", *need.extras}}
        done |= missing
        missing = following - done
    check(versions, folder)


def check(versions: dict[str, SpecifierSet], folder: Path) -> None:
    """Ends the program where a wheel of the folder is not the version that another one asks for."""
    for wheel in folder.glob("*.whl"):
        name, version, *_ = parse_wheel_filename(wheel.name)
        if not versions[name].contains(version, prereleases=True):
            sys.exit(f"\n{wheel.name} was fetched, but {name}{versions[name]} is needed. Pin it in constraints.txt.")


def fill(stick: Path, targets: Iterable[Target], extras: list[str], course: dict[str, bytes]) -> None:
    """Fills `stick` with the course and its wheels for the targets; what it held before goes when all is there."""
    stick.mkdir(parents=True, exist_ok=True)
    place = stick / COURSE
    with tempfile.TemporaryDirectory(dir=stick) as work:
        project, wheels = Path(work, "project"), Path(work, WHEELS)
        write_all(project, course)
        wheels.mkdir()
        for target in targets:
            print(f"Fetching for {target} ...", flush=True)
            fetched = Path(work, str(target))
            fetched.mkdir()
            fetch = fetch_for_this_machine if target == this_machine() else partial(fetch_for, target)
            fetch(project, extras, fetched)
            for wheel in fetched.iterdir():
                wheel.replace(wheels / wheel.name)
        edition = Path(work, COURSE)
        write_all(edition, course | {SUMS: sums(course)})
        wheels.replace(edition / WHEELS)
        if place.exists():
            place.rename(Path(work, "before"))
        edition.rename(place)
    tell(stick, list(targets))


def tell(stick: Path, targets: list[Target]) -> None:
    """Writes the page for learners, and says what was made."""
    sizes = [file.stat().st_size for file in stick.rglob("*") if file.is_file()]
    megabytes = round(sum(sizes) / 1e6)
    made_for, commands = ", ".join(map(str, targets)), "\n".join(f"     {each!s:14} {each.command}" for each in targets)
    page = INSTALL.format(targets=made_for, megabytes=megabytes, course=COURSE, wheels=WHEELS, commands=commands)
    (stick / "INSTALL.txt").write_text(page, encoding="utf-8")
    wheels = [file.name for file in (stick / COURSE / WHEELS).iterdir()]
    print(
        f"\n{stick}: the course and {len(wheels)} packages, {megabytes} MB. Copy all of it; INSTALL.txt says the rest."
    )
    if any(name.startswith("nvidia_") for name in wheels):
        print(
            "Most of it is CUDA, which no lesson needs: docs/offline.md says how to take PyTorch's CPU build instead."
        )


def main(arguments: list[str] | None = None) -> None:
    """Fills the folder that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "targets", nargs="*", type=parse_target, help="windows-3.12, macos-3.12, … (default: this machine)"
    )
    parser.add_argument(
        "--into", type=Path, default=ROOT / "wheelhouse", help="the folder to fill (default: wheelhouse)"
    )
    parser.add_argument("--with", dest="extras", action="append", default=[], help="an extra of pyproject.toml: test")
    parser.add_argument("--as-it-is", action="store_true", help="the course on disk, not what is committed")
    told = parser.parse_args(arguments)
    inside = told.into.resolve()
    if ROOT in [inside, *inside.parents] and inside != ROOT / "wheelhouse":
        parser.error(f"--into {told.into} lies in the course itself; name a folder outside it")
    try:
        course = read_course(ROOT, as_it_is=told.as_it_is)
        if course.notice:
            print(course.notice, flush=True)
        fill(told.into, told.targets or [this_machine()], [LESSONS, *told.extras], course.files)
    except (ValueError, OSError) as error:
        sys.exit(f"{error}.")


if __name__ == "__main__":
    main()
