"""`meristem predict`: a row of predictions for each row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.cli.places import check_place
from meristem.cli.session import say, warn
from meristem.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from meristem.model import Model
    from meristem.task.frames import Frame

LEVEL = 0.9
"""Share of answers that the columns `low` and `high` hold between them."""


def predict_command(
    model_path: Path,
    data: Path,
    out: str,
    proba: bool,
    keep: Sequence[str],
    quiet: bool,
    fill: bool = False,
) -> None:
    """Predict a table and write what came out.

    Raises:
        InputError: The table lacks a column, a kept column clashes, or the place cannot be written.
    """
    from meristem.cli.tables import format_of, write_table

    how = format_of(out)
    if out != "-":
        check_place(Path(out), "--out", (data, model_path))
    from meristem.model import ProgramModel, load
    from meristem.reading import read_table

    model = load(model_path)
    if isinstance(model, ProgramModel):
        from meristem.cli.program_answers import answers_table

        table = answers_table(model, data, keep, fill, text=how.text)
    else:
        if fill:
            raise InputError(
                "--fill: only programs from examples fill a table; use --keep to carry columns over"
            )
        table = predictions(model, read_table(data), proba, keep, text_labels=how.text)
    write_table(table, out, how)
    if out != "-" and not quiet:
        rows = table.num_rows
        say(f"{rows:,} {'prediction' if rows == 1 else 'predictions'} in {out}")


def predictions(
    model: Model, frame: Frame, proba: bool = True, keep: Sequence[str] = (), text_labels: bool = False
) -> pa.Table:
    """Predictions for the rows of a frame, in their order: an Arrow table of N rows.

    The columns: those kept, `prediction`, and with `proba` one `probability_LABEL` a class, or `low` and `high`,
    between which 90 % of the answers lie, for numbers.

    Args:
        model: What predicts.
        frame: The table.
        proba: Whether to add probabilities or bounds.
        keep: Columns of the frame to carry over.
        text_labels: Whether classes are written as the text they had in the training table, for text files.

    Raises:
        InputError: A column is missing or not what it was in training, or a kept column has the name of a new one.
    """
    import pyarrow as pa

    from meristem.cli.tables import arrow_column, labels_column
    from meristem.task.schema import close_names

    for name in keep:
        if name not in frame.places:
            raise InputError(f"--keep: there is no column {name!r}; {close_names(name, frame.names)}")
    rows, notes = model.schema.rows(frame)
    for text in notes:
        warn(text)
    values = model.run_rows(rows)
    made: dict[str, Any] = {}
    if model.kind == "classification":
        made["prediction"] = labels_column(model, values, text_labels)
        if proba:
            for k, label in enumerate(model.schema.target.type.labels):
                made[f"probability_{label}"] = pa.array(values[:, k])
    else:
        made["prediction"] = pa.array(values)
        if proba and model.residuals is not None:
            low, high = model.interval_of(LEVEL)
            made["low"], made["high"] = pa.array(values + low), pa.array(values + high)
    columns: dict[str, Any] = {}
    for name in keep:
        if name in made:
            raise InputError(
                f"--keep: the column {name!r} has the name of a column of predictions; rename it in the table first"
            )
        columns[name] = arrow_column(frame.column(name), name)
    columns.update(made)
    return pa.table(columns)
