from importlib import metadata

import pytest

from course_utils import check_setup, checkup


def problems():
    return {check.name: check.problem for check in check_setup().checks if check.problem}


def test_this_machine_is_ready():
    assert check_setup().is_ready
    assert problems() == {}


def test_an_old_python_is_named(monkeypatch):
    monkeypatch.setattr(checkup.platform, "python_version", lambda: "3.8.1")
    assert "this is Python 3.8.1; the lessons need" in problems()["Python"]


def test_a_missing_package_is_a_row_with_a_mend(monkeypatch):
    def version(name, real=metadata.version):
        if name == "torchviz":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(checkup.metadata, "version", version)
    assert list(problems()) == ["torchviz"]
    assert "pip install" in check_setup()._repr_html_()
    assert "Not ready: 1 of" in repr(check_setup())


def test_a_version_out_of_range_is_named(monkeypatch):
    monkeypatch.setattr(checkup.metadata, "version", lambda name: "0.0.1")
    assert "version 0.0.1 is installed; needed: >=" in problems()["matplotlib"]


def test_missing_slider_extensions_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path)])
    assert "anywidget" in problems()["sliders in JupyterLab"]


@pytest.mark.parametrize("grad_mode", [True, False])
def test_the_gradient_check_works_whatever_the_grad_mode(grad_mode):
    import torch

    with torch.set_grad_enabled(grad_mode):
        assert check_setup().is_ready
