"""Whether two programs over readings are one once classes are renamed.

Labels of final answers never tell which class is which: "any above 7" and "any below 2" explain the same labels. Such
programs are one for training, and the report says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from meristem.training.lifted.tables import joint_readings

IntArray = NDArray[np.int64]
_TRIES = 60  # renamings looked at, of those that the signatures allow


def same_up_to_classes(
    one: IntArray, other: IntArray, classes: int, blocks: Sequence[slice], sizes: Sequence[int]
) -> tuple[int, ...] | None:
    """How the classes of `one` must be renamed so that it is `other`; None where no such renaming was found.

    A renaming that is given is checked on all readings. None may be wrong where very many classes look alike.

    Args:
        one: The answers of a program to all readings [N].
        other: Those of another.
        classes: K.
        blocks: Where the readings of each shape are.
        sizes: How many images an example of each shape has.
    """
    if np.array_equal(one, other):
        return tuple(range(classes))
    if not all(np.array_equal(np.sort(one[b]), np.sort(other[b])) for b in blocks):
        return None
    first = [_signature(one, c, classes, blocks, sizes) for c in range(classes)]
    second = [_signature(other, c, classes, blocks, sizes) for c in range(classes)]
    if sorted(first) != sorted(second):
        return None
    for tried, renamed in enumerate(_matchings(first, second)):
        if tried >= _TRIES:
            break
        if _holds(one, other, np.array(renamed), classes, blocks, sizes):
            return tuple(renamed)
    return None


def not_told_apart(
    answers: IntArray, classes: int, blocks: Sequence[slice], sizes: Sequence[int]
) -> list[tuple[int, ...]]:
    """Groups of classes that a program never tells apart: put for one another anywhere, no answer changes.

    Answers teach a reader nothing about which of such a group an image shows.

    Args:
        answers: Of a program to all readings [N].
        classes: K.
        blocks: Where the readings of each shape are.
        sizes: How many images an example of each shape has.
    """
    groups: dict[bytes, list[int]] = {}
    for value in range(classes):
        met = [
            np.ascontiguousarray(
                np.take(answers[block].reshape((classes,) * size), value, axis=place)
            ).tobytes()
            for block, size in zip(blocks, sizes, strict=True)
            for place in range(size)
        ]
        groups.setdefault(b"".join(met), []).append(value)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _signature(
    answers: IntArray, value: int, classes: int, blocks: Sequence[slice], sizes: Sequence[int]
) -> bytes:
    """What a class does, however classes are named: the answers where it stands, by place."""
    found = []
    for block, size in zip(blocks, sizes, strict=True):
        cube = answers[block].reshape((classes,) * size)
        for place in range(size):
            found.append(np.sort(np.take(cube, value, axis=place), axis=None).tobytes())
        found.append(np.int64(cube[(value,) * size]).tobytes())
    return b"".join(found)


def _matchings(first: list[bytes], second: list[bytes]) -> Iterator[list[int]]:
    """Renamings under which signatures agree: classes that look alike in their order, in reverse, then by chance."""
    places: dict[bytes, list[int]] = {}
    for c, signature in enumerate(second):
        places.setdefault(signature, []).append(c)
    rng = np.random.default_rng(0)
    for tried in range(_TRIES):
        left = {s: list(of) for s, of in places.items()}
        for of in left.values():
            if tried == 1:
                of.reverse()
            elif tried > 1:
                rng.shuffle(of)
        yield [left[signature].pop(0) for signature in first]
        if all(len(of) == 1 for of in places.values()):
            return


def _holds(
    one: IntArray,
    other: IntArray,
    renamed: IntArray,
    classes: int,
    blocks: Sequence[slice],
    sizes: Sequence[int],
) -> bool:
    for block, size in zip(blocks, sizes, strict=True):
        values = renamed[joint_readings([classes] * size)]
        place = np.ravel_multi_index(tuple(values.T), (classes,) * size)
        if not np.array_equal(one[block], other[block][place]):
            return False
    return True


__all__ = ["not_told_apart", "same_up_to_classes"]
