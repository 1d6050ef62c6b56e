import re
import xml.dom.minidom

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
    assert first.description == (
        "torchviz's graph, 8 boxes that this course has placed: z (), AddBackward0, PowBackward0, x (), "
        "AccumulateGrad, PowBackward0, y (), AccumulateGrad"
    )


def test_no_other_program_is_needed(monkeypatch):
    x, y, z = two_inputs()
    here = draw_with_torchviz(z, x=x, y=y, z=z)
    monkeypatch.setenv("PATH", "")
    assert draw_with_torchviz(z, x=x, y=y, z=z).svg == here.svg


def test_every_box_is_drawn_from_top_to_bottom_with_torchvizs_colours():
    x, y, z = two_inputs()
    svg = draw_with_torchviz(z, x=x, y=y, z=z).svg
    texts = re.findall(r'<text x="\d+" y="(\d+)"[^>]*>([^<]+)', svg)
    heights = {text: int(height) for height, text in texts}
    names = ["x", "AccumulateGrad", "PowBackward0", "AddBackward0", "z"]
    assert sorted(names, key=heights.__getitem__) == names
    assert svg.count('fill="lightblue"') == 2 and svg.count('fill="#caff70"') == 1
    assert svg.count("<path") == 2 * 7, "seven edges, each a line with a head"


class Kept(torch.autograd.Function):
    """exp, which saves its input and its own result: edges without a direction, one of them back to the output."""

    @staticmethod
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(x, result)
        return result

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[1]


def test_saved_tensors_have_edges_without_heads():
    x, _, _ = two_inputs()
    y = Kept.apply(x)
    picture = draw_with_torchviz(y, x=x, y=y)
    assert "KeptBackward" in picture.description
    assert picture.svg.count("orange") == 2 and picture.svg.count("<path") == 2 * 3 + 2


def test_a_views_base_is_there_too():
    x = torch.ones(3, 4, requires_grad=True)
    svg = draw_with_torchviz((2 * x).view(12)).svg
    assert svg.count("stroke-dasharray") == 1 and svg.count('fill="#a2cd5a"') == 1


def test_a_name_may_hold_any_character():
    x, _, z = two_inputs()
    picture = draw_with_torchviz(z, **{'<"x"> & 1': x})
    assert '<"x"> & 1 ()' in picture.description and "&lt;&quot;x&quot;&gt; &amp; 1" in picture.svg
    xml.dom.minidom.parseString(picture.svg)


def test_bad_output_is_named():
    with pytest.raises(TypeError, match="output is 2.0; expected a tensor"):
        draw_with_torchviz(2.0)
    with pytest.raises(ValueError, match="output has no grad_fn"):
        draw_with_torchviz(torch.tensor(2.0))
    with pytest.raises(TypeError, match="x is 3; expected a tensor"):
        draw_with_torchviz(two_inputs()[-1], x=3)
