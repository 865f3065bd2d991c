"""idx files: the arrays that MNIST and its relatives come in, plain or with gzip."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_BYTES = 4 * 2**30


def is_idx(path: str | os.PathLike[str]) -> bool:
    """Whether a file is an idx file: two zeros, a known kind of number, a number of dimensions."""
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(4)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                head = packed.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return len(head) == 4 and head[:2] == b"\0\0" and head[2] in _DTYPES and 1 <= head[3] <= 8


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The array of an idx file.

    Raises:
        InputError: It is not there, damaged, or no idx file.
    """
    place = Path(path)
    try:
        with place.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(place) if packed else place.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {str(place)!r}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {str(place)!r}: {error}; get it again") from None
    if len(data) < 8 or data[:2] != b"\0\0" or data[2] not in _DTYPES or not 1 <= data[3] <= 8:
        raise InputError(
            f"{str(place)!r} is no idx file: expected two zero bytes, the kind of number and the dimensions"
        )
    dtype, count = np.dtype(_DTYPES[data[2]]), data[3]
    shape = tuple(int.from_bytes(data[4 + 4 * k : 8 + 4 * k], "big") for k in range(count))
    body = data[4 + 4 * count :]
    wanted = dtype.itemsize
    for size in shape:
        wanted *= size
    if len(body) != wanted:
        raise InputError(
            f"{str(place)!r} is damaged: expected {wanted:,} bytes of numbers for {' x '.join(map(str, shape))}, got "
            f"{len(body):,}; get it again"
        )
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


__all__ = ["is_idx", "read_idx"]
