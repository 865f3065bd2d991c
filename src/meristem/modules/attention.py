"""Attention over a list of vectors: every item looks at all others, then the answer looks at all items."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.language.kinds import Integer, Settings, register
from meristem.modules._lists import (
    EPSILON,
    FloatArray,
    ListKind,
    Sizes,
    linear,
    linear_sizes,
    norm_items,
    norm_sizes,
    normed,
)
from meristem.modules._network import EFFORT
from meristem.types import Type

_HEADS = 4
_FAR = -1e9  # the score of what is not there


@register
class Attention(ListKind):
    """One block of self-attention with positions, and pooling by a learned question beside the highest of each.

    References:
        Vaswani and others (2017), "Attention is all you need"; Lee and others (2019), "Set Transformer" (the pooling).
    """

    name = "attention"
    choices = {"width": Integer(64, 4, 256, log=True), "effort": EFFORT}
    doc = "attention over a list"

    def width_of_features(self, inputs: Sequence[Type], settings: Settings) -> int:
        return 2 * _width(settings)

    def trunk(self, items: int, settings: Settings) -> Any:
        return _trunk_class()(items, _width(settings))

    def sizes(self, items: int, settings: Settings) -> Sizes:
        width = _width(settings)
        found = {**norm_sizes("norm", items), **linear_sizes("enter", items, width), "question": (width,)}
        for name in ("before", "between", "after"):
            found |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
        for name in ("ask", "key", "value", "give", "pool_key"):
            found |= linear_sizes(name, width, width)
        return found | linear_sizes("wide", width, 2 * width) | linear_sizes("narrow", 2 * width, width)

    def features(
        self,
        arrays: Mapping[str, NDArray[Any]],
        items: FloatArray,
        there: NDArray[np.bool_],
        settings: Settings,
    ) -> FloatArray:
        def layer(name: str, x: FloatArray) -> FloatArray:
            return linear(arrays, f"trunk.{name}", x)

        def norm(name: str, x: FloatArray) -> FloatArray:
            middle = x.mean(axis=-1, keepdims=True)
            spread = np.sqrt(((x - middle) ** 2).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
            weight, bias = (np.asarray(arrays[f"trunk.{name}.{p}"], np.float32) for p in ("weight", "bias"))
            found: FloatArray = (x - middle) / spread * weight + bias
            return found

        width = _width(settings)
        far = np.where(there, np.float32(0), np.float32(_FAR))
        x = layer("enter", normed(arrays, "norm", items, there)) + positions(items.shape[1], width)
        seen = norm("before", x)
        ask, key, value = (_split(layer(name, seen)) for name in ("ask", "key", "value"))
        weights = _softmax(ask @ key.swapaxes(-1, -2) / math.sqrt(width // _HEADS) + far[:, None, None, :])
        x = x + layer("give", (weights @ value).transpose(0, 2, 1, 3).reshape(x.shape))
        x = x + layer("narrow", np.maximum(layer("wide", norm("between", x)), 0))
        x = norm("after", x)
        scores = layer("pool_key", x) @ np.asarray(arrays["trunk.question"], np.float32) / math.sqrt(width)
        pooled = (_softmax(scores + far)[..., None] * x).sum(axis=1)
        highest = np.where(there[..., None], x, np.float32(_FAR)).max(axis=1)
        some = there.max(axis=1, keepdims=True)
        return np.where(some, np.concatenate([pooled, highest], axis=1), 0).astype(np.float32)


def _width(settings: Settings) -> int:
    """The width, as a multiple of what the heads need: an even number each."""
    return max(1, round(int(settings["width"]) / _HEADS)) * _HEADS


def positions(length: int, width: int) -> FloatArray:
    """Waves of many lengths, so that any two places differ, [length, width]."""
    k = np.arange(width)
    angle = np.arange(length)[:, None] / np.power(100.0, (k // 2 * 2) / width)[None, :]
    return np.where(k % 2 == 0, np.sin(angle), np.cos(angle)).astype(np.float32)


def _split(x: FloatArray) -> FloatArray:
    return x.reshape(*x.shape[:2], _HEADS, x.shape[2] // _HEADS).transpose(0, 2, 1, 3)


def _softmax(x: FloatArray) -> FloatArray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    found: FloatArray = e / e.sum(axis=-1, keepdims=True)
    return found


@cache
def _trunk_class() -> Any:
    import torch

    nn = torch.nn

    class AttentionTrunk(nn.Module):
        def __init__(self, items: int, width: int) -> None:
            super().__init__()
            self.width = width
            self.norm = nn.BatchNorm1d(items)
            self.enter = nn.Linear(items, width)
            self.before, self.between, self.after = (nn.LayerNorm(width) for _ in range(3))
            self.ask, self.key, self.value, self.give, self.pool_key = (
                nn.Linear(width, width) for _ in range(5)
            )
            self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
            self.question = nn.Parameter(torch.randn(width))

        def forward(self, items: Any, there: Any) -> Any:
            count, length, _ = items.shape
            width = self.width
            far = torch.where(there, 0.0, _FAR).to(items.dtype)
            place = torch.from_numpy(positions(length, width)).to(items)
            x = self.enter(norm_items(self.norm, items, there)) + place
            seen = self.before(x)
            ask, key, value = (
                layer(seen).view(count, length, _HEADS, -1).transpose(1, 2)
                for layer in (self.ask, self.key, self.value)
            )
            scores = ask @ key.transpose(-1, -2) / math.sqrt(width // _HEADS) + far[:, None, None, :]
            mixed = (torch.softmax(scores, dim=-1) @ value).transpose(1, 2).reshape(count, length, width)
            x = x + self.give(mixed)
            x = self.after(x + self.narrow(torch.relu(self.wide(self.between(x)))))
            asked = self.pool_key(x) @ self.question / math.sqrt(width)
            pooled = (torch.softmax(asked + far, dim=1).unsqueeze(-1) * x).sum(dim=1)
            highest = torch.where(there.unsqueeze(-1), x, _FAR).amax(dim=1)
            some = there.any(dim=1, keepdim=True)
            return torch.where(some, torch.cat([pooled, highest], dim=1), 0.0)

    return AttentionTrunk
