"""Leaves, views and cuts as other people's code makes them: no crash, and every way to lose a gradient is marked."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from course_utils import trace

LAYER, TARGET, SCALE = nn.Linear(3, 3), nn.Linear(3, 3), nn.Parameter(torch.tensor([2.0, 3.0]))
NORMED = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
X = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x.mm(w.T)

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w, g.T @ x


def frozen_target(x):
    with torch.no_grad():
        best = TARGET(x).amax(1)
    return (LAYER(x)[:, 1] - best).square().sum()


def indexed(x):
    with torch.no_grad():
        k = SCALE[1]
    return (x * k).sum()


def view_of_what_was_made(x):
    y = x * 2
    with torch.no_grad():
        first = y.view(-1)[0]
    return (y * first).sum()


def printed(x):
    with torch.no_grad():
        str(x[0]), repr(x.T)
    return x.exp().sum()


def twice_a_view(x):
    with torch.no_grad():
        part = SCALE[:1].unsqueeze(0)
    return (x * part).sum()


VIEWS = {
    "a target network": frozen_target,
    "an entry": indexed,
    "a view of a result": view_of_what_was_made,
    "printing": printed,
    "a view of a view": twice_a_view,
    "a transpose": lambda x: x.mm(LAYER.weight.detach().T).sum() + Product.apply(x, LAYER.weight).sum(),
    "a normalised layer": lambda x: NORMED(x[:, :2]).sum(),
    "a reentrant checkpoint": lambda x: checkpoint(LAYER, x, use_reentrant=True).sum(),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_made_without_grad_are_constants(name):
    graph = trace(VIEWS[name], x=X)
    assert graph.nodes[-1].value is not None
    if "checkpoint" not in name:
        leaf = X.clone().requires_grad_()
        (expected,) = torch.autograd.grad(VIEWS[name](leaf), leaf)
        shown = next(node for node in graph.backward().nodes if node.name == "x").gradient
        assert torch.allclose(torch.tensor(shown.numbers).reshape(4, 3), expected, rtol=1e-5)


def test_such_a_view_says_where_it_was_cut_off():
    graph = trace(indexed, x=torch.ones(2))
    cut = next(node for node in graph.nodes if node.kind == "constant")
    assert (cut.name, cut.note) == ("k", "SCALE made without grad") and cut.value.numbers == (3.0,)
    graph = trace(view_of_what_was_made, x=torch.ones(2))
    (into,) = [
        edge for edge in graph.edges if graph.nodes[edge.target].kind == "constant" and graph.nodes[edge.target].note
    ]
    assert graph.nodes[into.source].name == "y"


def test_such_a_view_can_be_named_from_outside():
    with torch.no_grad():
        part = SCALE[0]
    x = torch.tensor(4.0, requires_grad=True)
    assert {node.name for node in trace(x * part, x=x, part=part).nodes} >= {"x", "part"}


def test_a_leaf_may_be_a_view_of_plain_data():
    leaf = torch.zeros(4)[:2].requires_grad_()
    assert trace(lambda s: (leaf * s).sum(), s=1.0).nodes[0].kind == "leaf"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr"])
def test_sparse_leaves_have_names(layout):
    leaf = getattr(torch.eye(3), layout)().requires_grad_()
    dense = torch.ones(3, 3, requires_grad=True)
    graph = trace((leaf @ dense).sum(), leaf=leaf, dense=dense)
    assert {node.name for node in graph.nodes if node.kind == "leaf"} == {"leaf", "dense"}


def numpy_sine(h):
    return torch.from_numpy(h.detach().numpy()[::1])


CUTS = {
    "detached here": lambda h: h.detach(),
    "made without grad": lambda h: torch.no_grad()(torch.sin)(h),
    "argmax: no gradient": lambda h: F.one_hot(h.argmax(1), 3),
    "argmin: no gradient": lambda h: h.argmin(1, keepdim=True).double(),
    "comparison: no gradient": lambda h: (h >= 0.25).float() * 2,
    "cast to int64: no gradient": lambda h: h.long(),
    "cast to bool: no gradient": lambda h: h.bool().float(),
    "multinomial: no gradient": lambda h: torch.multinomial(h.softmax(1), 1).float(),
    "NumPy: no gradient": numpy_sine,
    "item: no gradient": lambda h: h.mean().item(),
    "numbers of Python: no gradient": lambda h: torch.tensor(h.tolist()),
    "sort: no gradient": lambda h: h.sort().indices.float(),
    "topk: no gradient": lambda h: h.topk(1).indices.float(),
    "isnan: no gradient": lambda h: (~h.isnan()).float(),
    "item: no gradient ": lambda h: torch.tensor([h[0, 0].item(), 5.0, 7.0]),
}


@pytest.mark.parametrize("note", CUTS)
def test_every_way_to_lose_a_gradient_is_marked(note):
    graph = trace(lambda x: (CUTS[note](h := LAYER(x)) * h).sum(), x=X)
    marked = [(at, node) for at, node in enumerate(graph.nodes) if node.note]
    assert [node.note for _, node in marked] == [note.strip()]
    at = marked[0][0]
    assert [edge.gradient for edge in graph.backward().edges if edge.target == at] == [None], "a cut mark to its origin"


def test_a_new_leaf_made_of_old_numbers_is_marked():
    graph = trace(lambda x: torch.tensor(LAYER(x).tolist(), requires_grad=True).sum(), x=X)
    assert [node.note for node in graph.nodes if node.kind == "leaf"] == ["numbers of Python: no gradient"]


def test_a_cut_input_is_named():
    graph = trace(lambda x, y: x * (y > 2).float(), x=1.5, y=3.0)
    assert [node.note for node in graph.nodes if node.kind == "constant"] == ["comparison of y: no gradient"]


UNCUT = {
    "a mask of its shape": lambda x: x * torch.ones_like(x, dtype=torch.int64),
    "a new tensor of its kind": lambda x: x * x.new_ones(3, dtype=torch.bool).float(),
    "a number that is written down": lambda x: x * 2.5 if x.sum().item() == 2.5 else x,
    "a tensor of other numbers": lambda x: x * torch.tensor([1.0, 2.0, 4.0]),
    "sorting": lambda x: x.sort().values,
    "the largest": lambda x: x.max(0).values,
    "a condition": lambda x: torch.where(x > 0, x, -x),
    "pooling": lambda x: F.max_pool1d(x[None], 3),
    "NumPy data": lambda x: x * torch.from_numpy(np.array([3.0, 1.0, 2.0], dtype=np.float32)),
}


@pytest.mark.parametrize("name", UNCUT)
def test_what_loses_no_gradient_is_not_marked(name):
    graph = trace(UNCUT[name], x=torch.tensor([1.0, 2.0, -0.5]))
    assert [node.note for node in graph.nodes if node.note] == []


def test_the_first_trace_does_not_import_pytorchs_compiler():
    code = "import sys; from course_utils import trace; trace(lambda x: x * x, x=2.0); "
    code += "sys.exit('torch._dynamo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
