"""Tables to tasks: the roles of the columns, the rows that count, and what was found on the way."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from meristem.errors import InputError
from meristem.reading.answers import decide_target
from meristem.reading.checks import find_duplicates, find_leaks, find_rare_classes
from meristem.reading.files import read_table
from meristem.reading.profile import Profile, profile_column
from meristem.reading.roles import (
    check_roles,
    find_answers,
    order_by_time,
    read_groups,
    read_weights,
    require,
)
from meristem.task.features import Feature
from meristem.task.frames import Frame, frame_of
from meristem.task.raw import ArrowStrings, Raw, Strings
from meristem.task.schema import Dropped, Schema, Target, class_type
from meristem.task.task import Finding, Kind, Task
from meristem.types import TEXT, option_of
from meristem.values import Column, Rows, Scalars


def read_task(
    source: Any,
    target: Any,
    time_column: str | None = None,
    group_column: str | None = None,
    weight_column: str | None = None,
    name: str | None = None,
    kind: Kind | None = None,
    keep: Collection[str] = (),
) -> Task:
    """Read a table as a task; see `Task.from_table`."""
    frame, own_name = _open(source)
    if not frame.names:
        raise InputError("expected a table with columns, got one without any")
    answers, raw_answers, inside = find_answers(frame, target)
    roles = {"group_column": group_column, "weight_column": weight_column}
    check_roles(frame, {"target": answers if inside else None, "time_column": time_column, **roles})
    if not frame.rows:
        raise InputError("expected rows below the header, got none: the table has only column names")
    findings = [Finding("note", "", text) for text in frame.notes]

    stated, found = decide_target(answers, raw_answers, kind, frame.comma)
    findings += found
    column, rows = stated.convert(raw_answers, frame.comma)
    if not len(rows):
        raise InputError(
            f"expected answers in the target {answers!r}, all {frame.rows:,} are missing; "
            "is it the right column?"
        )
    if len(rows) < frame.rows:
        text = f"left out {frame.rows - len(rows):,} of {frame.rows:,} rows without an answer in {answers!r}"
        findings.append(Finding("rows_dropped", answers, text))
    if time_column is not None:
        order, found = order_by_time(frame, time_column, rows)
        findings += found
        rows, column = rows[order], column.take(order)
        stated, column = _without_empty(stated, column)
    _enough(stated, column)

    weights = None if weight_column is None else read_weights(frame, weight_column, rows)
    groups = None
    if group_column is not None:
        groups, found = read_groups(frame, group_column, rows)
        findings += found

    unused = tuple(r for r in roles.values() if r is not None)
    for column_name in keep:
        require(frame, column_name, "keep")
    kept = {*keep} if time_column is None else {*keep, time_column}
    features, dropped, found = _features(frame, {answers, *unused} if inside else {*unused}, kept)
    findings += found
    if not features:
        reasons = "; ".join(f"{d.name!r}: {d.reason}" for d in dropped[:4]) or "there is no other"
        raise InputError(f"expected a column to predict {answers!r} from, none is left ({reasons})")
    if len(rows) < frame.rows or time_column is not None:
        features = [(feature, values.take(rows)) for feature, values in features]
    inputs = {feature.name: values for feature, values in features}

    schema = Schema(
        tuple(feature for feature, _ in features), stated, tuple(dropped), unused, weight_column, group_column
    )
    findings += find_rare_classes(stated, column)
    unread = [frame.column(name) for name in (*(d.name for d in dropped), *unused)]
    findings += find_duplicates(inputs, column, unread, rows)
    findings += find_leaks(inputs, column)
    return Task(
        name=name or own_name,
        inputs={"row": Rows(inputs, len(rows), schema.type)},
        target=column,
        schema=schema,
        weights=weights,
        groups=groups,
        ordered=time_column is not None,
        findings=tuple(findings),
    )


def _open(source: Any) -> tuple[Frame, str]:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return read_table(path), path.name.split(".")[0] or "table"
    return frame_of(source), "table"


def _without_empty(stated: Target, column: Scalars) -> tuple[Target, Scalars]:
    """A target and its answers without classes that no row has any more."""
    if stated.kind != "classification":
        return stated, column
    present, codes = np.unique(column.data, return_inverse=True)
    if len(present) == len(stated.values):
        return stated, column
    labels = [stated.type.labels[k] for k in present.tolist()]
    values = tuple(stated.values[k] for k in present.tolist())
    stated = replace(stated, type=class_type(labels), values=values)
    return stated, Scalars(stated.type, codes.astype(np.int64))


def _enough(stated: Target, column: Scalars) -> None:
    rows = len(column)
    if rows < 2:
        raise InputError(
            f"expected at least 2 rows with an answer in {stated.name!r}, got {rows}; "
            "nothing can be learned from that"
        )
    if stated.kind == "classification" and len(stated.values) < 2:
        raise InputError(
            f"expected at least two classes in the target {stated.name!r}, got only {stated.values[0]!r} "
            f"in all {rows:,} rows; there is nothing to tell apart"
        )


def _features(
    frame: Frame, roles: set[str], kept: set[str]
) -> tuple[list[tuple[Feature, Column]], list[Dropped], list[Finding]]:
    """The features with their values, the columns left out, and what was found."""
    features: list[tuple[Feature, Column]] = []
    identifiers: list[tuple[str, Profile]] = []
    dropped: list[Dropped] = []
    findings: list[Finding] = []
    for name in frame.names:
        if name in roles:
            continue
        profile = profile_column(name, frame.column(name), frame.comma, keep=name in kept)
        findings += profile.findings
        if profile.feature is not None and profile.column is not None:
            features.append((profile.feature, profile.column))
            continue
        dropped.append(Dropped(name, profile.dropped))
        if profile.findings[-1].kind == "identifier":
            identifiers.append((name, profile))
    if not features and identifiers:  # a table of names, or of one counting column: better that than nothing
        features = [_kept(name, frame.column(name), frame.comma) for name, _ in identifiers]
        back = {name for name, _ in identifiers}
        dropped = [d for d in dropped if d.name not in back]
        findings = [f for f in findings if f.kind != "identifier"]
    return features, dropped, findings


def _kept(name: str, raw: Raw, comma: int) -> tuple[Feature, Column]:
    """A column that looks like an identifier, as a feature all the same: a number, or text."""
    profile = profile_column(name, raw, comma, keep=True)
    if profile.feature is not None and profile.feature.kind == "real" and profile.column is not None:
        return profile.feature, profile.column
    assert isinstance(raw, Strings | ArrowStrings)  # nothing else is ever an identifier
    feature = Feature(name, option_of(TEXT))
    return feature, feature.convert(raw, [])
