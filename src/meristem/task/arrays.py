"""ArrayTask: images, signals, and lists and grids of them, with only the final answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError, TypeMismatch
from meristem.task.array_values import Builder, Resize
from meristem.task.example_types import conform, plain_value, type_of_values
from meristem.task.examples import Types, labels_of, short, stated_types
from meristem.task.task import Finding
from meristem.types import TEXT, Type, class_of, format_type, list_of, option_of, pair_of
from meristem.values import Column, Lists, column_from

IntArray = NDArray[np.int64]
Held = Any
"""What to check on: `(inputs, outputs)`, an `ArrayTask`, the share of the examples that is held out, or None."""

_MOST_LABELS = 10_000
_FEW = 4  # examples that a message names


@dataclass(frozen=True)
class ArrayTask:
    """What a program with perception in it should answer. Made by `Task.from_arrays` and `Task.from_files`.

    Args:
        name: A name for a person.
        inputs: The inputs by name, each a column [N].
        answers: The wanted answers [N]; never missing.
        output: The name of the answer.
        groups: A number for each example [N]; those of one group (a speaker, a patient) are never split.
        held: Examples to check on, never to learn from; None where growing is to hold out some itself.
        findings: What reading found, for the user to know.
    """

    name: str
    inputs: dict[str, Column]
    answers: Column
    output: str = "output"
    groups: IntArray | None = None
    held: ArrayTask | None = None
    findings: tuple[Finding, ...] = ()

    kind = "perception"

    @property
    def input_types(self) -> dict[str, Type]:
        """The type of each input."""
        return {name: column.type for name, column in self.inputs.items()}

    def __len__(self) -> int:
        return len(self.answers)

    def __repr__(self) -> str:
        types = ", ".join(f"{name}: {format_type(type_, 6)}" for name, type_ in self.input_types.items())
        return f"<task {self.name!r}: {len(self):,} examples, {types} -> {format_type(self.answers.type, 6)}>"

    def take(self, rows: NDArray[Any]) -> ArrayTask:
        """The task with the examples at positions `rows` only, in that order."""
        rows = np.asarray(rows)
        return replace(
            self,
            inputs={name: column.take(rows) for name, column in self.inputs.items()},
            answers=self.answers.take(rows),
            groups=None if self.groups is None else self.groups[rows],
        )

    def arguments(self, position: int) -> tuple[Any, ...]:
        """The inputs of one example."""
        return tuple(column[position] for column in self.inputs.values())

    def hold_out(self, share: float, rng: np.random.Generator) -> ArrayTask:
        """The task with a random share of its examples held out; whole groups where there are some."""
        groups = np.arange(len(self)) if self.groups is None else self.groups
        names = rng.permutation(np.unique(groups))
        if len(names) < 2:
            what = "example" if self.groups is None else "group (groups=)"
            raise InputError(
                f"expected at least two {what}s, one to hold out and check on, got one {what}; give more, or examples "
                "to check on as validation="
            )
        count = min(max(1, round(share * len(names))), len(names) - 1)
        out = np.isin(groups, names[:count])
        return replace(
            self.take(np.flatnonzero(~out)), held=replace(self.take(np.flatnonzero(out)), findings=())
        )


def array_task(
    inputs: Any,
    outputs: Any,
    *,
    names: Sequence[str] | str | None = None,
    types: Types | None = None,
    validation: Held = None,
    groups: Any = None,
    resize: Resize = None,
    name: str | None = None,
    output: str = "output",
    findings: Sequence[Finding] = (),
) -> ArrayTask:
    """Columns for arrays, and what is to be said about them; see `Task.from_arrays`."""
    parts = _inputs(inputs, names)
    stated, wanted = stated_types(types, None, tuple(parts))
    columns, notes = _columns(parts, stated, resize)
    answers = answers_column(outputs, wanted)
    _check_lengths(columns, answers)
    _check_items(columns)
    if len(set(_hashable(answers))) == 1:
        raise InputError(
            f"expected at least two different answers, got {short(answers[0])} in all {len(answers):,} examples: "
            "nothing can be learned from them"
        )
    found = [*findings, *(Finding("note", label, text) for label, text in notes)]
    task = ArrayTask(
        name or "program", columns, answers, output, _groups(groups, len(answers)), None, tuple(found)
    )
    if validation is None:
        return task
    if isinstance(validation, int | float) and not isinstance(validation, bool):
        if not 0 < validation < 1:
            raise InputError(f"validation: expected a share between 0 and 1, got {validation!r}")
        return task.hold_out(float(validation), np.random.default_rng(0))
    if isinstance(validation, ArrayTask):
        return replace(task, held=validation)
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise InputError(
            "validation: expected (inputs, outputs) or a share of the examples, got " + short(validation)
        )
    return replace(task, held=_held(task, validation, resize))


def _held(task: ArrayTask, validation: Sequence[Any], resize: Resize) -> ArrayTask:
    """The examples to check on, of the types of the task."""
    try:
        parts = _inputs(validation[0], tuple(task.inputs))
        columns, _ = _columns(parts, task.input_types, resize)
        answers = answers_column(validation[1], task.answers.type)
        _check_lengths(columns, answers)
    except InputError as error:
        raise InputError(f"validation: {error}") from None
    return ArrayTask(task.name, columns, answers, task.output)


def _inputs(inputs: Any, names: Sequence[str] | str | None) -> dict[str, Any]:
    """The inputs by name: a dict has names, a tuple is several inputs, all else is one."""
    if isinstance(inputs, Mapping):
        if names is not None and set(names if not isinstance(names, str) else [names]) != set(inputs):
            raise InputError(f"names: expected those of the inputs, {list(inputs)}, got {short(names)}")
        if not inputs or any(not isinstance(name, str) or not name for name in inputs):
            raise InputError(f"expected inputs with names as text, got {short(list(inputs))}")
        return dict(inputs)
    parts = list(inputs) if isinstance(inputs, tuple) else [inputs]
    if not parts:
        raise InputError("expected at least one input, got an empty tuple")
    given = None if names is None else [names] if isinstance(names, str) else list(names)
    return dict(zip(labels_of(len(parts), given, stated=given is not None), parts, strict=True))


def _columns(
    parts: Mapping[str, Any], stated: Mapping[str, Type], resize: Resize
) -> tuple[dict[str, Column], list[tuple[str, str]]]:
    columns: dict[str, Column] = {}
    notes: list[tuple[str, str]] = []
    for label, values in parts.items():
        builder = Builder(f"the input {label!r}" if len(parts) > 1 else "the input", resize)
        columns[label] = builder.column(values, stated.get(label))
        notes += [(label, text) for text in builder.notes]
    return columns, notes


def _check_lengths(columns: Mapping[str, Column], answers: Column) -> None:
    for label, column in columns.items():
        if len(column) != len(answers):
            what = f"the input {label!r}" if len(columns) > 1 else "the inputs"
            raise InputError(
                f"expected as many inputs as outputs, got {len(column):,} of {what} and {len(answers):,} outputs; "
                "several inputs are given as a tuple or a dict of arrays, a list is one input for each example"
            )
    if not len(answers):
        raise InputError("expected at least one example, got none")


def _check_items(columns: Mapping[str, Column]) -> None:
    """Raise InputError where all lists of all inputs are empty: there is nothing to look at."""
    lists = {label: column for label, column in columns.items() if isinstance(column, Lists)}
    if lists and len(lists) == len(columns) and not any(_items_in(column) for column in lists.values()):
        raise InputError(
            f"expected lists with something in them, got {len(next(iter(lists.values()))):,} empty lists only; give "
            "at least some with items"
        )


def _items_in(column: Column) -> int:
    """How many items there are in lists, or in lists of lists."""
    if not isinstance(column, Lists):
        return len(column)
    first, last = int(column.offsets[0]), int(column.offsets[-1])
    return _items_in(column.items) if last > first else 0


# ---------------------------------------------------------------------------------------------- answers


def answers_column(outputs: Any, stated: Type | None) -> Column:
    """The answers [N]: whole numbers, truth values, reals, labels (texts become a class), lists and pairs of them.

    Raises:
        InputError: One is missing or of another kind; says which.
    """
    if isinstance(outputs, Column):
        if stated is not None and outputs.type != stated:
            raise InputError(f"expected outputs of {stated}, got a column of {outputs.type}")
        return outputs
    if isinstance(outputs, str | bytes | Mapping) or not hasattr(outputs, "__len__"):
        raise InputError(f"expected a list or an array of outputs, got {type(outputs).__name__}")
    listed = np.asarray(outputs).tolist() if hasattr(outputs, "__array__") else list(outputs)
    missing = [k + 1 for k, v in enumerate(listed) if v is None or (isinstance(v, float) and math.isnan(v))]
    optional = stated is not None and stated.name == "option"
    if missing and not optional:
        shown = ", ".join(map(str, missing[:_FEW])) + (
            f" and {len(missing) - _FEW:,} more" if len(missing) > _FEW else ""
        )
        raise InputError(
            f"expected an output for every example, got none in example {shown}; leave these out"
        )
    plain = [plain_value(v, k + 1, "the output") for k, v in enumerate(listed)]
    if not plain:
        raise InputError("expected at least one example, got none")
    type_ = stated
    if type_ is None:
        type_ = type_of_values([(k + 1, v) for k, v in enumerate(plain)], "the output")
        type_ = _with_classes(type_, _labels(plain))
    values = [_labelled(v, type_) for v in plain]
    try:
        return column_from([conform(v, type_) for v in values], type_)
    except TypeMismatch:
        for k, v in enumerate(values):
            try:
                column_from([conform(v, type_)], type_)
            except TypeMismatch as error:
                raise InputError(f"the output of example {k + 1}: {error}") from None
        raise


def _labels(values: Sequence[Any]) -> tuple[str, ...]:
    """The texts inside of values, sorted, each once."""
    found: Counter[str] = Counter()

    def look(value: Any) -> None:
        if isinstance(value, str):
            found[value] += 1
        elif isinstance(value, list | tuple):
            for each in value:
                look(each)

    for value in values:
        look(value)
    return tuple(sorted(found))


def _with_classes(type_: Type, labels: tuple[str, ...]) -> Type:
    """A type with labels in place of text, where there are not too many of them."""
    if type_ == TEXT and len(labels) <= _MOST_LABELS:
        return class_of(*labels)
    if type_.name == "list":
        return list_of(_with_classes(type_.item, labels))
    if type_.name == "option":
        return option_of(_with_classes(type_.item, labels))
    if type_.name == "pair":
        return pair_of(*(_with_classes(t, labels) for t in type_.args))
    return type_


def _labelled(value: Any, type_: Type) -> Any:
    """A value with whole numbers as labels where the type is a class of numbers."""
    if type_.name == "class" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if type_.name in ("list", "option") and isinstance(value, list):
        return [_labelled(v, type_.item) for v in value]
    if type_.name == "pair" and isinstance(value, list | tuple) and len(value) == 2:
        return tuple(_labelled(v, t) for v, t in zip(value, type_.args, strict=True))
    return value


def _hashable(answers: Column) -> list[Any]:
    from meristem.values import hashable

    return [hashable(v) for v in answers.to_list()]


def _groups(groups: Any, count: int) -> IntArray | None:
    if groups is None:
        return None
    listed = np.asarray(groups).tolist() if hasattr(groups, "__array__") else list(groups)
    if len(listed) != count:
        raise InputError(f"groups: expected one for each of the {count:,} examples, got {len(listed):,}")
    places: dict[Any, int] = {}
    return np.array([places.setdefault(g, len(places)) for g in listed], np.int64)


__all__ = ["ArrayTask", "Held", "answers_column", "array_task"]
