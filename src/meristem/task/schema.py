"""Schema: the columns a model reads and what they mean, so that new tables are read as the first one was."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, InputError, MeristemError
from meristem.task.cells import (
    MISSING,
    MISSING_NUMBER,
    PLAIN,
    STYLES,
    UNKNOWN,
    NumberStyle,
    parse_number,
    parse_truth,
)
from meristem.task.dates import ORDERS, Order
from meristem.task.features import Feature, numbers_of, style_in, texts_of
from meristem.task.frames import Frame, frame_of, is_column
from meristem.task.raw import Flags, Numbers, Raw, Unreadable, number_text
from meristem.types import REAL, Type, class_of, parse_type, row_of
from meristem.values import Column, Rows, Scalars

Label = str | int | float | bool

_FEATURE_TYPES = ("real", "bool", "class", "datetime", "text")
_MOST_COLUMNS, _MOST_LABELS, _LONGEST = 1_000_000, 100_000, 100_000


@dataclass(frozen=True)
class Target:
    """The column that a model answers.

    Args:
        name: Its name.
        type: `class[...]` or `real`.
        values: Of a class: the Python value that each label stands for, [K].
        integer: Of numbers: all were whole.
        style: How numbers are written where they come as text.
    """

    name: str
    type: Type
    values: tuple[Label, ...] = ()
    integer: bool = False
    style: NumberStyle = PLAIN

    @property
    def kind(self) -> str:
        """`classification` or `regression`."""
        return "regression" if self.type == REAL else "classification"

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of each label."""
        return {label: k for k, label in enumerate(self.type.labels)}

    def convert(self, raw: Raw, comma: int = UNKNOWN) -> tuple[Scalars, NDArray[np.int64]]:
        """The answers that are there, as a column, and their rows. `comma`: see `Feature.convert`.

        Raises:
            InputError: An answer is no number, not finite, or none of the classes.
        """
        if isinstance(raw, Unreadable):
            raise InputError(f"the target {self.name!r} cannot be used: {raw.reason}")
        if self.type == REAL:
            style = style_in(raw, self.name, self.style, self.missing_words, comma, [])
            values = numbers_of(raw, self.name, style, self.missing_words)
            if np.isinf(values).any():
                row = int(np.isinf(values).argmax()) + 1
                raise InputError(
                    f"expected finite numbers in the target {self.name!r}, got {values[row - 1]} "
                    f"in row {row}; remove such rows or leave the cell empty"
                )
            rows = np.flatnonzero(~np.isnan(values))
            return Scalars(REAL, values[rows]), rows
        numeric = not any(isinstance(v, str | bool) for v in self.values)
        if numeric and isinstance(raw, Flags):
            raw = Numbers(numbers_of(raw, self.name))
        texts = texts_of(raw)
        table = np.full(len(texts.pool) + 1, -1, np.int64)
        truths: dict[bool | None, int] = {}
        if all(isinstance(v, bool) for v in self.values):  # then "yes", "true" and 1 answer alike
            truths = {parse_truth(v): k for k, v in enumerate(self.type.labels)}
        for k, text in enumerate(texts.pool):
            word = text.strip()
            place = self.index.get(word, truths.get(parse_truth(word)))
            if place is None and numeric:  # 1, 1.0 and "1.0" are one answer
                number = parse_number(word, self.style)
                place = None if number is None else self.index.get(number_text(number))
            table[k] = place if place is not None else (-1 if word in self.missing_words else -2)
        codes = table[texts.codes]
        if (codes == -2).any():
            row = int((codes == -2).argmax())
            got = texts.pool[texts.codes[row]]
            raise InputError(
                f"expected one of the classes {_names(self.type.labels)} in the target {self.name!r}, "
                f"got {got!r} in row {row + 1}: a model cannot answer what it never saw"
            )
        rows = np.flatnonzero(codes >= 0)
        return Scalars(self.type, codes[rows]), rows

    @cached_property
    def missing_words(self) -> frozenset[str]:
        """The text that stands for a missing answer."""
        return (MISSING_NUMBER if self.type == REAL else MISSING) - set(self.type.labels)


@dataclass(frozen=True)
class Dropped:
    """A column of the training table that the model does not read, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Schema:
    """The columns of a table as a model reads them.

    Args:
        features: The columns it reads, in order.
        target: The column it answers.
        dropped: The columns it does not read.
        unused: Columns with another role (weights, groups): no features, and nobody wonders about them.
        weight: The one of them that says how much a row counts.
        group: The one of them that says which rows belong together.
    """

    features: tuple[Feature, ...]
    target: Target
    dropped: tuple[Dropped, ...] = ()
    unused: tuple[str, ...] = ()
    weight: str | None = None
    group: str | None = None

    @cached_property
    def type(self) -> Type:
        """The row type of the features."""
        return row_of({f.name: f.type for f in self.features})

    @cached_property
    def _expected(self) -> frozenset[str]:
        names = [f.name for f in self.features] + [d.name for d in self.dropped]
        return frozenset([*names, *self.unused, self.target.name])

    def rows(self, source: Any) -> tuple[Rows, list[str]]:
        """The features of any table-like value, and warnings about what was ignored or became missing.

        Args:
            source: A data frame, an Arrow table, a dict of columns, a list of dicts, a 2-d array, or a dict
                with one value a column (one row; what it leaves out is missing). Columns may come in any order.

        Raises:
            InputError: A column is missing, or its values are not what they were in training.
        """
        warnings: list[str] = []
        if (
            isinstance(source, dict)
            and not any(is_column(v) for v in source.values())
            and any(f.name in source for f in self.features)
        ):
            absent = [f.name for f in self.features if f.name not in source]
            if absent:
                # Who writes one row leaves out what is not known. A table that lacks a column is another matter.
                warnings.append(f"no value for {_names(absent)}: treated as missing")
            self._check_names(source, source, len(absent), warnings)
            one = {f.name: f.convert_one(source.get(f.name), warnings) for f in self.features}
            return Rows(one, 1, self.type), warnings
        frame = frame_of(source)
        self._check(frame.places, frame.names, warnings)
        columns: dict[str, Column] = {}
        for feature in self.features:
            columns[feature.name] = feature.convert(frame.column(feature.name), warnings, frame.comma)
        return Rows(columns, frame.rows, self.type), warnings

    def _check(self, places: Mapping[str, Any], names: Any, warnings: list[str]) -> None:
        missing = [f.name for f in self.features if f.name not in places]
        if missing:
            raise InputError(_missing_columns(missing, list(names)))
        self._check_names(places, names, 0, warnings)

    def _check_names(self, places: Mapping[str, Any], names: Any, absent: int, warnings: list[str]) -> None:
        if len(places) > len(self.features) - absent:
            extra = [n for n in names if n not in self._expected]
            if extra:
                warnings.append(f"ignored columns that the model does not know: {_names(extra)}")

    def target_rows(self, source: Any) -> tuple[Scalars, NDArray[np.int64]]:
        """The answers that a table holds, and the rows that hold one.

        Raises:
            InputError: The target column is not there, or holds what the model cannot answer.
        """
        frame = frame_of(source)
        if self.target.name not in frame.places:
            raise InputError(_missing_columns([self.target.name], list(frame.names)))
        return self.target.convert(frame.column(self.target.name), frame.comma)

    def target_column(self, source: Any) -> Scalars:
        """The answers of a table [N], one in every row.

        Raises:
            InputError: An answer is missing, or see `target_rows`.
        """
        frame = frame_of(source)
        column, rows = self.target_rows(frame)
        if len(rows) < frame.rows:
            row = int(np.setdiff1d(np.arange(frame.rows), rows)[0]) + 1
            raise InputError(
                f"expected an answer in every row, the target {self.target.name!r} is missing in "
                f"{frame.rows - len(rows):,} of {frame.rows:,} rows, first in row {row}; remove those rows"
            )
        return column

    # ------------------------------------------------------------------------------------------ JSON

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values that `Schema.from_json` reads."""
        entries: dict[str, Any] = {
            "version": 1,
            "features": [_feature_to_json(f) for f in self.features],
            "target": _target_to_json(self.target),
            "dropped": [{"name": d.name, "reason": d.reason} for d in self.dropped],
            "unused": list(self.unused),
        }
        roles = {"weight": self.weight, "group": self.group}
        return {**entries, **{role: name for role, name in roles.items() if name is not None}}

    @classmethod
    def from_json(cls, value: Any) -> Schema:
        """Read a schema.

        Raises:
            FileFormatError: It is damaged, or of a version that is not known.
        """
        needed = {"version", "features", "target", "dropped", "unused"}
        entries = _object(value, "schema", needed, {*needed, "weight", "group"})
        if entries["version"] != 1 or isinstance(entries["version"], bool):
            raise FileFormatError(
                f"expected a schema of version 1, got {entries['version']!r}; "
                "a newer Meristem may have written it"
            )
        features = tuple(_feature_from_json(f) for f in _list(entries["features"], "features"))
        dropped = []
        for entry in _list(entries["dropped"], "dropped"):
            parts = _object(entry, "dropped", {"name", "reason"})
            dropped.append(Dropped(_text(parts["name"], "name"), _text(parts["reason"], "reason")))
        unused = tuple(_text(n, "unused") for n in _list(entries["unused"], "unused"))
        target = _target_from_json(entries["target"])
        weight, group = (
            None if entries.get(r) is None else _text(entries[r], r) for r in ("weight", "group")
        )
        names = [f.name for f in features]
        if len(set(names)) != len(names) or target.name in names:
            raise FileFormatError("the schema names a column twice")
        return cls(features, target, tuple(dropped), unused, weight, group)


def _names(names: Sequence[str], limit: int = 6) -> str:
    shown = ", ".join(repr(n) for n in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit:,} more"


def _missing_columns(missing: Sequence[str], there: Sequence[str]) -> str:
    word = "column" if len(missing) == 1 else f"{len(missing):,} columns"
    message = f"expected the {word} {_names(missing, 20)}, which the table does not have"
    close = difflib.get_close_matches(missing[0], [str(n) for n in there], 1)
    if close:
        message += f"; it has {close[0]!r}: is that meant for {missing[0]!r}? Rename it"
    return message + "; pass every column the model was trained on, with an empty value where it is not known"


def close_names(name: str, there: Sequence[str]) -> str:
    """A hint at the column that was perhaps meant: its name, or the first names there are."""
    folded = {n.casefold().strip(): n for n in there}
    close = [folded[name.casefold().strip()]] if name.casefold().strip() in folded else []
    close = close or difflib.get_close_matches(name, list(there), 3, 0.6)
    if close:
        return f"did you mean {' or '.join(repr(n) for n in close)}?"
    return f"there are {_names(there, 12)}"


# ---------------------------------------------------------------------------------------------- JSON parts


def _feature_to_json(feature: Feature) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": feature.name, "type": str(feature.type)}
    if feature.integer:
        entry["integer"] = True
    if feature.other:
        entry["other"] = True
    if feature.style != PLAIN:
        entry["style"] = _style_to_json(feature.style)
    if feature.order != "ymd":
        entry["order"] = feature.order
    if feature.words:
        entry["words"] = list(feature.words)
    return entry


def _feature_from_json(value: Any) -> Feature:
    allowed = {"name", "type", "integer", "other", "style", "order", "words"}
    entry = _object(value, "feature", {"name", "type"}, allowed)
    name = _text(entry["name"], "name")
    type_ = _type(entry["type"])
    if type_.name != "option" or type_.item.name not in _FEATURE_TYPES:
        raise FileFormatError(
            f"the feature {name!r} has the type {str(type_)[:80]!r}, which no feature can have"
        )
    if type_.item.name == "class" and not type_.item.params:
        raise FileFormatError(f"the feature {name!r} is a class without labels")
    order = entry.get("order", "ymd")
    if order not in ORDERS:
        raise FileFormatError(f"the feature {name!r} has the unknown date order {str(order)[:20]!r}")
    words = tuple(_text(w, "words") for w in _list(entry.get("words", []), "words"))
    checked: Order = order
    return Feature(
        name,
        type_,
        integer=_flag(entry.get("integer", False)),
        other=_flag(entry.get("other", False)),
        style=_style_from_json(entry.get("style")),
        order=checked,
        words=words,
    )


def _target_to_json(target: Target) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": target.name, "type": str(target.type), "values": list(target.values)}
    entry["integer"] = target.integer
    entry["style"] = _style_to_json(target.style)
    return entry


def _target_from_json(value: Any) -> Target:
    entry = _object(value, "target", {"name", "type", "values", "integer", "style"})
    type_ = _type(entry["type"])
    if type_ != REAL and type_.name != "class":
        raise FileFormatError(f"the target has the type {str(type_)[:80]!r}, expected real or a class")
    values = _list(entry["values"], "values")
    if len(values) != len(type_.params) or not all(isinstance(v, str | int | float) for v in values):
        raise FileFormatError(f"the target has {len(values):,} values for {len(type_.params):,} classes")
    if any(isinstance(v, str) and len(v) > _LONGEST for v in values) or any(v != v for v in values):
        raise FileFormatError("the target has a value that cannot be one")
    if len(set(values)) < len(values):
        raise FileFormatError("the target has a value for several classes")
    name, integer = _text(entry["name"], "name"), _flag(entry["integer"])
    return Target(name, type_, tuple(values), integer, _style_from_json(entry["style"]))


def _style_to_json(style: NumberStyle) -> list[Any]:
    return [style.decimal, style.group, style.signs]


def _style_from_json(value: Any) -> NumberStyle:
    if value is None:
        return PLAIN
    if isinstance(value, list) and len(value) == 3 and isinstance(value[2], bool):
        for style in STYLES:
            if [style.decimal, style.group, style.signs] == value:
                return style
    raise FileFormatError(f"the schema has an unknown way to write numbers: {json.dumps(value)[:60]}")


def _type(value: Any) -> Type:
    text = _text(value, "type", 10_000_000)
    try:
        return parse_type(text)
    except (MeristemError, ValueError, RecursionError) as error:
        raise FileFormatError(f"the schema has a type that cannot be read: {str(error)[:200]}") from None


def _object(value: Any, what: str, required: set[str], allowed: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FileFormatError(f"expected an object for {what} in the schema, got {type(value).__name__}")
    missing, extra = required - value.keys(), value.keys() - (allowed or required)
    if missing or extra:
        raise FileFormatError(
            f"the {what} in the schema should have the entries {sorted(required)}; "
            f"missing {sorted(missing)}, not known {sorted(map(str, extra))[:5]}"
        )
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > _MOST_COLUMNS:
        raise FileFormatError(f"expected a list for {what} in the schema, got {type(value).__name__}")
    return value


def _text(value: Any, what: str, longest: int = _LONGEST) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise FileFormatError(f"expected text for {what} in the schema, got {type(value).__name__}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FileFormatError(f"expected true or false in the schema, got {type(value).__name__}")
    return value


def class_type(labels: Sequence[str]) -> Type:
    """A class type of these labels."""
    return class_of(*labels)


__all__ = ["Dropped", "Frame", "Label", "Schema", "Target", "class_type", "close_names"]
