"""Views with axes, of every kind that treats the canvas differently, for the tests."""

import math

import matplotlib.patches
import numpy
from matplotlib.axes import Axes

from course_utils.core import palette

XS = numpy.linspace(-2, 2, 101)


def f(x):
    return x**3 - 1.5 * x


def tangent(ax: Axes):
    """The tangent of f."""
    ax.plot(XS, f(XS), label="f")
    (line,) = ax.plot([], [], label="tangent")
    (point,) = ax.plot([], [], "o", markersize=9)
    ax.set(ylim=(-4, 4), xlabel="x", title="f and its tangent")
    ax.legend(loc="upper left")

    def update(x):
        slope = 3 * x**2 - 1.5
        line.set_data([x - 1, x + 1], [f(x) - slope, f(x) + slope])
        point.set_data([x], [f(x)])
        return f"slope {slope:.3f}"

    return update


def beneath(ax: Axes):
    """What moves lies under what stays, and under a legend with an opaque frame."""
    band = ax.axvspan(-0.5, 0.5, color=palette.GRADIENT, alpha=0.3, zorder=0.2)
    (low,) = ax.plot([], [], linewidth=12, zorder=1.5)
    ax.plot(XS, f(XS), linewidth=6, label="f")
    ax.text(0, 2, "here", fontsize=20)
    ax.set(xlim=(-2, 2), ylim=(-4, 4))
    ax.legend(loc="upper left", frameon=True, framealpha=0.5)

    def update(x):
        band.set_x(x)
        low.set_data([-2, x], [3, 3])
        return "beneath"

    return update


def image(ax: Axes):
    """A heat map, under the ticks and the grid."""
    shown = ax.imshow(numpy.zeros((5, 5)), vmin=0, vmax=1)

    def update(x):
        shown.set_data(numpy.arange(25).reshape(5, 5) / 25 * abs(x) / 2)
        return "image"

    return update


def notes(ax: Axes):
    """Annotations and text that move, change, and come and go."""
    ax.plot(XS, f(XS))
    note = ax.annotate("here", (0, 0), (0, 2), arrowprops={"arrowstyle": "->"})
    text = ax.text(0, -2, "")
    ax.set(xlim=(-2, 2), ylim=(-4, 4))

    def update(x):
        note.xy = (x, f(x))
        text.set_text(f"{x:.1f}")
        text.set_visible(x > 0)
        return "notes"

    return update


def limits(ax: Axes):
    """The axis grows with the curve; its tick labels change."""
    (line,) = ax.plot(XS, f(XS))

    def update(x):
        line.set_ydata(f(XS) * 10**x)
        ax.relim()
        ax.autoscale_view()
        return "limits"

    return update


def title(ax: Axes):
    """The title counts."""
    (point,) = ax.plot([0], [0], "o")
    ax.set(xlim=(-2, 2), ylim=(-2, 2))

    def update(x):
        ax.set_title(f"x = {x:.2f}")
        point.set_xdata([x])
        return "title"

    return update


def fresh_artists(ax: Axes):
    """A contour and an arrow that are removed and drawn anew, beside a point that moves."""
    u, v = numpy.meshgrid(XS, XS)
    (point,) = ax.plot([0], [0], "o")
    ax.set(xlim=(-2, 2), ylim=(-2, 2))
    drawn = []

    def update(x):
        while drawn:
            drawn.pop().remove()
        drawn.append(ax.contour(u, v, u**2 + x * v**2, levels=5))
        drawn.append(ax.add_patch(matplotlib.patches.FancyArrow(0, 0, x or 0.1, 1)))
        point.set_xdata([x])
        return "fresh"

    return update


def collections(left: Axes, right: Axes):
    """Scatter, quiver, bars and a colour bar, on two axes."""
    dots = left.scatter(XS, f(XS), c=XS, cmap="viridis")
    left.figure.colorbar(dots, ax=left)
    arrows = right.quiver([0, 1], [0, 1], [1, 0], [0, 1])
    bars = right.bar([0, 1, 2], [1, 2, 3], hatch="/", edgecolor=palette.INK)
    right.set(ylim=(-3, 5))

    def update(x):
        dots.set_offsets(numpy.column_stack([XS, f(XS) * x]))
        arrows.set_UVC([x, 1], [1, x])
        bars[1].set_height(2 + x)
        return "collections"

    return update


def twins(ax: Axes):
    """Two vertical axes over one another."""
    other = ax.twinx()
    (a,) = ax.plot(XS, XS)
    (b,) = other.plot(XS, -XS)

    def update(x):
        a.set_ydata(XS * x)
        b.set_ydata(XS - x)
        return "twins"

    return update


def best_legend(ax: Axes):
    """A legend that goes if there is room."""
    ax.plot(XS, f(XS), label="f")
    (line,) = ax.plot([], [], linewidth=8, label="moves")
    ax.legend()
    ax.set(xlim=(-2, 2), ylim=(-4, 4))

    def update(x):
        line.set_data([-2, -1], [2 * x, 2 * x])
        return "best"

    return update


def inset(ax: Axes):
    """A window inside the axes."""
    ax.plot(XS, f(XS))
    small = ax.inset_axes([0.1, 0.6, 0.3, 0.3])
    (line,) = small.plot([], [])
    small.set(xlim=(-2, 2), ylim=(-2, 2))

    def update(x):
        line.set_data([-2, 2], [x, -x])
        return "inset"

    return update


def surface(figure):
    """A point on a surface in three dimensions."""
    ax = figure.add_subplot(projection="3d")
    u, v = numpy.meshgrid(XS[::10], XS[::10])
    ax.plot_surface(u, v, u * v, cmap="viridis")
    (point,) = ax.plot([0], [0], [0], "o")

    def update(x):
        point.set_data_3d([x], [x], [x * x])
        return "surface"

    return update


def bare(ax: Axes):
    """No ticks, no frame."""
    ax.set_axis_off()
    ax.set(xlim=(-2, 2), ylim=(-2, 2))
    wedge = ax.add_patch(matplotlib.patches.Wedge((0, 0), 1, 0, 90, color=palette.LEAF))

    def update(x):
        wedge.set_theta2(90 * math.cos(x))
        return "bare"

    return update


ALL = [
    tangent,
    beneath,
    image,
    notes,
    limits,
    title,
    fresh_artists,
    collections,
    twins,
    best_legend,
    inset,
    surface,
    bare,
]
# More than artists changes, or axes lie over one another, or there is a third dimension.
FULL_EVERY_TIME = [limits, title, fresh_artists, twins, surface]
