"""Errors a user or a program can meet. Each derives from `MeristemError` and the nearest builtin.

Messages say, in this order: what was expected, what came, the likely cause, what to do.
"""

from __future__ import annotations

from enum import IntEnum


class MeristemError(Exception):
    """Base of every error that Meristem raises on purpose."""


class InputError(MeristemError, ValueError):
    """Data, an argument or an option from the user cannot be used as it is."""


class TypeMismatch(MeristemError, TypeError):
    """A term is not well typed, or a value does not have the type it should have."""


class FileFormatError(MeristemError, ValueError):
    """A file is damaged, hostile, or of a format this version does not know."""


class MissingDependency(MeristemError, ImportError):
    """An optional package is needed for this and is not installed."""

    def __init__(self, package: str, purpose: str, extra: str | None = None) -> None:
        what = f"meristem[{extra}]" if extra else package
        super().__init__(f"{purpose} needs the package {package!r}. Install it with: pip install '{what}'")


class ResourceError(MeristemError, RuntimeError):
    """A program asked for more memory or steps than it was given."""


class ExecutorError(MeristemError, RuntimeError):
    """Work cannot be handed to worker processes: they do not start, or the pool is closed."""


class BrokenContract(MeristemError, AssertionError):
    """A primitive, a subroutine or a module kind does not do what it declares: a defect of who wrote it."""


class Reason(IntEnum):
    """Why one row of a column has no value. Stored as one byte a row beside the column."""

    OK = 0
    EMPTY = 1  # head of an empty list, the value of an absent option
    INDEX = 2  # position outside of a list or text
    DOMAIN = 3  # logarithm of a negative number, a negative count
    OVERFLOW = 4  # an int outside of 64 bits
    DIVISION = 5  # division by zero
    NON_FINITE = 6  # a real that is not finite
    NOT_FOUND = 7  # a key that a map does not hold
    PARSE = 8  # text that is no number, no date
    FUEL = 9  # too many steps or elements
    SIZE = 10  # one value too large
    FAULT = 11  # a defect in a primitive: anything it did not declare


class EvaluationError(MeristemError, ArithmeticError):
    """A primitive has no value for these arguments. Ends one row, not the others.

    Args:
        reason: The declared kind of failure.
        message: Optional words for a person.
    """

    def __init__(self, reason: Reason, message: str = "") -> None:
        self.reason = reason
        super().__init__(message or reason.name.lower().replace("_", " "))
