"""PyTorch's private names stand in one module, and graphs are drawn without them too."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
from torch.utils.checkpoint import checkpoint

import course_utils
from course_utils.core import internals
from course_utils.graph.read import names, trace, values

PACKAGE = Path(course_utils.__file__).parent
PRIVATE = re.compile(r"_[A-Za-z]\w*")
# Private by their look alone: the documentation of Python describes them.
DOCUMENTED = {"_replace", "_asdict", "_fields", "_getframe"}


def private_names(code, own=frozenset()):
    """The private names in `code` that are neither its own nor in `own`: of attributes, imports, and in strings."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.update([*node.module.split("."), *(name.name for name in node.names)])
        elif isinstance(node, ast.Import):
            found.update(part for name in node.names for part in name.name.split("."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return {name for name in found if PRIVATE.fullmatch(name)} - defined(code) - own - DOCUMENTED


def defined(code):
    """The names that `code` gives to its functions, classes, variables and the attributes of its objects."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr if isinstance(node.value, ast.Name) and node.value.id == "self" else "")
    return found


def test_no_other_file_names_a_private_attribute_of_torch():
    codes = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    asked = private_names(codes.pop(Path(internals.__file__)))
    assert {"_input_metadata", "_get_sequence_nr", "_saved_", "_python_dispatch"} <= asked
    # What the course's own objects have is theirs, unless PyTorch's have it too.
    own = set().union(*map(defined, codes.values())) - asked - set(dir(torch.nn.Linear(1, 1))) - set(dir(torch))
    for path, code in codes.items():
        assert private_names(code, own) == set(), path


@pytest.mark.parametrize(
    "code",
    [
        "function._input_metadata[0]",
        "getattr(function, '_saved_self')",
        "from torch.utils._pytree import tree_map",
        "from torch import _foreach_norm",
        "import torch._functorch.config",
        "torch._C._autograd._get_sequence_nr()",
        "module._buffers = {}",
    ],
)
def test_a_private_name_is_found(code):
    assert private_names(code)


@cache
def with_public_names_only(function):
    """An autograd function as one of a PyTorch that had no private names."""

    class Public:
        def __getattr__(self, name):
            if name.startswith("_"):
                raise AttributeError(name)
            return getattr(function, name)

        @property
        def next_functions(self):
            return tuple((one and with_public_names_only(one), at) for one, at in function.next_functions)

    Public.__name__ = type(function).__name__
    return Public()


@pytest.fixture
def without_private_names(monkeypatch):
    def key_of(tensor):
        function, output = original(tensor)
        return with_public_names_only(function), output

    original = trace.key_of
    for module in (trace, names):
        monkeypatch.setattr(module, "key_of", key_of)


@pytest.mark.usefixtures("without_private_names")
class TestWithoutPrivateNames:
    def test_a_graph_is_read_with_the_shapes_of_its_leaves(self):
        x, w = torch.ones(3, requires_grad=True), torch.full((3,), 2.0, requires_grad=True)
        graph = course_utils.trace((torch.relu(x * w) + x.sum()).prod(), x=x, w=w)
        kinds = [(node.name or node.operation, node.shape, node.dtype) for node in graph.nodes]
        unknown = {(kind, None, None) for kind in ("Mul", "Relu", "Sum", "Add", "Prod")}
        assert set(kinds) == {("x", (3,), "float32"), ("w", (3,), "float32"), *unknown}
        place = {node.name or node.operation: at for at, node in enumerate(graph.nodes)}
        assert place["Mul"] < place["Relu"] < place["Add"] < place["Prod"] and place["Sum"] < place["Add"]

    def test_it_is_drawn(self):
        x = torch.tensor(2.0, requires_grad=True)
        picture = course_utils.draw_graph((x**2).sin(), x=x)
        assert "Sin" in str(picture) or "sin" in repr(picture)

    def test_walking_it_backwards_is_refused_with_the_version(self):
        x = torch.tensor(2.0, requires_grad=True)
        with pytest.raises(ValueError, match=rf"PyTorch {re.escape(torch.__version__)} does not tell the shapes"):
            course_utils.trace(x**2, x=x).backward()


def test_without_a_running_number_the_calls_stay_unknown_and_the_values_known(monkeypatch):
    monkeypatch.delattr(torch._C._autograd, "_get_sequence_nr")
    graph = course_utils.trace(lambda x: x * 3, x=2.0)
    (product,) = [node for node in graph.nodes if node.operation]
    assert product.value.numbers == (6.0,) and product.line is None


class TestSavedTensorsThatDoNotNameTheirHooks:
    """As in a PyTorch whose saved tensors have no `unpack_hook`."""

    def test_without_a_hook_the_value_is_read(self):
        x = torch.tensor(2.0, requires_grad=True)
        assert internals._read_if_silent(x.sin().grad_fn, "self") is x

    def test_a_hook_does_not_begin(self):
        begun = []

        def forward(x):
            begun.append(x)
            return x.sin().exp()

        x = torch.tensor(2.0, requires_grad=True)
        z = checkpoint(forward, x, use_reentrant=False)
        begun.clear()
        with pytest.raises(internals.Unknown, match="behind a hook"):
            internals._read_if_silent(z.grad_fn, "result")
        assert not begun and sys.getprofile() is None
        z.backward()
        assert len(begun) == 1 and x.grad.item() == pytest.approx(torch.tensor(2.0).sin().exp().item() * -0.416147)

    def test_under_a_profiler_nothing_is_read(self):
        function = torch.tensor(2.0, requires_grad=True).sin().grad_fn
        sys.setprofile(lambda *_: None)
        try:
            with pytest.raises(internals.Unknown, match="profiler"):
                internals._read_if_silent(function, "self")
        finally:
            sys.setprofile(None)

    def test_trouble_of_its_own_passes_through(self):
        x = torch.tensor(2.0, requires_grad=True)
        z = x.sin()
        z.backward()
        with pytest.raises(RuntimeError, match="freed"):
            internals._read_if_silent(z.grad_fn, "self")


def test_a_saved_value_that_cannot_be_read_is_a_note_on_the_graph(monkeypatch):
    def refuse(*_):
        raise RuntimeError("This is no longer to be had. Try something else.")

    x = torch.tensor(2.0, requires_grad=True)
    monkeypatch.setattr(values, "saved_without_hook", refuse)
    sine = course_utils.trace(x.sin(), x=x).nodes[-1]
    assert sine.note == "a saved value cannot be read: This is no longer to be had"
