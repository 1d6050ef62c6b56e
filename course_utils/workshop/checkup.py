"""Is this machine ready for the lessons? Each check says what is wrong and the one thing that mends it."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..tables import Table

DISTRIBUTION = "course-utils"
REINSTALL = "run `make install`, or `pip install -c constraints.txt -e .` in the course's folder"
WIDGET_EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: `problem` is "" where all is well, else what is wrong; `mend` says what to do."""

    name: str
    problem: str = ""
    mend: str = ""


class Checkup:
    """The result of `check_setup`: `checks`, and `is_ready`, true when every one of them passed."""

    def __init__(self, checks: list[Check]):
        self.checks = checks
        self.is_ready = not any(check.problem for check in checks)

    @property
    def _verdict(self) -> str:
        problems = sum(bool(check.problem) for check in self.checks)
        if self.is_ready:
            return f"Ready: all {len(self.checks)} checks passed."
        return f"Not ready: {problems} of {len(self.checks)} checks found a problem. The last column says what to do."

    @property
    def _table(self) -> Table:
        rows = [[c.name, "problem" if c.problem else "fine", c.problem, c.mend] for c in self.checks]
        return Table(["checked", "", "what is wrong", "what to do"], rows) if not self.is_ready else Table(
            ["checked", ""], [row[:2] for row in rows]
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"{self._verdict}\n{self._table!r}"

    def _repr_html_(self) -> str:
        return f"<p><strong>{self._verdict}</strong></p>{self._table._repr_html_()}"


def check_setup() -> Checkup:
    """Looks at Python, the packages the project asks for, JupyterLab's slider extensions, and one gradient.

    Changes nothing and downloads nothing. A failing check is a row of the result, never an exception.
    """
    return Checkup([_check_python(), *_check_packages(), _check_widgets(), _check_gradient()])


def _check_python() -> Check:
    from packaging.specifiers import SpecifierSet

    wanted, found = metadata.metadata(DISTRIBUTION)["Requires-Python"], platform.python_version()
    if SpecifierSet(wanted).contains(found):
        return Check("Python")
    return Check("Python", f"this is Python {found}; the lessons need {wanted}", "install a Python in that range, then " + REINSTALL)


def _check_packages() -> Iterator[Check]:
    from packaging.requirements import Requirement

    for text in metadata.requires(DISTRIBUTION) or []:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield Check(wanted.name, "not installed in the Python that runs this notebook", REINSTALL)
            continue
        fits = wanted.specifier.contains(found, prereleases=True)
        yield Check(wanted.name) if fits else Check(wanted.name, f"version {found} is installed; needed: {wanted.specifier}", REINSTALL)


def _check_widgets() -> Check:
    from jupyter_core.paths import jupyter_path

    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    missing = [name for name in WIDGET_EXTENSIONS if not any((folder / name).is_dir() for folder in folders)]
    if not missing:
        return Check("sliders in JupyterLab")
    return Check("sliders in JupyterLab", f"JupyterLab lacks {', '.join(missing)}", REINSTALL + ", then reload this page")


def _check_gradient() -> Check:
    import torch

    with torch.enable_grad():
        x = torch.tensor(3.0, requires_grad=True)
        (slope,) = torch.autograd.grad(3 * x**2, x)
    if slope.item() == 18:
        return Check("a gradient: 3x² at 3 has slope 18")
    return Check("a gradient: 3x² at 3 has slope 18", f"PyTorch says {slope.item()}", REINSTALL)
