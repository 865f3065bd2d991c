"""Model: a program with the schema it reads by and the report of how it was grown. What a user holds."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, InputError, MeristemError, Reason
from meristem.language.kinds import flatten_fit, unflatten_fit
from meristem.model.file import pack, read_bytes, unpack, write_whole
from meristem.model.program import Program
from meristem.modules.blend import values_of
from meristem.task.schema import Schema
from meristem.values import Column, Rows, decode_column, encode_column, filler, read_type

if TYPE_CHECKING:
    from meristem.model.program_model import ProgramModel
    from meristem.model.report import Report

RealArray = NDArray[np.float64]

_MOST_NOTES = 3  # warnings of one call


class DataWarning(UserWarning):
    """Something about the data of a prediction that the user should know."""


@dataclass(frozen=True)
class Model:
    """A grown model.

    Args:
        program: What it computes.
        schema: How it reads a table.
        record: The report of how it was grown, as plain JSON values.
        costs: Cost matrix [K, K] by which it decides between classes; None takes the likeliest.
        residuals: Sorted quantiles of answer minus prediction on held-out rows, for intervals of numbers.
        example: A row of medians and most frequent labels, for pictures; None when there is none.
    """

    program: Program
    schema: Schema
    record: Mapping[str, Any] = field(repr=False)
    costs: RealArray | None = None
    residuals: RealArray | None = field(default=None, repr=False)
    example: Column | None = field(default=None, repr=False)

    # ------------------------------------------------------------------------------------------ prediction

    @property
    def kind(self) -> str:
        """`classification` or `regression`."""
        return self.schema.target.kind

    @property
    def hash(self) -> str:
        """SHA-256 of the program: its term and every byte of its arrays."""
        return self.program.hash

    @cached_property
    def classes_(self) -> NDArray[Any]:
        """The class labels as they stood in the training data, in the order of `predict_proba`'s columns."""
        if self.kind != "classification":
            raise InputError("this model predicts numbers, it has no classes")
        values = self.schema.target.values
        if all(isinstance(v, str) for v in values):
            return np.array(values, dtype=np.str_)
        if len({type(v) for v in values}) == 1:
            return np.array(values)
        return np.array(values, dtype=object)

    def _run(self, source: Any) -> RealArray:
        """Probabilities [N, K] or numbers [N] for a table-like value."""
        if isinstance(source, str | os.PathLike):
            # An import that points upward, as in `Task.from_table`: only who passes a file needs what reads files.
            from meristem.reading import read_table

            source = read_table(source)
        rows, notes = self.schema.rows(source)
        if len(notes) > _MOST_NOTES:
            notes = [
                f"{'; '.join(notes[: _MOST_NOTES - 1])}; and {len(notes) - _MOST_NOTES + 1:,} more such notes"
            ]
        for note in notes:
            warnings.warn(note, DataWarning, stacklevel=3)
        return self.run_rows(rows)

    def run_rows(self, rows: Rows) -> RealArray:
        """Probabilities [N, K] or numbers [N] for rows that are read already."""
        count = len(rows)
        step = 200_000  # bounds the memory that intermediate columns take
        if count <= step:
            return self._run_part(rows)
        parts = [rows.take(np.arange(k, min(k + step, count))) for k in range(0, count, step)]
        return np.concatenate([self._run_part(part) for part in parts])

    def _run_part(self, rows: Rows) -> RealArray:
        result = self.program.run({"row": rows}, rows=len(rows))
        if result.failures.any():
            bad = np.flatnonzero(result.failures)
            reason = Reason(int(result.failures[bad[0]])).name.lower().replace("_", " ")
            raise MeristemError(
                f"the program has no value for {len(bad)} of {len(rows)} rows, the first is row {bad[0] + 1}: {reason}"
            )
        return values_of(result.column)

    def predict(self, source: Any) -> NDArray[Any]:
        """Labels or numbers [N] for a table.

        Args:
            source: The path of a file, a data frame, an Arrow table, a dict of columns, a list of dicts, a 2-d array,
                or a dict with one value a column (one row; what it leaves out is missing).

        Raises:
            InputError: A column is missing or does not hold what it held in training.
        """
        values = self._run(source)
        return self.decide(values) if self.kind == "classification" else values

    def decide(self, probabilities: RealArray) -> NDArray[Any]:
        """Labels [N] from probabilities [N, K]."""
        from meristem.task.objective import METRICS, Scorer

        codes = Scorer(METRICS["accuracy"], costs=self.costs).decide(probabilities)
        found: NDArray[Any] = self.classes_[codes]
        return found

    def predict_proba(self, source: Any) -> RealArray:
        """Class probabilities [N, K], columns in the order of `classes_`."""
        if self.kind != "classification":
            raise InputError(
                "this model predicts numbers; expected predict or predict_interval, got predict_proba"
            )
        return self._run(source)

    def predict_interval(self, source: Any, level: float = 0.9) -> tuple[RealArray, RealArray]:
        """Bounds [N] and [N] between which a share `level` of the answers lies.

        The width comes from the errors on held-out rows during growth (split conformal prediction).
        """
        if self.residuals is None:
            raise InputError(
                "intervals are for models that predict numbers; expected predict_proba for classes"
            )
        if not 0 < level < 1:
            raise InputError(f"expected a level between 0 and 1, such as 0.9, got {level!r}")
        values = self._run(source)
        low, high = self.interval_of(level)
        return values + low, values + high

    def interval_of(self, level: float) -> tuple[float, float]:
        """What to add to a prediction for the bounds of an interval that holds a share `level`."""
        assert self.residuals is not None
        places = np.linspace(0, 1, len(self.residuals))
        low, high = np.interp([(1 - level) / 2, (1 + level) / 2], places, self.residuals)
        return float(low), float(high)

    # ------------------------------------------------------------------------------------------ looking at it

    def report(self) -> Report:
        """What happened when it was grown: scores, candidates, importance, calibration, learning curve."""
        from meristem.model.report import Report

        return Report.from_json(dict(self.record))

    def source(self) -> str:
        """The program as Python that a person reads."""
        from meristem.model.source import table_source

        return table_source(self)

    def picture(self) -> str:
        """The program as a picture (SVG): algorithmic and geometric parts, and one example's values along the edges."""
        from meristem.model.source import table_picture

        return table_picture(self)

    def __str__(self) -> str:
        return f"<Meristem model of {self.schema.target.name!r}, {self.kind}, {self.hash[:12]}>"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from meristem.model.html import summary
        from meristem.model.words import byte_size, count

        learned = sum(array.size for arrays in self.program.fit.values() for array in arrays.values())
        parts = count(len(self.program.modules()), "fitted part")
        size = f"{parts} with {count(learned, 'number')}; the file takes {byte_size(len(self.to_bytes()))}"
        return summary(self.report(), picture=self.picture(), size=size)

    # ------------------------------------------------------------------------------------------ saving

    def to_bytes(self) -> bytes:
        """The bytes of the model file."""
        from meristem.language.json_form import to_json

        fit = flatten_fit(self.program.fit)
        extra: dict[str, NDArray[Any]] = {}
        for name, array in (("costs", self.costs), ("residuals", self.residuals)):
            if array is not None:
                extra[name] = array
        if self.example is not None:
            encode_column(self.example, "example", extra)
        program = {
            "term": to_json(self.program.term),
            "inputs": {name: str(t) for name, t in self.program.inputs.items()},
            "target": str(self.program.target),
            "hash": self.hash,
        }
        parts = {"program": program, "schema": self.schema.to_json(), "report": dict(self.record)}
        return pack(parts, fit, extra)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file. It holds no code and no row of the training data: safe to pass on and to open.

        Raises:
            InputError: The place cannot be written.
        """
        write_whole(path, self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "the file") -> Model:
        """Read a model from the bytes of its file.

        Raises:
            FileFormatError: They are damaged, hostile, or of a newer format.
        """
        return cls.from_parts(*unpack(data, name), name)

    @classmethod
    def from_parts(
        cls,
        parts: Mapping[str, Any],
        flat: dict[str, NDArray[Any]],
        extra: Mapping[str, NDArray[Any]],
        name: str = "the file",
    ) -> Model:
        """Read a model from the parts of its file, as `unpack` gives them.

        Raises:
            FileFormatError: They do not make a model of a table.
        """
        from meristem.language.json_form import from_json

        stated = parts["program"]
        if not isinstance(stated, dict) or not isinstance(stated.get("inputs"), dict):
            raise FileFormatError(f"{name} holds no program")
        try:
            schema = Schema.from_json(parts["schema"])
            inputs = {str(k): read_type(v) for k, v in stated["inputs"].items()}
            term, target = from_json(stated.get("term")), read_type(stated.get("target"))
            program = Program(term, inputs, target, unflatten_fit(flat))
            if inputs != {"row": schema.type} or program.target != schema.target.type:
                raise FileFormatError("its program and its schema do not fit together")
            program.validate()
            output = program.prepared.type
            if output.name != ("dist" if schema.target.kind == "classification" else "real"):
                raise FileFormatError(f"its program gives {output}, which is no prediction")
            if program.hash != stated.get("hash"):
                raise FileFormatError("the hash of its program does not match")
            record = parts["report"]
            if not isinstance(record, dict):
                raise FileFormatError("its report is damaged")
            example = decode_column(schema.type, "example", extra) if "example" in extra else None
            costs, residuals = extra.get("costs"), extra.get("residuals")
            count = len(schema.target.values)
            if costs is not None and (costs.shape != (count, count) or costs.dtype != np.float64):
                raise FileFormatError("its costs do not fit its classes")
            if residuals is not None and (
                residuals.ndim != 1 or residuals.dtype != np.float64 or not residuals.size
            ):
                raise FileFormatError("its residuals are damaged")
        except FileFormatError as error:
            raise FileFormatError(f"{name} cannot be used: {error}") from None
        model = cls(program, schema, record, costs, residuals, example)
        model._try_one_row(name)
        return model

    def _try_one_row(self, name: str) -> None:
        """Run one row: what types and checks of single modules leave open, such as widths that do not fit, shows here.

        Raises:
            FileFormatError: The program fails on it.
        """
        row = filler(self.schema.type, 1) if self.example is None else self.example
        try:
            with np.errstate(all="ignore"):
                self.program.run({"row": row}, rows=1)
        except Exception as error:
            # Whatever it is, a file caused it: arrays that do not fit each other raise what NumPy raises.
            raise FileFormatError(f"{name} cannot be used: its parts do not fit together ({error})") from None

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        # What a pickle of a model holds are the bytes of its file, checked again when they are read.
        return (Model.from_bytes, (self.to_bytes(),))


def load(path: str | os.PathLike[str]) -> Model | ProgramModel:
    """Read a model file: a model of a table, or a program grown from examples.

    Raises:
        InputError: The file is not there.
        FileFormatError: It is damaged, hostile, or of a newer format.
    """
    from meristem.model.program_model import ProgramModel, is_program

    name = os.fspath(path)
    parts, flat, extra = unpack(read_bytes(path), name)
    if is_program(parts):
        return ProgramModel.from_parts(parts, flat, extra, name)
    return Model.from_parts(parts, flat, extra, name)


__all__ = ["DataWarning", "Model", "load"]
