"""`trace` of a function: every value, name, line and module call, and nothing of the learner's touched."""

import random
from functools import partial

import pytest
import torch

from course_utils import trace
from course_utils.graph.read import record

SCALE = torch.tensor([1.0, 2.0])
W = torch.tensor(5.0, requires_grad=True)


def by_name(graph, name):
    return next(node for node in graph.nodes if node.name == name)


def made(graph):
    return [(node.operation, node.name) for node in graph.nodes if node.kind == "operation"]


def test_every_value_is_known():
    graph = trace(lambda x, y: 3 - (x + 1) * torch.sin(y) / 2, x=2, y=0.5)
    assert [node.value.numbers[0] for node in graph.nodes if node.kind == "constant"] == [1, 2, 3]
    assert all(node.value is not None for node in graph.nodes)
    assert by_name(graph, "x").value.numbers == (2.0,)


def test_the_numbers_in_a_gradients_own_graph_are_known():
    def slope(x):
        return torch.autograd.grad(x**3, x, create_graph=True)[0]

    assert [node.value.numbers[0] for node in trace(slope, x=2).nodes if node.kind == "constant"] == [2, 3, 1]


def test_the_functions_own_names_are_on_the_graph():
    def f(x):
        u = x**2
        v = u * torch.sin(u)
        return v + 1

    assert made(trace(f, x=2.0)) == [("Pow", "u"), ("Sin", None), ("Mul", "v"), ("Add", None)]


def test_a_function_with_some_inputs_filled_in_keeps_its_own_names():
    def f(x, turns):
        u = x**turns
        return u + 1

    assert made(trace(partial(f, turns=3), x=2.0)) == [("Pow", "u"), ("Add", None)]


def test_a_name_that_moves_on_stands_for_the_last_tensor():
    def f(x):
        y = x
        for _ in range(3):
            y = y * 2
        return y

    graph = trace(f, x=1.5)
    assert made(graph) == [("Mul", None), ("Mul", None), ("Mul", "y")]
    assert by_name(graph, "x").kind == "leaf"


def test_names_from_around_the_function():
    graph = trace(lambda x: (W * x * SCALE).sum(), x=2.0)
    assert by_name(graph, "W").kind == "leaf" and by_name(graph, "SCALE").kind == "constant"
    assert W.grad is None


def test_lines_of_code():
    def f(x):
        u = x**2
        return torch.sin(u)

    assert [node.line for node in trace(f, x=2.0).nodes if node.kind == "operation"] == [
        "u = x**2",
        "return torch.sin(u)",
    ]


@pytest.mark.parametrize("module", [torch.nn.functional, record])
def test_no_line_is_from_pytorch_or_the_course_on_any_system(module):
    assert module.__file__.startswith(record._NOT_THE_LEARNERS)
    assert not __file__.startswith(record._NOT_THE_LEARNERS)


def test_the_graph_follows_the_input():
    def f(x):
        y = x if x > 0 else -x
        while y < 10:
            y = y * 3
        return y

    assert [operation for operation, _ in made(trace(f, x=-2.0))] == ["Neg", "Mul", "Mul"]
    assert [operation for operation, _ in made(trace(f, x=5.0))] == ["Mul"]


def test_what_detach_cuts_off_is_shown():
    def f(x):
        u = x**2
        return u * u.detach()

    graph = trace(f, x=3.0).backward()
    cut = next(node for node in graph.nodes if node.kind == "constant" and node.note)
    assert cut.note == "detached here" and cut.value.numbers == (9.0,)
    into = [edge for edge in graph.edges if graph.nodes[edge.target] is cut]
    assert [graph.nodes[edge.source].name for edge in into] == ["u"] and into[0].gradient is None
    assert by_name(graph, "x").gradient.numbers == (54.0,)
    assert all(edge.source < edge.target for edge in graph.edges)


def test_an_input_that_was_cut_off_altogether_is_named():
    graph = trace(lambda x, y: x * y.detach(), x=2.0, y=3.0)
    assert [node.note for node in graph.nodes if node.kind == "constant"] == ["y detached here"]


def test_what_is_made_of_something_detached_is_cut_as_well():
    graph = trace(lambda x: x * (x.detach() * 2 + 1), x=3.0)
    assert [node.note for node in graph.nodes if node.note] == ["detached here"]


def test_what_no_grad_cuts_off_is_shown():
    def f(x):
        with torch.no_grad():
            u = x * 2
        return u * x

    assert [node.note for node in trace(f, x=3.0).nodes if node.note] == ["made without grad"]


def test_values_are_those_of_their_time_also_when_changed_in_place():
    def f(x):
        y = x * 2
        y.add_(1)
        return y * 3

    graph = trace(f, x=1.0)
    assert [node.value.numbers[0] for node in graph.nodes if node.kind == "operation"] == [2.0, 3.0, 9.0]


def test_inputs_of_all_kinds():
    data = torch.tensor([1.0, 2.0])
    index = torch.tensor([1])

    def f(x, data, index, power, double):
        return (x * data)[index].sum() ** power * (2 if double else 1)

    graph = trace(f, x=3, data=data, index=index, power=2, double=True).backward()
    assert by_name(graph, "data").gradient.numbers == (0.0, 72.0)
    assert by_name(graph, "x").dtype == "float32"
    assert data.grad is None and not data.requires_grad


def test_a_learners_leaf_is_copied():
    x = torch.tensor(2.0, requires_grad=True, dtype=torch.float64)
    graph = trace(lambda x: x**2, x=x).backward()
    assert graph.nodes[0].dtype == "float64" and x.grad is None


def test_functions_in_c_and_options_that_are_inputs():
    assert made(trace(torch.sin, x=1.0)) == [("Sin", None)]
    graph = trace(lambda limit, model: limit * model, limit=2.0, model=3.0)
    assert [node.name for node in graph.nodes if node.kind == "leaf"] == ["limit", "model"]


def test_several_results():
    graph = trace(lambda x: {"a": x * 2, "b": [x + 1, 3]}, x=1.0)
    assert [node.operation for node in graph.nodes if node.is_output] == ["Mul", "Add"]


def test_a_function_that_returns_its_input():
    graph = trace(lambda x: x, x=1.0).backward()
    assert graph.nodes[0].gradient.numbers == (1.0,)


def test_custom_functions_have_their_value():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.sin(x) * 2

        @staticmethod
        def backward(ctx, upstream):
            return upstream * 2

    graph = trace(lambda x: Double.apply(x) + 1, x=0.5).backward()
    double = next(node for node in graph.nodes if node.operation == "Double")
    assert double.value.numbers[0] == pytest.approx(2 * torch.sin(torch.tensor(0.5)).item())


class Cell(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = torch.nn.Linear(3, 3)

    def forward(self, x):
        return torch.tanh(self.gate(x))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.norm, self.out = Cell(), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1)

    def forward(self, x):
        for _ in range(2):
            x = self.cell(x)
        return self.out(self.norm(x)).sum()


def test_module_calls():
    net, x = Net(), torch.ones(4, 3)
    graph = trace(net, x=x)
    assert [(node.operation, node.module) for node in graph.nodes if node.kind == "operation"] == [
        ("T", "cell.gate"), ("Addmm", "cell.gate"), ("Tanh", "cell"),
        ("T", "cell@2.gate"), ("Addmm", "cell@2.gate"), ("Tanh", "cell@2"),
        ("NativeBatchNorm", "norm"), ("T", "out"), ("Addmm", "out"), ("Sum", None),
    ]  # fmt: skip
    assert by_name(graph, "cell.gate.weight").kind == "leaf"
    assert by_name(graph, "x").kind == "constant"


def test_a_module_inside_a_function():
    net, x = Net(), torch.ones(4, 3)
    graph = trace(lambda scale: net(x * scale), scale=2.0)
    assert {node.module for node in graph.nodes} >= {"net", "net.cell.gate", "net.out"}
    assert by_name(graph, "net.out.bias").kind == "leaf"


def test_a_modules_data_collects_gradients_only_if_it_did():
    net = Net()
    assert by_name(trace(net, x=torch.ones(4, 3)), "x").kind == "constant"
    assert by_name(trace(net, x=torch.ones(4, 3, requires_grad=True)), "x").kind == "leaf"


class TestNothingIsTouched:
    def test_running_statistics_and_counters(self):
        net, x = Net(), torch.ones(4, 3)
        before = {name: (buffer, buffer.clone(), buffer._version) for name, buffer in net.named_buffers()}
        trace(net, x=x).backward()
        trace(lambda scale: net(x * scale), scale=2.0)
        for name, buffer in net.named_buffers():
            same, value, version = before[name]
            assert buffer is same and torch.equal(buffer, value) and buffer._version == version

    def test_random_state(self):
        state, python = torch.get_rng_state(), random.getstate()
        trace(lambda x: torch.nn.functional.dropout(x * torch.randn(5)).sum() * random.random(), x=2.0)
        assert torch.equal(torch.get_rng_state(), state) and random.getstate() == python

    def test_no_hook_and_no_mode_is_left_also_after_an_error(self):
        from torch.nn.modules import module as modules

        def fails(x):
            Net()(torch.ones(4, 3))
            raise KeyError("of the learner's")

        before = len(modules._global_forward_pre_hooks), len(modules._global_forward_hooks)
        with pytest.raises(KeyError, match="of the learner's"):
            trace(fails, x=1.0)
        assert (len(modules._global_forward_pre_hooks), len(modules._global_forward_hooks)) == before
        assert torch.utils._python_dispatch._get_current_dispatch_mode() is None

    def test_grad_mode(self):
        with torch.no_grad():
            assert by_name(trace(lambda x: x**2, x=3.0).backward(), "x").gradient.numbers == (6.0,)
            assert not torch.is_grad_enabled()
        with torch.inference_mode():
            assert by_name(trace(lambda x: x**2, x=3.0).backward(), "x").gradient.numbers == (6.0,)

    def test_parameters_have_no_grad(self):
        net = Net()
        trace(net, x=torch.ones(4, 3)).backward()
        assert all(parameter.grad is None for parameter in net.parameters())


class TestBadInput:
    def test_inputs_that_do_not_fit(self):
        with pytest.raises(TypeError, match="cannot be called with x.*missing a required argument: 'y'"):
            trace(lambda x, y: x * y, x=1.0)

    def test_a_function_that_returns_no_tensor(self):
        with pytest.raises(TypeError, match="what the function returned is 3; expected a tensor"):
            trace(lambda x: 3, x=1.0)

    def test_a_function_that_cuts_the_graph(self):
        with pytest.raises(ValueError, match="what the function returned is .* does not require grad"):
            trace(lambda x: x.detach() * 2, x=1.0)


def test_no_memory_is_kept():
    import gc
    import weakref

    alive = []

    def f(x):
        y = torch.exp(x * torch.ones(50))
        alive.append(weakref.ref(y))
        return y.sum()

    graph = trace(f, x=1.0).backward()
    assert len(graph.nodes) == 5
    del graph
    gc.collect()
    assert alive[0]() is None
