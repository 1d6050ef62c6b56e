"""What becomes a card: nodes, modules, repeats; leaves beside their uses."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.graph.data import Edge, Node
from course_utils.graph.draw.choose import ALL, FEW, OVERVIEW, choose_cards
from course_utils.graph.graph import Graph


def titles(view):
    return [card.title for card in view.cards if card.is_group]


def test_a_small_graph_shows_every_node(fork):
    view = choose_cards(fork)
    assert [card.members for card in view.cards] == [(0,), (1,), (2,), (3,)]
    assert view.is_whole
    assert not view.remarks


def test_plain_numbers_go_into_the_operation_that_takes_them(lesson):
    view = choose_cards(lesson)
    assert [card.members for card in view.cards] == [(0,), (2, 3), (1,), (4, 5), (6,)]
    assert len(view.links) == 4


def test_a_named_constant_has_a_card(lesson):
    nodes = list(lesson.nodes)
    nodes[2] = nodes[2]._replace(name="n")
    view = choose_cards(Graph(tuple(nodes), lesson.edges, lesson.backward_order))
    assert (2,) in [card.members for card in view.cards]


def test_a_leaf_with_a_few_uses_is_one_card_with_many_it_is_drawn_beside_each(make):
    def used(times):
        nodes = [make.leaf("x", 1)] + [make.operation("Sin", 1) for _ in range(times)]
        nodes.append(make.operation("Stack", 1, is_output=True))
        edges = [make.edge(0, at) for at in range(1, times + 1)]
        edges += [make.edge(at, times + 1, at - 1) for at in range(1, times + 1)]
        return choose_cards(make.graph(nodes, edges))

    assert [card.use for card in used(4).cards if card.members == (0,)] == [None]
    assert [card.use for card in used(5).cards if card.members == (0,)] == [(at, 5) for at in range(1, 6)]


def test_modules_become_cards_as_deep_as_an_overview_allows(stack):
    view = choose_cards(stack)
    assert titles(view) == [f"blocks.{block}.{part}" for block in range(4) for part in ("in", "out")]
    assert len(view.cards) <= OVERVIEW
    assert all(len(link.edges) == 1 for link in view.links)
    weights = [index for index, node in enumerate(stack.nodes) if node.name and "weight" in node.name]
    assert not {(weight,) for weight in weights} & {card.members for card in view.cards}


def test_a_module_opens_by_name(stack):
    view = choose_cards(stack, open="blocks.2")
    inside = [index for index, node in enumerate(stack.nodes) if (node.module or "").startswith("blocks.2")]
    assert {(index,) for index in inside} <= {card.members for card in view.cards}
    assert [card.title for card in view.cards if card.is_outside] == ["blocks.1", "blocks.3"]
    assert view.remarks == ("Only blocks.2 and its neighbours are drawn.",)


def test_an_unknown_module_is_an_error_that_names_the_known(stack, fork):
    with pytest.raises(ValueError, match="open='blocks.9' is no module of this graph; it has blocks"):
        choose_cards(stack, open="blocks.9")
    with pytest.raises(ValueError, match="give the model too, as model="):
        choose_cards(fork, open="layer1")


def test_everything_can_be_shown(stack):
    assert choose_cards(stack, open=ALL).is_whole


def test_a_loop_shows_one_round_and_folds_the_rest(loop):
    view = choose_cards(loop)
    assert [card.times for card in view.cards if card.is_group] == [499]
    folded = next(card for card in view.cards if card.is_group)
    assert folded.title == "Mul Add Tanh"
    assert len(folded.members) == 3 * 499
    assert sorted(card.use for card in view.cards if card.members == (0,)) == [(1, 2), (2, 2)]


def test_a_recurrent_module_says_how_often(loop):
    nodes = tuple(node._replace(module="cell") if node.kind == "operation" else node for node in loop.nodes)
    recurrent = Graph(nodes, loop.edges, loop.backward_order)
    assert [(card.title, card.times) for card in choose_cards(recurrent).cards if card.is_group] == [("cell", 500)]
    assert [(card.title, card.times) for card in choose_cards(recurrent, open="cell").cards if card.is_group] == [
        ("cell", 499)
    ]


def test_equal_layers_fold_when_there_are_too_many(make):
    nodes, edges = [make.leaf("x", 1)], []
    for layer in range(40):
        nodes += [
            make.operation("Mul", 1, module=f"layers.{layer}"),
            make.operation("Tanh", 1, module=f"layers.{layer}"),
        ]
        edges += [make.edge(2 * layer, 2 * layer + 1), make.edge(2 * layer + 1, 2 * layer + 2)]
    view = choose_cards(make.graph(nodes, edges))
    assert titles(view) == ["layers"] or titles(view) == ["layers.0", "layers.1 … layers.39"]
    assert len(view.cards) <= OVERVIEW


def test_past_the_limit_the_far_nodes_are_one_card(loop):
    view = choose_cards(loop, open=ALL, limit=100)
    assert len(view.cards) == 100
    assert view.cards[0].title.endswith("more")
    assert "farther from the output than this picture reaches (limit=100)" in view.remarks[0]


def random_graph(seed):
    dice = random.Random(seed)
    count = dice.choice([1, 5, 30, 45, 120])
    nodes, edges = [], []
    for at in range(count):
        sources = [dice.randrange(at) for _ in range(dice.randrange(4))] if at else []
        nodes.append(
            Node(
                "operation" if sources else dice.choice(["leaf", "constant"]),
                dice.choice([None, "x", "a.0.weight"]),
                dice.choice(["Mul", "Add"]) if sources else None,
                module=dice.choice([None, "a", "a.0", "a.0.x", "a.1", "b", "b.0.y.z"]) if sources else None,
                is_output=at == count - 1,
            )
        )
        edges += [Edge(source, at, slot) for slot, source in enumerate(sources)]
    return Graph(tuple(nodes), tuple(edges), tuple(reversed(range(count))))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([None, ALL, "a", "a.0"]), st.integers(2, 60))
def test_every_view_is_in_order_and_loses_no_edge(seed, open, limit):
    graph = random_graph(seed)
    modules = [node.module or "" for node in graph.nodes]
    if open in ("a", "a.0") and not any(f"{module}.".startswith(f"{open}.") for module in modules):
        open = None
    view = choose_cards(graph, open=open, limit=limit)
    assert len(view.cards) <= limit
    assert all(link.source < link.target for link in view.links)
    drawn = {number for link in view.links for number in link.edges}
    assert len(drawn) == sum(len(link.edges) for link in view.links)
    for number, edge in enumerate(graph.edges):
        if number in drawn:
            continue
        homes = [{at for at, card in enumerate(view.cards) if end in card.members} for end in edge[:2]]
        assert homes[0] & homes[1] or (open in ("a", "a.0") and not all(homes))
    if open is None:
        shown = {index for card in view.cards for index in card.members}
        assert shown == set(range(len(graph.nodes)))
        assert len(graph.nodes) > FEW or all(len(card.members) == 1 or card.title for card in view.cards)
