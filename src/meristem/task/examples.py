"""ExampleTask: what a program should answer, as input-output examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from meristem.errors import InputError, TypeMismatch
from meristem.task.example_types import Cell, CommaCell, cells, conform, plain_value, type_of_values
from meristem.task.task import Finding
from meristem.types import REAL, TEXT, Type, option_of, parse_type
from meristem.values import Column, column_from, filler, hashable

Types = str | Type | Mapping[str, str | Type] | Sequence[str | Type]
"""Types as they may be stated: `"list[int], int -> text"`, one a name, or one an input in their order."""

_MOST = 5000  # examples; each candidate program runs on each
_SHOWN = 60  # characters of a value that a message shows


@dataclass(frozen=True)
class ExampleTask:
    """What a program should answer, as input-output examples. Made by `Task.from_examples`.

    Args:
        name: A name for a person.
        inputs: The inputs by name, each a column [N].
        answers: The wanted answers [N].
        further: Inputs without answers, a column [M] each; M may be 0.
        output: The name of the answer.
        numbers: For each example its place in what was given, from 1; equal examples were merged.
        contradictions: Pairs of positions of examples that have equal inputs and different answers.
        findings: What reading found, for the user to know.
    """

    name: str
    inputs: dict[str, Column]
    answers: Column
    further: dict[str, Column]
    output: str = "output"
    numbers: tuple[int, ...] = ()
    contradictions: tuple[tuple[int, int], ...] = ()
    findings: tuple[Finding, ...] = ()

    kind = "program"

    @property
    def input_types(self) -> dict[str, Type]:
        """The type of each input."""
        return {name: column.type for name, column in self.inputs.items()}

    def __len__(self) -> int:
        return len(self.answers)

    def __repr__(self) -> str:
        types = ", ".join(f"{name}: {type_}" for name, type_ in self.input_types.items())
        return f"<task {self.name!r}: {len(self):,} examples, {types} -> {self.answers.type}>"

    def arguments(self, position: int) -> tuple[Any, ...]:
        """The inputs of one example."""
        return tuple(column[position] for column in self.inputs.values())

    def shown(self, position: int) -> str:
        """One example for a message: its number, its inputs and its answer."""
        inputs = ", ".join(short(value) for value in self.arguments(position))
        return f"example {self.numbers[position]}: {inputs} -> {short(self.answers[position])}"

    def contradiction_words(self, most: int = 3) -> str:
        """Which examples contradict each other, with their values; empty where none do."""
        if not self.contradictions:
            return ""
        pairs = [f"({self.shown(a)}) and ({self.shown(b)})" for a, b in self.contradictions[:most]]
        more = len(self.contradictions) - most
        return "; ".join(pairs) + (f"; and {more:,} more such pairs" if more > 0 else "")


@dataclass
class Given:
    """Examples as they were read, before they have types.

    Args:
        inputs: The inputs of each row, as many everywhere.
        outputs: The answer of each row, or `MISSING`.
        names: The names of the inputs where the source has some.
        types: Stated by the source: by name of the input.
        output_type: Stated by the source.
        output: The name of the answer.
        name: Of the task.
        numbers: The number of each row in its source; counted from 1 where left out.
        word: What a row is called in messages.
        notes: What reading found.
    """

    inputs: list[tuple[Any, ...]] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    names: tuple[str, ...] | None = None
    types: dict[str, Type] = field(default_factory=dict)
    output_type: Type | None = None
    output: str = "output"
    name: str = "program"
    numbers: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Missing:
    """Stands for an answer that is not there."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


def short(value: Any) -> str:
    """A value in a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def task_of(
    given: Given,
    names: Sequence[str] | None = None,
    types: Types | None = None,
    output: str | Type | None = None,
    further: Iterable[tuple[Any, ...]] = (),
    name: str | None = None,
) -> ExampleTask:
    """Types for what was read, columns, and what is to be said about them.

    Args:
        given: The examples.
        names: Names of the inputs, in place of those that the source has.
        types: Types of the inputs, and perhaps of the output.
        output: The type of the output.
        further: Inputs without answers.
        name: A name for the task.

    Raises:
        InputError: There are no examples, or they do not fit together; says which.
    """
    if not given.inputs:
        raise InputError("expected at least one example, got none; give pairs such as [(3, 6), (5, 10)]")
    width = len(given.inputs[0])
    labels = labels_of(width, names if names is not None else given.names, stated=names is not None)
    numbers = given.numbers or list(range(1, len(given.inputs) + 1))
    for row, n in zip(given.inputs, numbers, strict=True):
        if len(row) != width:
            raise InputError(
                f"expected as many inputs in every example, got {width} in example {numbers[0]} and {len(row)} in "
                f"example {n}"
            )
    found = {label: given.types[old] for old, label in _old_names(given, labels) if old in given.types}
    wanted, result = stated_types(types, output, labels)
    found.update(wanted)
    result = result if result is not None else given.output_type
    known = [k for k, answer in enumerate(given.outputs) if answer is not MISSING]
    if not known:
        raise InputError(
            "expected examples with answers, got inputs only; fill in the answer of a few of them"
        )
    if len(known) > _MOST:
        raise InputError(
            f"expected at most {_MOST:,} examples, got {len(known):,}: a program is found from few; give the most "
            "telling ones, and the inputs of the others as further="
        )
    rest = [given.inputs[k] for k, answer in enumerate(given.outputs) if answer is MISSING]
    rest_numbers = [numbers[k] for k, answer in enumerate(given.outputs) if answer is MISSING]
    for k, row in enumerate(further):
        if len(row) != width:
            raise InputError(f"expected {width} inputs in each row of further, got {len(row)} in row {k + 1}")
        rest.append(row)
        rest_numbers.append(k + 1)
    inputs: dict[str, Column] = {}
    unlabelled: dict[str, Column] = {}
    for place, label in enumerate(labels):
        what = f"the input {label!r}" if width > 1 else "the input"
        values = [
            (n, given.inputs[k][place]) for k, n in enumerate(numbers) if given.outputs[k] is not MISSING
        ]
        more = [(n, row[place]) for n, row in zip(rest_numbers, rest, strict=True)]
        column = _column(values + more, found.get(label), what)
        inputs[label] = column.take(_range(0, len(values)))
        unlabelled[label] = column.take(_range(len(values), len(values) + len(more)))
    answers = _column([(numbers[k], given.outputs[k]) for k in known], result, "the output")
    notes = [Finding("note", "", text) for text in given.notes]
    with_commas = [
        (label, next((v for v in values if isinstance(v, CommaCell) and "," in v), ""))
        for label, column, values in (
            *((label, inputs[label], [row[k] for row in given.inputs]) for k, label in enumerate(labels)),
            (given.output, answers, given.outputs),
        )
        if column.type in (REAL, option_of(REAL))
    ]
    for label, example in with_commas:
        if example:
            said = f"{label!r} has decimal commas: {str(example)!r} is read as {example.replace(',', '.')}"
            notes.append(Finding("commas", label, said))
    return _merged(
        ExampleTask(
            name or given.name,
            inputs,
            answers,
            unlabelled,
            given.output,
            tuple(numbers[k] for k in known),
            (),
            tuple(notes),
        )
    )


def _range(start: int, stop: int) -> Any:
    import numpy as np

    return np.arange(start, stop, dtype=np.int64)


def labels_of(width: int, names: Sequence[str] | None, stated: bool) -> tuple[str, ...]:
    """The names of so many inputs: those given, or `x`, or `x1`, `x2` and so on.

    Raises:
        InputError: They are not as many, or not distinct.
    """
    if names is None:
        return ("x",) if width == 1 else tuple(f"x{k + 1}" for k in range(width))
    labels = (names,) if isinstance(names, str) else tuple(names)
    if len(labels) != width and not stated:
        raise InputError(f"expected {width} names of inputs, the source has {len(labels)}")
    if len(labels) != width:
        raise InputError(f"names: expected {width} names of inputs, got {len(labels)}: {short(list(labels))}")
    if any(not isinstance(label, str) or not label for label in labels):
        raise InputError(f"names: expected names of inputs as text, got {short(list(labels))}")
    if len(set(labels)) < len(labels):
        raise InputError(f"names: expected distinct names of inputs, got {short(list(labels))}")
    return labels


def _old_names(given: Given, labels: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(given.names if given.names is not None else labels, labels, strict=True))


def _type(text: str | Type, what: str) -> Type:
    try:
        found = parse_type(text) if isinstance(text, str) else text
    except TypeMismatch as error:
        raise InputError(
            f"{what}: {error}; types are written as list[int], pair[int, text], option[real]"
        ) from None
    if not found.ground or found.is_function:
        raise InputError(f"{what}: expected the type of data, got {found}")
    return found


def stated_types(
    types: Types | None, output: str | Type | None, labels: tuple[str, ...]
) -> tuple[dict[str, Type], Type | None]:
    """The types that the user stated, of inputs and of the output.

    Raises:
        InputError: They cannot be read, or do not fit the inputs.
    """
    result = None if output is None else _type(output, "output")
    if types is None:
        return {}, result
    if isinstance(types, str | Type):
        try:
            whole = parse_type(types) if isinstance(types, str) else types
        except TypeMismatch:
            whole = None
        if whole is not None and whole.is_function:
            if len(whole.parameters) != len(labels):
                raise InputError(
                    f"types: expected {len(labels)} inputs, got {len(whole.parameters)} in {types!s:.80}"
                )
            found = {n: _type(t, f"types[{n!r}]") for n, t in zip(labels, whole.parameters, strict=True)}
            return found, _type(whole.result, "types") if result is None else result
        types = (types,)
    if isinstance(types, Mapping):
        for label in types:
            if label not in labels:
                raise InputError(
                    f"types: there is no input {label!r}; the inputs are {', '.join(map(repr, labels))}"
                )
        return {n: _type(t, f"types[{n!r}]") for n, t in types.items()}, result
    if len(types) != len(labels):
        raise InputError(f"types: expected {len(labels)} types of inputs, got {len(types)}")
    return {n: _type(t, f"types[{n!r}]") for n, t in zip(labels, types, strict=True)}, result


def _column(values: list[tuple[int, Any]], stated: Type | None, what: str) -> Column:
    if all(v is None or isinstance(v, Cell) for _, v in values):  # a column of a text file
        said = cells(["" if v is None else v for _, v in values]) if stated in (None, TEXT) else None
        if said is not None and (stated == TEXT or all(isinstance(v, str) for v in said)):
            stated = TEXT
            values = [(n, "" if v is None else str(v)) for n, v in values]
        elif said is not None:
            values = [(n, None if v is None else found) for (n, v), found in zip(values, said, strict=True)]
    plain = [(n, plain_value(v, n, what)) for n, v in values]
    if stated is None and any(
        isinstance(v, Cell) for _, v in values
    ):  # a file of inputs to examples from elsewhere
        stated = type_of_values([(n, v) for n, v in plain if not isinstance(v, Cell)], what)
    if stated is None:
        stated = type_of_values(plain, what)
    try:
        return column_from([conform(v, stated) for _, v in plain], stated) if plain else filler(stated, 0)
    except TypeMismatch:
        pass
    for n, v in plain:  # once more one by one, to say which
        try:
            column_from([conform(v, stated)], stated)
        except TypeMismatch as error:
            raise InputError(
                f"{what} of example {n}: {error}, which does not fit the type {stated}"
            ) from None
    raise InputError(f"{what}: the values do not fit the type {stated}")


def _merged(task: ExampleTask) -> ExampleTask:
    """The task with equal examples merged, and what is to be said about the examples."""
    import numpy as np

    columns = [column.to_list() for column in task.inputs.values()]
    rows = (
        [tuple(hashable(v) for v in row) for row in zip(*columns, strict=True)]
        if columns
        else [()] * len(task)
    )
    answers = [hashable(v) for v in task.answers.to_list()]
    first: dict[tuple[Any, Any], int] = {}
    for k, key in enumerate(zip(rows, answers, strict=True)):
        first.setdefault(key, k)
    kept = sorted(first.values())
    position = {k: i for i, k in enumerate(kept)}
    by_input: dict[Any, list[int]] = {}
    for k in kept:
        by_input.setdefault(rows[k], []).append(position[k])
    clashes = tuple((group[0], other) for group in by_input.values() for other in group[1:])
    findings = list(task.findings)
    if len(kept) < len(task):
        findings.append(
            Finding(
                "duplicates", "", f"{len(task) - len(kept):,} examples stand there twice; they count once"
            )
        )
    places = np.array(kept, np.int64)
    made = ExampleTask(
        task.name,
        {name: column.take(places) for name, column in task.inputs.items()},
        task.answers.take(places),
        task.further,
        task.output,
        tuple(task.numbers[k] for k in kept),
        clashes,
    )
    if len(kept) == 1:
        findings.append(
            Finding(
                "few", "", "there is one example: very many programs give it; add two or three that differ"
            )
        )
    if clashes:
        text = f"examples contradict each other: {made.contradiction_words()}"
        findings.append(Finding("contradiction", "", text))
    if len(set(answers)) == 1 and len(kept) > 1:
        findings.append(Finding("constant", task.output, "all examples have the same answer"))
    return ExampleTask(
        made.name,
        made.inputs,
        made.answers,
        made.further,
        made.output,
        made.numbers,
        made.contradictions,
        tuple(findings),
    )


__all__ = ["MISSING", "ExampleTask", "Given", "Types", "labels_of", "short", "stated_types", "task_of"]
