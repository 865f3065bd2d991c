"""Examples from what users hold: Python pairs, dicts, JSON, JSON lines, tables, SyGuS-IF files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from meristem.errors import InputError
from meristem.task import raw as raws
from meristem.task.cells import COMMAS, PERHAPS, POINTS, decimal_signs
from meristem.task.example_types import Cell, CommaCell, comma_numbers, conform
from meristem.task.examples import MISSING, ExampleTask, Given, Types, labels_of, short, stated_types, task_of
from meristem.task.frames import Frame, frame_of
from meristem.types import REAL, TEXT, Type, option_of
from meristem.values import filler

_INPUT, _OUTPUT = ("input", "inputs", "i", "in"), ("output", "o", "out")
_WORDS = {*_INPUT, *_OUTPUT}
_MOST_BYTES = 100_000_000
EXAMPLE_SUFFIXES = (".json", ".jsonl", ".ndjson", ".sl", ".sygus")
"""Endings of files that hold examples and are no tables."""


def read_examples(
    source: Any,
    names: Sequence[str] | None = None,
    types: Types | None = None,
    output: str | Type | None = None,
    further: Any = None,
    name: str | None = None,
    target: str | None = None,
) -> ExampleTask:
    """Read examples as a task; see `Task.from_examples`."""
    given = _given(source, names, target)
    more: list[tuple[Any, ...]] = []
    if further is not None:
        width = len(given.inputs[0]) if given.inputs else 1
        known = labels_of(width, names if names is not None else given.names, stated=names is not None)
        more = further_rows(further, width, known)
    return task_of(given, names, types, output, more, name)


def is_example_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds examples by its name, or, where that says nothing, by its first character."""
    place = Path(path)
    if place.suffix.lower() in EXAMPLE_SUFFIXES:
        return True
    if place.suffix.lower() not in ("", ".txt"):
        return False
    try:
        with place.open("rb") as stream:
            head = stream.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    return head.startswith((b"[", b"{", b"(set-logic", b"(synth-fun", b";"))


def _given(source: Any, names: Sequence[str] | None, target: str | None) -> Given:
    if isinstance(source, str | os.PathLike):
        return _from_path(Path(source), names, target)
    if isinstance(source, Frame):
        return from_frame(source, target, names)
    if isinstance(source, Mapping) and not any(word in source for word in ("examples", *_WORDS)):
        return from_frame(frame_of(source), target, names)
    if isinstance(source, Mapping):
        return _from_json(source, names, target)
    if hasattr(source, "columns") or hasattr(source, "__arrow_c_stream__"):
        return from_frame(frame_of(source), target, names)
    if isinstance(source, Iterable) and not isinstance(source, bytes | str):
        return _from_rows(list(source), names, target)
    raise InputError(
        "expected examples as pairs [(input, output), ...], dicts with 'input' and 'output', a table, or the path of "
        f"a .json, .jsonl, .csv or .sl file, got {type(source).__name__}"
    )


# ---------------------------------------------------------------------------------------------- files


def _from_path(place: Path, names: Sequence[str] | None, target: str | None) -> Given:
    if place.is_dir() or not place.exists() or not is_example_file(place):
        from meristem.reading.files import read_table

        return replace(
            from_frame(read_table(place), target, names), name=place.stem
        )  # says it if there is no such file
    text = _text(place)
    suffix = place.suffix.lower()
    if suffix in (".sl", ".sygus") or text.lstrip().startswith(("(", ";")):
        from meristem.reading.sygus import read_sygus

        found = read_sygus(text, repr(place.name))
    elif suffix in (".jsonl", ".ndjson"):
        found = _from_rows(_json_lines(text, place), names, target)
    else:
        found = _from_json(_json(text, place), names, target)
    return found if found.name != "program" else replace(found, name=place.stem)


def _text(place: Path) -> str:
    try:
        if place.stat().st_size > _MOST_BYTES:
            raise InputError(
                f"expected a file of at most {_MOST_BYTES // 1_000_000} MB of examples, {str(place)!r} is larger: "
                "programs are found from few examples"
            )
        data = place.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {str(place)!r}: {error.strerror or error}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected UTF-8 in {str(place)!r}, byte {error.start:,} is none; save it as UTF-8"
        ) from None
    if not text.strip():
        raise InputError(f"{str(place)!r} is empty; expected examples")
    return text


def _json(text: str, place: Path) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise InputError(f"{str(place)!r} holds JSON that nests too deep") from None
    except ValueError as error:
        try:  # JSON lines under the name of JSON
            return _json_lines(text, place)
        except InputError:
            raise InputError(f"{str(place)!r} is no JSON: {error}") from None


def _json_lines(text: str, place: Path) -> list[Any]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except RecursionError:
                raise InputError(f"{str(place)!r}, line {number}: JSON that nests too deep") from None
            except ValueError as error:
                raise InputError(f"{str(place)!r}, line {number}, is no JSON: {error}") from None
    return found


def _from_json(value: Any, names: Sequence[str] | None, target: str | None) -> Given:
    """A list of examples, or an object that holds one beside names, types and further inputs."""
    if isinstance(value, list):
        return _from_rows(value, names, target)
    if not isinstance(value, Mapping):
        raise InputError(f"expected a list of examples, got {short(value)}")
    if "examples" not in value:
        raise InputError(
            "expected an object with 'examples' (and perhaps 'further', 'names', 'types', 'output', 'name'), got one "
            f"with {', '.join(map(repr, list(value)[:6])) or 'nothing'}"
        )
    if not isinstance(value["examples"], list | tuple):
        raise InputError(f"'examples': expected a list, got {short(value['examples'])}")
    own = value.get("names")
    if own is not None and (not isinstance(own, list | tuple) or not all(isinstance(n, str) for n in own)):
        raise InputError(f"'names': expected a list of texts, got {short(own)}")
    found = _from_rows(list(value["examples"]), names if names is not None else own, target)
    labels = tuple(own) if own is not None else found.names
    width = len(found.inputs[0]) if found.inputs else 1
    if value.get("further") is not None:
        for row in further_rows(value["further"], width, labels):
            found.inputs.append(row)
            found.outputs.append(MISSING)
            found.numbers.append(len(found.numbers) + 1)
    if value.get("types") is not None or isinstance(value.get("output"), str):
        known = labels_of(width, labels, stated=own is not None)
        found.types, found.output_type = stated_types(value.get("types"), value.get("output"), known)
        labels = known
    found.names = labels
    if isinstance(value.get("name"), str) and value["name"]:
        found.name = value["name"]
    return found


# ---------------------------------------------------------------------------------------------- Python values


def _from_rows(rows: list[Any], names: Sequence[str] | None, target: str | None) -> Given:
    found = Given()
    if not rows:
        return found
    if all(isinstance(row, Mapping) for row in rows):
        return _from_dicts(rows, names, target)
    if target is not None:
        raise InputError(f"target: expected examples with named columns for the target {target!r}, got pairs")
    many = names is not None and not isinstance(names, str) and len(names) != 1
    one = names is not None and not many
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list | tuple) or len(row) != 2:
            hint = (
                "; several inputs are written as ((x1, x2), output)" if isinstance(row, list | tuple) else ""
            )
            raise InputError(f"expected a pair (input, output) as example {number}, got {short(row)}{hint}")
        argument, answer = row
        found.inputs.append(_arguments(argument, many, one, number))
        found.outputs.append(answer)
        found.numbers.append(number)
    return found


def _arguments(argument: Any, many: bool, one: bool, number: int) -> tuple[Any, ...]:
    """The inputs of an example: a tuple holds several, unless one name is stated; a list only where several are."""
    if one:
        return (argument,)
    if isinstance(argument, tuple):
        if not argument:
            raise InputError(f"expected at least one input in example {number}, got none")
        return argument
    if many:
        if not isinstance(argument, list):
            raise InputError(f"expected a list or tuple of inputs in example {number}, got {short(argument)}")
        return tuple(argument)
    return (argument,)


def _from_dicts(rows: list[Mapping[str, Any]], names: Sequence[str] | None, target: str | None) -> Given:
    found = Given()
    first = rows[0]
    given = next((w for w in _INPUT if w in first), None)
    if target is not None or given is None or not set(first) <= _WORDS:
        return _from_records(rows, names, target)
    many = given == "inputs" or (names is not None and not isinstance(names, str) and len(names) != 1)
    answer = next((w for row in rows for w in _OUTPUT if w in row), "output")
    labels: tuple[str, ...] | None = None
    inside = first[given]
    if given == "inputs" and isinstance(inside, Mapping) and set(names or ()) == set(inside):
        labels = tuple(names or ())
    for number, row in enumerate(rows, 1):
        if given not in row or set(row) - {given, answer}:
            raise InputError(
                f"expected {given!r} and {answer!r} in example {number}, as in the first, got "
                f"{', '.join(map(repr, list(row)[:6])) or 'nothing'}"
            )
        argument = row[given]
        if given == "inputs" and isinstance(argument, Mapping):
            labels = tuple(map(str, argument)) if labels is None else labels
            if set(argument) != set(labels):
                raise InputError(
                    f"expected the inputs {', '.join(map(repr, labels))} in example {number}, got "
                    f"{', '.join(map(repr, list(argument)[:6])) or 'none'}"
                )
            found.inputs.append(tuple(argument[label] for label in labels))
        else:
            found.inputs.append(_arguments(argument, many, False, number) if many else (argument,))
        found.outputs.append(row.get(answer, MISSING))
        found.numbers.append(number)
    found.names = labels
    return found


def _from_records(rows: list[Mapping[str, Any]], names: Sequence[str] | None, target: str | None) -> Given:
    """Flat records: the target is the answer, or the last field; the others are the inputs."""
    found = Given()
    fields = list(dict.fromkeys(str(key) for row in rows for key in row))
    answer, chosen = _columns(fields, names, target)
    for number, row in enumerate(rows, 1):
        lacking = [field for field in chosen if field not in row]
        if lacking:
            raise InputError(
                f"expected the field {lacking[0]!r} in example {number}, as in others; it is not there"
            )
        found.inputs.append(tuple(row[field] for field in chosen))
        found.outputs.append(row.get(answer, MISSING))
        found.numbers.append(number)
    found.names, found.output = tuple(chosen), answer
    return found


def _columns(fields: Sequence[str], names: Sequence[str] | None, target: str | None) -> tuple[str, list[str]]:
    """The column of the answers and those of the inputs."""
    if len(fields) < 2:
        raise InputError(
            f"expected two columns or more, inputs and last the output, got {', '.join(map(repr, fields)) or 'none'}"
        )
    answer = fields[-1] if target is None else target
    if answer not in fields:
        from meristem.task.schema import close_names

        raise InputError(f"target: there is no column {answer!r}; {close_names(answer, tuple(fields))}")
    others = [field for field in fields if field != answer]
    if names is not None and not isinstance(names, str) and set(names) <= set(others):
        others = list(names)  # names that are columns choose the inputs
    return answer, others


def further_rows(
    further: Any, width: int, names: Sequence[str] | None, others: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Inputs without answers: a list of inputs, or the path of a file of them; `others` for what rows by name lack.

    Raises:
        InputError: They are no such list.
    """
    if isinstance(further, str | os.PathLike):
        place = Path(further)
        if is_example_file(place):
            text = _text(place)
            lines = place.suffix.lower() in (".jsonl", ".ndjson")
            further = _json_lines(text, place) if lines else _json(text, place)
        else:
            from meristem.reading.files import read_table

            frame = read_table(place)
            labels = [n for n in names or () if n in frame.places] or list(frame.names)[:width]
            columns = [
                column_values(frame, label) for label in labels
            ]  # their cells are read with the examples'
            return list(zip(*columns, strict=True))
    if isinstance(further, Mapping) or not isinstance(further, Iterable) or isinstance(further, bytes):
        raise InputError(f"further: expected a list of inputs, got {short(further)}")
    rows = ({**others, **row} if others and isinstance(row, Mapping) else row for row in further)
    return [as_arguments(row, width, names, k) for k, row in enumerate(rows, 1)]


def as_arguments(row: Any, width: int, names: Sequence[str] | None, number: int) -> tuple[Any, ...]:
    """The inputs that one row without an answer says.

    Raises:
        InputError: They are not as many as wanted.
    """
    if isinstance(row, Mapping) and names is not None and set(map(str, row)) >= set(names):
        return tuple(row[name] for name in names)
    if isinstance(row, Mapping) and len(row) <= 2 and any(w in row for w in _INPUT):
        row = row[next(w for w in _INPUT if w in row)]
        if isinstance(row, Mapping) and names is not None and set(map(str, row)) >= set(names):
            return tuple(row[name] for name in names)
    if width == 1:
        return row if isinstance(row, tuple) and len(row) == 1 else (row,)
    if not isinstance(row, list | tuple) or len(row) != width:
        raise InputError(f"expected {width} inputs in row {number}, got {short(row)}")
    return tuple(row)


# ---------------------------------------------------------------------------------------------- tables


def from_frame(frame: Frame, target: str | None = None, names: Sequence[str] | None = None) -> Given:
    """The examples of a table: the target is the answer, or the last column; rows without it are further inputs.

    Args:
        frame: The table.
        target: The column of the answers.
        names: Columns that are the inputs, in place of all others.

    Raises:
        InputError: There is no such column, or a column cannot be read.
    """
    answer, chosen = _columns(frame.names, names, target)
    notes = list(frame.notes)
    found = Given(names=tuple(chosen), output=answer, notes=notes)
    columns = []
    for name in chosen:
        columns.append(column_values(frame, name))
    answers = column_values(frame, answer)
    found.inputs = list(zip(*columns, strict=True))
    found.outputs = [MISSING if v is None else v for v in answers]
    # A row is counted as a reader of the file counts it: the first after the header is 1.
    found.numbers = list(range(1, len(answers) + 1))
    return found


def column_values(frame: Frame, name: str, number: bool = False) -> list[Any]:
    """The Python values of a column of a table, None where a cell is empty.

    Text files have no types: their cells come as `Cell`, and what they say is found out from the whole column.

    Args:
        frame: The table.
        name: Of the column.
        number: Whether it is known to hold reals: then `1,234` is one with a decimal comma where semicolons stand
            between the cells.

    Raises:
        InputError: The column is of a kind that is not read.
    """
    raw = frame.column(name)
    if isinstance(raw, raws.Unreadable):
        raise InputError(f"the column {name!r} cannot be read: {raw.reason}")
    if isinstance(raw, raws.Strings | raws.ArrowStrings):
        strings = raws.interned(raw)
        kind = CommaCell if _with_commas(frame, list(strings.pool), number) else Cell
        pool = [kind(text) for text in strings.pool]
        return [None if code < 0 or not pool[code] else pool[code] for code in strings.codes.tolist()]
    if isinstance(raw, raws.Flags):
        return [
            v if there else None for v, there in zip(raw.data.tolist(), raw.present.tolist(), strict=True)
        ]
    if isinstance(raw, raws.Moments):
        moments = np.asarray(raw.data).astype("datetime64[us]").tolist()
        return [v if there else None for v, there in zip(moments, raw.present.tolist(), strict=True)]
    missing = np.isnan(raw.data).tolist()
    data = raw.data.tolist()
    return [None if gone else int(v) if raw.integer else v for v, gone in zip(data, missing, strict=True)]


def _with_commas(frame: Frame, texts: Sequence[str], number: bool) -> bool:
    """Whether the cells of a column are numbers with decimal commas; a comma between cells leaves none for that."""
    if frame.delimiter in ("", ",") or frame.comma == POINTS:
        return False
    if not comma_numbers([t for t in texts if t], frame.comma >= (PERHAPS if number else COMMAS)):
        return False
    # Points in another column may be what the commas are to become: then both are texts to be rewritten.
    return number or frame.comma == COMMAS or not any(_has_points(frame, name) for name in frame.names)


def _has_points(frame: Frame, name: str) -> bool:
    raw = frame.column(name)
    return isinstance(raw, raws.Strings | raws.ArrowStrings) and any(
        decimal_signs(text) == "." for text in raws.interned(raw).pool
    )


def read_inputs(
    path: str | os.PathLike[str], inputs: Mapping[str, Type], needed: Sequence[str] | None = None
) -> list[tuple[Any, ...]]:
    """The inputs of a program from a file: a table with columns of their names, or JSON.

    Args:
        path: The file.
        inputs: The type of each input, by name.
        needed: The inputs that count, all where left out; in place of the others stands any value of their type.

    Raises:
        InputError: It cannot be read, or lacks an input that counts.
    """
    place = Path(path)
    names = tuple(inputs)
    if is_example_file(place):
        return further_rows(place, len(names), names, stand_ins(inputs, needed))
    from meristem.reading.files import read_table

    return frame_inputs(read_table(place), inputs, needed)


def stand_ins(inputs: Mapping[str, Type], needed: Sequence[str] | None) -> dict[str, Any]:
    """A value for each input that does not count."""
    others = {} if needed is None else {name: t for name, t in inputs.items() if name not in needed}
    return {name: filler(type_, 1).to_list()[0] for name, type_ in others.items()}


def frame_inputs(
    frame: Frame, inputs: Mapping[str, Type], needed: Sequence[str] | None = None
) -> list[tuple[Any, ...]]:
    """The inputs of a program from the columns of a table; for `needed` see `read_inputs`.

    Raises:
        InputError: One of them is not there.
    """
    columns: list[list[Any]] = []
    others = stand_ins(inputs, needed)
    for name, type_ in inputs.items():
        if name in others:
            columns.append([others[name]] * len(frame))
            continue
        if name not in frame.places:
            from meristem.task.schema import close_names

            raise InputError(f"there is no column {name!r} for the input; {close_names(name, frame.names)}")
        values = column_values(frame, name, type_ in (REAL, option_of(REAL)))
        if type_ == TEXT:
            values = ["" if v is None else v for v in values]
        columns.append([conform(v, type_) for v in values])
    return list(zip(*columns, strict=True))


__all__ = [
    "EXAMPLE_SUFFIXES",
    "as_arguments",
    "column_values",
    "frame_inputs",
    "from_frame",
    "is_example_file",
    "read_examples",
    "read_inputs",
    "stand_ins",
]
