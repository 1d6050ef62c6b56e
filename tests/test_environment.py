"""pyproject.toml, constraints.txt, environment.yml and the linter's hook agree, for every Python and system."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import course
import pin
from wheelhouse import SYSTEMS, Target

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = {
    canonicalize_name(need.name): need
    for need in map(Requirement, [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)])
    if need.name != PROJECT["name"]
}
CARD = {"torch", "matplotlib", "jupyterlab", "nbval", "ipywidgets", "torchviz"}
PINS = pin.read((ROOT / "constraints.txt").read_text(encoding="utf-8"))
INSTALLED = pin.installed()
TARGETS = [Target(system, minor) for system in SYSTEMS for minor in course.supported_minors()]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONDA_LINES = [line for line in CONDA["dependencies"] if isinstance(line, str)]
CONDA_PACKAGES = dict(re.split(" *=", line + "=", maxsplit=2)[:2] for line in CONDA_LINES)


def pins_for(target: Target) -> dict[str, list[str]]:
    """The versions that the pins for this kind of machine name, by package."""
    pinned: dict[str, list[str]] = {}
    for each in filter(target.needs, PINS):
        (version,) = each.specifier
        assert version.operator == "==", each
        pinned.setdefault(canonicalize_name(each.name), []).append(version.version)
    return pinned


def requirements_of(name: str, pinned: list[str]) -> list[Requirement]:
    """What a package asks for, if the version pinned for the other machine is the one installed here."""
    if name == PROJECT["name"] or INSTALLED.get(name) in pinned:
        return [Requirement(line) for line in metadata.requires(name) or []]
    return []


def all_needed(target: Target) -> set[str]:
    """Every package that the project with all its extras needs there, as far as it can be read here."""
    pinned = pins_for(target)
    seen: set[tuple[str, str]] = set()
    queue = [(PROJECT["name"], extra) for extra in ["", *EXTRAS]]
    while queue:
        name, extra = queue.pop()
        if (name, extra) not in seen:
            seen.add((name, extra))
            for need in requirements_of(name, pinned.get(name, [])):
                if target.needs(need, extra=extra):
                    queue += [(canonicalize_name(need.name), wanted) for wanted in {"", *need.extras}]
    return {name for name, _ in seen} - {PROJECT["name"]}


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_each_python_and_system_has_one_pin_for_all_that_it_needs(target: Target) -> None:
    pinned = pins_for(target)
    assert {name: versions for name, versions in pinned.items() if len(versions) > 1} == {}
    assert all_needed(target) - set(pinned) == set()
    for name, need in NEEDED.items():
        assert need.specifier.contains(*pinned[name]), name


def test_pins_are_versions_that_an_index_has() -> None:
    assert [str(it.specifier) for it in PINS if it.name == "torch"] == ["==2.13.0"]
    for it in PINS:
        assert re.fullmatch(r"==[\w.]+", str(it.specifier)), it


def test_the_range_of_torch_is_what_was_tried() -> None:
    tried = list(map(Version, PYPROJECT["tool"]["see-gradients"]["tried-torch"]))
    assert tried == sorted(tried)
    assert NEEDED["torch"].specifier == SpecifierSet(f">={tried[0]},<{tried[-1].major}.{tried[-1].minor + 1}")
    assert {str(version) for version in tried} >= set(pins_for(Target("linux", 11))["torch"])


def test_the_core_is_small_and_the_lessons_bring_the_rest() -> None:
    core = {Requirement(line).name for line in PROJECT["dependencies"]}
    lab = {Requirement(line).name for line in EXTRAS[course.LESSONS]}
    assert core == {"torch", "matplotlib", "ipywidgets", "anywidget", "platformdirs"}
    assert lab == {"jupyterlab", "nbval", "torchviz"}
    assert core | lab >= CARD


def test_the_linter_before_a_commit_is_the_tested_one() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repository["rev"] == "v" + pins_for(Target("linux", 11))["ruff"][0]
    assert {hook["id"] for hook in repository["hooks"]} == {"ruff-check", "ruff-format"}


def test_version_and_date_are_the_same_wherever_they_stand() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"(?m)^## (.+)$", changes)
    assert headings[:2] == ["Unreleased", f"v{PROJECT['version']} ({citation['date-released']})"]
    assert citation["version"] == PROJECT["version"]


def test_conda_brings_the_pinned_torch_for_a_supported_python_and_dot() -> None:
    assert pins_for(Target("linux", 12))["torch"] == [CONDA_PACKAGES["pytorch-cpu"]]
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(CONDA_PACKAGES["python"] + ".0")
    assert "python-graphviz" in CONDA_PACKAGES


def test_everything_else_comes_with_the_project_itself() -> None:
    assert set(CONDA_PACKAGES) == {"python", "pytorch-cpu", "python-graphviz", "pip"}
    (by_pip,) = (line["pip"] for line in CONDA["dependencies"] if isinstance(line, dict))
    (extra,) = re.fullmatch(r"-e \.\[(\w+)\]", *by_pip).groups()
    assert course.LESSONS in extras_within(extra)
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]


def test_environment_yml_names_the_packages_of_the_card() -> None:
    named = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert [name for name in sorted(CARD) if not re.search(rf"\b(py)?{name}\b", named)] == []


def extras_within(extra: str) -> set[str]:
    """The extra and those that it brings."""
    own = [need for need in map(Requirement, EXTRAS[extra]) if need.name == PROJECT["name"]]
    return {extra}.union(*(extras_within(each) for need in own for each in need.extras))
