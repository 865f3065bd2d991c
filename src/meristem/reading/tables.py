"""Tables to tasks: the roles of the columns, the rows that count, and what was found on the way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.reading.answers import decide_target
from meristem.reading.checks import find_duplicates, find_leaks, find_rare_classes
from meristem.reading.files import read_table
from meristem.reading.profile import profile_column
from meristem.task.features import Feature, moments_of, numbers_of, texts_of
from meristem.task.frames import Frame, frame_of, raw_of
from meristem.task.raw import Moments, Numbers, Raw, Unreadable
from meristem.task.schema import Dropped, Schema, close_names
from meristem.task.task import Finding, Kind, Task
from meristem.values import Column, Rows


def read_task(
    source: Any,
    target: Any,
    time_column: str | None = None,
    group_column: str | None = None,
    weight_column: str | None = None,
    name: str | None = None,
    kind: Kind | None = None,
) -> Task:
    """Read a table as a task; see `Task.from_table`."""
    frame, own_name = _open(source)
    findings = [Finding("note", "", text) for text in frame.notes]
    answers, raw_answers = _answers(frame, target)
    roles = _roles(
        frame, answers if isinstance(target, str) else None, time_column, group_column, weight_column
    )
    if not frame.rows:
        raise InputError("expected rows below the header, got none: the table has only column names")

    stated, found = decide_target(answers, raw_answers, kind, frame.comma)
    findings += found
    column, rows = stated.convert(raw_answers)
    if len(rows) < frame.rows:
        lost = frame.rows - len(rows)
        if not len(rows):
            raise InputError(
                f"expected answers in the target {answers!r}, all {frame.rows:,} are missing; is it the right column?"
            )
        findings.append(
            Finding(
                "rows_dropped",
                answers,
                f"left out {lost:,} of {frame.rows:,} rows without an answer in {answers!r}",
            )
        )
    rows, order = _in_time(frame, time_column, rows, findings)
    column = column.take(order)
    _enough(stated.name, stated.kind, column, len(rows))

    weights = _weights(frame, weight_column, rows)
    groups = _groups(frame, group_column, rows, findings)

    features, dropped, columns = _features(frame, roles, time_column, findings)
    if not features:
        reasons = "; ".join(f"{d.name!r}: {d.reason}" for d in dropped[:4])
        raise InputError(
            f"expected a column to predict {answers!r} from, none is left ({reasons or 'there is no other'})"
        )
    inputs = {
        f.name: c.take(rows) if len(rows) < frame.rows or time_column else c
        for f, c in zip(features, columns, strict=True)
    }
    unused = tuple(r for r in (group_column, weight_column) if r is not None and r != time_column)
    schema = Schema(tuple(features), stated, tuple(dropped), unused)
    findings += find_rare_classes(stated, column)
    findings += find_duplicates(inputs, column)
    findings += find_leaks(inputs, column)
    row = Rows(inputs, len(rows))
    return Task(
        name or own_name,
        {"row": row},
        column,
        schema,
        weights,
        groups,
        time_column is not None,
        tuple(findings),
    )


def _open(source: Any) -> tuple[Frame, str]:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return read_table(path), path.name.split(".")[0] or "table"
    return frame_of(source), "table"


def _answers(frame: Frame, target: Any) -> tuple[str, Raw]:
    """The name and the raw values of the target."""
    if (
        isinstance(target, list | tuple)
        and len(target) == 1
        and isinstance(target[0], str)
        and target[0] in frame.places
    ):
        target = target[0]
    if isinstance(target, str):
        _there(frame, target, "target")
        return target, frame.column(target)
    if target is None:
        raise InputError(f"expected the name of the column to predict; {close_names('', frame.names)}")
    if (
        isinstance(target, list | tuple)
        and target
        and all(isinstance(t, str) and t in frame.places for t in target)
    ):
        raise InputError(
            f"expected one column to predict, got {len(target)}: {', '.join(map(repr, target[:4]))}; "
            "grow one model for each"
        )
    if not hasattr(target, "__len__"):
        raise InputError(
            f"expected the name of a column or one answer a row as target, got {type(target).__name__} {target!r}"
            if not hasattr(target, "__iter__")
            else "expected a list or an array of answers as target, got an iterator"
        )
    if len(target) != frame.rows:
        raise InputError(
            f"expected one answer for each of {frame.rows:,} rows as target, got {len(target):,}"
        )
    name = str(getattr(target, "name", None) or "target")
    while name in frame.places:
        name += "_"
    array = np.asarray(target) if not hasattr(target, "dtype") and not isinstance(target, list) else target
    if isinstance(array, np.ndarray) and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    return name, raw_of(array, name)


def _there(frame: Frame, name: Any, role: str) -> None:
    if not isinstance(name, str):
        raise InputError(f"expected the name of a column as {role}, got {name!r}")
    if name not in frame.places:
        raise InputError(f"there is no column {name!r} for the {role}; {close_names(name, frame.names)}")


def _roles(
    frame: Frame, target: str | None, time: str | None, group: str | None, weight: str | None
) -> set[str]:
    """The columns that are no features; checks that they are there and that none has two roles."""
    stated = {"target": target, "time_column": time, "group_column": group, "weight_column": weight}
    owner: dict[str, str] = {}
    for role, name in stated.items():
        if name is None:
            continue
        _there(frame, name, role)
        if name in owner and {role, owner[name]} != {"time_column", "group_column"}:
            raise InputError(f"the column {name!r} cannot be both {owner[name]} and {role}")
        owner[name] = role
    return {n for n in (target, group, weight) if n is not None}


def _enough(name: str, kind: str, column: Column, rows: int) -> None:
    if rows < 2:
        raise InputError(
            f"expected at least 2 rows with an answer in {name!r}, got {rows}; nothing can be learned from that"
        )
    if kind == "classification":
        present = np.unique(column.data)  # type: ignore[attr-defined]
        if len(present) < 2:
            label = column.type.labels[int(present[0])]
            raise InputError(
                f"expected at least two classes in the target {name!r}, got only {label!r} in all {rows:,} rows; "
                "there is nothing to tell apart"
            )


def _in_time(
    frame: Frame, name: str | None, rows: NDArray[np.int64], findings: list[Finding]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows in order of time, and the same as positions among `rows`; rows without a time are left out."""
    if name is None:
        return rows, np.arange(len(rows))
    raw = frame.column(name)
    profile = profile_column(name, raw, frame.comma, keep=True)
    if profile.feature is None or profile.feature.kind not in ("datetime", "real"):
        what = profile.dropped or "it holds neither dates nor numbers"
        raise InputError(f"expected dates or numbers in the time column {name!r}, but {what}")
    feature = profile.feature
    if feature.kind == "datetime":
        moments, present = moments_of(raw, name, feature.order, feature.missing_words)
        times = moments.astype(np.float64)
    else:
        times = numbers_of(raw, name, feature.style, feature.missing_words)
        present = np.isfinite(times)
    timed = np.flatnonzero(present[rows])
    if len(timed) < len(rows):
        lost = len(rows) - len(timed)
        findings.append(
            Finding(
                "rows_dropped", name, f"left out {lost:,} of {len(rows):,} rows without a time in {name!r}"
            )
        )
    order = timed[np.argsort(times[rows][timed], kind="stable")]
    return rows[order], order


def _weights(frame: Frame, name: str | None, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    if name is None:
        return None
    weights = numbers_of(frame.column(name), name)[rows]
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
    total = float(weights.mean())
    if total <= 0:
        raise InputError(f"expected a weight above 0 in {name!r}, all {len(weights):,} are 0")
    scaled: NDArray[np.float64] = weights / total
    return scaled


def _groups(
    frame: Frame, name: str | None, rows: NDArray[np.int64], findings: list[Finding]
) -> NDArray[np.int64] | None:
    if name is None:
        return None
    raw = frame.column(name)
    if isinstance(raw, Unreadable):
        raise InputError(f"the group column {name!r} cannot be used: {raw.reason}")
    if isinstance(raw, Numbers):
        _, codes = np.unique(raw.data[rows], return_inverse=True)
        missing = int(np.isnan(raw.data[rows]).sum())
    else:
        texts = texts_of(raw) if not isinstance(raw, Moments) else texts_of(raw)
        _, codes = np.unique(texts.codes[rows], return_inverse=True)
        missing = int((texts.codes[rows] < 0).sum())
    if missing:
        findings.append(
            Finding("note", name, f"{missing:,} rows without a value in {name!r} count as one group")
        )
    if codes.max() == 0:
        raise InputError(
            f"expected at least two groups in {name!r}, all rows are of one; leave group_column out"
        )
    return codes.astype(np.int64)


def _features(
    frame: Frame, roles: set[str], time: str | None, findings: list[Finding]
) -> tuple[list[Feature], list[Dropped], list[Column]]:
    features: list[Feature] = []
    dropped: list[Dropped] = []
    columns: list[Column] = []
    spare: list[tuple[Feature, Column, Finding]] = []
    for name in frame.names:
        if name in roles:
            continue
        raw = frame.column(name)
        profile = profile_column(name, raw, frame.comma, keep=name == time)
        findings += profile.findings
        if profile.feature is None:
            dropped.append(Dropped(name, profile.dropped))
            if profile.findings[-1].kind == "identifier" and not features:
                kept = profile_column(name, raw, frame.comma, keep=True).feature
                if kept is not None and kept.kind == "real":
                    spare.append((kept, kept.convert(raw, []), profile.findings[-1]))
            continue
        features.append(profile.feature)
        columns.append(profile.feature.convert(raw, []))
    if not features and spare:  # a table of one counting column: better that than nothing
        for feature, column, finding in spare:
            features.append(feature)
            columns.append(column)
            findings.remove(finding)
        taken = {f.name for f in features}
        dropped = [d for d in dropped if d.name not in taken]
    return features, dropped, columns
