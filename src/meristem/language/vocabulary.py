"""Declaring primitives and subroutines: name, type, meaning, cost and examples in one place.

A *primitive* is one plain Python function: that function **is** its meaning. A *columnar rule* beside it is an
optional speed-up that must agree with it. A *subroutine* has a body in the language and so works everywhere at once.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from meristem.errors import MeristemError, TypeMismatch
from meristem.types import Type, function_of, parse_type

Example = tuple[tuple[Any, ...], Any]
"""Arguments and the result; the class `EvaluationError` or a `Reason` where there is none. A function among the
arguments is the text of a term: `"x => x + 1"`."""


@dataclass(eq=False)
class Primitive:
    """An algorithmic primitive.

    Args:
        name: Its name in terms.
        version: Raised when the meaning changes; the old one stays loadable.
        type: Its function type; ignored where `rule` is set.
        function: The plain Python meaning. Takes and gives Python values; raises `EvaluationError`.
        cost: What one use costs under the prior (description length), at least 1.
        examples: Tested calls.
        rule: For a type that no scheme can say (record selections): argument types -> result type. Then the plain
            function takes the parameters of the result type first (the names of its fields), and the columnar rule
            the result type.
        literals: Whether the rule also gets `literals=`: the values of the arguments that are literals, None elsewhere.
        columnar_rule: The same over whole columns.
        doc: First line of the docstring.
        hints: For arguments, by position, that are mostly literals (the name of a class of characters): those that
            are worth trying. A search takes its constants from here; others are allowed.
    """

    name: str
    version: int
    type: Type
    function: Callable[..., Any]
    cost: int = 1
    examples: Sequence[Example] = ()
    rule: Callable[..., Type] | None = None
    columnar_rule: Callable[..., Any] | None = None
    doc: str = ""
    literals: bool = False
    hints: Mapping[int, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def arity(self) -> int | None:
        """The number of arguments; None where it is open."""
        return None if self.rule is not None else len(self.type.parameters)

    @property
    def place(self) -> str:
        """The file and line that declare it."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else "an unknown place"

    @property
    def higher_order(self) -> bool:
        """Whether an argument is a function."""
        return self.rule is None and any(p.is_function for p in self.type.parameters)

    def columnar(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: declare the columnar rule.

        The rule takes one column an argument, all of N rows, and gives a column of N rows. Rows without a value are
        said with `meristem.language.failing(column, reasons)`. Where an argument is a function the rule takes a
        `Frame` first and gets a `Closure` for it.
        """
        self.columnar_rule = function
        return function

    def __call__(self, *args: Any) -> Any:
        """Run the plain meaning."""
        return self.function(*args)


@dataclass(eq=False)
class Subroutine:
    """A function with a body in the language.

    Args:
        name: Its name in terms.
        version: Its version.
        type: Its function type.
        parameters: Names of its parameters.
        body: The text form of its body; parsed when first used.
        cost: What one use costs under the prior.
        examples: Tested calls.
        doc: What it gives, in a line.
        hints: As a primitive's.
        place: The file and line that declare it.
    """

    name: str
    version: int
    type: Type
    parameters: tuple[str, ...]
    body: str
    cost: int = 1
    examples: Sequence[Example] = ()
    doc: str = ""
    hints: Mapping[int, tuple[Any, ...]] = field(default_factory=dict)
    place: str = "an unknown place"
    parsed: Any = field(default=None, repr=False)
    expansions: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.parameters)


Entry = Primitive | Subroutine


class Vocabulary:
    """All primitives and subroutines by name and version."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[int, Entry]] = {}

    def add(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            MeristemError: The name and version are taken.
        """
        versions = self._entries.setdefault(entry.name, {})
        if entry.version in versions:
            raise MeristemError(
                f"{entry.name} version {entry.version} is declared twice: in {versions[entry.version].place} and in "
                f"{entry.place}; choose another name, or a higher version where it is to replace the first"
            )
        versions[entry.version] = entry

    def find(self, name: str, version: int = 0) -> Entry:
        """The entry of a name; version 0 is the newest.

        Raises:
            TypeMismatch: There is none.
        """
        versions = self._entries.get(name)
        if not versions:
            raise TypeMismatch(f"unknown function {name!r}")
        if version == 0:
            return versions[max(versions)]
        if version not in versions:
            raise TypeMismatch(f"unknown version {version} of {name!r}, there is {sorted(versions)}")
        return versions[version]

    def remove(self, name: str) -> None:
        """Forget an entry with all its versions; for entries that were made on trial."""
        self._entries.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[Entry]:
        """The newest version of each."""
        return (versions[max(versions)] for versions in self._entries.values())


VOCABULARY = Vocabulary()
_scheme = lru_cache(maxsize=None)(parse_type)  # many entries are of one type, and all are read at every start


def primitive(
    type: str | Callable[..., Type],
    *,
    version: int = 1,
    cost: int = 1,
    examples: Sequence[Example] = (),
    name: str | None = None,
    literals: bool = False,
    hints: Mapping[int, tuple[Any, ...]] | None = None,
) -> Callable[[Callable[..., Any]], Primitive]:
    """Decorator: declare the plain Python function below it as a primitive.

    Args:
        type: The text form of its type, or a function from the argument types to the result type.
        version: Raised when the meaning changes.
        cost: Cost of one use under the prior.
        examples: `((arguments...), result)`; the result `EvaluationError` means that there is none.
        name: Its name in terms; the function's name without a trailing underscore where left out.
        literals: Whether a rule also gets the values of literal arguments.
        hints: By position of an argument, literals that are worth trying for it.
    """

    def declare(function: Callable[..., Any]) -> Primitive:
        rule = None if isinstance(type, str) else type
        scheme = _scheme(type) if isinstance(type, str) else function_of(_scheme("a"))
        doc = (function.__doc__ or "").strip().splitlines()
        chosen = name or function.__name__.rstrip("_")
        entry = Primitive(
            chosen,
            version,
            scheme,
            function,
            cost,
            examples,
            rule,
            doc=doc[0] if doc else "",
            literals=literals,
            hints=hints or {},
        )
        VOCABULARY.add(entry)
        return entry

    return declare


def subroutine(
    name: str,
    type: str,
    parameters: str,
    body: str,
    *,
    doc: str,
    version: int = 1,
    cost: int = 1,
    examples: Sequence[Example] = (),
    hints: Mapping[int, tuple[Any, ...]] | None = None,
) -> Subroutine:
    """Declare a function by a body in the text form of the language.

    >>> subroutine("twice", "int -> int", "x", "add(x, x)", doc="Two times x.")  # doctest: +SKIP
    """
    names = tuple(parameters.replace(",", " ").split())
    caller = sys._getframe(1)
    place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    entry = Subroutine(name, version, _scheme(type), names, body, cost, examples, doc, hints or {}, place)
    VOCABULARY.add(entry)
    return entry
