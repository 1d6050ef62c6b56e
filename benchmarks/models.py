"""The graphs that the benchmarks read: chains of small operations, and three models of well-known shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Case:
    """A graph to be read: `module(*inputs)` makes it."""

    name: str
    module: nn.Module
    inputs: tuple[torch.Tensor, ...]

    def run(self) -> torch.Tensor:
        return self.module(*self.inputs)


class Lesson(nn.Module):
    """Ten operations on two numbers, as lessons draw them."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        u = x**2 * y
        v = torch.sin(u) + y**3
        return torch.exp(-v / 50) * u + v


class Chain(nn.Module):
    """`count` small operations in a row on one number."""

    def __init__(self, count: int):
        super().__init__()
        self.count = count

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(self.count // 2):
            x = torch.sin(x * 1.0001)
        return x


class Bottleneck(nn.Module):
    def __init__(self, width: int, inner: int, out: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = nn.Conv2d(inner, out, 1, bias=False), nn.BatchNorm2d(out)
        self.relu = nn.ReLU()
        self.downsample = None
        if stride != 1 or width != out:
            self.downsample = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """The layers of a ResNet-50."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()
        self.maxpool, self.width = nn.MaxPool2d(3, 2, 1), 64
        self.layer1, self.layer2 = self._layer(64, 3, 1), self._layer(128, 4, 2)
        self.layer3, self.layer4 = self._layer(256, 6, 2), self._layer(512, 3, 2)
        self.fc = nn.Linear(2048, 1000)

    def _layer(self, inner: int, count: int, stride: int) -> nn.Sequential:
        blocks = []
        for at in range(count):
            blocks.append(Bottleneck(self.width, inner, inner * 4, stride if at == 0 else 1))
            self.width = inner * 4
        return nn.Sequential(*blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3))).square().mean()


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        split = self.qkv(self.ln1(x)).view(batch, length, 3 * self.heads, -1).transpose(1, 2).split(self.heads, 1)
        q, k, v = split
        scores = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
        x = x + self.out((scores @ v).transpose(1, 2).reshape(batch, length, width))
        return x + self.down(nn.functional.gelu(self.up(self.ln2(x))))


class Transformer(nn.Module):
    """Twelve layers of the width of a small GPT-2, with a small vocabulary."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(1000, 768), nn.Embedding(64, 768)
        self.layers = nn.ModuleList([Block(768, 12) for _ in range(12)])
        self.norm, self.head = nn.LayerNorm(768), nn.Linear(768, 1000, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x)).logsumexp(-1).mean()


class Recurrent(nn.Module):
    """A recurrent cell, `steps` times."""

    def __init__(self, steps: int, *, width: int):
        super().__init__()
        self.steps, self.width = steps, width
        self.cell, self.out = nn.RNNCell(width // 2, width), nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = torch.zeros(x.shape[0], self.width)
        for _ in range(self.steps):
            state = self.cell(x, state)
        return self.out(state).sum()


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def chain(count: int) -> Case:
    return Case(f"{count:,} in a row", Chain(count), (number(0.5),))


def lesson() -> Case:
    return Case("ten of a lesson", Lesson(), (number(2.0), number(3.0)))


def models() -> Iterator[Case]:
    """The three models, one at a time."""
    yield Case("ResNet-50", ResNet(), (torch.randn(2, 3, 96, 96),))
    yield Case("12 transformer layers", Transformer(), (torch.randint(1000, (1, 48)),))
    yield Case("RNN, 500 steps", Recurrent(500, width=256), (torch.randn(32, 128),))
