"""The frames that driver and workers exchange: a JSON header and raw array bytes. No pickle.

A frame is::

    4 bytes  b"MSW1"
    8 bytes  length of the header, little-endian
    8 bytes  length of the payload
    header   JSON; its "arrays" lists [name, dtype, shape, order] of what follows
    payload  JSON
    bytes    the arrays one after another, in C order, or in Fortran order where they were so

Numbers in JSON may be NaN or infinite; tuples arrive as lists, keys as text. Arrays arrive as fresh,
writable, contiguous copies.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from meristem.errors import FileFormatError, InputError

Arrays = dict[str, np.ndarray]

_MAGIC = b"MSW1"
_PREFIX = struct.Struct("<4sQQ")
_MAX_HEADER = 1 << 30  # bytes; of either JSON part
_MAX_DIMENSIONS = 32
_KINDS = "biufcSUmM"  # no objects, no records: their bytes mean nothing in another process
_SCRATCH = 1 << 20


@dataclass
class Frame:
    """One message. `lost` is true when payload and arrays did not fit into memory and were skipped."""

    header: dict[str, Any]
    payload: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)
    lost: bool = False


def check_arrays(arrays: Mapping[str, Any], what: str = "arrays") -> Arrays:
    """The same arrays, each as a plain contiguous `ndarray` (C order, or Fortran order where it was so).

    Raises:
        InputError: A name is not text, a value is no array, or its dtype cannot travel.
    """
    checked: Arrays = {}
    for name, array in arrays.items():
        if not isinstance(name, str):
            raise InputError(f"expected names of {what} as text, got {name!r}")
        if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
            raise InputError(f"expected a NumPy array as {what}[{name!r}], got {type(array).__name__}")
        if array.dtype.kind not in _KINDS:
            raise InputError(
                f"expected numbers, text or dates in {what}[{name!r}], got dtype {array.dtype}; "
                "objects and records do not travel between processes: convert it first"
            )
        plain = array.view(np.ndarray)
        if not (plain.flags.c_contiguous or plain.flags.f_contiguous):
            plain = np.array(plain, order="C")
        checked[name] = plain
    return checked


def copy_array(array: np.ndarray) -> np.ndarray:
    """A writable copy as a frame would deliver it."""
    return np.array(array, order="F" if _order(array) == "F" else "C", copy=True)


def dump_json(value: Any, what: str = "payload") -> bytes:
    """JSON text of plain data. NumPy scalars become Python's.

    Raises:
        InputError: There is something in it that JSON has no form for.
    """
    try:
        return json.dumps(value, default=_plain, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"expected plain data (dict, list, text, numbers) as {what}: {error}") from error


def pack(
    header: Mapping[str, Any], payload: bytes = b"{}", arrays: Mapping[str, np.ndarray] | None = None
) -> list[memoryview]:
    """The buffers of one frame, to be written one after another. Array buffers are views, not copies.

    Args:
        header: Plain data.
        payload: As `dump_json` returns it.
        arrays: As `check_arrays` returns them.
    """
    arrays = arrays or {}
    specs = [[name, a.dtype.str, list(a.shape), _order(a)] for name, a in arrays.items()]
    text = dump_json({**header, "arrays": specs}, "header")
    buffers = [memoryview(_PREFIX.pack(_MAGIC, len(text), len(payload)) + text + payload)]
    for array in arrays.values():
        if array.nbytes:
            # The buffer protocol has no dates, so every array goes as bytes.
            flat = array.reshape(-1, order="F" if _order(array) == "F" else "C")
            buffers.append(flat.view(np.uint8).data)
    return buffers


def unpack() -> Generator[memoryview, None, Frame]:
    """Read one frame: yields buffers to be filled completely, returns the frame.

    This shape serves blocking and non-blocking readers alike, and arrays are received in place.

    Raises:
        FileFormatError: The bytes are no frame.
    """
    prefix = bytearray(_PREFIX.size)
    yield memoryview(prefix)
    magic, length, payload_length = _PREFIX.unpack(prefix)
    if magic != _MAGIC or max(length, payload_length) > _MAX_HEADER:
        raise FileFormatError(f"expected a frame that begins with {_MAGIC!r}, got {bytes(prefix)!r}")
    text = bytearray(length)
    yield memoryview(text)
    try:
        header = json.loads(text)
        specs = [_check_spec(spec) for spec in header.pop("arrays")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(f"the header of a frame cannot be read: {error}") from error
    frame = Frame(header)
    try:
        text = bytearray(payload_length)
        yield memoryview(text)
        frame.payload = json.loads(text)
    except MemoryError:
        frame.lost = True
        if len(text) != payload_length:
            yield from _skip(payload_length)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"the payload of a frame cannot be read: {error}") from error
    del text
    for name, dtype, shape, order in specs:
        size = math.prod(shape) * dtype.itemsize
        if not frame.lost:
            try:
                raw = np.empty(size, np.uint8)
            except MemoryError:
                frame.lost = True
                frame.payload, frame.arrays = {}, {}
        if frame.lost:
            yield from _skip(size)
            continue
        if size:
            yield raw.data
        frame.arrays[name] = np.ndarray(shape, dtype, raw, order=order)
    return frame


def _skip(size: int) -> Generator[memoryview, None, None]:
    """Let bytes leave the pipe that there is no memory for."""
    scratch = memoryview(bytearray(min(size, _SCRATCH)))
    while size:
        yield scratch[:size]
        size -= min(size, _SCRATCH)


def _order(array: np.ndarray) -> str:
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not plain data")


def _check_spec(spec: Any) -> tuple[str, np.dtype[Any], tuple[int, ...], Any]:
    name, code, shape, order = spec
    if not isinstance(code, str) or len(code) < 2 or code[1] not in _KINDS:
        raise ValueError(f"dtype {code!r}")
    if not isinstance(name, str) or order not in ("C", "F") or len(shape) > _MAX_DIMENSIONS:
        raise ValueError(f"array {spec!r}")
    if any(not isinstance(n, int) or isinstance(n, bool) or n < 0 for n in shape):
        raise ValueError(f"shape {shape!r}")
    return name, np.dtype(code), tuple(shape), order
