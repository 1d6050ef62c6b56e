"""A lesson in miniature that keeps every rule: what the guards are tried on."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from refresh import METADATA

OPENING = """\
# A lesson in miniature

It takes 25 minutes. What you should know before: what a slope is. Afterwards you will be able to read a slope off a
picture, to predict a gradient and to say why an error came up. Everything here is small, so that a broken guard shows.\
"""
PROSE = """\
## {title}

The slope at a point is the limit of a difference. PyTorch finds it without any limit, by the chain rule, while it walks
the graph backwards. In the next cell the two stand beside each other, and the picture says the same:

$$f'(x) = \\lim_{{h \\to 0}} \\frac{{f(x + h) - f(x)}}{{h}}$$\
"""
CLOSING = """\
## What stays

| you type | it does |
|---|---|
| `z.backward()` | fills `.grad` of the leaves |

What happens when you call it twice?\
"""
IMPORTS = """\
import torch
from course_utils import draw_graph, plot_tangent

_ = torch.manual_seed(0)\
"""
ANSWERS = """\
class Answer:
    def check(self, given):
        return f"Right: {given}"\
"""
CHECKS = """\
Answer().check(18), Answer().check(38), Answer().check(4)\
"""
NUMBER = """\
x = torch.tensor(3.0, requires_grad=True)
(3 * x**2).backward()
x.grad\
"""
GRAPH = """\
z = 3 * x**2
draw_graph(z, x=x, z=z)\
"""
PLOT = """\
plot_tangent(lambda x: 3 * x**2, at=3.0)\
"""
TROUBLE = """\
torch.tensor(3.0).backward()\
"""


def unrun() -> NotebookNode:
    """The lesson as somebody wrote it, before its cells were run."""
    markdown, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [
        markdown(OPENING), code(IMPORTS), code(ANSWERS), code(CHECKS),
        markdown(PROSE.format(title="A number")), code(NUMBER),
        markdown(PROSE.format(title="Two pictures")), code(GRAPH), code(PLOT),
        markdown(PROSE.format(title="An error")), code(TROUBLE, metadata={"tags": ["raises-exception"]}),
        markdown(CLOSING),
    ]  # fmt: skip
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)
