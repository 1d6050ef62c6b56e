"""A learner's server: in the learner's name it sets the limits, updates the learner's copy, and becomes JupyterLab.

An update never overwrites work. What the learner has not touched gets the course's newest version; a notebook that both
have changed stays the learner's, whole (`*.ipynb -merge` in the course, -Xours in nbgitpuller); one that the learner
has deleted comes back new. Where the update fails, the server starts with the copy as it was.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

COPY = "see-gradients"
PUBLISHED = "see-gradients-as-published"


def limit(kind: int, value: int) -> None:
    """No more than `value` of a resource for this process and what it starts; it cannot be raised again."""
    resource.setrlimit(kind, (value, value))


def update(course: Path, home: Path) -> None:
    """Brings the learner's copy up to date, and shows the course as it was published beside it, read-only."""
    link = home / PUBLISHED
    if not link.is_symlink() and not link.exists():
        link.symlink_to(course)
    # git reads from a folder of another account only where the user's own settings allow that; and where the copy is no
    # repository any more, it would take one further up.
    git = {"GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("gitconfig")), "GIT_CEILING_DIRECTORIES": str(home)}
    command = [sys.executable, "-m", "nbgitpuller.pull", course.as_uri(), "main", str(home / COPY)]
    done = subprocess.run(
        command, env=os.environ | git, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    if done.returncode:
        print(f"{home / COPY} stays as it is: its update failed.\n{done.stdout}", file=sys.stderr)


def runtime_folder(home: Path) -> Path:
    """A folder of the learner's own for kernels' sockets, the same at each start: their paths must be short."""
    link = home / ".jupyter-runtime"
    if not (link.is_dir() and link.stat().st_uid == os.getuid()):
        link.unlink(missing_ok=True)
        link.symlink_to(tempfile.mkdtemp(prefix="jupyter-", dir="/tmp"))
    return link.resolve()


def main() -> None:
    """Does all of it; the arguments are those that the hub has for jupyterhub-singleuser."""
    os.umask(0o077)
    os.nice(5)  # the hub and its proxy go first
    limit(resource.RLIMIT_DATA, int(os.environ["MEM_LIMIT"]))
    if tasks := os.environ.get("TASK_LIMIT"):
        limit(resource.RLIMIT_NPROC, int(tasks))
    update(Path(os.environ["COURSE"]), Path.home())
    os.environ["JUPYTER_RUNTIME_DIR"] = str(runtime_folder(Path.home()))
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])


if __name__ == "__main__":
    main()
