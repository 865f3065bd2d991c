"""Checks on a table that was read: leaks, duplicates, rare classes. They report; they change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.task.raw import ArrowStrings, Flags, Moments, Numbers, Raw, Strings
from meristem.task.schema import Target
from meristem.task.task import Finding
from meristem.values import Column, Options, Scalars, Texts

_SAMPLE = 2_000
_FEW = 5
"""Rows outside of the largest class that it takes to say anything."""
_WIDE = 1_000
"""Columns from which on a smaller sample must do."""


def find_rare_classes(target: Target, column: Scalars) -> list[Finding]:
    """Classes with a single row: nothing can be validated on them."""
    if target.kind != "classification":
        return []
    counts = np.bincount(column.data, minlength=len(target.type.labels))
    single = [label for label, count in zip(target.type.labels, counts.tolist(), strict=True) if count == 1]
    if not single:
        return []
    shown = ", ".join(repr(s) for s in single[:5]) + (", ..." if len(single) > 5 else "")
    word = "class" if len(single) == 1 else "classes"
    return [
        Finding("rare", target.name, f"{len(single)} {word} of {target.name!r} with a single row: {shown}")
    ]


def find_duplicates(
    inputs: Mapping[str, Column],
    target: Column,
    others: Iterable[Raw] = (),
    rows: NDArray[np.int64] | None = None,
) -> list[Finding]:
    """Rows that are equal in every column of the table.

    Args:
        inputs: The features [N].
        target: The answers [N].
        others: Columns of the table that are no features; they are only looked at if the rest repeats.
        rows: Which of their values belong to the N rows; all if not given.
    """
    total = len(target)
    hashes = np.zeros(total, np.uint64)
    for column in [*inputs.values(), target]:
        hashes = _mixed(hashes, _bits(column))
    count = _repeated(hashes)
    for raw in others:
        if not count:
            break
        bits = _raw_bits(raw)
        hashes = _mixed(hashes, bits if rows is None else bits[rows])
        count = _repeated(hashes)
    if not count:
        return []
    share = 100 * count / total
    repeats = "1 row repeats" if count == 1 else f"{count:,} rows repeat"
    return [Finding("duplicates", "", f"{repeats} an earlier row exactly ({share:.1f} % of all)")]


def _mixed(hashes: NDArray[np.uint64], bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # A multiplicative hash over the bits of each value; an exact answer is not needed for a count.
    hashes = (hashes ^ bits) * np.uint64(0x9E3779B97F4A7C15)
    return hashes ^ (hashes >> np.uint64(29))


def _repeated(hashes: NDArray[np.uint64]) -> int:
    ranked = np.sort(hashes)  # `np.unique` takes thirty times as long for a million of these
    return int((ranked[1:] == ranked[:-1]).sum())


def _raw_bits(raw: Raw) -> NDArray[np.uint64]:
    """Bits [N] that are equal where the values of a raw column are."""
    if isinstance(raw, ArrowStrings):
        import pyarrow.compute as pc

        codes = pc.fill_null(pc.dictionary_encode(raw.array).indices, -1)
        return np.asarray(codes).astype(np.int64).view(np.uint64)
    if isinstance(raw, Strings):
        return raw.codes.astype(np.int64).view(np.uint64)
    if isinstance(raw, Numbers):
        return np.ascontiguousarray(np.where(np.isnan(raw.data), np.nan, raw.data + 0.0)).view(np.uint64)
    if isinstance(raw, Flags | Moments):
        return np.where(raw.present, raw.data.astype(np.int64), -(2**62)).view(np.uint64)
    return np.zeros(len(raw), np.uint64)  # what cannot be read tells no rows apart


def _bits(column: Column) -> NDArray[np.uint64]:
    if isinstance(column, Options):
        out = np.full(len(column), 0xFFF8000000000001, np.uint64)
        out[column.present] = _bits(column.values)
        return out
    if isinstance(column, Scalars):
        data = column.data if column.data.dtype.itemsize == 8 else column.data.astype(np.int64)
        if data.dtype == np.float64:
            data = data + 0.0  # -0.0 and 0.0 are one number
        return np.ascontiguousarray(data).view(np.uint64)
    assert isinstance(column, Texts)
    return column.ids.astype(np.uint64)


def find_leaks(inputs: Mapping[str, Column], target: Scalars) -> list[Finding]:
    """Columns that alone predict the target almost perfectly.

    The rows are sorted by the column; if the target then hardly changes from one row to the next, the column
    tells it. For numbers that is von Neumann's ratio, sum of squared successive differences over twice the
    variance, which is about 1 - R2 of the best function of the column; for classes the share of neighbours
    that differ, against that of random neighbours. One measure, no model, no bins, a sort a column.
    """
    total = len(target)
    size = _SAMPLE if len(inputs) < _WIDE else _SAMPLE // 4
    if total < 20:
        return []
    # In any order but the file's: rows with equal values stay in this order, and a file may be sorted by the
    # target.
    rows = np.random.default_rng(0).permutation(total)[:size]
    answers = target.data[rows]
    numeric = target.type.name == "real"
    if numeric:
        answers = answers / (float(np.abs(answers).max()) or 1.0)  # keeps squares of 1e300 finite
    findings = []
    for name, column in inputs.items():
        keys = _keys(column, rows)
        if keys is None:
            continue
        if _tells(keys, answers, numeric, isinstance(column, Options) and _is_class(column)):
            text = (
                f"{name!r} alone predicts the target almost perfectly; if it is not known when a prediction "
                "is made, remove it"
            )
            findings.append(Finding("leak", name, text))
    return findings


def _is_class(column: Options) -> bool:
    return column.values.type.name in ("class", "bool")


def _keys(column: Column, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """What the rows are sorted by; missing values last."""
    if not isinstance(column, Options) or not isinstance(column.values, Scalars):
        return None
    if column.present.all():  # nearly all columns, and five times as fast
        return column.values.data[rows].astype(np.float64)
    part = column.take(rows)
    keys = np.full(len(rows), np.inf)
    keys[part.present] = part.values.data.astype(np.float64)  # type: ignore[attr-defined]
    return keys


def _tells(keys: NDArray[np.float64], answers: NDArray[Any], numeric: bool, categories: bool) -> bool:
    if not categories:  # where a number is missing it says nothing; where it is there it may tell all
        here = np.isfinite(keys)
        if here.sum() < 0.8 * len(keys):
            return False
        keys, answers = keys[here], answers[here]
    order = np.argsort(keys, kind="stable")
    before, after = answers[order[:-1]], answers[order[1:]]
    if categories:  # only neighbours of one category count: the order of categories means nothing
        same = keys[order[:-1]] == keys[order[1:]]
        if same.sum() < 0.5 * len(keys):
            return False
        before, after = before[same], after[same]
    if numeric:
        spread = float(np.var(answers))
        return spread > 0 and float(np.mean((after - before) ** 2)) / 2 <= 0.005 * spread
    counts = np.bincount(answers)
    if len(answers) - counts.max() < _FEW:  # chance puts two or three rows of a rare class side by side
        return False
    random = 1.0 - float(np.sum((counts / len(answers)) ** 2))
    changes = int((before != after).sum())
    if not categories:
        changes -= int((counts > 0).sum()) - 1  # the least that a perfect column shows
    return changes <= 0.02 * random * len(before)
