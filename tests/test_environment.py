"""constraints.txt and environment.yml say what pyproject.toml says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = {
    canonicalize_name(need.name): need
    for need in map(Requirement, [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)])
    if need.name != PROJECT["name"]
}
PIN_LINES = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
PINS = {canonicalize_name(pin.name): pin for pin in map(Requirement, PIN_LINES)}
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
CONDA_LINES = [line for line in CONDA["dependencies"] if isinstance(line, str)]
CONDA_PACKAGES = dict(re.split(" *=", line + "=", maxsplit=2)[:2] for line in CONDA_LINES)


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_needed_is_pinned_within_its_range(name: str) -> None:
    (pin,) = PINS[name].specifier
    assert pin.operator == "=="
    assert NEEDED[name].specifier.contains(pin.version)


def test_pins_are_plain_versions() -> None:
    assert str(PINS["torch"].specifier) == "==2.13.0"
    for line in PIN_LINES:
        assert re.fullmatch(r'[\w.-]+==[\w.]+( ; python_full_version >= "3\.\d+(\.\d+)?")?', line), line


def test_conda_brings_the_pinned_torch_for_a_supported_python_and_dot() -> None:
    (pin,) = PINS["torch"].specifier
    assert CONDA_PACKAGES["pytorch-cpu"] == pin.version
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(CONDA_PACKAGES["python"] + ".0")
    assert "python-graphviz" in CONDA_PACKAGES


def test_everything_else_comes_with_the_project_itself() -> None:
    assert set(CONDA_PACKAGES) == {"python", "pytorch-cpu", "python-graphviz", "pip"}
    (by_pip,) = (line["pip"] for line in CONDA["dependencies"] if isinstance(line, dict))
    (extra,) = re.fullmatch(r"-e \.\[(\w+)\]", *by_pip).groups()
    assert extra in EXTRAS
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
