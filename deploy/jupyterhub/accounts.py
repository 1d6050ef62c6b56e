"""Who may log in, and the system account behind a learner."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from secrets import compare_digest

from jupyterhub.auth import Authenticator
from jupyterhub.handlers import BaseHandler
from traitlets import Unicode

import learners


class NameList(Authenticator):
    """Lets in who is on the list, each with a password of their own. (A shared one would let each be any other.)"""

    path = Unicode(config=True, help="The list, as learners.py keeps it.")

    async def authenticate(self, handler: BaseHandler, data: dict[str, str]) -> str | None:
        """The learner's name, or None where the name is not on the list or the password is another's."""
        known = learners.read(Path(self.path)).get(data["username"])
        if known and compare_digest(known.password.encode(), data["password"].encode()):
            return known.name
        return None


def prepare(name: str, homes: Path) -> None:
    """Makes the learner's system account if there is none: without a password, with a home that nobody else enters.

    Raises:
        PermissionError: an account of this name was here before, and is somebody else's.
        subprocess.CalledProcessError: the system would not make it.
    """
    home = homes / name
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        make = ["useradd", "--create-home", "--home-dir", str(home), "--shell", "/usr/sbin/nologin", name]
        subprocess.run(make, check=True)
        home.chmod(0o700)
        return
    if Path(account.pw_dir) != home:
        raise PermissionError(f"the account {name!r} of this machine is no learner's: its home is {account.pw_dir}")
    if home.stat().st_uid != account.pw_uid or home.stat().st_mode & 0o077:
        fix = f"chown -R {name}: {home}; chmod 700 {home}"
        raise PermissionError(f"{home} has to be {name}'s own, closed to others: {fix}")


def are_possible() -> bool:
    """Whether this process may make accounts."""
    return os.geteuid() == 0
