"""Autograd graphs read, walked backwards and drawn: this course beside torchviz, torchview and torchlens.

Everything in a row is measured in one run, in turns; the figures are medians of processor time, that of `dot` included,
so that what else the machine does counts little. The floor of reading is a bare walk over `next_functions` that notes
names, shapes, edges and leaves, and that of a backward pass is autograd's own.

    python benchmarks/graph.py              measures, prints, and writes benchmarks/README.md
    python benchmarks/graph.py --print      only prints
    python benchmarks/graph.py reading      only this section: reading, walking, recording or drawing
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from course_utils import draw_graph, trace
from course_utils.graph.draw.choose import choose_cards
from course_utils.graph.draw.layout import lay_out_rows
from course_utils.graph.show import LIMIT
from models import Case, chain, lesson, models
from table import machine, markdown, write_section

ROUNDS, PATIENCE = 7, 20
MANY_ROUNDS = 21
PEERS = ("torchviz", "torchview", "torchlens")
# Beyond this many operations a peer that takes minutes or crashes the process is not started.
MOST_FOR_PEERS = 10_001


def main(arguments: Sequence[str]) -> None:
    for name in arguments:
        if name in SECTIONS:
            torch.manual_seed(0)
            torch.set_num_threads(1)
            warnings.simplefilter("ignore")
            print(SECTIONS[name]())
            return
    # A process for each, so that none has to live with what another left in memory.
    parts = [
        subprocess.run([sys.executable, __file__, name], check=True, text=True, stdout=-1, encoding="utf-8")
        for name in SECTIONS
    ]
    text = "\n\n".join(part.stdout.strip() for part in parts)
    installed = [peer for peer in PEERS if peer not in missing()]
    text = f"{text}\n\nMeasured with {machine('torch', *installed)}, one thread."
    print(text)
    if "--print" not in arguments:
        write_section("graph", text)


def missing() -> list[str]:
    """The peers that are not installed."""
    names = []
    for peer in PEERS:
        try:
            version(peer)
        except PackageNotFoundError:
            names.append(peer)
    return names


class TooLong(Exception):
    """A contender took longer than anybody waits for a picture."""


@contextlib.contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raises TooLong in the middle of what runs longer than `seconds`."""

    def stop(*_: object) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def measure(contenders: dict[str, Callable[[], object]], *, rounds: int = ROUNDS) -> dict[str, float | str]:
    """Median seconds of each contender, taken in turns; or why there is no figure."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for name, run in contenders.items():
            # The first run warms up and shows how many fit into a round.
            if name in failed or (sum(taken[name]) > PATIENCE and len(taken[name]) > 1):
                continue
            count = max(1, round(0.01 / taken[name][0])) if taken[name] else 1
            try:
                warm_up(run, expected=taken[name][0] if taken[name] else PATIENCE)
                with patience(PATIENCE), contextlib.redirect_stdout(io.StringIO()):
                    begin = clock()
                    for _ in range(count):
                        run()
                    taken[name].append((clock() - begin) / count)
            except TooLong:
                failed[name] = f"over {PATIENCE} s"
            except Exception as error:
                failed[name] = type(error).__name__
    return {name: failed.get(name) or statistics.median(one[1:] or one) for name, one in taken.items()}


def warm_up(run: Callable[[], object], *, expected: float) -> None:
    """Clears away what others left behind, and brings back what that threw out of the processor's caches."""
    gc.collect()
    if expected < 0.1:
        with contextlib.redirect_stdout(io.StringIO()):
            run()


def clock() -> float:
    """The processor time of this process, and of those that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def times(figure: float | str | None, floor: float, *, digits: int = 2) -> str:
    """A figure as a multiple of the floor."""
    if figure is None or isinstance(figure, str):
        return figure or "–"
    ratio = figure / floor
    return f"{ratio:.{digits}f} ×" if ratio < 10 else f"{ratio:,.0f} ×"


def floor(root: object) -> tuple[list, list, list, list]:
    """The least that a useful reading can cost: names, shapes, edges and leaves of what lies behind `root`."""
    number, functions, names, shapes, edges, leaves = {root: 0}, [root], [], [], [], []
    for at, function in enumerate(functions):
        names.append(function.name())
        shapes.append(tuple(function._input_metadata[0].shape))
        inputs = function.next_functions
        if not inputs and hasattr(function, "variable"):
            leaves.append((at, function.variable))
        for slot, (source, output) in enumerate(inputs):
            if source is None:
                continue
            if source not in number:
                number[source] = len(functions)
                functions.append(source)
            edges.append((number[source], at, slot, output))
    return names, shapes, edges, leaves


def readers(case: Case, output: torch.Tensor) -> dict[str, Callable[[], object]]:
    """How each peer reads a graph; torchview and torchlens call the model for it."""
    module, inputs = case.module, case.inputs
    peers: dict[str, Callable[[], object]] = {}
    if "torchviz" not in missing():
        make_dot = importlib.import_module("torchviz").make_dot
        peers["torchviz"] = lambda: make_dot(output, params=dict(module.named_parameters()))
    if "torchview" not in missing():
        torchview = importlib.import_module("torchview")
        peers["torchview"] = lambda: torchview.draw_graph(module, input_data=inputs, depth=99, device="cpu")
    if "torchlens" not in missing():
        torchlens = importlib.import_module("torchlens")
        peers["torchlens"] = lambda: torchlens.trace(module, list(inputs))
    return peers


def reading() -> str:
    rows = []
    cases = [chain(count) for count in (10, 100, 1_000, 10_000, 20_000)]
    for case in (*cases, *models()):
        output = case.run()
        root = output.grad_fn
        nodes = len(floor(root)[0])
        limit = {"limit": nodes} if nodes > LIMIT else {}
        found = measure({
            "floor": lambda: floor(root),
            "trace": lambda: trace(output, values=False, **limit),
            "looked at": lambda: trace(output, values=False, **limit).nodes,
            "values": lambda: trace(output, **limit).nodes,
        }, rounds=MANY_ROUNDS)  # fmt: skip
        least = found["floor"]
        own = [times(found[name], least) for name in ("trace", "looked at", "values")]
        # By themselves: what they leave behind slows whoever comes next.
        peers = measure({"floor": lambda: floor(root), **(readers(case, output) if nodes <= MOST_FOR_PEERS else {})})
        others = [times(peers.get(peer), peers["floor"]) for peer in PEERS]
        micro = f"{least / nodes * 1e6:.2f}"
        rows.append([case.name, f"{nodes:,}", micro, *own, *others, f"{memory(output) / nodes:,.0f}"])
    own = ["`trace`, no values", "… looked at", "… with values"]
    header = ["graph", "nodes", "floor, µs a node", *own, *PEERS, "bytes a node"]
    return (
        "**Reading.** Multiples of the floor, a bare walk that notes names, shapes, edges and leaves. `trace` puts\n"
        "nodes in order when they are first looked at: the next column has both. torchview and torchlens call the\n"
        "model again, and their figures contain it.\n\n" + markdown(header, rows)
    )


def memory(output: torch.Tensor) -> int:
    """The bytes that a traced graph takes, looked at."""
    tracemalloc.start()
    graph = trace(output, values=False, limit=10**7)
    len(graph.nodes)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken


def walking() -> str:
    rows = []
    cases = [chain(count) for count in (10, 100, 1_000, 4_000)]
    for case in (lesson(), *cases, *models()):
        output = case.run()
        graph = trace(output, limit=10**7)
        leaves = [*case.module.parameters(), *(one for one in case.inputs if one.requires_grad)]
        found = measure({
            "plain": lambda: torch.autograd.grad(output, leaves, retain_graph=True, allow_unused=True),
            "numbers": lambda: graph.backward(),
            "looked at": lambda: graph.backward().edges,
        })  # fmt: skip
        plain = found["plain"]
        ratios = [times(found[name], plain) for name in ("numbers", "looked at")]
        rows.append([case.name, f"{plain * 1e3:.2f}", *ratios])
    header = ["graph", "plain backward, ms", "`graph.backward()`", "… looked at"]
    return (
        "**Walking backwards.** Multiples of autograd's own backward pass; `graph.backward()` also keeps the gradient\n"
        "of every tensor and edge as numbers or a norm, and the local derivatives of single numbers. The last column\n"
        "spells these out as well. No peer does this.\n\n" + markdown(header, rows)
    )


def recording() -> str:
    rows = []
    for case in (lesson(), chain(100), chain(1_000), *models()):
        names = case.module.forward.__code__.co_varnames[1:]
        inputs = dict(zip(names, case.inputs))
        contenders = {"plain": case.run, "trace": lambda: trace(case.module, limit=10**7, **inputs)}
        if "torchlens" not in missing():
            contenders["torchlens"] = readers(case, case.run())["torchlens"]
        found = measure(contenders)
        plain = found["plain"]
        ratios = [times(found.get(name), plain) for name in ("trace", "torchlens")]
        rows.append([case.name, f"{plain * 1e3:.2f}", *ratios])
    return (
        "**Recording every forward value**, with lines of code and module calls. Multiples of the plain forward\n"
        "pass.\n\n" + markdown(["graph", "plain forward, ms", "`trace(f, …)`", "torchlens"], rows)
    )


def drawing() -> str:
    rows = []
    for case in (lesson(), chain(100), chain(900), *models()):
        output = case.run()
        model = None if isinstance(case.inputs[0], torch.Tensor) and case.inputs[0].requires_grad else case.module
        with tempfile.TemporaryDirectory() as folder:
            found = measure({
                "own": lambda: draw_anew(output, model),
                "again": lambda: draw_graph(output, model=model),
                "forward": case.run,
            })  # fmt: skip
            peers = measure({
                "own": lambda: draw_anew(output, model),
                **renderers(case, output, Path(folder)),
            })  # fmt: skip
        picture = draw_graph(output, model=model)
        own = found["own"]
        # What a peer takes, as a multiple of what the course takes.
        others = [times(peers.get(peer), peers["own"]) for peer in PEERS]
        cards = len(choose_cards(trace(output, model=model)).cards)
        share = f"{own / found['forward']:.1%}" if model is not None else "–"
        again = times(found["again"], own)
        rows.append([case.name, f"{own * 1e3:.2f}", again, *others, share, cards, f"{text_height(picture):.1f}"])
    header = ["graph", "`draw_graph`, ms", "… again", *PEERS, "of the forward pass", "cards", "text, px at 900 px"]
    return (
        "**Reading and drawing**, as SVG. The other figures are multiples of the first: drawing the same graph again,\n"
        "perhaps with other numbers, when its layout is known; and the peers, all of which call Graphviz's `dot` and\n"
        f"are stopped after {PATIENCE} s.\n\n" + markdown(header, rows)
    )


def draw_anew(output: torch.Tensor, model: torch.nn.Module | None) -> object:
    """`draw_graph` of a structure that has not been drawn before."""
    lay_out_rows.cache_clear()
    return draw_graph(output, model=model)


def renderers(case: Case, output: torch.Tensor, folder: Path) -> dict[str, Callable[[], object]]:
    """How each peer gets from a graph to an SVG."""
    read = readers(case, output)
    ways = {
        "torchviz": lambda: read["torchviz"]().pipe(format="svg"),
        "torchview": lambda: read["torchview"]().visual_graph.pipe(format="svg"),
        "torchlens": lambda: read["torchlens"]().draw(
            vis_save_only=True, vis_fileformat="svg", vis_outpath=str(folder / "graph")
        ),
    }
    return {name: way for name, way in ways.items() if name in read}


def text_height(picture: object) -> float:
    """The height of the smallest text of a picture that is shown 900 pixels wide."""
    sizes = [float(size) for size in re.findall(r'font-size[=:]\s*"?([\d.]+)', picture.svg)]
    return min(sizes) * min(1, 900 / picture.width)


SECTIONS = {"reading": reading, "walking": walking, "recording": recording, "drawing": drawing}

if __name__ == "__main__":
    main(sys.argv[1:])
