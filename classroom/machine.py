"""What the doctor looks at in the machine: versions, fonts, room, threads, and what is remembered."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from course_utils.core.numbers import format_fixed
from course_utils.core.palette import STYLE
from course_utils.exercises.records import data_folder, progress_file, reason
from course_utils.exercises.report import board_folder, touch_board

from .checkup import Check, command, course_folder, lessons_worded_for_others, reinstall

MB, GB = 1e6, 1e9
LEAST_DISK, GOOD_DISK = 100 * MB, 1 * GB
LEAST_MEMORY, GOOD_MEMORY = 0.4 * GB, 1 * GB  # a lesson's kernel takes about 0.4 GB
CGROUP_LIMIT, CGROUP_USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
HUB_VARIABLE = "JUPYTERHUB_USER"


def check_pins() -> Check:
    """Installed versions against those the course is tested with."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    folder = course_folder()
    if folder is None:
        return Check("tested versions", found="not compared: the course's constraints.txt is not beside this package")
    lines = (folder / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    installed = {canonicalize_name(it.name): it.version for it in metadata.distributions() if it.name}
    here = [
        (pin, installed[canonicalize_name(pin.name)])
        for pin in pins
        if canonicalize_name(pin.name) in installed and (pin.marker is None or pin.marker.evaluate())
    ]
    apart = [(pin, found) for pin, found in here if not pin.specifier.contains(found, prereleases=True)]
    other = [f"{pin.name} {found} ({pin.specifier})" for pin, found in apart]
    if not other:
        return Check("tested versions", found=f"{len(here)} packages are as tested")
    more = f" and {len(other) - 4} more" if len(other) > 4 else ""
    return Check("tested versions", note=f"not as tested: {', '.join(other[:4])}{more}", fix=reinstall())


def check_wording() -> Check:
    """Outputs that this PyTorch words, or counts, in another way than the one they are stored from."""
    version = metadata.version("torch")
    lessons = lessons_worded_for_others(version)
    if not lessons:
        return Check("stored outputs", found=f"hold for PyTorch {version}")
    many = f"lesson {lessons[0]}" if len(lessons) == 1 else f"lessons {', '.join(lessons)}"
    return Check("stored outputs", note=f"some in {many} are another PyTorch's; with {version} they look different")


def check_font() -> Check:
    """The font of the pictures is found."""
    from matplotlib.font_manager import findfont

    name = str(STYLE["font.family"])
    try:
        findfont(name, fallback_to_default=False)
    except ValueError:
        return Check("font of the pictures", f"matplotlib does not find {name}", reinstall("matplotlib"))
    return Check("font of the pictures", found=name)


def check_disk() -> Check:
    """Room where notebooks, records and temporary files are written."""
    places = [Path.cwd(), _existing(data_folder()), Path(tempfile.gettempdir())]
    free, place = min((shutil.disk_usage(place).free, str(place)) for place in places)
    found = f"{_size(free)} free at {place}"
    fix = command(sys.executable, "-m", "pip", "cache", "purge")
    if free < LEAST_DISK:
        return Check("disk", f"{found}; the lessons need {_size(LEAST_DISK)}", fix)
    return Check("disk", note=f"only {found}", fix=fix) if free < GOOD_DISK else Check("disk", found=found)


def check_memory() -> Check:
    """Memory for one more kernel."""
    free = _free_memory()
    found = f"{_size(free)} free"
    fix = "in JupyterLab's menu: Kernel, Shut Down All Kernels"
    if free < LEAST_MEMORY:
        return Check("memory", f"{found}; a lesson needs {_size(LEAST_MEMORY)}", fix)
    return Check("memory", note=f"only {found}", fix=fix) if free < GOOD_MEMORY else Check("memory", found=found)


def _free_memory() -> float:
    """Bytes left on the machine, or in this container where it may use less."""
    import psutil

    free = psutil.virtual_memory().available
    if CGROUP_LIMIT.is_file() and (limit := CGROUP_LIMIT.read_text(encoding="utf-8").strip()) != "max":
        free = min(free, int(limit) - int(CGROUP_USED.read_text(encoding="utf-8")))
    return max(0, free)


def check_threads() -> Check:
    """Threads of PyTorch against the cores it may use; many kernels on one server want one thread each."""
    import torch

    threads, cores = torch.get_num_threads(), _cores()
    found = f"PyTorch computes with {threads} on {cores} {'core' if cores == 1 else 'cores'}"
    fix = "setx OMP_NUM_THREADS 1" if os.name == "nt" else "export OMP_NUM_THREADS=1"
    if threads > cores:
        return Check("threads", note=f"{found}, which is slower than one each", fix=fix)
    if threads > 1 and HUB_VARIABLE in os.environ:
        return Check("threads", note=f"{found}, on a server shared with others: one each is faster for all", fix=fix)
    return Check("threads", found=found)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_progress() -> Check:
    """What is passed can be remembered."""
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(4096))
            probe.flush()
            os.fsync(probe.fileno())
        if progress_file().exists():
            progress_file().open("ab").close()
    except OSError as error:
        fix = "set COURSE_UTILS_DATA to a folder that you may write to"
        return Check("progress", note=f"it cannot be kept: {reason(error)} ({folder})", fix=fix)
    return Check("progress", found=f"kept in {folder}")


def check_board() -> list[Check]:
    """The instructor's board, where one is set, can be told of checks."""
    folder = board_folder()
    if folder is None:
        return []
    trouble, name = touch_board(folder)
    if trouble:
        fix = command(sys.executable, "-m", "course_utils", "board", "--prepare", folder) + " (as the instructor)"
        return [Check("instructor's board", note=f"it cannot be told: {trouble} ({folder})", fix=fix)]
    return [Check("instructor's board", found=f"on, in {folder}, as {name}")]


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.absolute().parents) if parent.exists())


def _size(number: float) -> str:
    return f"{format_fixed(number / GB, 1)} GB" if number >= GB else f"{round(number / MB)} MB"
