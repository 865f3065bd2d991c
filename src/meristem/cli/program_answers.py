"""`meristem predict` and `meristem score` for programs from examples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.cli.session import say, warn
from meristem.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from meristem.model import ProgramModel
    from meristem.task.frames import Frame
    from meristem.types import Type

_SHOWN = 10  # wrong answers that are told
_CLOSE = 1e-9  # reals that differ by no more are equal, as while growing


def answers_table(model: ProgramModel, data: Path, keep: Sequence[str], fill: bool, text: bool) -> pa.Table:
    """The answers for the rows of a file, in their order: an Arrow table of N rows.

    Args:
        model: What answers.
        data: A table with a column for each input, or inputs as JSON.
        keep: Columns of the table to carry over.
        fill: Whether to give the whole table with the empty cells of the answer's column filled.
        text: Whether it goes into a text file, where lists are written as JSON.

    Raises:
        InputError: A column is missing, or the file is no table where one is needed.
    """
    import pyarrow as pa

    from meristem.model.program_model import failure_words
    from meristem.reading.examples import is_example_file, read_inputs

    frame: Frame | None = None
    if is_example_file(data):
        if keep or fill:
            raise InputError(f"{'--keep' if keep else '--fill'}: expected a table, got {str(data)!r}")
        rows = read_inputs(data, model.program.inputs, model.needed)
    else:
        from meristem.reading.examples import frame_inputs
        from meristem.reading.files import read_table

        frame = read_table(data)
        rows = frame_inputs(frame, model.program.inputs, model.needed)
    answers, failures = model.answers_for(rows)
    if fill:
        assert frame is not None
        return _filled(model, frame, answers, failures, text)
    if failures:
        warn(failure_words(failures, len(answers)).replace("None stands there", "their cells are empty"))
    columns: dict[str, Any] = {}
    if frame is not None:
        columns = _kept(frame, keep)
    if "prediction" in columns:
        raise InputError(
            "--keep: the column 'prediction' has the name of the column of answers; rename it in the table first"
        )
    columns["prediction"] = _arrow(answers, model.program.target, text)
    return pa.table(columns)


def _kept(frame: Frame, keep: Sequence[str]) -> dict[str, Any]:
    from meristem.cli.tables import arrow_column
    from meristem.task.schema import close_names

    for name in keep:
        if name not in frame.places:
            raise InputError(f"--keep: there is no column {name!r}; {close_names(name, frame.names)}")
    return {name: arrow_column(frame.column(name), name) for name in keep}


def _filled(
    model: ProgramModel, frame: Frame, answers: list[Any], failures: dict[int, str], text: bool
) -> pa.Table:
    """The table with the empty cells of the answer's column filled; a column at the end where there was none."""
    import pyarrow as pa

    from meristem.cli.tables import arrow_column
    from meristem.model.program_model import failure_words
    from meristem.reading.examples import column_values
    from meristem.task.example_types import CommaCell

    columns = {name: arrow_column(frame.column(name), name) for name in frame.names}
    found = _arrow(answers, model.program.target, text)
    there = columns.get(model.output)
    empty = [True] * len(answers) if there is None else there.is_null().to_pylist()
    left = {k: why for k, why in failures.items() if empty[k]}
    if left:
        warn(failure_words(left, len(answers)).replace("None stands there", "their cells stay empty"))
    if there is not None:
        if pa.types.is_string(there.type) or pa.types.is_large_string(there.type):
            commas = any(isinstance(v, CommaCell) for v in column_values(frame, model.output, number=True))
            texts = [None if v is None else _cell(v, commas) for v in answers]
            values = [new if old is None else old for old, new in zip(there.to_pylist(), texts, strict=True)]
            found = pa.array(values, pa.large_string())
        else:
            found = pa.array(
                [v if gone else old for v, gone, old in zip(answers, empty, there.to_pylist(), strict=True)]
            )
    columns[model.output] = found
    return pa.table(columns)


def _cell(value: Any, commas: bool = False) -> str:
    """A value in a text file; `commas` are decimal ones."""
    from meristem.model.value_text import json_value

    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return repr(value).replace(".", ",") if commas else repr(value)
    plain = json_value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _arrow(values: list[Any], type_: Type, text: bool) -> Any:
    import pyarrow as pa

    from meristem.model.value_text import json_value

    kinds = {"bool": pa.bool_(), "int": pa.int64(), "real": pa.float64(), "text": pa.large_string()}
    kind = (type_.item if type_.name == "option" else type_).name
    if kind in kinds and not (text and kind == "bool"):
        return pa.array(values, kinds[kind])
    if kind == "datetime" and not text:
        return pa.array(values, pa.timestamp("us"))
    if text or any(t.name in ("map", "pair", "row") for t in type_.walk()):
        return pa.array([None if v is None else _cell(v) for v in values], pa.large_string())
    return pa.array([json_value(v) for v in values])


def score_program(model: ProgramModel, data: Path, as_json: bool) -> None:
    """Count how many examples of a file a program answers, and tell those that it does not.

    Raises:
        InputError: The file holds no examples with the inputs of the program.
    """
    from meristem.model.value_text import value_text
    from meristem.reading.examples import is_example_file, read_examples, stand_ins
    from meristem.reading.files import read_table
    from meristem.search.programs.check import same

    target = _answers_in(model, data)
    others = {}
    if not is_example_file(data):  # a table need not have what the program does not use
        there = read_table(data).places
        others = {n: v for n, v in stand_ins(model.program.inputs, model.needed).items() if n not in there}
    types = {name: type_ for name, type_ in model.program.inputs.items() if name not in others}
    if not types:
        name = model.names[0]
        types[name] = model.program.inputs[name]
    task = read_examples(data, list(types), list(types.values()), model.program.target, None, None, target)
    given = [dict(zip(types, task.arguments(k), strict=True)) for k in range(len(task))]
    rows = [tuple(row[name] if name in row else others[name] for name in model.names) for row in given]
    answers, failures = model.answers_for(rows)
    wanted = task.answers.to_list()
    wrong = [
        k
        for k, (got, want) in enumerate(zip(answers, wanted, strict=True))
        if k in failures or not same(got, want, model.program.target, _CLOSE)
    ]
    right = len(rows) - len(wrong)
    if as_json:
        found = {
            "rows": len(rows),
            "right": right,
            "share": right / len(rows),
            "wrong": [task.numbers[k] for k in wrong],
        }
        say(json.dumps(found, allow_nan=False))
        return
    say(f"{right:,} of {len(rows):,} examples right")
    for k in wrong[:_SHOWN]:
        got = f"nothing: {failures[k]}" if k in failures else value_text(answers[k])
        say(f"  {task.shown(k)}, the program gives {got}")
    if len(wrong) > _SHOWN:
        say(f"  and {len(wrong) - _SHOWN:,} more")


def _answers_in(model: ProgramModel, data: Path) -> str | None:
    """The column of the answers where a table has one of the model's name; else the last one is taken."""
    from meristem.reading.examples import is_example_file

    if is_example_file(data):
        return None
    from meristem.reading.files import read_table

    return model.output if model.output in read_table(data).places else None


__all__ = ["answers_table", "score_program"]
