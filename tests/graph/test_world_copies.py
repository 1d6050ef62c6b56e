"""Graphs and pictures copy, pickle, and keep no tensor of the learner's alive."""

import copy
import gc
import pickle
import weakref

import pytest
import torch

from course_utils import draw_graph, step_backward, trace


class Value:
    """A number of an autograd of the learner's own."""

    def __init__(self, data, parents=(), local=()):
        self.data, self.parents, self.local, self.grad = data, parents, local, None


def tensors():
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    return trace((x**2).sum(), x=x)


GRAPHS = {
    "of tensors": tensors,
    "after a backward pass": lambda: tensors().backward(),
    "of a function": lambda: trace(lambda x: x * torch.sin(x), x=2.0),
    "of own objects": lambda: trace(Value(6.0, (one := Value(3.0), one), (2.0, 2.0))),
}
COPIES = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda one: pickle.loads(pickle.dumps(one))}


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_copies(name, copied):
    graph = GRAPHS[name]()
    again = COPIES[copied](graph)
    assert again == graph and str(again) == str(graph)
    with pytest.raises(ValueError, match=r"call backward\(\) on the graph that trace\(\) returned"):
        again.backward()
    assert graph.backward().nodes


@pytest.mark.parametrize("copied", COPIES)
def test_a_picture_copies(copied):
    picture = draw_graph(tensors(), gradients=True)
    assert repr(COPIES[copied](picture)) == repr(picture)


DRAWN = {
    "a picture": lambda y: draw_graph(y),
    "a picture with gradients": lambda y: draw_graph(y, gradients=True),
    "a picture of a graph": lambda y: draw_graph(trace(y)),
    "the steps of a pass": lambda y: step_backward(y),
}


class Box:
    """What a tensor is packed into for the backward pass."""

    def __init__(self, tensor):
        self.tensor = tensor


@pytest.mark.parametrize("name", DRAWN)
def test_an_unshown_picture_keeps_no_activations_alive(name):
    boxes = weakref.WeakSet()

    def pack(tensor):
        boxes.add(box := Box(tensor))
        return box

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
        y = torch.ones(5, requires_grad=True).sin().square().sum()
    assert len(boxes) == 2
    kept = DRAWN[name](y)
    del y
    gc.collect()
    assert len(boxes) == 0 and kept is not None
