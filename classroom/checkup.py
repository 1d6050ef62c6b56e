"""Is this machine ready for the lessons? Each check says what is wrong and the one thing that fixes it.

`check_setup` makes the quick checks, in a lesson; `classroom.doctor` makes these and the slow ones.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from course_utils.core.tables import Table

DISTRIBUTION, LESSONS_EXTRA = "see-gradients", "lab"
WIDGET_EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        problem: why lessons will not run; "" where they will.
        fix: the one command, or the one thing to do, that fixes it.
        note: what is worth knowing although lessons run.
        found: what is there, in a few words.
    """

    name: str
    problem: str = ""
    fix: str = ""
    note: str = ""
    found: str = ""

    @property
    def status(self) -> str:
        """ "problem", "note" or "fine"."""
        return "problem" if self.problem else "note" if self.note else "fine"


Checks = Callable[[], "Check | Iterable[Check]"]


class Checkup:
    """The result of `check_setup`: `checks`, and `is_ready`, true when every one of them passed."""

    def __init__(self, checks: Iterable[Check]):
        self.checks = list(checks)
        self.is_ready = not any(check.problem for check in self.checks)

    @property
    def _verdict(self) -> str:
        problems = sum(bool(check.problem) for check in self.checks)
        notes = sum(check.status == "note" for check in self.checks)
        if self.is_ready and notes:
            return f"Ready: the lessons will run. {notes} of {len(self.checks)} checks found something to know."
        if self.is_ready:
            return f"Ready: all {len(self.checks)} checks passed."
        return f"Not ready: {problems} of {len(self.checks)} checks found a problem. The last column says what to do."

    @property
    def _table(self) -> Table:
        from course_utils.core.tables import Table  # here, since it needs PyTorch, which may be what is missing

        rows = [[c.name, c.status, c.problem or c.note, c.fix] for c in self.checks]
        if all(check.status == "fine" for check in self.checks):
            return Table(["checked", ""], [row[:2] for row in rows])
        return Table(["checked", "", "what to know" if self.is_ready else "what is wrong", "what to do"], rows)

    def __repr__(self) -> str:
        return f"{self._verdict}\n{self._table!r}"

    def _repr_html_(self) -> str:
        return f"<p><strong>{self._verdict}</strong></p>{self._table._repr_html_()}"


def check_setup() -> Checkup:
    """Looks at Python, the packages the project asks for, JupyterLab's slider extensions, and one gradient.

    Changes nothing and downloads nothing. A failing check is a row of the result, never an exception.
    """
    return Checkup(run([check_python, check_packages, check_widgets, check_gradient]))


def run(checks: Sequence[Checks]) -> Iterator[Check]:
    """What the checks find, one after the other; one that fails itself is a problem of the machine as well."""
    for check in checks:
        try:
            found = check()
            yield from [found] if isinstance(found, Check) else found
        except Exception as error:  # a broken package may raise anything when it is imported
            name = check.__name__.removeprefix("check_")
            yield Check(name, f"could not be checked: {type(error).__name__}: {error}", reinstall())


def course_folder() -> Path | None:
    """The folder of the course, where this package is used from there (`pip install -e`); else None."""
    folder = Path(__file__).resolve().parents[1]
    return folder if (folder / "constraints.txt").is_file() and (folder / "pyproject.toml").is_file() else None


def command(*words: object) -> str:
    """A command line, ready to be pasted into a terminal."""
    line = list(map(str, words))
    return subprocess.list2cmdline(line) if platform.system() == "Windows" else shlex.join(line)


def reinstall(*packages: str) -> str:
    """The command that installs these packages afresh, or the course with all it needs, into this Python."""
    folder = course_folder()
    if folder is None and not packages:
        return "run `make install` in the course's folder"
    own = Path(folder or "", ".venv", "Scripts/python.exe" if platform.system() == "Windows" else "bin/python")
    if folder and not packages and own.exists() and Path(sys.prefix).resolve() != own.parents[1].resolve():
        return f"use the course's own Python, {command(own)}; JupyterLab with it is started by `make lab`"
    has_pip = importlib.util.find_spec("pip") is not None  # an environment made by uv has none
    pip = [sys.executable, "-m", "pip", "install"] if has_pip else ["uv", "pip", "install", "--python", sys.executable]
    wheels = ["--no-index", "--find-links", folder / "wheels"] if folder and (folder / "wheels").is_dir() else []
    tested = ["-c", folder / "constraints.txt"] if folder else []
    what = ["--force-reinstall", "--no-deps", *packages] if packages else ["-e", f"{folder}[{LESSONS_EXTRA}]"]
    return command(*pip, *wheels, *tested, *what)


def check_python() -> Check:
    """Python's version against pyproject's range."""
    from packaging.specifiers import SpecifierSet

    wanted, found = metadata.metadata(DISTRIBUTION)["Requires-Python"], platform.python_version()
    if SpecifierSet(wanted).contains(found):
        return Check("Python", found=found)
    fix = "install a Python in that range, and make .venv anew"
    return Check("Python", f"this is Python {found}; the lessons need {wanted}", fix)


def check_packages() -> Iterator[Check]:
    """Each package that pyproject asks for, for the helpers and for the lessons, against its range."""
    from packaging.requirements import Requirement

    for text in metadata.requires(DISTRIBUTION) or []:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": LESSONS_EXTRA}):
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield Check(wanted.name, "not installed in the Python that runs this", reinstall())
            continue
        if wanted.specifier.contains(found, prereleases=True):
            yield Check(wanted.name, found=found)
        elif wanted.name == "torch":
            yield Check(wanted.name, note=_untried(found, wanted.specifier), fix=reinstall(), found=found)
        else:
            yield Check(wanted.name, f"version {found} is installed; needed: {wanted.specifier}", reinstall())


def _untried(version: str, tried: SpecifierSet) -> str:
    """What to expect of a PyTorch outside the range; whether the lessons run at all, `check_gradient` finds out."""
    from packaging.version import Version

    lowest = next(one.version for one in tried if one.operator == ">=")
    age = "older" if Version(version) < Version(lowest) else "newer"
    lessons = lessons_worded_for_others(version)
    surely = f", surely in lessons {', '.join(lessons)}" if lessons else ""
    return (
        f"PyTorch {version} is {age} than any that the course was tried with ({tried}); "
        f"the lessons run, but what comes out may differ from what is stored{surely}"
    )


def lessons_worded_for_others(version: str) -> list[str]:
    """The lessons with a cell whose stored output is another PyTorch's than this version's."""
    folder, lessons = course_folder(), []
    for path in sorted((folder / "notebooks").glob("[0-9]*.ipynb")) if folder else []:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if any(is_for_another_torch(cell["metadata"].get("tags", []), version) for cell in cells):
            lessons.append(path.stem[:2])
    return lessons


def is_for_another_torch(tags: Iterable[str], version: str) -> bool:
    """Whether a cell's tags, `torch>=2.11` or `torch<2.15`, say that its stored output is not this version's."""
    from packaging.requirements import Requirement

    holds = [Requirement(tag).specifier for tag in tags if tag.startswith("torch")]
    return not all(versions.contains(version, prereleases=True) for versions in holds)


def check_widgets() -> Check:
    """The parts of JupyterLab's page that show sliders are there."""
    from jupyter_core.paths import jupyter_path

    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    missing = [name for name in WIDGET_EXTENSIONS if not any((folder / name).is_dir() for folder in folders)]
    if not missing:
        return Check("sliders in JupyterLab")
    fix = reinstall("anywidget", "jupyterlab_widgets") + ", then reload this page"
    return Check("sliders in JupyterLab", f"JupyterLab lacks {', '.join(missing)}", fix)


def check_gradient() -> Check:
    """PyTorch differentiates, and the course can read its graph."""
    import torch

    from course_utils.graph.show import trace

    with torch.enable_grad():
        x = torch.tensor(2.0, requires_grad=True)
        y = x**3
        (slope,) = torch.autograd.grad(y, x, retain_graph=True)
        gradient = trace(y, x=x).backward().nodes[0].gradient
        (read,) = gradient.numbers if gradient else (None,)
    name = "a gradient: x³ at 2 has slope 12"
    if slope.item() == read == 12:
        return Check(name)
    return Check(name, f"PyTorch says {slope.item()}, and its graph says {read}", reinstall("torch"))
