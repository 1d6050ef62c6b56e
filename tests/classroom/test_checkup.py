import json
from html import escape
from importlib import metadata

import pytest

from classroom import checkup
from course_utils import check_setup


def problems():
    return {check.name: check.problem for check in check_setup().checks if check.problem}


def test_this_machine_is_ready():
    assert check_setup().is_ready
    assert problems() == {}


def test_an_old_python_is_named(monkeypatch):
    monkeypatch.setattr(checkup.platform, "python_version", lambda: "3.8.1")
    assert "this is Python 3.8.1; the lessons need" in problems()["Python"]


def test_a_missing_package_is_a_row_with_a_fix(monkeypatch):
    def version(name, real=metadata.version):
        if name == "torchviz":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(checkup.metadata, "version", version)
    assert list(problems()) == ["torchviz"]
    assert escape(checkup.reinstall()) in check_setup()._repr_html_()
    assert "Not ready: 1 of" in repr(check_setup())


def test_a_version_out_of_range_is_named(monkeypatch):
    monkeypatch.setattr(checkup.metadata, "version", lambda name: "0.0.1")
    found = problems()
    assert "version 0.0.1 is installed; needed: >=" in found["matplotlib"] and "torch" not in found


@pytest.fixture
def another_torch(monkeypatch):
    """Another version of PyTorch, by its word."""

    def install(version):
        real = metadata.version
        monkeypatch.setattr(checkup.metadata, "version", lambda name: version if name == "torch" else real(name))

    return install


@pytest.mark.parametrize(
    ("version", "age"), [("2.2.1+cu121", "older"), ("9.9.0", "newer"), ("9.9.0.dev20300101", "newer")]
)
def test_an_untried_torch_is_a_note_with_the_range_and_the_lessons_run(another_torch, version, age):
    another_torch(version)
    setup = check_setup()
    (note,) = [check.note for check in setup.checks if check.note]
    assert note.startswith(f"PyTorch {version} is {age} than any that the course was tried with (")
    assert setup.is_ready and ">=" in note and "<" in note
    assert "Ready: the lessons will run. 1 of" in repr(setup) and note in repr(setup)
    assert "what to know" in setup._repr_html_()


def test_the_lessons_whose_outputs_are_tagged_for_other_versions_are_named(another_torch, monkeypatch, tmp_path):
    tags = {"01_a": ["torch>=2.10"], "02_b": ["torch<3", "shows-warning"], "03_c": [], "04_d": ["torch>=2,<2.9"]}
    (tmp_path / "notebooks").mkdir()
    for name, own in tags.items():
        cells = [{"metadata": {}}, {"metadata": {"tags": own}}]
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    monkeypatch.setattr(checkup, "course_folder", lambda: tmp_path)
    assert checkup.lessons_worded_for_others("2.9.1+cpu") == ["01", "04"]
    assert checkup.lessons_worded_for_others("2.12.0") == ["04"]
    another_torch("2.2.0")
    (note,) = [check.note for check in check_setup().checks if check.note]
    assert note.endswith("may differ from what is stored, surely in lessons 01")


def test_a_torch_whose_graph_cannot_be_read_is_a_problem(monkeypatch):
    def refuse(*_, **__):
        raise AttributeError("no get_gradient_edge")

    monkeypatch.setattr("course_utils.graph.show.trace", refuse)
    assert problems() == {"gradient": "could not be checked: AttributeError: no get_gradient_edge"}


def test_missing_slider_extensions_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path)])
    assert "anywidget" in problems()["sliders in JupyterLab"]


@pytest.mark.parametrize("grad_mode", [True, False])
def test_the_gradient_check_works_whatever_the_grad_mode(grad_mode):
    import torch

    with torch.set_grad_enabled(grad_mode):
        assert check_setup().is_ready
