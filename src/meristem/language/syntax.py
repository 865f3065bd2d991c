"""What reading and writing the text form agree on: operators, how strongly they bind, and words that are no names."""

from __future__ import annotations

import re

from meristem.language.kinds import KINDS
from meristem.language.vocabulary import VOCABULARY

INFIX: dict[str, tuple[str, int]] = {
    "or": ("or", 1),
    "and": ("and", 2),
    "equal": ("==", 4),
    "not_equal": ("!=", 4),
    "less": ("<", 4),
    "less_equal": ("<=", 4),
    "greater": (">", 4),
    "greater_equal": (">=", 4),
    "add": ("+", 5),
    "subtract": ("-", 5),
    "multiply": ("*", 6),
    "divide": ("/", 6),
    "quotient": ("//", 6),
    "remainder": ("%", 6),
}
"""Two-argument functions that are written between their arguments, and how strongly they bind."""

NOT_LEVEL, COMPARISON, TIGHT = 3, 4, 9
OPERATORS = {symbol: (name, level) for name, (symbol, level) in INFIX.items()}
KEYWORDS = {"let", "in", "if", "then", "else", "true", "false", "as", "and", "or", "not"}
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def is_kind(name: str) -> bool:
    """Whether a name alone says a module: a kind of it is declared, and no function is."""
    return name in KINDS and name not in VOCABULARY


__all__ = ["COMPARISON", "INFIX", "KEYWORDS", "NOT_LEVEL", "OPERATORS", "PLAIN", "TIGHT", "is_kind"]
