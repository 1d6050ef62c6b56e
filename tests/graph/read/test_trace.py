"""`trace` of a graph that is there: structure, names, values, constants, and the learner's world left as it was."""

import gc
import random
import weakref

import pytest
import torch
import torch.nn.functional as F

import course_utils
from course_utils import draw_graph, trace


def leaf(value, **options):
    return torch.tensor(value, requires_grad=True, **options)


def by_name(graph, name):
    return next(node for node in graph.nodes if node.name == name)


def operations(graph):
    return [node.operation for node in graph.nodes if node.kind == "operation"]


def test_the_graph_of_lesson_02():
    x, y = leaf(2.0), leaf(3.0)
    graph = trace(x**2 + y**3, x=x, y=y)
    assert [node.kind for node in graph.nodes] == "leaf leaf constant operation constant operation operation".split()
    assert [node.name for node in graph.nodes[:2]] == ["x", "y"]
    assert operations(graph) == ["Pow", "Pow", "Add"]
    assert [node.value.numbers for node in graph.nodes] == [(2.0,), (3.0,), (2,), (4.0,), (3,), (27.0,), (31.0,)]
    assert [node.is_output for node in graph.nodes] == [False] * 6 + [True]
    assert [(edge.source, edge.target, edge.slot) for edge in graph.edges] == [
        (0, 3, 0), (2, 3, 1), (1, 5, 0), (4, 5, 1), (3, 6, 0), (5, 6, 1)
    ]  # fmt: skip
    assert graph.backward_order == (6, 5, 1, 3, 0)
    assert graph.left_out == 0 and not graph.is_freed
    assert all(node.gradient is None for node in graph.nodes)
    assert all(edge.gradient is None and edge.local is None for edge in graph.edges)


def test_a_tensor_that_the_learner_names_lends_its_value_where_nothing_else_kept_it():
    class CubeRoot(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x ** (1 / 3)

        @staticmethod
        def backward(ctx, upstream):
            return upstream

    x = leaf(8.0)
    y = CubeRoot.apply(x)
    z = 3 * y
    assert by_name(trace(z, x=x, y=y), "y").value.numbers == (2.0,)
    assert [node.value for node in trace(z, x=x).nodes if node.operation == "CubeRoot"] == [None]


def test_trace_is_offered_by_the_package():
    assert course_utils.trace is trace


def test_every_source_comes_before_its_target_and_edges_are_sorted():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    graph = trace(model(torch.ones(5, 3)).square().mean(), model=model)
    assert all(edge.source < edge.target for edge in graph.edges)
    assert list(graph.edges) == sorted(graph.edges, key=lambda edge: (edge.target, edge.slot))


def test_a_tensor_used_twice_is_one_node_with_two_edges():
    x = leaf(3.0)
    graph = trace(x * x, x=x)
    assert [(edge.source, edge.target, edge.slot) for edge in graph.edges] == [(0, 1, 0), (0, 1, 1)]


def test_names_of_intermediate_tensors():
    x = leaf(2.0)
    u = x**2
    graph = trace(u * torch.sin(u), x=x, u=u)
    assert by_name(graph, "u").operation == "Pow"


def test_a_leaf_is_a_graph():
    x = leaf(2.0)
    graph = trace(x, x=x)
    assert [(node.kind, node.name, node.is_output, node.value.numbers) for node in graph.nodes] == [
        ("leaf", "x", True, (2.0,))
    ]
    assert graph.backward().nodes[0].gradient.numbers == (1.0,)


def test_several_outputs_share_one_graph():
    x = leaf(2.0)
    u = x**2
    a, b = u + 1, u * 3
    graph = trace([a, b], x=x)
    assert [node.operation for node in graph.nodes if node.is_output] == ["Add", "Mul"]
    assert operations(graph) == ["Pow", "Add", "Mul"]
    assert by_name(graph.backward([1.0, 10.0]), "x").gradient.numbers == (124.0,)


def test_the_same_output_twice_is_one():
    x = leaf(2.0)
    z = x**2
    graph = trace([z, z, x * 3], x=x)
    assert [node.operation for node in graph.nodes if node.is_output] == ["Pow", "Mul"]
    assert by_name(graph.backward([1.0, 10.0]), "x").gradient.numbers == (34.0,)


def test_an_output_that_another_output_uses():
    x = leaf(2.0)
    u = x**2
    graph = trace((u, u * 3), x=x).backward()
    assert by_name(graph, "x").gradient.numbers == (16.0,)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (lambda x: x * 3, 3),
        (lambda x: 3 * x, 3),
        (lambda x: x + 3, 3.0),
        (lambda x: x - 3, 3.0),
        (lambda x: x / 4, 4),
        (lambda x: x**2, 2),
        (lambda x: 2**x, 2),
        (lambda x: x * torch.tensor(1.5), 1.5),
    ],
)
def test_constants_are_known(expression, expected):
    graph = trace(expression(leaf(5.1)))
    constants = [node for node in graph.nodes if node.kind == "constant"]
    assert [node.value.numbers for node in constants] == [(expected,)]
    assert all(node.gradient is None for node in graph.backward().nodes if node.kind == "constant")


def test_a_polynomial_is_known_to_the_last_constant():
    x = leaf(3.0)
    graph = trace(6 * x**2 + 2 * x + 4, x=x)
    assert [node.value.numbers[0] for node in graph.nodes if node.kind == "constant"] == [2, 6, 2, 4.0]
    assert [node.value.numbers[0] for node in graph.nodes if node.kind == "operation"] == [9, 54, 6, 60, 64]


def test_named_data_is_found_also_where_autograd_did_not_keep_it():
    xs, ys = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 5.0])
    w, b = leaf(0.5), leaf(0.1)
    graph = trace(((w * xs + b - ys) ** 2).mean(), w=w, b=b, xs=xs, ys=ys)
    assert by_name(graph, "xs").kind == "constant"
    assert by_name(graph, "ys").value.numbers == (2.0, 4.0, 5.0)


def test_the_value_of_a_leaf_that_has_changed_since_is_not_used_for_others():
    w = leaf(1.0)
    u = w + torch.tensor(2.0)
    loss = u + leaf(1.0)
    with torch.no_grad():
        w -= 0.5
    graph = trace(loss, w=w)
    assert by_name(graph, "w").value.numbers == (0.5,)
    assert [node.value for node in graph.nodes if node.operation == "Add" and not node.is_output] == [None]
    assert by_name(trace(loss, w=w, u=u), "u").value.numbers == (3.0,)


def test_a_leaf_that_changes_between_two_uses_is_read_where_it_was_kept():
    w = leaf(0.5)
    total = w * leaf(3.0)
    with torch.no_grad():
        w += 0.5
    total = total + w * leaf(7.0)
    first, second = [node for node in trace(total, w=w).nodes if node.operation == "Mul"]
    assert first.value is None
    assert second.value.numbers == (7.0,)


def test_a_saved_value_that_was_changed_in_place_is_said_so():
    x = leaf(1.0)
    y = x.exp()
    z = y * 2
    y.add_(1)
    graph = trace(y + z, x=x)
    assert [node.note for node in graph.nodes if node.operation == "Exp"] == [
        "changed in place since: saved at version 0, now 1"
    ]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        graph.backward()


def test_big_tensors_are_summarised():
    x = torch.full((30,), 2.0, requires_grad=True)
    node = trace((x * x).sum(), x=x).nodes[0]
    assert node.value.numbers == () and node.value.norm == pytest.approx(120**0.5)
    assert node.shape == (30,) and node.dtype == "float32"


def test_values_can_be_left_out():
    x = leaf(2.0)
    graph = trace(x**2, x=x, values=False)
    assert [node.value for node in graph.nodes] == [None, None]
    assert graph.backward().nodes[0].gradient.numbers == (4.0,)


def test_parameters_are_named_and_parts_are_told_apart():
    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)

        def forward(self, x):
            return torch.relu(x + self.second(torch.relu(self.first(x))))

    model = torch.nn.Sequential(Block(), Block())
    graph = trace(model(torch.ones(2, 4)).sum(), model=model)
    assert by_name(graph, "1.second.bias").module == "1.second"
    made = [(node.operation, node.module) for node in graph.nodes if node.kind == "operation"]
    first = [("T", "0.first"), ("Addmm", "0.first"), ("Relu", "0")]
    first += [("T", "0.second"), ("Addmm", "0.second"), ("Add", "0"), ("Relu", "0")]
    assert made[:7] == first
    assert made[7:14] == [(operation, module.replace("0", "1", 1)) for operation, module in first]
    assert made[14] == ("Sum", "1")


def test_a_name_of_the_learner_goes_before_a_parameters_own():
    model = torch.nn.Linear(2, 1)
    graph = trace(model(torch.ones(2)), model=model, w=model.weight)
    assert by_name(graph, "w").shape == (1, 2) and by_name(graph, "bias").shape == (1,)


def test_options_may_be_names_of_tensors():
    model, limit, values = leaf(1.0), leaf(2.0), leaf(3.0)
    graph = trace(model * limit * values, model=model, limit=limit, values=values)
    assert [node.name for node in graph.nodes if node.kind == "leaf"] == ["model", "limit", "values"]


def test_views_and_in_place_changes():
    x = leaf([1.0, 2.0, 3.0])
    y = x.clone()
    y[0] = 5.0
    y.mul_(2)
    graph = trace(y.view(3, 1).sum(), x=x)
    assert "CopySlices" in operations(graph)
    assert by_name(graph.backward(), "x").gradient.numbers == (0.0, 2.0, 2.0)


def test_operations_with_several_outputs():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    a, b = x.unbind()
    graph = trace((a * b).sum(), x=x, a=a, b=b).backward()
    assert by_name(graph, "a").value.numbers == (1.0, 2.0)
    assert by_name(graph, "a").gradient.numbers == (3.0, 4.0)
    assert by_name(graph, "x").gradient.numbers == (3.0, 4.0, 1.0, 2.0)
    into = [edge for edge in graph.edges if edge.source == 0]
    assert [edge.gradient.numbers for edge in into] == [(3.0, 4.0, 0.0, 0.0), (0.0, 0.0, 1.0, 2.0)]


def test_unused_outputs_are_not_nodes():
    x = leaf([3.0, 1.0, 2.0])
    graph = trace(x.sort().values[0] + x.split(1)[2].sum(), x=x).backward()
    assert operations(graph).count("Split") == 1
    assert by_name(graph, "x").gradient.numbers == (0.0, 1.0, 1.0)


def test_the_graph_of_a_gradient():
    x = leaf(2.0)
    (slope,) = torch.autograd.grad(x**3, x, create_graph=True)
    graph = trace(slope, x=x).backward()
    assert by_name(graph, "x").gradient.numbers == (12.0,)


def test_complex_numbers():
    z = leaf(1 + 2j)
    graph = trace((z * z.conj()).real, z=z).backward()
    (expected,) = torch.autograd.grad((z * z.conj()).real, z)
    assert by_name(graph, "z").value.numbers == (1 + 2j,)
    assert by_name(graph, "z").gradient.numbers == (expected.item(),)


def test_sparse_gradients():
    table = torch.nn.Embedding(50, 3, sparse=True)
    graph = trace(table(torch.tensor([1, 4])).sum(), model=table).backward()
    assert by_name(graph, "weight").gradient.norm == pytest.approx(6**0.5)
    assert table.weight.grad is None


def test_sparse_and_dense_gradients_of_one_weight():
    table = torch.nn.Embedding(4, 2, sparse=True)
    row = table(torch.tensor([1]))
    loss = (row @ table.weight.T).sum() + table.weight.sum() + table(torch.tensor([2])).sum()
    graph = trace(loss, model=table).backward()
    (expected,) = torch.autograd.grad(loss, table.weight)
    assert by_name(graph, "weight").gradient.numbers == pytest.approx(expected.to_dense().flatten().tolist())


@pytest.mark.parametrize(("value", "trouble"), [(0.0, "inf"), (-1.0, "nan")])
def test_trouble_is_seen(value, trouble):
    x = leaf(value)
    graph = trace(x.sqrt(), x=x).backward()
    assert by_name(graph, "x").gradient.trouble == trouble


def test_trouble_in_a_big_tensor():
    x = torch.zeros(100, requires_grad=True)
    assert trace(x.sqrt().sum(), x=x).backward().nodes[0].gradient.trouble == "inf"
    big = torch.full((100,), 1e30, requires_grad=True)
    summary = trace(big.sum(), big=big).nodes[0].value
    assert summary.trouble is None and summary.norm == pytest.approx(1e31)


def test_custom_functions():
    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale, y):
            ctx.save_for_backward(x, y)
            ctx.scale = scale
            return scale * x * y, x + y

        @staticmethod
        def backward(ctx, upstream, other):
            x, y = ctx.saved_tensors
            return ctx.scale * upstream * y + other, None, ctx.scale * upstream * x + other

    x, y = leaf(2.0), leaf(3.0)
    product, total = Scaled.apply(x, 5.0, y)
    graph = trace(product + total, x=x, y=y).backward()
    assert operations(graph) == ["Scaled", "Scaled", "Add"]
    assert by_name(graph, "x").gradient.numbers == (16.0,)
    assert by_name(graph, "y").gradient.numbers == (11.0,)


def test_a_custom_function_with_too_few_gradients():
    class Short(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, upstream):
            return upstream

    with pytest.raises(RuntimeError, match="expected 2, got 1"):
        trace(Short.apply(leaf(1.0), leaf(2.0))).backward()


def test_a_freed_graph_keeps_its_structure():
    x = leaf(2.0)
    z = torch.sin(x**2)
    z.backward()
    graph = trace(z, x=x)
    assert graph.is_freed and operations(graph) == ["Pow", "Sin"]
    with pytest.raises(RuntimeError, match="freed by a backward pass"):
        graph.backward()


def test_a_graph_traced_before_it_is_freed_keeps_its_values():
    x = leaf(2.0)
    z = torch.sin(x**2)
    graph = trace(z, x=x)
    z.backward()
    assert graph.nodes[0].value.numbers == (2.0,) and not graph.is_freed


def places(graph):
    """For each number in the walk, the index of its node."""
    return graph._walk._nodes(graph._walk._first_uses())[1]


def test_the_engine_runs_in_the_same_order():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    x = torch.ones(5, 3)
    out = model(x)
    loss = (out * torch.softmax(out, 1)).sum() + (model[0].weight * out.mean()).sum()
    graph = trace(loss, model=model)
    order, handles = [], []
    numbers = {function: number for number, function in enumerate(graph._walk.walk.functions)}
    place = places(graph)
    for function, number in numbers.items():
        handles.append(function.register_prehook(lambda _, number=number: order.append(place[number])))
    loss.backward()
    for handle in handles:
        handle.remove()
    assert order == list(graph.backward_order)


class TestNothingIsTouched:
    def test_grad_is_not_written_also_under_retain_grad(self):
        x = leaf(2.0)
        u = x**2
        u.retain_grad()
        trace(u * 3, x=x).backward()
        assert x.grad is None and u.grad is None

    def test_hooks_are_not_called_and_that_is_said(self):
        x, calls = leaf(2.0), []
        x.register_hook(calls.append)
        z = x**2
        z.grad_fn.register_hook(lambda *_: calls.append(1))
        graph = trace(z, x=x).backward()
        assert not calls and by_name(graph, "x").note == "a hook of yours is not called here"

    def test_the_graph_can_still_be_walked(self):
        x = leaf(2.0)
        z = torch.sin(x**2)
        trace(z, x=x).backward()
        z.backward()
        assert x.grad.item() == pytest.approx(4 * torch.cos(torch.tensor(4.0)).item())

    def test_random_state_and_default_dtype(self):
        x = leaf(2.0)
        z = F.dropout(x * torch.ones(8), 0.5).sum()
        state, python = torch.get_rng_state(), random.getstate()
        trace(z, x=x).backward()
        assert torch.equal(state, torch.get_rng_state()) and python == random.getstate()
        assert torch.get_default_dtype() is torch.float32

    def test_no_memory_is_kept(self):
        x = leaf([1.0] * 100)
        y = torch.exp(x)
        alive = weakref.ref(y)
        graph = trace(y.sum(), x=x)
        graph.backward()
        assert graph.nodes
        del y, graph
        gc.collect()
        assert alive() is None

    def test_checkpointed_blocks_are_not_computed_again_by_reading(self):
        from torch.utils.checkpoint import checkpoint

        calls = []

        def block(x):
            calls.append(1)
            return torch.sin(x) ** 2

        x = leaf(2.0)
        z = checkpoint(block, x, use_reentrant=False)
        graph = trace(z, x=x)
        assert len(calls) == 1 and len(graph.nodes) >= 3
        (expected,) = torch.autograd.grad(z, x, retain_graph=True)
        assert by_name(graph.backward(), "x").gradient.numbers == pytest.approx((expected.item(),))


class TestBadInput:
    @pytest.mark.parametrize("target", [3, "z", None, [], [1.0], {}])
    def test_not_a_tensor(self, target):
        with pytest.raises(TypeError, match="target is .*expected a tensor"):
            trace(target)

    def test_no_grad(self):
        with pytest.raises(ValueError, match="does not require grad, so no graph leads to it"):
            trace(torch.tensor(2.0))

    def test_a_name_for_something_else(self):
        with pytest.raises(TypeError, match="w is 'weights'; expected a tensor"):
            trace(leaf(1.0) * 2, w="weights")

    def test_a_name_for_a_tensor_of_another_graph(self):
        with pytest.raises(ValueError, match="w is a float32 tensor with one value that is not in the graph"):
            trace(leaf(1.0) * 2, w=leaf(1.0))

    def test_a_name_for_data_of_another_graph(self):
        with pytest.raises(ValueError, match="data is .* not in the graph"):
            trace(leaf(1.0) * 2, data=torch.ones(3))

    def test_two_names_for_one_tensor(self):
        x = leaf(1.0)
        with pytest.raises(ValueError, match="x and y name the same tensor"):
            trace(x * 2, x=x, y=x)

    def test_options(self):
        with pytest.raises(TypeError, match="limit is 'many'"):
            trace(leaf(1.0) * 2, limit="many")
        with pytest.raises(ValueError, match="limit is 0"):
            trace(leaf(1.0) * 2, limit=0)
        with pytest.raises(TypeError, match="model is 'net'"):
            trace(leaf(1.0) * 2, model="net")
        with pytest.raises(TypeError, match="values is 'some'"):
            trace(leaf(1.0) * 2, values="some")

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'a"b', "a\nb", "🙂&{0}", "x" * 10_000, "{x}", ""])
    def test_any_name_is_a_name(self, name, spelled):
        x = leaf(2.0)
        graph = trace(torch.sin(x) * x, **{name: x}).backward()
        assert graph.nodes[0].name == name
        assert all("\n" not in text and len(text) < 200 for text in spelled(graph))

    @pytest.mark.parametrize(
        ("v", "message"),
        [
            (None, r"v is missing: the output has shape \(2,\)"),
            (torch.ones(3), r"v is a float32 tensor of shape \(3,\); expected the output's shape \(2,\)"),
            (1.0, "expected the output's shape"),
        ],
    )
    def test_what_backward_starts_from(self, v, message):
        with pytest.raises(ValueError, match=message):
            trace(leaf([1.0, 2.0]) * 2).backward(v)

    @pytest.mark.parametrize("v", ["a", {}, [[1.0], [1.0, 2.0]]])
    def test_what_backward_cannot_start_from(self, v):
        with pytest.raises(TypeError, match=r"v is .*; expected a tensor or a number of the output's shape \(2,\)"):
            trace(leaf([1.0, 2.0]) * 2).backward(v)

    def test_too_few_to_start_from(self):
        x = leaf(1.0)
        with pytest.raises(ValueError, match="v has 1 entries; expected 2, one for each output"):
            trace([x * 2, x * 3]).backward([1.0])

    def test_a_graph_made_by_hand_has_nothing_to_walk(self):
        with pytest.raises(ValueError, match="was not made by trace"):
            course_utils.graph.graph.Graph((), ()).backward()


def test_a_checkpoint_that_runs_backward_itself_is_refused():
    from torch.utils.checkpoint import checkpoint

    w, x = leaf(3.0), leaf(2.0)
    graph = trace(checkpoint(lambda x: w * torch.sin(x), x, use_reentrant=True), x=x)
    with pytest.raises(RuntimeError, match="use_reentrant=False"):
        graph.backward()
    assert w.grad is None


def test_a_checkpointed_norm_keeps_its_statistics():
    from torch.utils.checkpoint import checkpoint

    norm = torch.nn.BatchNorm1d(3)
    z = checkpoint(norm, torch.ones(4, 3, requires_grad=True), use_reentrant=False).sum()
    before = norm.num_batches_tracked.clone(), norm.running_mean.clone()
    trace(z, model=norm).backward()
    assert torch.equal(norm.num_batches_tracked, before[0]) and torch.equal(norm.running_mean, before[1])


def test_what_backward_starts_from_is_not_changed():
    x = leaf([1.0, 2.0])
    u = x * 2
    v = torch.tensor([1.0, 10.0])
    graph = trace([u, u * 3, u * 5], x=x).backward([v, v, v])
    assert by_name(graph, "x").gradient.numbers == (18.0, 180.0)
    assert v.tolist() == [1.0, 10.0]


def test_views_share_their_norm():
    w = torch.full((5, 6), 2.0, requires_grad=True)
    graph = trace((w.T.reshape(30).view(30, 1).squeeze(1) * 3).sum(), w=w).backward()
    assert graph.nodes[0].gradient.norm == pytest.approx(270**0.5)
    assert [edge.gradient.shape for edge in graph.edges if edge.gradient][:2] == [(5, 6), (6, 5)]


@pytest.fixture
def rows():
    parts = [torch.tensor([[3.0]]), torch.tensor([[4.0], [0.0]])]
    return torch.nested.nested_tensor(parts, layout=torch.jagged, requires_grad=True)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_read_without_a_shape(rows):
    leaf, doubled = trace(lambda rows: rows * 2, rows=rows).nodes[:2]
    assert (leaf.shape, leaf.value.norm) == (None, 5.0)
    assert (doubled.shape, doubled.value.norm) == (None, 10.0)
    assert "rows = norm 5.00" in draw_graph((rows * 2).values().sum(), rows=rows).description


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_not_walked_backwards(rows):
    with pytest.raises(ValueError, match="this graph has nested tensors"):
        trace((rows * 2).values().sum()).backward()


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_that_tells_no_shape_is_refused():
    rows = torch.nested.nested_tensor([torch.ones(1, 1), torch.ones(2, 1)], requires_grad=True)
    with pytest.raises(
        ValueError, match="MulBackward0 has a nested tensor without a shape; make it with layout=torch.jagged"
    ):
        trace(rows * 2)


def test_a_graph_shows_itself_as_its_text():
    graph = trace(torch.tensor(2.0, requires_grad=True) * 3)
    assert repr(graph) == str(graph)
    assert repr(graph).startswith("Graph of Mul")
