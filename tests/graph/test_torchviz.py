import pytest
import torch

from course_utils import draw_with_torchviz


def two_inputs():
    x = torch.tensor(2.0, requires_grad=True)
    y = torch.tensor(3.0, requires_grad=True)
    return x, y, x**2 + y**3


def test_the_picture_is_the_same_in_every_run():
    first, second = (draw_with_torchviz(z, x=x, y=y, z=z) for x, y, z in (two_inputs(), two_inputs()))
    assert first.svg == second.svg
    assert first.description.startswith("torchviz draws 8 boxes")


def test_without_dot_a_line_says_what_to_install_and_the_description_stays(monkeypatch):
    x, y, z = two_inputs()
    with_dot = draw_with_torchviz(z, x=x, y=y, z=z)
    monkeypatch.setenv("PATH", "")
    without = draw_with_torchviz(z, x=x, y=y, z=z)
    assert "Install Graphviz" in without.svg
    assert without.description == with_dot.description


def test_bad_output_is_named():
    with pytest.raises(TypeError, match="output is 2.0; expected a tensor"):
        draw_with_torchviz(2.0)
    with pytest.raises(ValueError, match="output has no grad_fn"):
        draw_with_torchviz(torch.tensor(2.0))
    with pytest.raises(TypeError, match="x is 3; expected a tensor"):
        draw_with_torchviz(two_inputs()[-1], x=3)
