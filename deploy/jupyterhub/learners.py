"""The list of learners: one line each, with name, password and pseudonym; read again at every login.

python deploy/jupyterhub/learners.py hub/learners.txt anna ben     adds two, also while the hub runs
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another one on a slip of paper
EXPECTED = "expected a small letter, then up to 30 small letters, digits and hyphens"


@dataclass(frozen=True)
class Learner:
    """One line of the list; nothing else ties the name to the pseudonym, which stands on the instructor's board."""

    name: str
    password: str
    pseudonym: str


def new_learner(name: str) -> Learner:
    """A learner with a password and a pseudonym made at random.

    Raises:
        ValueError: the name cannot be that of an account.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a learner's name; {EXPECTED}")
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    return Learner(name, password, f"p{secrets.token_hex(3)}")


def read(path: Path) -> dict[str, Learner]:
    """The learners in the file, by name.

    Raises:
        ValueError: a line is not a name, a password and a pseudonym.
    """
    learners = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split()
        if len(parts) != 3 or not NAME.fullmatch(parts[0]):
            raise ValueError(f"{path}, line {number}: write name, password and pseudonym; of the name {EXPECTED}")
        learners[parts[0]] = Learner(*parts)
    return learners


def add(path: Path, names: Iterable[str]) -> dict[str, Learner]:
    """Adds the names that the file does not have yet, and returns all learners. Who is in it keeps the password.

    Raises:
        ValueError: a name cannot be that of an account, or the file has a broken line.
    """
    learners = read(path) if path.exists() else {}
    learners |= {name: new_learner(name) for name in names if name not in learners}
    text = "".join(f"{each.name} {each.password} {each.pseudonym}\n" for each in learners.values())
    aside = path.with_suffix(".new")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    aside.replace(path)  # the hub may read it at any moment
    return learners


def main(arguments: list[str] | None = None) -> None:
    """Adds names to a list that is there, and prints the password of each.

    Raises:
        SystemExit: the list is not there or broken, or a name cannot be that of an account.
    """
    parser = argparse.ArgumentParser(description="Adds learners to the hub's list and tells their passwords.")
    parser.add_argument("list", type=Path, help="the hub's list: hub/learners.txt")
    parser.add_argument("names", nargs="+", metavar="name", help="who is new; who is on the list keeps the password")
    told = parser.parse_args(arguments)
    if not told.list.is_file():
        parser.error(f"there is no list {told.list}; expected the hub's, which its first start makes: hub/learners.txt")
    try:
        learners = add(told.list, told.names)
    except (ValueError, OSError) as error:
        sys.exit(f"{error}.")
    for name in told.names:
        print(f"{name}: {learners[name].password}")


if __name__ == "__main__":
    main()
