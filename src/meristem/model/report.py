"""What happened while a model grew: how good it is, what was tried, whether more data would help.

A report is plain data. It travels in the model file as JSON, so reading one back trusts nothing: every field
has its type, sizes are bounded, numbers are finite. It shows itself as text, in a terminal, and as one HTML
file.
"""

from __future__ import annotations

import json
import math
import types
import typing
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from meristem.errors import FileFormatError

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT = 1
_LONGEST_TEXT = 100_000
_LONGEST_LIST = 100_000
_LARGEST = 1e300  # differences of two such numbers are still finite


def _later(default: Any) -> Any:
    """A field that the first files of this format did not have; such a file is read with the default."""
    return field(default=default, metadata={"later": True})


@dataclass(frozen=True)
class ClassCount:
    """A class of the target and how many rows have it."""

    label: str
    count: int


@dataclass(frozen=True)
class Facts:
    """What the task was.

    Args:
        name: Its name, for example the file's.
        rows: How many examples.
        columns: How many inputs.
        target: What is predicted.
        kind: `classes`, `number`, or another word for a person.
        metric: The name of the score.
        greater_is_better: The direction of the score; a loss is always better when smaller.
        classes: For classes, each with its count.
        findings: Sentences about the data that the user should read.
        fingerprint: What `meristem.report.fingerprint` gives of the examples; empty where there are few.
    """

    name: str
    rows: int
    columns: int
    target: str
    kind: str
    metric: str
    greater_is_better: bool = False
    classes: tuple[ClassCount, ...] = ()
    findings: tuple[str, ...] = ()
    fingerprint: str = _later("")


@dataclass(frozen=True)
class Effort:
    """What was spent, and what makes it repeatable.

    Args:
        seconds: Wall time used, from where the budget counts.
        budget_seconds, budget_trials: What was allowed; None where there was no such limit.
        versions: Of Python and the packages that matter, by name.
    """

    seconds: float
    budget_seconds: float | None = None
    budget_trials: int | None = None
    workers: int = 1
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """How good an answer is on rows it was not fitted to.

    Everywhere in a report the loss is the score, or minus the score where a greater score is better.

    Args:
        what: What answers, in a few words ("always answering the class shares").
        loss: What was minimised; smaller is better.
        score: What the user asked for.
        low, high: The 95 % interval of the score; None where it is unknown.
    """

    what: str
    loss: float
    score: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Candidate:
    """One candidate and its end.

    Args:
        outcome: `scored`, or the kind of failure.
        seconds: What it took.
        at: When it ended, in seconds after the start.
    """

    number: int
    origin: str
    text: str
    outcome: str
    reason: str = ""
    loss: float | None = None
    seconds: float = 0.0
    at: float | None = None


@dataclass(frozen=True)
class Member:
    """A part of the final blend. `loss` is what it has alone."""

    text: str
    weight: float
    loss: float | None = None


@dataclass(frozen=True)
class Importance:
    """How much the loss grows when a column is shuffled, with a 95 % interval where measured repeatedly."""

    column: str
    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bin:
    """Answers of like probability: their mean predicted and observed share, and how many they are."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True)
class Coverage:
    """The share of answers that an interval promises to hold, and the share that it held."""

    nominal: float
    observed: float


@dataclass(frozen=True)
class Quantile:
    """A level in 0 to 1 and the residual (truth minus answer) there."""

    level: float
    value: float


@dataclass(frozen=True)
class Calibration:
    """Whether the answers' probabilities hold.

    Args:
        bins: For classes, a reliability curve.
        error: For classes, the expected calibration error in 0 to 1.
        chance: The error that perfect probabilities stay below in 95 of 100 data sets of this size.
        about: What the bins' probabilities are of ("the chosen class", "yes").
        coverage: For numbers, intervals promised and held.
        residuals: For numbers, quantiles of truth minus answer.
    """

    bins: tuple[Bin, ...] = ()
    error: float | None = None
    chance: float | None = None
    about: str = ""
    coverage: tuple[Coverage, ...] = ()
    residuals: tuple[Quantile, ...] = ()


@dataclass(frozen=True)
class CurvePoint:
    """The loss after fitting to so many rows; `spread` is its standard error where known."""

    rows: int
    loss: float
    spread: float | None = None


@dataclass(frozen=True)
class Forecast:
    """The curve `a + b * rows ** -c` and the loss it gives at twice the rows, with a 95 % interval."""

    a: float
    b: float
    c: float
    at_double: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A learning curve; `words` say what it means."""

    points: tuple[CurvePoint, ...]
    forecast: Forecast | None = None
    words: str = ""


@dataclass(frozen=True)
class LeftOut:
    """Something that a report would hold, and why it does not.

    Args:
        what: `model` (nothing better than the baseline was to be had), `training` (parts of the model were not trained
            to the end), `interval`, `importance` or `curve`.
        why: Sentences for a person: the reason, and what to do about it.
    """

    what: str
    why: str


@dataclass(frozen=True)
class Report:
    """The whole report. See the parts for their meaning."""

    facts: Facts
    effort: Effort
    baseline: Score
    best: Score
    candidates: tuple[Candidate, ...] = ()
    members: tuple[Member, ...] = ()
    importance: tuple[Importance, ...] = ()
    calibration: Calibration | None = None
    curve: Curve | None = None
    files: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = _later(())

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists, texts and numbers.

        Raises:
            ValueError: A number is not finite, or a value has not the declared type: a defect of the caller.
        """
        try:
            # What is written is what a reader would make of it: a whole number given for a real one becomes one.
            read = Report.from_json({"format": FORMAT, **_plain(self)})
        except FileFormatError as error:
            raise ValueError(f"the report cannot be stored: {error}") from None
        return {"format": FORMAT, **_plain(read)}

    @classmethod
    def from_json(cls, value: object) -> Report:
        """Read what `to_json` gave.

        Raises:
            FileFormatError: It is not a report of a format that this version knows.
        """
        if not isinstance(value, dict):
            raise FileFormatError(f"expected a report as an object, got {type(value).__name__}")
        rest = {k: v for k, v in value.items() if k != "format"}
        version = value.get("format")
        if type(version) is not int or version != FORMAT:
            raise FileFormatError(
                f"expected a report of format {FORMAT}, got {version!r:.60}: it is damaged or was "
                "written by a newer version; upgrade Meristem or show the model with the version that grew it"
            )
        report = _read(cls, rest, "report")
        assert isinstance(report, cls)
        return report

    def dumps(self) -> str:
        """The JSON text, always the same for the same report."""
        return json.dumps(self.to_json(), ensure_ascii=True, allow_nan=False, indent=1)

    @classmethod
    def loads(cls, text: str | bytes) -> Report:
        """Read the JSON text.

        Raises:
            FileFormatError: It is not the text of a report.
        """
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise FileFormatError(
                "expected a report as JSON, got text that is no JSON: it is damaged"
            ) from None
        return cls.from_json(value)

    def text(self, width: int = 80) -> str:
        """The report as plain text with lines of at most `width` characters."""
        from meristem.model.sections import plain_text

        return plain_text(self, width)

    def rich(self) -> RenderableType:
        """The report for a terminal, as a Rich renderable."""
        from meristem.model.sections import rich_group

        return rich_group(self)

    def html(self, picture: str = "", source: str = "", *, title: str = "") -> str:
        """The report as one HTML page that needs nothing else and runs nothing.

        Args:
            picture: The SVG that `meristem.model.picture.picture` gave; it goes in as it is.
            source: The program as text.
            title: The page's title; the task's name where left out.
        """
        from meristem.model.html import page

        return page(self, picture, source, title)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from meristem.model.html import summary

        return summary(self)


# ---------------------------------------------------------------------------------------------- JSON


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return dict(value)
    return value.item() if hasattr(value, "item") else value  # NumPy's scalars


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        known = typing.get_type_hints(cls)
        _HINTS[cls] = {f.name: known[f.name] for f in fields(cls)}
    return _HINTS[cls]


def _read(hint: Any, value: Any, where: str) -> Any:
    """A value of the type `hint` from plain JSON, or FileFormatError. The types say how deep this can go."""
    if is_dataclass(hint):
        assert isinstance(hint, type)
        if not isinstance(value, dict):
            raise _wrong(where, "an object", value)
        hints = _hints(hint)
        if unknown := value.keys() - hints.keys():
            raise FileFormatError(
                f"{where} has a field that it should not have: {min(map(str, unknown))!r:.60}"
            )
        later = {f.name for f in fields(hint) if f.metadata.get("later")}
        if missing := hints.keys() - value.keys() - later:
            raise FileFormatError(f"{where} lacks the field {min(missing)!r}")
        return hint(**{n: _read(h, value[n], f"{where}.{n}") for n, h in hints.items() if n in value})
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        inner = next(a for a in args if a is not type(None))
        return None if value is None else _read(inner, value, where)
    if origin is tuple:
        if not isinstance(value, list) or len(value) > _LONGEST_LIST:
            raise _wrong(where, f"a list of at most {_LONGEST_LIST:,}", value)
        return tuple(_read(args[0], v, f"{where}[{k}]") for k, v in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict) or len(value) > 1000:
            raise _wrong(where, "an object of at most 1,000 texts", value)
        return {_read(str, k, where): _read(str, v, f"{where}.{k:.40}") for k, v in value.items()}
    if hint is float and type(value) in (int, float):
        if -_LARGEST <= value <= _LARGEST:
            return float(value)
        raise _wrong(where, "a finite number", value)
    if hint is str and type(value) is str and len(value) <= _LONGEST_TEXT:
        return value
    if hint is int and type(value) is int and -(2**63) <= value < 2**63:
        return value
    if hint is bool and type(value) is bool:
        return value
    names = {
        str: f"a text of at most {_LONGEST_TEXT:,} characters",
        int: "an integer",
        float: "a finite number",
    }
    raise _wrong(where, names.get(hint, "true or false"), value)


def _wrong(where: str, expected: str, value: Any) -> FileFormatError:
    got = (
        "a number out of range"
        if isinstance(value, float) and not math.isfinite(value)
        else type(value).__name__
    )
    return FileFormatError(f"expected {expected} at {where}, got {got}: the report is damaged")
