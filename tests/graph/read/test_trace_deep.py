"""Graphs of any depth: nothing recurses, also when they are freed, also in a thread with a small stack."""

import subprocess
import sys

import pytest
import torch

from course_utils import trace

PROGRAM = """
import gc, sys, threading, torch
from course_utils import trace

def chain(count):
    x = torch.tensor(1.0, requires_grad=True)
    z, middle = x, []
    for at in range(count):
        z = z * 1.00001
        if at % (count // 5) == 0:
            middle.append(z)
    return x, z, middle

def recurrent(count):
    w = torch.tensor(0.9, requires_grad=True)
    z, middle = w * 1, []
    for _ in range(count // 3):
        z = (w * z).sin() + z
    return w, z, middle

def f(x):
    for _ in range({count}):
        x = x * 1.00001
    return x

def main():
    x, z, middle = {make}({count})
    {body}
    gc.collect()
    print("survived")

threading.stack_size({stack})
thread = threading.Thread(target=main)
thread.start()
thread.join()
"""

BODIES = {
    "the default cap": "graph = trace(z); assert graph.left_out is None; len(graph.nodes); del z, graph, middle",
    "the whole, graph first": (
        "g = trace(z, limit=10**6, values=False); n = len(g.nodes); del g; gc.collect(); del z, middle"
    ),
    "the whole, output first": "g = trace(z, limit=10**6); n = len(g.nodes); del z, middle; gc.collect(); del g",
    "a tensor in the middle last": (
        "g = trace(z, limit=10**6); del g, z; gc.collect(); middle.reverse(); middle.clear()"
    ),
    "backward": "g = trace(z, limit=10**6, values=False).backward(); assert g.nodes[0].gradient; del g, z, middle",
    "traced again and again": "[trace(one, limit=10**6, values=False) for one in (*middle, z)]; del z, middle",
    "no collection": "gc.disable(); trace(z, limit=10**6, values=False); del z, middle",
    "then a plain backward": (
        "trace(z, limit=10**6, values=False); z.backward(); assert x.grad is not None; del z, middle"
    ),
    "a function": "g = trace(f, x=1.0); assert g.left_out is None and len(g.nodes) > 4000; del g, z, middle",
}


def survives(*, body, count, make="chain", stack=1 << 20):
    program = PROGRAM.format(body=BODIES[body], count=count, make=make, stack=stack)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, encoding="utf-8"
    )


@pytest.mark.parametrize("body", [body for body in BODIES if body != "a function"])
def test_a_hundred_thousand_operations_in_a_thread_with_a_small_stack(body):
    done = survives(body=body, count=100_000)
    assert done.stdout.strip() == "survived", done.stderr[-2000:]


def test_a_function_of_thirty_thousand_operations():
    done = survives(body="a function", count=30_000)
    assert done.stdout.strip() == "survived", done.stderr[-2000:]


def test_a_recurrent_graph_that_shares_one_weight():
    done = survives(body="the whole, graph first", count=100_000, make="recurrent")
    assert done.stdout.strip() == "survived", done.stderr[-2000:]


def test_the_cap_keeps_what_is_nearest_to_the_output():
    x = torch.tensor(1.0, requires_grad=True)
    z = x
    for _ in range(100):
        z = z * 1.5
    graph = trace(z, limit=10)
    assert graph.left_out is None and len(graph.nodes) == 20
    assert graph.nodes[-1].is_output and not [node for node in graph.nodes if node.kind == "leaf"]
    done = graph.backward()
    assert done.nodes[1].gradient.numbers[0] == pytest.approx(1.5**9)
    whole = trace(z, limit=101)
    assert whole.left_out == 0 and whole.nodes[0].kind == "leaf"


def test_a_name_beyond_the_cap_is_refused_with_the_reason():
    x = torch.tensor(1.0, requires_grad=True)
    z = x
    for _ in range(100):
        z = z * 1.5
    with pytest.raises(ValueError, match="the walk was cut before it; raise limit"):
        trace(z, limit=10, x=x)


def test_graphs_made_by_several_threads_are_in_order():
    import threading

    x = torch.tensor(1.0, requires_grad=True)
    made = [x]

    def work():
        for _ in range(400):
            made.append(made[-1] * 1.01)

    for _ in range(4):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    graph = trace(made[-1], x=x)
    assert all(edge.source < edge.target for edge in graph.edges)
    done = graph.backward()
    assert done.nodes[0].gradient.numbers[0] == pytest.approx(1.01**1600, rel=1e-3)
