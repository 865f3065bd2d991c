"""Declaring module kinds: what a fitted part takes, what can be chosen about it, how it is fitted and run."""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from meristem.errors import BrokenContract, MeristemError, TypeMismatch
from meristem.language.terms import Choice
from meristem.types import Type
from meristem.values import Column, Dense, Dists, Scalars

Arrays = dict[str, NDArray[Any]]
Settings = Mapping[str, Choice]
CUT = "cut"
"""The note by which a fit says that its deadline ended it before it was done."""
Mode = Literal["unsupervised", "supervised", "gradient"]


@dataclass(frozen=True)
class Real:
    """A choice of a real number between two bounds. `tuned` says whether search should vary it."""

    default: float
    low: float
    high: float
    log: bool = False
    tuned: bool = True

    def check(self, value: Any) -> bool:
        """Whether a value is allowed."""
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        )


@dataclass(frozen=True)
class Integer:
    """A choice of an integer between two bounds, both included. `tuned` says whether search should vary it."""

    default: int
    low: int
    high: int
    log: bool = False
    tuned: bool = True

    def check(self, value: Any) -> bool:
        """Whether a value is allowed."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class OneOf:
    """A choice among named options or flags. `tuned` says whether search should vary it."""

    default: Choice
    options: tuple[Choice, ...]
    tuned: bool = True

    def check(self, value: Any) -> bool:
        """Whether a value is allowed."""
        return value in self.options


Range = Real | Integer | OneOf


@dataclass(frozen=True)
class FitContext:
    """What a fit may use beside its inputs.

    Args:
        target: The task's answers for the same rows (None for an unsupervised fit).
        weights: Shape [N], positive, mean about 1; None when all rows count the same.
        rng: Source of all randomness.
        deadline: `time.monotonic()` time to end by; a fit that can stop early returns what it has.
        validation: Inputs, target and weights of held-out rows for early stopping; None when there are none.
        notes: What the fits on the folds noted (rounds run, penalty chosen), for a refit on all rows.
    """

    target: Column | None
    rng: np.random.Generator
    weights: NDArray[np.float64] | None = None
    deadline: float = float("inf")
    validation: tuple[tuple[Column, ...], Column, NDArray[np.float64] | None] | None = None
    notes: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Fitted:
    """The result of a fit: its arrays, and notes for a later refit (plain JSON values)."""

    arrays: Arrays
    notes: dict[str, Any] = field(default_factory=dict)


def flatten_fit(fit: Mapping[str, Mapping[str, NDArray[Any]]]) -> Arrays:
    """A fit as one dictionary `slot/name` -> array; a slot without arrays has an empty one of no name."""
    flat = {f"{slot}/{name}": array for slot, arrays in fit.items() for name, array in arrays.items()}
    return flat | {f"{slot}/": np.zeros(0, np.int8) for slot, arrays in fit.items() if not arrays}


def unflatten_fit(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Arrays]:
    """Read what `flatten_fit` gave."""
    fit: dict[str, Arrays] = {}
    for key, array in arrays.items():
        slot, _, name = key.partition("/")
        fit.setdefault(slot, {}).update({name: array} if name else {})
    return fit


class ModuleKind(ABC):
    """A kind of fitted part. One subclass, in one file, with `register(...)` below it.

    Class attributes:
        name: Its name in terms.
        version: Raised when `forward` changes; the old class stays registered.
        mode: `unsupervised` (never sees the target), `supervised`, or `gradient`.
        choices: What can be chosen, with ranges and defaults.
        doc: What it gives, in a line.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    mode: ClassVar[Mode]
    choices: ClassVar[Mapping[str, Range]] = {}
    doc: ClassVar[str]

    @abstractmethod
    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        """The result type for these argument types, or TypeMismatch. `target` is the type of the task's answer."""

    @abstractmethod
    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        """Fit to columns of N rows. `settings` holds every choice. Deterministic given `context.rng`."""

    @abstractmethod
    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        """Run on columns of N rows, N may be 0. `output` is what `type_of` gave. May use NumPy only."""

    @abstractmethod
    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        """Check arrays that came from a file, so that `forward` can neither crash nor hang on them.

        Raises:
            FileFormatError: They do not fit.
        """

    def validate_for(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type, settings: Settings
    ) -> None:
        """As `validate`, for kinds whose arrays have sizes that are choices."""
        self.validate(arrays, inputs, output)

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        """What the fit learned, in a few short lines for a person."""
        count = sum(a.size for a in arrays.values())
        return [f"{count:,} numbers"]


class GradientKind(ModuleKind):
    """A kind whose parameters are trained by gradients: alone (`fit`), or inside a program that it is a part of.

    A call gives one *concrete* value a row, so that exact code can go on with it. What it gives goes by the answer it
    is asked for (`Module.output`, else the task's target):

    ===================  ================================================================================
    `class[...]` `bool`  the likeliest class; `probabilities` has the distribution it comes from
    `dist[...]`          that distribution
    `real`               a number
    `vector[d]`          features: what its last layer would see
    ===================  ================================================================================

    Training goes `prepare` once for a data set, then for each batch of rows `augment` and the network of `build`, then
    `arrays_of`. Running goes `prepare` and `scores`, with NumPy only. Both ways the scores are equal within 1e-5.
    Torch is imported by `build`, `augment`, `arrays_of`, `load_into` and `fit` only.
    """

    mode = "gradient"

    @abstractmethod
    def takes(self, inputs: Sequence[Type]) -> None:
        """Raise TypeMismatch unless it takes arguments of these types."""

    @abstractmethod
    def width_of_features(self, inputs: Sequence[Type], settings: Settings) -> int:
        """How many features its last layer sees."""

    @abstractmethod
    def prepare(self, inputs: Sequence[Column], settings: Settings) -> NDArray[Any]:
        """What the network takes for N rows, [N, ...], float32. Fixed work, such as a spectrum, is done here."""

    @abstractmethod
    def build(
        self, inputs: Sequence[Type], output: Type, settings: Settings, rng: np.random.Generator
    ) -> Any:
        """A new network (a `torch.nn.Module`) from prepared rows [B, ...] to scores [B, W].

        W is the number of classes (before the softmax), 1 for a number, or the number of features. `inputs` have all
        dimensions known.
        """

    def augment(self, batch: Any, settings: Settings, rng: np.random.Generator) -> Any:
        """A batch of prepared rows (a tensor) as it might have looked as well. For training only."""
        return batch

    @abstractmethod
    def arrays_of(self, network: Any) -> Arrays:
        """All that a network has learned."""

    @abstractmethod
    def load_into(self, network: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put arrays into a network of the same inputs and settings. A head that does not fit is left as it is."""

    @abstractmethod
    def scores(
        self, arrays: Mapping[str, NDArray[Any]], prepared: NDArray[Any], settings: Settings, output: Type
    ) -> NDArray[Any]:
        """What the network of these arrays gives for prepared rows, [N, W]; NumPy only."""

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        """What it is asked for, where that is one of the types above."""
        self.takes(inputs)
        if target is None:
            raise TypeMismatch(
                f"{self.name} learns from answers: state its output, as in {self.name}{{; class[10]}}(x)"
            )
        if target.name in ("class", "bool", "dist", "real", "vector"):
            return target
        raise TypeMismatch(f"{self.name} gives a class, a distribution, a real or a vector, not {target}")

    def probabilities(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> NDArray[np.float64]:
        """For N rows the probability of each of the K classes of `output` (a class, bool or dist), [N, K]."""
        logits = self.scores(arrays, self.prepare(inputs, settings), settings, output).astype(np.float64)
        return softmax(logits)

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        """Run on columns of N rows; one value of `output` each."""
        scores = self.scores(arrays, self.prepare(inputs, settings), settings, output)
        if output.name == "vector":
            return Dense(output, scores)
        if output.name == "real":
            return Scalars(output, scores[:, 0].astype(np.float64))
        if output.name == "dist":
            support = (
                np.array([False, True]) if output.item.name == "bool" else np.arange(class_total(output))
            )
            return Dists(softmax(scores.astype(np.float64)), Scalars(output.item, support))
        best = scores.argmax(axis=1) if len(scores) else np.zeros(0, np.int64)
        return Scalars(output, best.astype(np.bool_ if output.name == "bool" else np.int64))


def class_total(output: Type) -> int:
    """The number of classes of a class, of bool, or of a distribution over one of them."""
    if output.name == "dist":
        return class_total(output.item)
    return 2 if output.name == "bool" else len(output.params)


def softmax(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities [N, K] from scores [N, K]."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True)) if scores.size else scores
    result: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return result


class Kinds:
    """All module kinds by name and version."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, int], ModuleKind] = {}
        self._names: set[str] = set()

    def add(self, kind: ModuleKind) -> None:
        """Add a kind.

        Raises:
            BrokenContract: Something in its declaration is missing or wrong.
            MeristemError: Its name and version are taken.
        """
        check_declaration(kind)
        key = (kind.name, kind.version)
        if key in self._kinds:
            raise MeristemError(
                f"the module kind {kind.name} version {kind.version} is declared twice: in "
                f"{_place(self._kinds[key])} and in {_place(kind)}; choose another name, or a higher version "
                "where it is to replace the first"
            )
        self._kinds[key] = kind
        self._names.add(kind.name)

    def find(self, name: str, version: int = 1) -> ModuleKind:
        """The kind of a name, or TypeMismatch."""
        if (name, version) not in self._kinds:
            raise TypeMismatch(f"unknown module kind {name!r} version {version}")
        return self._kinds[name, version]

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[ModuleKind]:
        return iter(self._kinds.values())


KINDS = Kinds()


def check_declaration(kind: ModuleKind) -> None:
    """Hold a kind's class attributes to what `ModuleKind` says of them.

    Raises:
        BrokenContract: One is missing or wrong; says which and what to write.
    """
    shown = f"the module kind {type(kind).__name__} in {_place(kind)}"

    def hold(condition: bool, name: str, expected: str) -> None:
        if not condition:
            got = f"got {getattr(kind, name)!r}" if hasattr(kind, name) else "got none"
            raise BrokenContract(f"{shown}: expected {expected} as {name!r}, {got}")

    name, version = getattr(kind, "name", None), kind.version
    plain = isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None
    hold(plain, "name", "a name in small letters, such as 'winsorize',")
    hold(type(version) is int and version >= 1, "version", "an integer of at least 1")
    modes = get_args(Mode)
    hold(getattr(kind, "mode", None) in modes, "mode", f"one of {', '.join(map(repr, modes))}")
    doc = getattr(kind, "doc", None)
    hold(isinstance(doc, str) and bool(doc.strip()), "doc", "a line on what it gives")
    hold(isinstance(kind.choices, Mapping), "choices", "a dict from names to Real, Integer or OneOf")
    for choice, range_ in kind.choices.items():
        where = f"{shown}: the choice {choice!r}"
        if not isinstance(range_, Range):
            raise BrokenContract(f"{where} should be Real, Integer or OneOf, got {range_!r}")
        if not range_.check(range_.default):
            if isinstance(range_, OneOf):
                allowed = f"one of {', '.join(map(repr, range_.options)) or 'no options'}"
            else:
                what = "an integer" if isinstance(range_, Integer) else "a number"
                allowed = f"{what} from {range_.low} to {range_.high}"
            raise BrokenContract(f"{where} expects {allowed} as its default, got {range_.default!r}")


def _place(kind: ModuleKind) -> str:
    """The file that declares a kind."""
    module = sys.modules.get(type(kind).__module__)
    return getattr(module, "__file__", None) or type(kind).__module__


def register(kind: type[ModuleKind]) -> type[ModuleKind]:
    """Class decorator: add a module kind."""
    KINDS.add(kind())
    return kind


def fit_kind(kind: ModuleKind, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
    """What `kind.fit` gives.

    Raises:
        BrokenContract: It is no `Fitted` with a dict of arrays.
    """
    fitted = kind.fit(inputs, settings, context)
    if not isinstance(fitted, Fitted):
        raise BrokenContract(
            f"{kind.name}.fit in {_place(kind)}: expected Fitted(arrays), got {type(fitted).__name__}"
        )
    for name, array in fitted.arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            got = f"{array.dtype} in it" if isinstance(array, np.ndarray) else type(array).__name__
            raise BrokenContract(
                f"{kind.name}.fit in {_place(kind)}: expected an array of numbers as {name!r}, got {got}"
            )
    return fitted


def run_kind(
    kind: ModuleKind,
    arrays: Mapping[str, NDArray[Any]],
    inputs: Sequence[Column],
    settings: Settings,
    output: Type,
    rows: int,
) -> Column:
    """What `kind.forward` gives for columns of so many rows.

    Raises:
        BrokenContract: It is no column of that type with so many rows.
    """
    result = kind.forward(arrays, inputs, settings, output)
    if not isinstance(result, Column) or result.type.name != output.name or len(result) != rows:
        raise BrokenContract(
            f"{kind.name}.forward in {_place(kind)}: expected {expected_column(output, rows)}, got "
            f"{found_column(result)}; `Dense(output, array)` makes one of a vector, and `prediction` in "
            "modules/_inputs.py one of probabilities or numbers"
        )
    return result


def expected_column(type_: Type, rows: int) -> str:
    """Words for the column that should have come."""
    return f"a column of {rows:,} {type_.name} value{'' if rows == 1 else 's'}"


def found_column(value: object) -> str:
    """Words for what came in place of a column."""
    if isinstance(value, Column):
        return f"one of {len(value):,} {value.type.name} value{'' if len(value) == 1 else 's'}"
    if isinstance(value, np.ndarray):
        return f"a bare array of shape {value.shape}"
    return f"{type(value).__name__}"


def settings_of(kind: ModuleKind, stated: Mapping[str, Choice]) -> dict[str, Choice]:
    """Every choice of a kind: the stated ones and the defaults.

    Raises:
        TypeMismatch: A stated choice does not exist or is out of its range.
    """
    for name, value in stated.items():
        if name not in kind.choices:
            raise TypeMismatch(
                f"{kind.name} has no choice {name!r}; it has {', '.join(kind.choices) or 'none'}"
            )
        if not kind.choices[name].check(value):
            raise TypeMismatch(f"{value!r} is out of range for {name} of {kind.name}: {kind.choices[name]}")
    return {name: stated.get(name, range_.default) for name, range_ in kind.choices.items()}
