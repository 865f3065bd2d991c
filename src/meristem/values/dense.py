"""Images, signals and vectors as they come: their numbers, and their sizes.

An image is [height, width, channels] and a signal [time, channels], both float32. Pixels are 0 to 1: bytes count
255ths. Samples are -1 to 1: 16 bit numbers count 32768ths. Reals are taken as they are. Columns hold them so; files and
workers get bytes where that loses nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.types import Type

DENSE = ("vector", "image", "signal")
_SCALES: dict[tuple[str, str], float] = {
    ("image", "uint8"): 255.0,
    ("image", "uint16"): 65535.0,
    ("signal", "int16"): 32768.0,
    ("signal", "int32"): 2147483648.0,
}
_LARGEST = 32.0  # of pixels and samples that are reals: standardized ones stay far below, bytes do not


def dense_numbers(array: NDArray[Any], name: str) -> NDArray[Any]:
    """An array of one or many images, signals or vectors with its numbers as a column has them.

    No copy is made of float32 images and signals, and of float64 vectors.

    Raises:
        TypeMismatch: They are no numbers, or of a range that says they were not scaled.
    """
    kind, scale = array.dtype.kind, _SCALES.get((name, array.dtype.name))
    if kind not in "biuf":
        raise TypeMismatch(f"expected an array of numbers as {name}, got one of {array.dtype}")
    if name == "vector":
        return array.astype(np.float64, copy=False)
    if scale is not None:
        return array.astype(np.float32) / np.float32(scale)
    numbers = array.astype(np.float32, copy=False)
    if kind != "b" and numbers.size:
        with np.errstate(invalid="ignore"):
            largest = float(np.nanmax(np.abs(numbers))) if not np.isnan(numbers).all() else 0.0
        if np.isfinite(largest) and largest > _LARGEST:
            unit = "pixels as bytes (uint8), or as reals from 0 to 1"
            if name == "signal":
                unit = "samples as 16 bit numbers (int16), or as reals from -1 to 1"
            raise TypeMismatch(
                f"expected {unit}, got {array.dtype} up to {largest:g}; convert or divide them"
            )
    return numbers


def as_shaped(value: Any, type_: Type, shown: Type | None = None) -> NDArray[Any]:
    """One image, signal or vector of a type, of exactly its size, as a column has it.

    Args:
        value: The value.
        type_: Its type.
        shown: The type that messages name, where it is another.

    Raises:
        TypeMismatch: It is no array of numbers, or of another size.
    """
    shown = type_ if shown is None else shown
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeMismatch(f"expected {shown}, got lists of unequal lengths") from None
    wanted = type_.params
    if (
        array.dtype.kind not in "biuf"
        or array.ndim != len(wanted)
        or any(w is not None and w != s for w, s in zip(wanted, array.shape, strict=True))
    ):
        got = f"an array of shape {array.shape}" if array.ndim else f"{value!r:.60} ({type(value).__name__})"
        raise TypeMismatch(f"expected {shown}, got {got}")
    return dense_numbers(array, type_.name)


def as_dense(value: Any, type_: Type) -> NDArray[Any]:
    """One image, signal or vector as a column of a type has it: brought to the size of the type.

    An image of another size is resized, a signal that is shorter gets silence at its end, and a longer one is cut
    there. A gray image may come without its channel, a signal of one channel too.

    Raises:
        TypeMismatch: It is no array of that kind; says what it is.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeMismatch(f"expected {type_}, got lists of unequal lengths") from None
    name, wanted = type_.name, type_.params
    if array.ndim == len(wanted) - 1 and name != "vector":
        array = array[..., None]
    array = as_shaped(array, Type(name, params=(*[None] * (len(wanted) - 1), wanted[-1])), type_)
    if not np.isfinite(array).all():
        raise TypeMismatch(
            f"expected finite numbers in {type_}, got {np.count_nonzero(~np.isfinite(array)):,} that are not"
        )
    if name == "vector":
        return array
    if 0 in array.shape:
        raise TypeMismatch(f"expected {type_}, got an array of shape {array.shape} with nothing in it")
    if name == "signal":
        return array if wanted[0] is None else of_length(array, int(wanted[0]))
    high, wide = (s if w is None else int(w) for w, s in zip(wanted[:2], array.shape, strict=False))
    return resized(array, high, wide)


def of_length(signal: NDArray[Any], samples: int) -> NDArray[Any]:
    """A signal [T, C] of so many samples: zeros are added at its end, or the end is cut."""
    if len(signal) == samples:
        return signal
    if len(signal) > samples:
        return signal[:samples]
    return np.concatenate([signal, np.zeros((samples - len(signal), *signal.shape[1:]), signal.dtype)])


def resized(image: NDArray[Any], high: int, wide: int) -> NDArray[Any]:
    """An image [H, W, C] in another size: each new pixel is the mean of those it covers, weighted by nearness."""
    if image.shape[:2] == (high, wide):
        return image
    rows, columns = _weights(image.shape[0], high), _weights(image.shape[1], wide)
    made: NDArray[Any] = np.einsum("yh,hwc,xw->yxc", rows, image, columns, optimize=True)
    return made.astype(image.dtype, copy=False)


def _weights(old: int, new: int) -> NDArray[np.float32]:
    """How much each of `old` places counts for each of `new` ones, [new, old]: triangles as wide as the step."""
    step = old / new
    reach = max(step, 1.0)
    middles = (np.arange(new) + 0.5) * step - 0.5
    near = np.maximum(0.0, 1.0 - np.abs(middles[:, None] - np.arange(old)[None, :]) / reach)
    weights: NDArray[np.float32] = (near / near.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights


def to_bytes(data: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Pixels as bytes, where every one is a 255th exactly; None elsewhere."""
    if data.dtype != np.float32 or not data.size:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = np.rint(data * np.float32(255))
        if not bool(((rounded >= 0) & (rounded <= 255)).all()):
            return None
        packed = rounded.astype(np.uint8)
        return packed if bool((from_bytes(packed) == data).all()) else None


def from_bytes(data: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bytes as pixels."""
    return data.astype(np.float32) / np.float32(255)


__all__ = [
    "DENSE",
    "as_dense",
    "as_shaped",
    "dense_numbers",
    "from_bytes",
    "of_length",
    "resized",
    "to_bytes",
]
