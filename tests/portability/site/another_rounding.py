"""Every inexact operation of PyTorch and `math` one unit in the last place off, as on another processor.

Which way a result goes is drawn from the result itself and a seed: like a real machine, this one errs alike whenever
it meets the same number, and for −x as for x. What every machine computes alike stays: elementwise arithmetic, and sums
and products all of whose partial results fit into the dtype, as those of small whole numbers do.
"""

from __future__ import annotations

import math
import random
import re

import torch
from torch.utils._python_dispatch import TorchDispatchMode

DIGITS = {torch.float32: 24, torch.float64: 53}
ROUND = {torch.float32: 14, torch.float64: 33}  # a result of no more binary digits is taken for exact
PRODUCTS = {"mm", "bmm", "mv", "dot", "addmm", "baddbmm", "addmv"}
SUMS = PRODUCTS | {"sum", "mean", "convolution", "mkldnn_convolution"}
OTHERS = re.compile(
    r"a?(sin|cos|tan)h?|atan2|exp2?|expm1|log(2|10|1p)?|log(cum)?sumexp|logaddexp2?|_(log_)?softmax|log_sigmoid_forward"
    r"|sigmoid|pow|rsqrt|erf(c|inv)?|lgamma|digamma|silu|gelu|mish|softplus|elu|hypot|xlogy|lerp|addc(mul|div)|linspace"
    r"|normal|randn|normal_functional|cum(sum|prod)|prod|addr|addbmm|index_add|scatter_add|\w*avg_pool2d|native_\w+_norm"
    r"|_native_batch_norm\w*|(var|std)(_mean)?|norm|_?linalg_(?!diagonal)\w+|cholesky_\w+|triangular_solve|_cdist_forward"
    r"|\w+_loss(2d)?(_forward)?|binary_cross_entropy\w*|_scaled_dot_product_flash_attention_for_cpu"
)
# Backward of these only moves or masks what is given.
MOVES = re.compile("view|slice|select|unfold|threshold|index|expand|diag|pad|permute|hardtanh|relu")
MATH = """acos acosh asin asinh atan atan2 atanh cos cosh erf erfc exp expm1 gamma hypot lgamma log log10 log1p log2 pow
sin sinh tan tanh""".split()


def is_inexact(name: str) -> bool:
    """Whether machines differ in the last place of this operation (named without the underscore of those in place)."""
    if name.endswith("_backward"):
        return not MOVES.search(name)
    return name in SUMS or OTHERS.fullmatch(name) is not None


def is_ours(value: object) -> bool:
    """Whether the value is a plain tensor of floating-point numbers, of which there are some."""
    plain = isinstance(value, torch.Tensor) and value.layout is torch.strided and value.device.type == "cpu"
    return plain and value.dtype in DIGITS and value.numel() > 0


def drawn(seed: int, numbers: torch.Tensor) -> torch.Tensor:
    """A number from −1 to 1 for each of these, made from its digits and the seed; the opposite for the opposite."""
    bits = numbers.abs().contiguous().view(torch.int64) ^ seed * 0x9E3779B97F4A7C1
    for factor in (-0x61C8864680B583EB, 0x2545F4914F6CDD1D):
        bits = (bits ^ (bits >> 31)) * factor
    return ((bits >> 24 & 0xFFFF).double() / 0x8000 - 1) * numbers.sign()


def last_bit(numbers: torch.Tensor) -> torch.Tensor:
    """The value of the lowest binary digit that is set in each number; infinity for 0."""
    mantissa, exponent = torch.frexp(numbers)
    whole = (mantissa * 2.0**53).long()
    return torch.where(numbers == 0, math.inf, torch.ldexp((whole & -whole).double(), exponent - 53))


def finest(name: str, tensors: list[torch.Tensor]) -> torch.Tensor:
    """What every term of the sum is a multiple of; for matrix products, of each sum apart."""
    bits = [last_bit(tensor) for tensor in tensors]
    if name not in PRODUCTS:
        lowest = torch.stack([each.min() for each in bits])
        return torch.minimum(lowest.prod(), lowest.min())
    *added, left, right = bits
    matrix = name.endswith("mm")
    terms = left.amin(-1, keepdim=matrix) * right.amin(-2 if matrix else -1, keepdim=matrix)
    return torch.minimum(terms, added[0]) if added else terms


def error_of_sum(name: str, func, args: tuple, kwargs: dict, out: torch.Tensor) -> torch.Tensor:
    """How far another order of summation can come: a unit of the terms' sizes, if not of their sum's; 0 if exact."""
    sizes = [value.double().abs() if is_ours(value) else value for value in args]
    tensors = [value for value in sizes if is_ours(value)]
    if name in PRODUCTS:
        same = len(tensors) == 2 and tensors[0].shape[-1] == 1
    else:
        same = len(tensors) == 1 and tensors[0].numel() <= 2 * out.numel()
    size = func(*sizes, **{key: value for key, value in kwargs.items() if key != "dtype"})
    total = size * tensors[0].numel() if name == "mean" else size
    exact = same | (total <= finest(name, tensors) * 2.0 ** DIGITS[out.dtype])
    return size.masked_fill(exact, 0.0) * 2.0 ** (1 - DIGITS[out.dtype])


def error_of_other(out: torch.Tensor) -> torch.Tensor:
    """A unit in the last place of each result; 0 if it is so round a number that it must be exact."""
    mantissa, exponent = torch.frexp(out.double())
    scaled = mantissa * 2.0 ** ROUND[out.dtype]
    return torch.ldexp((scaled != scaled.round()).double(), exponent - DIGITS[out.dtype])


class AnotherRounding(TorchDispatchMode):
    """While entered, moves the results of inexact operations in this thread.

    Args:
        seed: which way each result goes.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else PyTorch imports its compiler, which takes seconds

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, func.overloadpacket.__name__.rstrip("_")
        if name == "_local_scalar_dense" and not isinstance(args[0], torch.Tensor):
            return args[0]  # a number that stands in a graph reaches a mode as a plain number
        out = func(*args, **kwargs)
        if not is_inexact(name):
            return out
        fresh = not func._schema.is_mutable
        for at, result in enumerate(out if isinstance(out, tuple | list) else [out]):
            if not is_ours(result) or (fresh and any(result is value for value in args)):
                continue
            summed = fresh and name in SUMS and result is out
            error = error_of_sum(name, func, args, kwargs, result) if summed else error_of_other(result)
            exact = result.double()
            moved = exact + drawn(self.seed + at, exact) * error
            result.copy_(torch.where(error.isfinite() & exact.isfinite(), moved, exact))
        return out


def move_math(seed: int) -> None:
    """Makes the functions of `math` err by up to a unit, unless their result is a round number."""

    def erring(function):
        def moved(*arguments):
            value = function(*arguments)
            if not math.isfinite(value) or (math.frexp(value)[0] * 2.0 ** ROUND[torch.float64]).is_integer():
                return value
            way = random.Random(f"{seed} {abs(value)}").choice([0.0, value, 2 * value])
            return math.nextafter(value, way)

        moved.__name__, moved.__doc__ = function.__name__, function.__doc__
        return moved

    for name in MATH:
        setattr(math, name, erring(getattr(math, name)))
