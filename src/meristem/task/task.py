"""Task: typed examples of what a program should answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from meristem.types import Type
from meristem.values import Column

if TYPE_CHECKING:
    from meristem.task.array_values import Resize
    from meristem.task.arrays import ArrayTask, Held
    from meristem.task.examples import ExampleTask, Types
    from meristem.task.schema import Schema

Kind = Literal["classification", "regression"]


@dataclass(frozen=True)
class Finding:
    """Something that reading a table found, for the user to know.

    Args:
        kind: `identifier`, `constant`, `empty`, `unreadable` (these columns are dropped); `leak`, `mixed`,
            `ambiguous`, `rare`, `huge`, `infinite`, `duplicates`, `rows_dropped`, `kind`, `note`.
        column: The column it is about; empty when it is about the whole table.
        text: A sentence for a person.
    """

    kind: str
    column: str
    text: str


@dataclass(frozen=True)
class Task:
    """Typed examples of what a program should answer.

    Args:
        name: A name for a person.
        inputs: The inputs by name, each a column [N]; a table has one, `row`, with a field for each feature.
        target: The answers [N]: `class[...]` or `real`; never missing.
        schema: How a table is read.
        weights: How much each example counts, [N], mean 1; None when all count the same.
        groups: A number for each example [N]; those of one group belong together, and validation keeps them
            so.
        ordered: Whether the examples are sorted by time, so that validation must look ahead.
        findings: What reading the table found.
    """

    name: str
    inputs: dict[str, Column]
    target: Column
    schema: Schema
    weights: NDArray[np.float64] | None = None
    groups: NDArray[np.int64] | None = None
    ordered: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def kind(self) -> Kind:
        """Whether the answer is one of several classes or a number."""
        return "regression" if self.target.type.name == "real" else "classification"

    @property
    def input_types(self) -> dict[str, Type]:
        """The type of each input."""
        return {name: column.type for name, column in self.inputs.items()}

    def __len__(self) -> int:
        return len(self.target)

    def __repr__(self) -> str:
        return f"<task {self.name!r}: {len(self):,} examples, {self.kind} of {self.schema.target.name!r}>"

    def take(self, rows: NDArray[Any]) -> Task:
        """The task with the examples at positions `rows` only, in that order. Weights keep their values."""
        rows = np.asarray(rows)
        return replace(
            self,
            inputs={name: column.take(rows) for name, column in self.inputs.items()},
            target=self.target.take(rows),
            weights=None if self.weights is None else self.weights[rows],
            groups=None if self.groups is None else self.groups[rows],
        )

    @classmethod
    def from_table(
        cls,
        source: Any,
        target: Any,
        *,
        time_column: str | None = None,
        group_column: str | None = None,
        weight_column: str | None = None,
        name: str | None = None,
        kind: Kind | None = None,
        keep: Collection[str] = (),
    ) -> Task:
        """Read a table: find the type of each column, set aside what cannot help, and say what was found.

        Args:
            source: A path (CSV, TSV, gz, Parquet, Arrow, Feather), a data frame (pandas, Polars), an Arrow
                table or anything with the Arrow C stream interface, a dict of columns, a list of dicts, a
                2-d array.
            target: The name of the column to predict, or a sequence of N answers.
            time_column: A column to sort the rows by; validation then looks ahead. It stays a feature.
            group_column: Rows with the same value belong together (one patient, one shop). No feature.
            weight_column: How much each row counts; finite, not negative. No feature.
            name: A name for the task; the file's name where left out.
            kind: `classification` or `regression`, where the answers alone do not tell: numbers are classes
                when they are few and count from 0 or 1 without large gaps, as class codes do.
            keep: Columns that are never taken for identifiers.

        Raises:
            InputError: The table or an argument cannot be used; says why and what to do.

        >>> task = Task.from_table({"x": [1.0, 2.0, 4.0], "y": [1.5, 3.1, 4.2]}, target="y")
        >>> task.kind, len(task)
        ('regression', 3)
        """
        # The one import that points upward: this class is the door that users know, and reading files needs
        # what lies above it. It happens in the call only, so that loading a model never reads the readers.
        from meristem.reading.tables import read_task

        return read_task(source, target, time_column, group_column, weight_column, name, kind, keep)

    @staticmethod
    def from_examples(
        examples: Any,
        *,
        names: Sequence[str] | None = None,
        types: Types | None = None,
        output: str | Type | None = None,
        further: Any = None,
        name: str | None = None,
        target: str | None = None,
    ) -> ExampleTask:
        """Read input-output examples of a program to find: three to twenty that show what it does.

        Args:
            examples: Pairs `[(input, output), ...]`, with several inputs `[((x1, x2), output), ...]`; dicts with
                `input` and `output` (`inputs` for several); a table whose last column is the answer; or the path of
                a .json, .jsonl, .csv or SyGuS-IF (.sl) file. Rows without an answer are inputs like `further`.
            names: Names of the inputs. One name makes a tuple one input, a pair.
            types: Types where the values do not tell: `"list[int], int -> text"`, or one an input, or by name.
            output: The type of the answer.
            further: Inputs without answers: programs that fit are told apart by what they give there.
            name: A name for the task, and for the function that is found; the file's name where left out.
            target: For tables, the column of the answers.

        Raises:
            InputError: There are none, or their values have no common type; says which examples are at fault.

        >>> task = Task.from_examples([("Ada Lovelace", "A.L."), ("Alan Turing", "A.T.")])
        >>> str(task.answers.type), len(task)
        ('text', 2)
        """
        from meristem.reading.examples import read_examples  # upward, as in `from_table`

        return read_examples(examples, names, types, output, further, name, target)

    @staticmethod
    def from_arrays(
        inputs: Any,
        outputs: Any,
        *,
        names: Sequence[str] | str | None = None,
        types: Types | None = None,
        validation: Held = None,
        groups: Any = None,
        resize: Resize = None,
        name: str | None = None,
    ) -> ArrayTask:
        """Read arrays with their final answers: images, signals, vectors, lists and grids of them.

        Args:
            inputs: An array [N, ...], or a list of N arrays, of N lists of arrays, of N pairs (tuples of two). Several
                inputs are a tuple or a dict of those. Images are [height, width] or [height, width, channels], bytes
                or reals from 0 to 1; signals [time] or [time, channels], 16 bit or reals from -1 to 1.
            outputs: N answers: whole numbers, truth values, reals, labels as text, lists of them.
            names: Names of the inputs.
            types: Types where shapes do not tell: `"list[image[_, _, 1]] -> int"`, or one an input, or by name.
            validation: Examples to check on, `(inputs, outputs)`, or the share of the examples to hold out.
            groups: For each example what it belongs to (a speaker, a patient): those are never split.
            resize: The size that all images (height, width) and signals (samples) are brought to.
            name: A name for the task.

        Raises:
            InputError: They cannot be used: different numbers of inputs and outputs, images of several sizes, NaN, one
                answer only; says which examples are at fault.

        >>> task = Task.from_arrays(np.zeros((4, 2, 8, 8), np.uint8), [3, 7, 11, 4])
        >>> {name: str(type_) for name, type_ in task.input_types.items()}, str(task.answers.type)
        ({'x': 'list[image[8, 8, 1]]'}, 'int')
        """
        from meristem.task.arrays import array_task

        return array_task(
            inputs,
            outputs,
            names=names,
            types=types,
            validation=validation,
            groups=groups,
            resize=resize,
            name=name,
        )

    @staticmethod
    def from_files(
        source: Any,
        labels: Any = None,
        *,
        target: str | None = None,
        group: str | None = None,
        types: Types | None = None,
        validation: Held = None,
        resize: Resize = None,
        name: str | None = None,
    ) -> ArrayTask:
        """Read images, sounds or arrays from files with their final answers.

        Args:
            source: A folder (or a .zip or .tar) of PNG, JPEG or WAV files with a CSV of labels, or with a folder for
                each class; a .npz with arrays; an idx file of images, as those of MNIST, or the folder they lie in.
            labels: The CSV of labels, found in the folder where there is one: files in the first columns (several in a
                row make a list), the answer in the last one or the one that `target` names. For an idx file the one
                of its labels, found beside it.
            target: The name of the CSV's column of answers, or of the .npz's array of answers.
            group: The name of the CSV's column of groups (speakers, patients): those are never split.
            types: As for `from_arrays`.
            validation: As for `from_arrays`.
            resize: As for `from_arrays`.
            name: A name for the task; the folder's or file's name where left out.

        Raises:
            InputError: Something is missing or cannot be read; says which file, and what to do.
        """
        from meristem.reading.perception import read_files  # upward, as in `from_table`

        return read_files(source, labels, target, group, types, validation, resize, name)


def findings_by_kind(findings: tuple[Finding, ...]) -> Mapping[str, list[Finding]]:
    """Findings in groups, in the order in which each kind first comes."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.kind, []).append(finding)
    return groups
