"""Roles: the columns that are no features but say which row is whose, when it was, and how much it counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.reading.profile import profile_column, read_numerals
from meristem.task.cells import PLAIN
from meristem.task.features import moments_of, numbers_of, texts_of
from meristem.task.frames import Frame, frame_of, raw_of
from meristem.task.raw import ArrowStrings, Numbers, Raw, Strings, Unreadable
from meristem.task.schema import close_names
from meristem.task.task import Finding


def find_answers(frame: Frame, target: Any) -> tuple[str, Raw, bool]:
    """The name and the raw values of the target, and whether it is a column of the table.

    Args:
        frame: The table.
        target: The name of a column (alone or in a list), or one answer a row.

    Raises:
        InputError: There is no such column, or the answers do not fit the rows.
    """
    if isinstance(target, list | tuple) and len(target) == 1 and target[0] in frame.names:
        target = target[0]
    if isinstance(target, str):
        require(frame, target, "target")
        return target, frame.column(target), True
    if target is None:
        raise InputError(f"expected the name of the column to predict; {close_names('', frame.names)}")
    if not hasattr(target, "__len__"):
        raise InputError(
            f"expected the name of a column, or one answer a row, as target, got {type(target).__name__}; "
            f"{close_names(str(target), frame.names)}"
        )
    if len(target) != frame.rows:
        if isinstance(target, list | tuple) and all(isinstance(t, str) for t in target):
            raise InputError(
                f"expected one column to predict, got {len(target)}: {', '.join(map(repr, target[:4]))}; "
                "grow one model for each"
            )
        raise InputError(
            f"expected one answer for each of {frame.rows:,} rows as target, got {len(target):,}"
        )
    name = str(getattr(target, "name", None) or "target")
    if hasattr(target, "columns") or (isinstance(target, np.ndarray) and target.ndim == 2):
        answers = frame_of(target)
        if len(answers.names) != 1:
            raise InputError(f"expected one column of answers as target, got {len(answers.names)}")
        name = answers.names[0] if hasattr(target, "columns") else name
        values = answers.column(answers.names[0])
    else:
        values = raw_of(target, name)
    while name in frame.places:
        name += "_"
    return name, values, False


def require(frame: Frame, name: Any, role: str) -> None:
    """Check that a column is there.

    Raises:
        InputError: It is not; names those that are alike.
    """
    if not isinstance(name, str):
        raise InputError(f"expected the name of a column as {role}, got {name!r}")
    if name not in frame.places:
        about = "".join(f" ({note})" for note in frame.notes if "no header" in note)
        raise InputError(
            f"there is no column {name!r} for the {role}; {close_names(name, frame.names)}{about}"
        )


def check_roles(frame: Frame, stated: dict[str, str | None]) -> None:
    """Check that the columns stated for the roles are there, and that none has two of them.

    Raises:
        InputError: One is not there, or has two roles (time and group may be one column).
    """
    owner: dict[str, str] = {}
    for role, name in stated.items():
        if name is None:
            continue
        require(frame, name, role)
        if name in owner and {role, owner[name]} != {"time_column", "group_column"}:
            raise InputError(f"the column {name!r} cannot be both {owner[name]} and {role}")
        owner[name] = role


def order_by_time(
    frame: Frame, name: str, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[Finding]]:
    """Positions among `rows` [N] of those that have a time, earliest first; equal times stay in order.

    Raises:
        InputError: The column holds neither dates nor numbers.
    """
    raw = frame.column(name)
    profile = profile_column(name, raw, frame.comma, keep=True)
    feature = profile.feature
    if feature is None or feature.kind not in ("datetime", "real"):
        what = profile.dropped or "it holds neither"
        raise InputError(f"expected dates or numbers in the time column {name!r}, but {what}")
    if feature.kind == "datetime":
        times, present = moments_of(raw, name, feature.order, feature.missing_words)
    else:
        numbers = numbers_of(raw, name, feature.style, feature.missing_words)
        present = np.isfinite(numbers)
        times = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
    timed = np.flatnonzero(present[rows])
    findings = []
    if len(timed) < len(rows):
        lost = len(rows) - len(timed)
        text = f"left out {lost:,} of {len(rows):,} rows without a time in {name!r}"
        findings.append(Finding("rows_dropped", name, text))
    return timed[np.argsort(times[rows][timed], kind="stable")], findings


def read_weights(frame: Frame, name: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The weights of `rows` [N], scaled to a mean of 1.

    Raises:
        InputError: One is missing, infinite or negative, or all are 0.
    """
    raw = frame.column(name)
    numerals = read_numerals(raw, frame.comma) if isinstance(raw, Strings | ArrowStrings) else None
    weights = numbers_of(raw, name, PLAIN if numerals is None else numerals.style)[rows]
    for wrong, what in (
        (np.isnan(weights), "a missing one"),
        (np.isinf(weights), "an infinite one"),
        (weights < 0, "a negative one"),
    ):
        if wrong.any():
            raise InputError(
                f"expected weights that are finite and not negative in {name!r}, got {what} in row "
                f"{int(rows[wrong.argmax()]) + 1}; correct it, or give it 0 to leave the row out"
            )
    largest = float(weights.max())
    if largest == 0:
        raise InputError(f"expected a weight above 0 in {name!r}, all {len(weights):,} are 0")
    small = weights / largest  # first, so that the sum of large weights stays finite
    scaled: NDArray[np.float64] = small / small.mean()
    return scaled


def read_groups(frame: Frame, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[Finding]]:
    """A number from 0 on for the group of each of `rows` [N]; rows without one are of one group.

    Raises:
        InputError: All rows are of one group, or the column cannot be read.
    """
    raw = frame.column(name)
    if isinstance(raw, Unreadable):
        raise InputError(f"the group column {name!r} cannot be used: {raw.reason}")
    if isinstance(raw, Numbers):
        keys: NDArray[Any] = raw.data[rows]
        missing = int(np.isnan(keys).sum())
    else:
        keys = texts_of(raw).codes[rows]
        missing = int((keys < 0).sum())
    _, codes = np.unique(keys, return_inverse=True)
    if codes.max() == 0:
        raise InputError(
            f"expected at least two groups in {name!r}, all rows are of one; leave group_column out"
        )
    findings = []
    if missing:
        rows_are = "1 row" if missing == 1 else f"{missing:,} rows"
        text = f"{rows_are} without a value in {name!r} made one group"
        findings.append(Finding("note", name, text))
    return codes.astype(np.int64), findings
