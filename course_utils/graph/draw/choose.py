"""Which cards a picture of a graph shows: each node, or for a big graph its modules, with repeats folded."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import NamedTuple

from ..data import GraphData
from ..words.operations import WITH_NUMBER
from ..words.text import LONGEST_NAME, clean, is_plain

FEW, OVERVIEW, LIMIT = 40, 25, 200
MOST_USES, LONGEST_PERIOD = 4, 64
REPEAT_SHOWN, MANY_TIMES = 16, 8
ALL = "all"


class Card(NamedTuple):
    """What is drawn as one card.

    Attributes:
        members: indices of the graph's nodes that it stands for, ascending. With an operation that writes its number
            into its sign ("x²", "× 3") stands that constant.
        title: for several nodes, what they are together ("encoder.0"); else "".
        times: how often the same repeats inside.
        use: (which, of how many) where a leaf is drawn beside each card that uses it; else None.
        user: a node of the card that this use is for.
        is_outside: whether it only shows where an opened module is joined to the rest.
    """

    members: tuple[int, ...]
    title: str = ""
    times: int = 1
    use: tuple[int, int] | None = None
    user: int | None = None
    is_outside: bool = False

    @property
    def is_group(self) -> bool:
        return bool(self.title)


class Link(NamedTuple):
    """A link between two cards, and the indices of the graph's edges in it."""

    source: int
    target: int
    edges: tuple[int, ...]


class View(NamedTuple):
    """The cards of a picture in topological order, the links between them, and what was left out, in words."""

    cards: tuple[Card, ...]
    links: tuple[Link, ...]
    remarks: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every card is a node of its own."""
        return not any(card.is_group for card in self.cards)


def choose_cards(graph: GraphData, *, open: str | None = None, limit: int = LIMIT) -> View:
    """The cards for a picture that can be read.

    A graph of up to 40 nodes shows them all. A bigger one shows its modules, as deep as 25 cards allow. Past those,
    what repeats (the steps of a loop, equal layers) shows once and is then folded.

    In a picture of up to 25 cards, each one node, a leaf used in several places is one card with several links, so that
    the sum at the fork is seen, as long as at most four cards use it. Elsewhere it is drawn beside each card that uses
    it, marked "same tensor, 2 of 5".

    Args:
        open: a module to look into, by name, drawn with its neighbours alone; "all" for every node.
        limit: the largest number of cards; nodes farther from the output than that become one card.

    Raises:
        ValueError: `open` names no module of this graph.
    """
    made = {edge.target for edge in graph.edges}
    steps = [index for index, node in enumerate(graph.nodes) if node.kind == "operation" or index in made]
    remarks: tuple[str, ...] = ()
    if open == ALL or (open is None and len(graph.nodes) <= FEW):
        cards = [Card((index,)) for index in steps]
    elif open is None:
        cards = [_counted(graph, card) for card in _fold(graph, _runs(steps, _by_module(graph, steps)))]
    else:
        cards, remarks = _opened(graph, steps, open), (f"Only {clean(open)} and its neighbours are drawn.",)
    cards = _with_leaves(graph, cards)
    if len(cards) > limit:
        far = tuple(sorted({index for card in cards[: 1 - limit] for index in card.members}))
        title = f"{len(far):,} more"
        cards = [Card(far, title), *cards[1 - limit :]]
        remarks += (f"The {title} nodes are farther from the output than this picture reaches (limit={limit}).",)
    return View(tuple(cards), _links(graph, cards), remarks)


def _opened(graph: GraphData, steps: list[int], open: str) -> list[Card]:
    inside = {index for index in steps if f"{graph.nodes[index].module}.".startswith(f"{open}.")}
    if not inside:
        modules = dict.fromkeys(_prefix(node.module, 1) for node in graph.nodes if node.module)
        known = ", ".join(map(str, [*modules][:12])) or "none; give the model too, as model=…"
        raise ValueError(f"open={open!r} is no module of this graph; it has {known}")
    within = _by_module(graph, sorted(inside)) if len(inside) > FEW else lambda index: index
    depth = open.count(".") + 1

    def key(index: int) -> Hashable:
        return within(index) if index in inside else _prefix(graph.nodes[index].module, depth) or index

    joined = {edge.source for edge in graph.edges if edge.target in inside} | inside
    joined |= {edge.target for edge in graph.edges if edge.source in inside}
    cards = []
    for card in _runs(steps, key):
        if not joined.isdisjoint(card.members):
            cards.append(card._replace(is_outside=card.members[0] not in inside))
    return [part for card in _fold(graph, cards) for part in ([card] if card.is_outside else _unrolled(graph, card))]


def _prefix(module: str | None, depth: int) -> str:
    return ".".join((module or "").split(".")[:depth])


def _by_module(graph: GraphData, steps: Sequence[int]) -> Callable[[int], Hashable]:
    """What nodes of one card have in common: their module, cut as deep as an overview allows."""
    modules = [graph.nodes[index].module for index in steps]
    if not any(modules):
        return lambda index: index
    best: dict[str | None, str] = {}
    for depth in range(1, max((module.count(".") + 1 for module in modules if module), default=0) + 1):
        names = {module: _prefix(module, depth) for module in dict.fromkeys(modules)}
        cards = sum(1 if name else len([*run]) for name, run in groupby(map(names.__getitem__, modules)))
        if best and cards > OVERVIEW:
            break
        best = names
    return lambda index: best.get(graph.nodes[index].module) or index


def _runs(steps: Sequence[int], key: Callable[[int], Hashable]) -> list[Card]:
    """Cards of steps that follow one another with the same key. Runs of a topological order never make a circle."""
    return [Card(tuple(run), found if isinstance(found, str) else "") for found, run in groupby(steps, key)]


def _counted(graph: GraphData, card: Card) -> Card:
    """A module that does the same few operations again and again (a recurrent one) with how often it does them."""
    most = max((part.times for part in _inside(graph, card)), default=0)
    return card._replace(times=most + 1) if most >= MANY_TIMES else card


def _unrolled(graph: GraphData, card: Card) -> list[Card]:
    """Such a module as one repeat and the rest of them."""
    parts = _inside(graph, card)
    return parts if 0 < len(parts) <= REPEAT_SHOWN else [card]


def _inside(graph: GraphData, card: Card) -> list[Card]:
    """The folded operations of a module without parts of its own; [] where there are parts, or little to fold."""
    if card.times > 1 or len(card.members) <= FEW or len({graph.nodes[index].module for index in card.members}) > 1:
        return []
    return _fold(graph, [Card((index,)) for index in card.members], name=card.title)


def _fold(graph: GraphData, cards: list[Card], *, name: str = "") -> list[Card]:
    """The cards, with what comes three times or more in a row drawn once and then as one card "× n"."""
    if len(cards) <= OVERVIEW:
        return cards
    kinds: dict[Hashable, int] = {}
    looks = [(card.is_outside, *(graph.nodes[index].operation for index in card.members)) for card in cards]
    looks = [kinds.setdefault(look, len(kinds)) for look in looks]
    folded: list[Card] = []
    at = 0
    while at < len(cards):
        period, times = _repeat(looks, at)
        folded += cards[at : at + period]
        if times > 1:
            folded.append(_repeated(graph, cards[at + period : at + period * times], times - 1, name))
        at += period * times
    return folded


def _repeat(looks: list[int], at: int) -> tuple[int, int]:
    """The (period, times) that covers most from `at` on; (1, 1) where nothing comes three times."""
    best = (1, 1)
    for period in range(1, min(LONGEST_PERIOD, (len(looks) - at) // 3) + 1):
        pattern, times = looks[at : at + period], 1
        while looks[at + times * period : at + (times + 1) * period] == pattern:
            times += 1
        if times >= 3 and period * times > best[0] * best[1]:
            best = (period, times)
    return best


def _repeated(graph: GraphData, cards: list[Card], times: int, name: str) -> Card:
    members = tuple(index for card in cards for index in card.members)
    first, last = cards[0].title or name, cards[-1].title or name
    if not first:
        operations = [graph.nodes[index].operation or "constant" for index in members[: len(members) // times]]
        title = clean(" ".join(operations), room=LONGEST_NAME)
    else:
        title = first if first == last else f"{first} … {last}"
    return Card(members, title, times)


def _with_leaves(graph: GraphData, steps: list[Card]) -> list[Card]:
    """The cards in topological order with the leaves among them, each just before what uses it first."""
    at = {index: number for number, card in enumerate(steps) for index in card.members}
    made = {edge.target for edge in graph.edges}
    users: dict[int, dict[int, None]] = {}
    for edge in graph.edges:
        if edge.target in at and edge.source not in made:
            users.setdefault(edge.source, {})[at[edge.target]] = None
    free = {
        leaf: sorted(used)
        for leaf, used in users.items()
        if len(used) > 1 or not _belongs(graph, leaf, steps[min(used)])
    }
    crowded = len(steps) + len(free) > OVERVIEW or any(card.is_group for card in steps)
    before: dict[int, list[Card]] = {}
    inside: dict[int, list[int]] = {}
    for leaf, used in users.items():
        if leaf not in free:
            inside.setdefault(min(used), []).append(leaf)
        elif len(used) > (1 if crowded else MOST_USES):
            for which, number in enumerate(free[leaf], start=1):
                user = steps[number].members[0]
                before.setdefault(number, []).append(Card((leaf,), use=(which, len(used)), user=user))
        else:
            before.setdefault(free[leaf][0], []).append(Card((leaf,)))
    joined = made.union(edge.source for edge in graph.edges)
    cards = [Card((index,)) for index in range(len(graph.nodes)) if index not in at and index not in joined]
    for number, card in enumerate(steps):
        cards += before.get(number, [])
        cards.append(card._replace(members=tuple(sorted((*card.members, *inside.get(number, ()))))))
    return cards


def _belongs(graph: GraphData, index: int, user: Card) -> bool:
    """Whether a leaf or a constant is drawn as a part of the one card that uses it.

    That goes for parameters (their names have a dot) and leaves without a name in a group, and for plain numbers that
    the operation's sign can take in.
    """
    node = graph.nodes[index]
    if user.is_group:
        return not node.is_output and (node.kind == "constant" or node.name is None or "." in node.name)
    return is_plain(node) and graph.nodes[user.members[0]].operation in WITH_NUMBER


def _links(graph: GraphData, cards: Sequence[Card]) -> tuple[Link, ...]:
    """Links between cards: one for each edge between two nodes, one in all where a group is at an end."""
    owner: dict[int, int] = {}
    for number, card in enumerate(cards):
        for index in card.members:
            owner.setdefault(index, number)
    beside = {(card.members[0], owner[card.user]): number for number, card in enumerate(cards) if card.use}
    links: dict[Hashable, Link] = {}
    for number, edge in enumerate(graph.edges):
        target = owner.get(edge.target)
        source = beside.get((edge.source, target), owner.get(edge.source))
        if source is None or target is None or source == target:
            continue
        key = (source, target) if cards[source].is_group or cards[target].is_group else number
        known = links.get(key)
        links[key] = Link(source, target, (*(known.edges if known else ()), number))
    return tuple(links.values())
