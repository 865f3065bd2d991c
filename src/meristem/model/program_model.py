"""ProgramModel: a program grown from input-output examples. What a user holds."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import EvaluationError, FileFormatError, InputError, MeristemError, Reason, TypeMismatch
from meristem.language.kinds import flatten_fit, unflatten_fit
from meristem.language.python_words import part_name
from meristem.language.reference import run_row
from meristem.language.terms import Term
from meristem.model.file import PROGRAM_FORMAT, pack, read_bytes, unpack, write_whole
from meristem.model.program import Program
from meristem.model.questions import Question, Rival, questions_of
from meristem.model.trace import Trace, reason_words, trace_of
from meristem.model.value_text import value_text
from meristem.model.words import clean
from meristem.task.example_types import conform
from meristem.types import format_type
from meristem.values import Column, column_from, decode_column, encode_column, filler, read_type

if TYPE_CHECKING:
    from meristem.model.program_report import ProgramReport

_MOST_NAMED = 3  # failing rows that a warning names
_MOST_NODES = 60  # values are worked out for pictures up to this size
KIND = "examples"


class ProgramWarning(UserWarning):
    """Something about the answers of a program that the user should know."""


@dataclass(frozen=True)
class ProgramModel:
    """A program grown from examples.

    Call it with one input: `model(x1, x2)`. `predict` takes many.

    Args:
        program: What it computes.
        name: Of the task, and of the function in its source.
        output: The name of the answer.
        examples: The inputs of the examples that it was grown from, by name, a column [N] each.
        answers: Their answers [N].
        record: The report of how it was grown, as plain JSON values.
        rivals: Other programs that fit the examples, with their shares of the likelihood.
        asked: Inputs on which they differ from this one, the most telling first: a column [Q] each.
    """

    program: Program
    name: str
    output: str
    examples: Mapping[str, Column] = field(repr=False)
    answers: Column = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)
    rivals: tuple[Rival, ...] = field(default=(), repr=False)
    asked: Mapping[str, Column] = field(default_factory=dict, repr=False)

    kind = "program"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(self.program.inputs)

    @property
    def needed(self) -> tuple[str, ...]:
        """The inputs that the program uses; the others may have any value."""
        used = self.term.free_names
        return tuple(name for name in self.program.inputs if name in used)

    @property
    def hash(self) -> str:
        """SHA-256 of the program: its term, the types, and every byte of its arrays."""
        return self.program.hash

    @property
    def term(self) -> Term:
        """The program's term."""
        return self.program.term

    # ------------------------------------------------------------------------------------------ running it

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The answer for one input, given in order or by name.

        Raises:
            InputError: It is not an input of this program.
            EvaluationError: The program has no value for it; says why.
        """
        row = self._row(self._ordered(arguments, named))
        value, reason = run_row(self.program.prepared, row, self.program.fit)
        if reason:
            given = ", ".join(value_text(v) for v in row.values())
            raise EvaluationError(
                Reason(reason), f"the program has no value for {given}: {reason_words(reason)}"
            )
        return value

    def _ordered(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
        names = self.names
        if len(arguments) > len(names):
            raise InputError(f"expected {self._wanted()}, got {len(arguments)} inputs")
        rest = names[len(arguments) :]
        unknown = [name for name in named if name not in rest]
        if unknown or len(named) != len(rest):
            got = len(arguments) + len(named)
            raise InputError(
                f"expected {self._wanted()}, got {got}" + (f" with {unknown[0]!r}" if unknown else "")
            )
        return (*arguments, *(named[name] for name in rest))

    def _wanted(self) -> str:
        types = ", ".join(f"{name}: {type_}" for name, type_ in self.program.inputs.items())
        return f"the {'input' if len(self.names) == 1 else f'{len(self.names)} inputs'} {types}"

    def _row(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """The inputs of one row, checked, as the interpreter has them."""
        row = {}
        for (name, type_), value in zip(self.program.inputs.items(), arguments, strict=True):
            try:
                row[name] = column_from([conform(value, type_)], type_)[0]
            except TypeMismatch as error:
                raise InputError(f"the input {name!r}: {error}") from None
        return row

    def predict(self, inputs: Iterable[Any]) -> list[Any]:
        """The answers for many inputs.

        Args:
            inputs: A tuple of inputs for each row, or a dict by name; with one input, the inputs themselves.

        Returns:
            The answers in order; None where the program has none. Then a `ProgramWarning` says why.

        Raises:
            InputError: It is no sequence of inputs.
        """
        if isinstance(inputs, str | bytes | Mapping) or not isinstance(inputs, Iterable):
            raise InputError(
                f"expected a list with {self._wanted()} for each row, got {type(inputs).__name__}; "
                "for one input call the model: model(...)"
            )
        answers, failures = self.answers_for(list(inputs))
        if failures:
            warnings.warn(failure_words(failures, len(answers)), ProgramWarning, stacklevel=2)
        return answers

    def answers_for(self, rows: list[Any]) -> tuple[list[Any], dict[int, str]]:
        """The answers [N], None where there is none, and for those positions why."""
        failures: dict[int, str] = {}
        good: list[int] = []
        checked: list[dict[str, Any]] = []
        for k, row in enumerate(rows):
            try:
                checked.append(self._row(self._arguments(row)))
                good.append(k)
            except InputError as error:
                failures[k] = str(error)
        answers: list[Any] = [None] * len(rows)
        if good:
            columns = {
                name: column_from([row[name] for row in checked], type_)
                for name, type_ in self.program.inputs.items()
            }
            result = self.program.run(columns, rows=len(good))
            for k, value, reason in zip(good, result.column.to_list(), result.failures.tolist(), strict=True):
                if reason:
                    failures[k] = reason_words(reason)
                else:
                    answers[k] = value
        return answers, failures

    def _arguments(self, row: Any) -> tuple[Any, ...]:
        names = self.names
        if isinstance(row, Mapping) and row.keys() == set(names):
            single = next(iter(self.program.inputs.values())) if len(names) == 1 else None
            if single is None or single.name != "map":
                return tuple(row[name] for name in names)
        if len(names) == 1:
            pair = self.program.inputs[names[0]].name == "pair"
            return row if isinstance(row, tuple) and len(row) == 1 and not pair else (row,)
        if not isinstance(row, list | tuple) or len(row) != len(names):
            raise InputError(f"expected {self._wanted()}, got {value_text(row)}")
        return tuple(row)

    # ------------------------------------------------------------------------------------------ looking at it

    def source(self) -> str:
        """The program as a Python function without dependencies: the text runs in a bare interpreter.

        A program with trained parts calls them by name, with a line on each above it: those are no text.
        """
        from meristem.language.python_form import to_python

        if self.program.fit:
            return self.short_source()
        return to_python(
            self.term,
            name=self.name,
            inputs=dict(self.program.inputs),
            target=self.program.target,
            result=self.program.target,
            standalone=True,
        )

    def short_source(self) -> str:
        """The program as a Python function that leaves out the definitions of what it uses: for reading."""
        from meristem.language.python_form import to_python

        text = to_python(
            self.term,
            name=self.name,
            inputs=dict(self.program.inputs),
            target=self.program.target,
            result=self.program.target,
        )
        return "".join(f"# {clean(line, 110)}\n" for line in self.cards()) + text

    def cards(self) -> list[str]:
        """What each trained part takes, gives and is, a line each: `digit(image) -> class[10]: ...`."""
        lines: dict[str, str] = {}  # by slot: a named part may stand in several places
        for (node, takes, gives), (_, described) in zip(
            self.program.parts, self.program.modules(), strict=True
        ):
            head = (
                f"{part_name(node)}({', '.join(format_type(t, 6) for t in takes)}) -> {format_type(gives, 6)}"
            )
            lines.setdefault(node.slot, f"{head}: {'; '.join(described)}")
        return list(lines.values())

    def trace(self, *arguments: Any, **named: Any) -> Trace:
        """What happens in a run, step by step, each part with its value: `print(model.trace(x))`.

        Raises:
            InputError: It is not an input of this program.
        """
        row = self._row(self._ordered(arguments, named))
        return trace_of(self.program.prepared, row, self.program.fit)

    def explain(self, example: Any = None) -> str:
        """What the program does on one input, in words.

        Args:
            example: A row as `predict` takes it; the first example that it was grown from where left out.

        Raises:
            InputError: It is not an input of this program.
        """
        if example is None:
            if not len(self.answers):
                raise InputError("this model holds no examples; give an input: model.explain((x1, x2))")
            row = {name: column[0] for name, column in self.examples.items()}
        else:
            row = self._row(self._arguments(example))
        return "\n".join(trace_of(self.program.prepared, row, self.program.fit).words)

    def questions(self, k: int = 3) -> list[Question]:
        """Inputs on which the likeliest programs that fit differ, the most telling first.

        Answer one and add it as an example: that settles more than ten examples taken at random.
        """
        if isinstance(k, bool) or not isinstance(k, int) or k < 0:
            raise InputError(f"expected a number of questions, 0 or more, got {k!r}")
        return questions_of(self.program, self.rivals, self.asked, k)

    def report(self) -> ProgramReport:
        """What was tried, what fits, how sure it is."""
        from meristem.model.perception_report import KIND, PerceptionReport
        from meristem.model.program_report import ProgramReport

        if self.record.get("kind") == KIND:
            return PerceptionReport.from_json(dict(self.record))
        return ProgramReport.from_json(dict(self.record))

    def picture(self) -> str:
        """The program as a picture (SVG), with the values of its first example along the edges."""
        from meristem.model.picture import picture

        values: dict[Term, str] = {}
        if len(self.answers) and self.term.size <= _MOST_NODES:
            memo: dict[Term, Column] = {}
            first = {name: column.take(np.zeros(1, np.int64)) for name, column in self.examples.items()}
            self.program.prepared.run(first, self.program.fit, rows=1, memo=memo)
            values = {node: value_text(column[0], 28) for node, column in memo.items() if len(column) == 1}
        return picture(self.term, title=self.name, values=values)

    def seen(self) -> str:
        """What the trained parts saw in its examples, as a picture (SVG): each image with its class, the steps, the
        answer, mistakes included. Empty for a program that looks at no images."""
        from meristem.model.seen import seen_examples
        from meristem.model.seen_picture import seen_picture

        return seen_picture(seen_examples(self), self.name)

    def __str__(self) -> str:
        types = ", ".join(f"{name}: {type_}" for name, type_ in self.program.inputs.items())
        return f"<Meristem program {self.name!r}, {types} -> {self.program.target}, {self.hash[:12]}>"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        words = escape(self.report().verdict())
        return f"<div>{self.picture()}<pre>{escape(self.short_source())}</pre><p>{words}</p></div>"

    # ------------------------------------------------------------------------------------------ saving

    def to_bytes(self) -> bytes:
        """The bytes of the model file."""
        from meristem.language.json_form import to_json

        extra: dict[str, NDArray[Any]] = {}
        for k, name in enumerate(self.names):
            encode_column(self.examples[name], f"example.{k}", extra)
            if self.asked:
                encode_column(self.asked[name], f"asked.{k}", extra)
        encode_column(self.answers, "answers", extra)
        program = {
            "term": to_json(self.term),
            # A list: JSON objects have no order that all readers keep, and that of the inputs counts.
            "inputs": [[name, str(t)] for name, t in self.program.inputs.items()],
            "target": str(self.program.target),
            "hash": self.hash,
            "rivals": [{"term": to_json(rival.term), "share": rival.share} for rival in self.rivals],
        }
        schema = {"kind": KIND, "name": self.name, "output": self.output, "asked": bool(self.asked)}
        parts = {"program": program, "schema": schema, "report": dict(self.record)}
        return pack(parts, flatten_fit(self.program.fit), extra, PROGRAM_FORMAT)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file. It holds data only, no code: safe to pass on and to open. The examples are in it.

        Raises:
            InputError: The place cannot be written.
        """
        write_whole(path, self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "the file") -> ProgramModel:
        """Read a model from the bytes of its file.

        Raises:
            FileFormatError: They are damaged, hostile, or of a newer format.
        """
        return cls.from_parts(*unpack(data, name), name)

    @classmethod
    def from_parts(
        cls,
        parts: Mapping[str, Any],
        flat: Mapping[str, NDArray[Any]],
        extra: Mapping[str, NDArray[Any]],
        name: str = "the file",
    ) -> ProgramModel:
        """Read a model from the parts of its file.

        Raises:
            FileFormatError: They do not make one.
        """
        try:
            return _read_model(parts, flat, extra)
        except FileFormatError as error:
            raise FileFormatError(f"{name} cannot be used: {error}") from None

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        # What a pickle of a model holds are the bytes of its file, checked again when they are read.
        return (ProgramModel.from_bytes, (self.to_bytes(),))


def is_program(parts: Mapping[str, Any]) -> bool:
    """Whether the parts of a file are those of a program from examples."""
    schema = parts.get("schema")
    return isinstance(schema, dict) and schema.get("kind") == KIND


def _read_model(
    parts: Mapping[str, Any], flat: Mapping[str, NDArray[Any]], extra: Mapping[str, NDArray[Any]]
) -> ProgramModel:
    from meristem.language.json_form import from_json

    stated, schema, record = parts["program"], parts["schema"], parts["report"]
    if not is_program(parts):
        raise FileFormatError("it holds no program from examples")
    if not isinstance(stated, dict) or not isinstance(record, dict):
        raise FileFormatError("its program or its report is damaged")
    named = stated.get("inputs")
    if not isinstance(named, list) or any(
        not isinstance(each, list) or len(each) != 2 or not isinstance(each[0], str) for each in named
    ):
        raise FileFormatError("it does not say what goes in")
    inputs = {each[0]: read_type(each[1]) for each in named}
    if len(inputs) < len(named):
        raise FileFormatError("an input stands twice in it")
    target = read_type(stated.get("target"))
    if not target.ground or target.is_function or any(not t.ground or t.is_function for t in inputs.values()):
        raise FileFormatError("its types are those of no data")
    program = Program(from_json(stated.get("term")), inputs, target, unflatten_fit(dict(flat)), exact=True)
    program.validate()
    _prepared(program)
    if program.hash != stated.get("hash"):
        raise FileFormatError("the hash of its program does not match")
    name, output = schema.get("name"), schema.get("output")
    if not isinstance(name, str) or not isinstance(output, str) or max(len(name), len(output)) > 10_000:
        raise FileFormatError("its names are damaged")
    rivals = []
    listed = stated.get("rivals", [])
    if not isinstance(listed, list) or len(listed) > 1000:
        raise FileFormatError("its other programs are damaged")
    for each in listed:
        share = each.get("share") if isinstance(each, dict) else None
        if not isinstance(share, float | int) or isinstance(share, bool) or not 0 <= share <= 1:
            raise FileFormatError("its other programs are damaged")
        rival = replace(program, term=from_json(each.get("term")), fit={})
        rival.validate()
        _prepared(rival)
        rivals.append(Rival(rival.term, float(share)))
    examples = {n: decode_column(t, f"example.{k}", extra) for k, (n, t) in enumerate(inputs.items())}
    answers = decode_column(target, "answers", extra)
    if any(len(column) != len(answers) for column in examples.values()):
        raise FileFormatError("its examples differ in length")
    asked = {}
    if schema.get("asked"):
        asked = {n: decode_column(t, f"asked.{k}", extra) for k, (n, t) in enumerate(inputs.items())}
        if len({len(column) for column in asked.values()}) > 1:
            raise FileFormatError("its questions differ in length")
    return ProgramModel(program, name, output, examples, answers, record, tuple(rivals), asked)


def _prepared(program: Program) -> None:
    """See that a program can be run at all: types that modules and columns leave open show here.

    Raises:
        FileFormatError: It cannot.
    """
    try:
        columns = {name: filler(type_, 1) for name, type_ in program.inputs.items()}
        with np.errstate(all="ignore"):
            program.prepared.run(columns, program.fit, fuel=10_000, rows=1)
    except MeristemError as error:
        raise FileFormatError(f"its program cannot be run: {error}") from None
    except Exception as error:
        # Whatever it is, a file caused it: arrays that do not fit each other raise what NumPy raises.
        raise FileFormatError(f"its parts do not fit together ({error})") from None


def failure_words(failures: Mapping[int, str], count: int) -> str:
    """Which rows have no answer and why, in a sentence."""
    groups: dict[str, list[int]] = {}
    for k, why in sorted(failures.items()):
        groups.setdefault(why, []).append(k + 1)
    said = []
    for why, rows in list(groups.items())[:_MOST_NAMED]:
        shown = ", ".join(map(str, rows[:_MOST_NAMED]))
        rest = f" and {len(rows) - _MOST_NAMED:,} more" if len(rows) > _MOST_NAMED else ""
        said.append(f"row{'s' if len(rows) > 1 else ''} {shown}{rest}: {why}")
    others = len(groups) - _MOST_NAMED
    tail = f"; and {others:,} other reasons" if others > 0 else ""
    return f"no answer for {len(failures):,} of {count:,} rows, None stands there: {'; '.join(said)}{tail}"


def read_program(path: str | os.PathLike[str]) -> ProgramModel:
    """Read the file of a program from examples.

    Raises:
        InputError: The file is not there.
        FileFormatError: It is damaged, hostile, of a newer format, or another kind of model.
    """
    return ProgramModel.from_bytes(read_bytes(path), os.fspath(path))


__all__ = ["ProgramModel", "ProgramWarning", "failure_words", "is_program", "read_program"]
