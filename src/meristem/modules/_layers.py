"""Networks as lists of layers: plain data that NumPy runs, torch trains, and files are checked against.

A network is a sequence of the layers below over rows of one shape (a row has no batch dimension): an image or a
spectrum is [channels, height, width], features are [d]. The arrays of layer 3 are named `3.weight`,
`3.bias` and so on, as torch names those of a `Sequential`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError
from meristem.modules._inputs import need

Shape = tuple[int, ...]
_CHUNK = (
    4_000_000  # numbers of the largest intermediate array that is made at once: fits the processor's cache
)


@dataclass(frozen=True)
class Convolution:
    """A 2-d convolution: `kernel`, `stride` and `padding` are (rows, columns)."""

    out: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalization of channels or features."""

    epsilon: float = 1e-5


@dataclass(frozen=True)
class Relu:
    """max(x, 0)."""


@dataclass(frozen=True)
class PoolAll:
    """The mean of each channel over all places, or its highest value."""

    highest: bool = False


@dataclass(frozen=True)
class Flatten:
    """All numbers in one row."""


@dataclass(frozen=True)
class Dropout:
    """Leaves out a share of the features while training."""

    share: float


@dataclass(frozen=True)
class Linear:
    """A linear layer with bias."""

    out: int


Layer = Convolution | BatchNorm | Relu | PoolAll | Flatten | Dropout | Linear
Layers = Sequence[Layer]


def shape_after(layer: Layer, shape: Shape) -> Shape:
    """The shape of a row after a layer."""
    if isinstance(layer, Convolution):
        _, *places = shape
        sides = zip(places, layer.kernel, layer.stride, layer.padding, strict=True)
        return (layer.out, *((n + 2 * p - k) // s + 1 for n, k, s, p in sides))
    if isinstance(layer, PoolAll):
        return shape[:1]
    if isinstance(layer, Flatten):
        return (math.prod(shape),)
    if isinstance(layer, Linear):
        return (layer.out,)
    return shape


def shapes_of(layers: Layers, shape: Shape) -> list[Shape]:
    """The shape of a row before each layer, and after the last."""
    found = [shape]
    for layer in layers:
        found.append(shape_after(layer, found[-1]))
    return found


def array_shapes(layers: Layers, shape: Shape) -> dict[str, Shape]:
    """The names and shapes of all arrays of a network over rows of a shape."""
    found: dict[str, Shape] = {}
    for k, (layer, before) in enumerate(zip(layers, shapes_of(layers, shape), strict=False)):
        if isinstance(layer, Convolution):
            found[f"{k}.weight"] = (layer.out, before[0], *layer.kernel)
            found[f"{k}.bias"] = (layer.out,)
        elif isinstance(layer, Linear):
            found[f"{k}.weight"] = (layer.out, before[0])
            found[f"{k}.bias"] = (layer.out,)
        elif isinstance(layer, BatchNorm):
            for name in ("weight", "bias", "running_mean", "running_var"):
                found[f"{k}.{name}"] = before[:1]
    return found


def check_arrays(arrays: Mapping[str, NDArray[Any]], layers: Layers, shape: Shape) -> None:
    """Check arrays that came from a file.

    Raises:
        FileFormatError: They are not those of this network.
    """
    for name, wanted in array_shapes(layers, shape).items():
        array = need(arrays, name, "f", len(wanted), wanted)
        if name.endswith("running_var") and bool((array < 0).any()):
            raise FileFormatError(f"the array {name!r} of a module holds variances below 0")


# ---------------------------------------------------------------------------------------------- running


def run_layers(layers: Layers, arrays: Mapping[str, NDArray[Any]], rows: NDArray[Any]) -> NDArray[Any]:
    """What a network gives for rows [N, *shape], in float32 and without any training-time randomness."""
    shapes = shapes_of(layers, rows.shape[1:])
    folded = _folded(layers, arrays)
    largest = max(math.prod(s) for s in shapes)
    for layer, before, after in zip(layers, shapes, shapes[1:], strict=False):
        if isinstance(layer, Convolution):
            largest = max(largest, math.prod(after[1:]) * before[0] * math.prod(layer.kernel))
    step = max(1, _CHUNK // max(largest, 1))
    if len(rows) <= step:
        return _run(layers, folded, rows)
    parts = [_run(layers, folded, rows[k : k + step]) for k in range(0, len(rows), step)]
    return np.concatenate(parts)


Folded = dict[int, tuple[NDArray[Any], ...]]


def _folded(layers: Layers, arrays: Mapping[str, NDArray[Any]]) -> Folded:
    """The arrays of each layer as it is run: a normalization right after a linear map becomes part of it.

    gamma (w x + b - mean) / sqrt(var + eps) + beta is again linear in x: scale w and b by g = gamma / sqrt(var + eps)
    and add beta - g mean. Such a normalization has an empty entry.
    """
    found: Folded = {}
    for k, layer in enumerate(layers):
        if isinstance(layer, Convolution | Linear):
            found[k] = (
                np.asarray(arrays[f"{k}.weight"], np.float32),
                np.asarray(arrays[f"{k}.bias"], np.float32),
            )
        elif isinstance(layer, BatchNorm):
            weight, bias, mean, variance = (
                np.asarray(arrays[f"{k}.{name}"], np.float64)
                for name in ("weight", "bias", "running_mean", "running_var")
            )
            scale = weight / np.sqrt(variance + layer.epsilon)
            shift = bias - scale * mean
            before = found.get(k - 1)
            if k and before is not None and isinstance(layers[k - 1], Convolution | Linear):
                w, b = before
                factor = scale.reshape(-1, *[1] * (w.ndim - 1))
                found[k - 1] = ((w * factor).astype(np.float32), (b * scale + shift).astype(np.float32))
                found[k] = ()
            else:
                found[k] = (scale.astype(np.float32), shift.astype(np.float32))
    return found


def _run(layers: Layers, folded: Folded, x: NDArray[Any]) -> NDArray[Any]:
    for k, layer in enumerate(layers):
        if isinstance(layer, Convolution):
            x = _convolve(x, folded[k][0], folded[k][1], layer)
        elif isinstance(layer, BatchNorm):
            if folded[k]:
                scale, shift = (v.reshape(-1, *[1] * (x.ndim - 2)) for v in folded[k])
                x = x * scale + shift
        elif isinstance(layer, Relu):
            x = np.maximum(x, np.float32(0))
        elif isinstance(layer, PoolAll):
            x = x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
            x = x.max(axis=2) if layer.highest else x.mean(axis=2)
        elif isinstance(layer, Flatten):
            x = x.reshape(len(x), math.prod(x.shape[1:]))
        elif isinstance(layer, Linear):
            weight, bias = folded[k]
            x = x @ weight.T + bias
    return x


def _convolve(x: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any], layer: Convolution) -> NDArray[Any]:
    """A convolution as one matrix product: every window is a row of a matrix."""
    (top, left), (down, right) = layer.padding, layer.stride
    if top or left:
        x = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
    windows = np.lib.stride_tricks.sliding_window_view(x, layer.kernel, axis=(2, 3))[:, :, ::down, ::right]
    count, channels, high, wide = windows.shape[:4]
    size = channels * layer.kernel[0] * layer.kernel[1]
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(count * high * wide, size)
    made: NDArray[Any] = columns @ weight.reshape(layer.out, size).T + bias
    return made.reshape(count, high, wide, layer.out).transpose(0, 3, 1, 2)


__all__ = [
    "BatchNorm",
    "Convolution",
    "Dropout",
    "Flatten",
    "Layer",
    "Layers",
    "Linear",
    "PoolAll",
    "Relu",
    "array_shapes",
    "check_arrays",
    "run_layers",
    "shape_after",
    "shapes_of",
]
