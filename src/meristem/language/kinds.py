"""Declaring module kinds: what a fitted part takes, what can be chosen about it, how it is fitted and run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError, TypeMismatch
from meristem.language.terms import Choice
from meristem.types import Type
from meristem.values import Column

Arrays = dict[str, NDArray[Any]]
Settings = Mapping[str, Choice]
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

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        """What the fit learned, in a few short lines for a person."""
        count = sum(a.size for a in arrays.values())
        return [f"{count:,} numbers"]


class Kinds:
    """All module kinds by name and version."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, int], ModuleKind] = {}
        self._names: set[str] = set()

    def add(self, kind: ModuleKind) -> None:
        """Add a kind; a name and version that is taken raises."""
        key = (kind.name, kind.version)
        if key in self._kinds:
            raise MeristemError(f"the module kind {kind.name} version {kind.version} is declared twice")
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


def register(kind: type[ModuleKind]) -> type[ModuleKind]:
    """Class decorator: add a module kind."""
    KINDS.add(kind())
    return kind


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
