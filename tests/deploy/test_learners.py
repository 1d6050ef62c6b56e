"""The list of learners, and what the hub refuses before anybody comes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

pytest.importorskip("pwd", reason="the hub needs Linux")
pytest.importorskip("jupyterhub", reason="the hub needs the extra `hub`")

import accounts
import learners
import start


def test_who_is_on_the_list_keeps_the_password(tmp_path: Path) -> None:
    path = tmp_path / "learners.txt"
    first = learners.add(path, ["anna", "ben"])
    second = learners.add(path, ["ben", "cleo"])
    assert list(second) == ["anna", "ben", "cleo"]
    assert second["ben"] == first["ben"]
    assert learners.read(path) == second
    assert len({each.password for each in second.values()} | {each.pseudonym for each in second.values()}) == 6
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["Anna", "../anna", "anna b", "-anna", "", "a" * 32, "änna"])
def test_a_name_that_is_no_account_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a small letter, then up to 30"):
        learners.add(tmp_path / "learners.txt", [name])


@pytest.mark.parametrize("line", ["anna", "anna password", "Anna password pseudonym", "anna a b c", ""])
def test_a_broken_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "learners.txt"
    learners.add(path, ["ben"])
    path.write_text(f"{path.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="learners.txt, line 2: write name, password and pseudonym"):
        learners.read(path)


def test_the_command_adds_to_a_list_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "learners.txt"
    with pytest.raises(SystemExit):
        learners.main([str(path), "anna"])
    assert f"there is no list {path}" in capsys.readouterr().err
    learners.add(path, ["ben"])
    learners.main([str(path), "anna"])
    assert capsys.readouterr().out == f"anna: {learners.read(path)['anna'].password}\n"
    with pytest.raises(SystemExit, match="'Anna' cannot be a learner's name"):
        learners.main([str(path), "Anna"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--names=nobody.txt"], "--names: there is no file nobody.txt"),
        ([f"--ssl-key={__file__}", f"--ssl-cert={__file__}"], "lies in the course's folder; keep it outside"),
        ([f"--ssl-key={__file__}"], "https takes both files"),
    ],
)
def test_options_that_cannot_be_are_refused(options: list[str], said: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        start.parse(options)
    assert said in capsys.readouterr().err


def test_an_account_of_somebody_else_is_never_used(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="the account 'root' of this machine is no learner's: its home is /"):
        accounts.prepare("root", tmp_path)


def test_a_folder_that_accounts_cannot_enter_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    inside = tmp_path / "open"
    inside.mkdir(mode=0o755)
    assert start.closed_folder([Path("/usr/bin"), inside / "missing"]) == tmp_path
    assert start.closed_folder([Path("/usr/bin")]) is None


def test_the_proxy_has_one_version_and_no_host_in_its_lock() -> None:
    lock = (start.HERE / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"configurable-http-proxy": "5.3.0"' in lock
    assert '"configurable-http-proxy": "5.3.0"' in (start.HERE / "package.json").read_text(encoding="utf-8")
