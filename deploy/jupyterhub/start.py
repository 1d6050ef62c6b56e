"""Starts the course's JupyterHub on this machine, after preparing whatever is missing.

    python deploy/jupyterhub/start.py                              learner01 … learner30, on loopback
    python deploy/jupyterhub/start.py --names=/etc/…/class.txt      one name a line
    python deploy/jupyterhub/start.py --ip=0.0.0.0 --ssl-key=… --ssl-cert=…

As root each learner gets a system account, and cannot read another's home. Without root all servers run as you: good
for trying it out, but any learner's code can then read all homes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import accounts
import learners
from classroom import dropbox
from publish import publish

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
INSTRUCTOR = "instructor"
PROXY = Path(sys.prefix) / "share/hub-proxy"
PROXY_PROGRAM = PROXY / "node_modules/.bin/configurable-http-proxy"
ASIDE = "as in /etc/see-gradients, for nobody but root to read"
NODE = 20  # the oldest that the proxy runs on
NPM = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]


def closed_folder(paths: Iterable[Path]) -> Path | None:
    """A folder on the way to one of `paths` that learners' accounts cannot enter; None if there is none."""
    for path in paths:
        for folder in [path, *path.parents, *path.resolve().parents]:
            if folder.is_dir() and not folder.stat().st_mode & stat.S_IXOTH:
                return folder
    return None


def lies_in(file: Path, folder: Path) -> bool:
    """Whether the file is somewhere in the folder, by its name or by where that leads."""
    return any(folder.resolve() in path.parents for path in (file.absolute(), file.resolve()))


def lacking() -> str:
    """What the hub needs and this machine lacks; "" where nothing is."""
    missing = [program for program in ("git", "node", "npm") if not shutil.which(program)]
    if missing:
        return f"the hub needs {' and '.join(missing)}"
    version = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout.strip()
    is_old = int(version.removeprefix("v").partition(".")[0]) < NODE
    return f"Node.js is {version}, not {NODE} or newer" if is_old else ""


def install_proxy() -> None:
    """Installs the proxy's pinned version beside the Python packages, unless it is there. It takes a network, once.

    Raises:
        SystemExit: npm failed.
    """
    files = [HERE / "package.json", HERE / "package-lock.json"]
    if PROXY_PROGRAM.exists() and all(file.read_bytes() == (PROXY / file.name).read_bytes() for file in files):
        return
    PROXY.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, PROXY)
    if subprocess.call(NPM, cwd=PROXY):
        sys.exit("npm could not install the hub's proxy (its reason stands above). Fix that, then run this again.")


def prepare(told: argparse.Namespace) -> None:
    """Brings the hub's folder up to date.

    Raises:
        SystemExit: something is missing; the message says what to do.
    """
    if lack := lacking():
        sys.exit(f"{lack}.\nWhat to do: install git, and Node.js {NODE} or newer with npm; then run this again.")
    os.umask(0o022)
    folder, has_accounts = told.folder, not told.without_accounts
    (folder / "homes").mkdir(parents=True, exist_ok=True)
    if has_accounts and (closed := closed_folder([Path(sys.executable), Path(sys.base_prefix), ROOT, folder])):
        sys.exit(
            f"Learners' accounts cannot enter {closed}, and what they need lies in it.\nWhat to do: keep the course, "
            "its Python and --folder where everybody may read, as in /opt. To try it out only: add --without-accounts."
        )
    names = [f"learner{n:02}" for n in range(1, 31)]
    try:
        if told.names:
            names = list(filter(None, map(str.strip, told.names.read_text(encoding="utf-8").splitlines())))
        known = learners.add(folder / "learners.txt", [INSTRUCTOR, *names])
        if has_accounts:
            for name in known:
                accounts.prepare(name, folder / "homes")
            dropbox.prepare(folder / "board", group=INSTRUCTOR)
        if said := publish(told.course, folder / "course", as_it_is=told.as_it_is):
            print(said, flush=True)
    except (ValueError, OSError) as error:
        sys.exit(f"{error}.")
    (folder / "board").mkdir(exist_ok=True)
    install_proxy()


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "hub", help="where all of it is kept (default: hub)")
    parser.add_argument("--names", type=Path, help="a file with the learners' names (default: learner01 … learner30)")
    parser.add_argument("--course", type=Path, default=ROOT / "notebooks", help="the lessons (default: notebooks)")
    parser.add_argument("--ip", default="127.0.0.1", help="0.0.0.0 lets other machines in (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="it and the next two are used (default: 8000)")
    parser.add_argument("--ssl-key", type=Path, help="file with the key, for https")
    parser.add_argument("--ssl-cert", type=Path, help="file with the certificate, for https")
    parser.add_argument("--memory", default="2G", help="most data of one process of a learner (default: 2G)")
    parser.add_argument("--threads", default="1", help="threads that one computation of a learner takes (default: 1)")
    parser.add_argument("--tasks", default="400", help="most processes and threads of a learner (default: 400)")
    parser.add_argument("--idle", type=int, default=3600, help="seconds until an unused server stops (default: 3600)")
    parser.add_argument("--as-it-is", action="store_true", help="the lessons on disk, not those that are committed")
    parser.add_argument("--without-accounts", action="store_true", help="all servers run as you: for trying out")
    parser.add_argument("hub", nargs="*", metavar="-- …", help="goes to JupyterHub, as --JupyterHub.base_url=/x/")
    told = parser.parse_args(arguments)
    for option in ("names", "ssl_key", "ssl_cert"):
        file = getattr(told, option)
        if file and not file.is_file():
            parser.error(f"--{option.replace('_', '-')}: there is no file {file}")
    if bool(told.ssl_key) != bool(told.ssl_cert):
        parser.error("https takes both files: --ssl-key and --ssl-cert")
    if told.ssl_key and lies_in(told.ssl_key, ROOT):
        parser.error(f"--ssl-key: {told.ssl_key} lies in the course's folder; keep it outside, {ASIDE}")
    told.folder = told.folder.resolve()
    told.without_accounts |= not accounts.are_possible()
    return told


def main(arguments: list[str] | None = None) -> None:
    """Prepares the hub's folder and becomes the hub."""
    told = parse(arguments)
    prepare(told)
    scheme = "https" if told.ssl_key else "http"
    print(f"Names and passwords: {told.folder / 'learners.txt'}. The hub: {scheme}://{told.ip}:{told.port}", flush=True)
    if told.ip == "0.0.0.0":
        print("Learners write the name or address of this machine in place of 0.0.0.0.", flush=True)
    if told.without_accounts:
        print("No system accounts: every learner's code can read all homes. For trying out only.", flush=True)
    settings = {
        "HUB_FOLDER": told.folder,
        "HUB_IP": told.ip,
        "HUB_PORT": told.port,
        "HUB_PROXY": PROXY_PROGRAM,
        "HUB_KEY": told.ssl_key.resolve() if told.ssl_key else "",
        "HUB_CERTIFICATE": told.ssl_cert.resolve() if told.ssl_cert else "",
        "HUB_MEMORY": told.memory,
        "HUB_THREADS": told.threads,
        "HUB_TASKS": told.tasks,
        "HUB_IDLE": told.idle,
        "HUB_ACCOUNTS": "no" if told.without_accounts else "yes",
    }
    command = [sys.executable, "-m", "jupyterhub", "--config", str(HERE / "jupyterhub_config.py"), "--log-level=WARN"]
    command += told.hub
    os.chdir(told.folder)
    os.umask(0o077)
    os.execve(sys.executable, command, os.environ | {name: str(value) for name, value in settings.items()})


if __name__ == "__main__":
    main()
