"""The conditions under which the course has to come out the same: docs/machines.md has a row for each."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from packaging.specifiers import SpecifierSet

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SITE = str(HERE / "site")  # on PYTHONPATH: see its sitecustomize.py
LESSONS = ("notebooks", "instructor", "tests/exercises/test_every_exercise.py", "tests/classroom/test_checkup.py")
ALL = ("notebooks", "instructor", "tests")
CHROMIUM = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
NODE = ["node", "nodejs", "npm"]
OPTIONAL = ["dot", *CHROMIUM, *NODE, "git"]
ODD = "Übung & Kurs [2026] (neu)"
NOBODY = 65534
OWN_PROFILE = {
    ".ipython/profile_default/ipython_config.py": "c.InteractiveShell.ast_node_interactivity = 'all'\n"
    "c.PlainTextFormatter.float_precision = '%.2f'\nc.PlainTextFormatter.pprint = False\n"
}
OWN_FIGURES = {
    ".config/matplotlib/matplotlibrc": "text.usetex: True\nfigure.figsize: 3, 9\nfont.family: fantasy\nfont.size: 20\n"
    "axes.facecolor: black\nlines.linewidth: 9\naxes.formatter.use_locale: True\n"
}


def always() -> str:
    """No reason why not."""
    return ""


@dataclass(frozen=True)
class Condition:
    """What differs from a fresh clone run as it is.

    Attributes:
        says: the condition in words.
        environment: variables; "{place}" stands for the row's temporary folder.
        home: files in the user's home, and what they hold.
        hidden: programs that are not on PATH.
        folder: where the clone lies, inside the temporary folder.
        link: a symbolic link to the clone, by which it is entered.
        user: "owner" is a user without root to whom the clone belongs; "guest" one who may only read it.
        python, torch: versions that get their own environment: 2 to 6 GB, only if named.
        tests: what pytest runs.
        missing: says why this cannot be had here; "" if it can.
    """

    name: str
    says: str
    environment: dict[str, str] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    folder: str = "course"
    link: str = ""
    user: str = ""
    python: str = ""
    torch: str = ""
    tests: tuple[str, ...] = LESSONS
    missing: Callable[[], str] = always

    @property
    def large(self) -> bool:
        """Whether it installs an environment of its own."""
        return bool(self.python or self.torch)


def not_x86() -> str:
    machine = platform.machine()
    return "" if machine in ("x86_64", "AMD64") else f"the processor is {machine}; expected x86_64"


def not_root() -> str:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return "" if is_root else "only root can become another user; run as root"


def no_german() -> str:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
    except locale.Error:
        return "the locale de_DE.UTF-8 is not installed"
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return ""


def lacks(*programs: str) -> Callable[[], str]:
    """For a row that needs these programs."""

    def missing() -> str:
        absent = [program for program in programs if not shutil.which(program)]
        return f"not installed: {', '.join(absent)}" if absent else ""

    return missing


def find_python(version: str) -> str:
    """The path of a Python of this version ("3.12") that runs: on PATH, pyenv's or uv's; "" if there is none."""
    homes = [
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions",
        Path.home() / ".local/share/uv/python",
    ]
    kept = [str(path) for home in homes for path in sorted(home.glob(f"*{version}*/bin/python{version}"))]
    for python in [*kept, shutil.which(f"python{version}")]:
        if python and not subprocess.run([python, "-c", "import venv, ensurepip"], capture_output=True).returncode:
            return python
    return ""


def no_python(version: str) -> Callable[[], str]:
    return lambda: "" if find_python(version) else f"no Python {version} on PATH, in pyenv or in uv"


def conditions() -> dict[str, Condition]:
    """All conditions by name, in the order of the table."""
    rows = [
        Condition(
            "plain", "as it is, with dot, Chromium, git and Node", tests=ALL, missing=lacks("dot", "git", "node", "npm")
        ),
        *(
            Condition(
                f"rounding-{seed}",
                "every inexact operation one unit in the last place off",
                {"PYTHONPATH": SITE, "ROUNDING_SEED": str(seed)},
            )
            for seed in (1, 2, 3)
        ),
        *(
            Condition(
                f"processor-{name}", f"`ATEN_CPU_CAPABILITY={name}`", {"ATEN_CPU_CAPABILITY": name}, missing=not_x86
            )
            for name in ("default", "avx2")
        ),
        *(
            Condition(f"threads-{count}", f"`OMP_NUM_THREADS={count}`", {"OMP_NUM_THREADS": str(count)})
            for count in (1, 2, 4)
        ),
        Condition("no-onednn", "oneDNN switched off", {"PYTHONPATH": SITE, "WITHOUT_ONEDNN": "1"}),
        Condition("ipython-profile", "the user's IPython shows every expression, two decimals", home=OWN_PROFILE),
        Condition("matplotlibrc", "the user's figures: LaTeX, other sizes, colours and fonts", home=OWN_FIGURES),
        Condition("warnings", "`PYTHONWARNINGS=default`", {"PYTHONWARNINGS": "default"}),
        Condition(
            "terminal",
            "no colours, 40 columns, another hash seed",
            {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "40", "PYTHONHASHSEED": "7"},
        ),
        Condition("locale-c", "`LC_ALL=C`", {"LC_ALL": "C"}),
        Condition("locale-german", "`LC_ALL=de_DE.UTF-8`", {"LC_ALL": "de_DE.UTF-8"}, missing=no_german),
        Condition("odd-path", f"the course in `{ODD}`", folder=f"{ODD}/see-gradients"),
        Condition(
            "long-path", "the course 250 letters deep", folder="/".join(["a folder in which courses are kept"] * 7)
        ),
        Condition("link", "the course entered by a symbolic link", link="linked"),
        Condition("odd-tmpdir", f"`TMPDIR` is `{ODD}`", {"TMPDIR": f"{{place}}/tmp/{ODD}"}),
        Condition("home-unwritable", "a `HOME` that cannot be made", {"HOME": "/dev/null/home"}),
        Condition("no-dot", "without Graphviz", hidden=("dot",)),
        Condition("no-chromium", "without Chromium", hidden=tuple(CHROMIUM)),
        Condition("no-git", "without git", hidden=("git",)),
        Condition("no-node", "without Node.js", hidden=tuple(NODE)),
        Condition("other-user", "a user without root", user="owner", missing=not_root),
        Condition("read-only", "a user who may only read the course", user="guest", missing=not_root),
        Condition(
            "newcomer",
            "all at once: no root, odd path, none of the programs",
            hidden=tuple(OPTIONAL),
            folder=f"{ODD}/see-gradients",
            user="owner",
            tests=ALL,
            missing=not_root,
        ),
    ]
    supported = SpecifierSet(PYPROJECT["project"]["requires-python"])
    minors = [f"3.{minor}" for minor in range(30) if f"3.{minor}.99" in supported]
    rows += [
        Condition(f"python-{it}", f"Python {it}, the tested set", python=it, missing=no_python(it)) for it in minors
    ]
    tried = PYPROJECT["tool"]["see-gradients"]["tried-torch"]
    rows += [Condition(f"torch-{it}", f"PyTorch {it}", torch=it) for it in tried]
    return {row.name: row for row in rows}
