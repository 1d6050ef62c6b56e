"""What a kernel, a test and `make refresh` find around them: none of the user's own settings, on no machine."""

from __future__ import annotations

import os
import re
import shutil
import site
from pathlib import Path

# What changes how Python, IPython, Jupyter, matplotlib or PyTorch behave or speak, by the beginnings of the names.
SETTINGS = re.compile(
    r"PYTHON|IPYTHON|IPYKERNEL|JUPYTER|MPL|MATPLOTLIB|TORCH_|TQDM_|XDG_|LC_|LANG|COURSE_UTILS_"
    r"|(COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CLICOLOR|CLICOLOR_FORCE|PY_COLORS)$",
    re.IGNORECASE,
)
# Which Python runs, and from where it imports, is no setting; nor is how its runs differ on purpose.
KEPT = {
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONSAFEPATH", "PYTHONHASHSEED",
    "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX",
}  # fmt: skip
FOLDERS = {
    "HOME": "home",
    "USERPROFILE": "home",
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter/config",
    "JUPYTER_DATA_DIR": "jupyter/data",
    "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
    "MPLCONFIGDIR": "matplotlib",
    "COURSE_UTILS_DATA": "record",
}
FONTS = "fontlist-*.json"


def surroundings(folder: Path) -> dict[str, str]:
    """Environment variables for processes that are to do the same on every machine.

    Args:
        folder: gets what such a process would read from, and write to, its user's home.
    """
    environment = {name: value for name, value in os.environ.items() if name in KEPT or not SETTINGS.match(name)}
    # A course installed with `pip install --user` is found by the home that is left here.
    environment.setdefault("PYTHONUSERBASE", site.getuserbase())
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"
    environment["PYTHONIOENCODING"] = "utf-8"  # what a program writes into a pipe; on Windows else one of few letters
    for name, place in FOLDERS.items():
        path = folder / place
        path.mkdir(parents=True, exist_ok=True)
        environment[name] = str(path)
    for fonts in known_fonts().glob(FONTS):
        shutil.copy(fonts, environment["MPLCONFIGDIR"])
    return environment


def known_fonts() -> Path:
    """The folder of matplotlib's list of fonts: made anew by each kernel, it takes seconds, and says so on stderr."""
    given = Path(os.environ.get("MPLCONFIGDIR", ""))
    if "MPLCONFIGDIR" in os.environ and any(given.glob(FONTS)):
        return given
    import matplotlib.font_manager

    return Path(matplotlib.get_cachedir())
