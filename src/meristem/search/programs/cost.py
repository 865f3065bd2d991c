"""The description length of any program, for those that no search gave: recalled, filled in, or written by a user."""

from __future__ import annotations

import math
from datetime import datetime

from meristem.errors import TypeMismatch
from meristem.language.terms import Call, If, Lambda, Let, Literal, Term, Variable
from meristem.language.vocabulary import VOCABULARY

_NODE = 1.0  # bits beside what is chosen: that it goes on here


def description_length(term: Term, inputs: int) -> float:
    """Bits that write a program down: a choice among the vocabulary at each node, and the constants.

    Args:
        term: The program.
        inputs: How many inputs it may use.
    """
    choices = math.log2(sum(1 for _ in VOCABULARY) + inputs + 6)
    bits = 0.0
    for node in term.walk():
        if isinstance(node, Variable):
            bits += _NODE + math.log2(inputs + 3)
        elif isinstance(node, Literal):
            bits += _NODE + literal_bits(node.value)
        elif isinstance(node, Call):
            try:
                own = VOCABULARY.find(node.name, node.version).cost
            except TypeMismatch:
                own = 1
            bits += choices - 1 + own
        elif isinstance(node, If | Lambda | Let):
            bits += 3.0
        else:
            bits += choices
    return bits


def literal_bits(value: object) -> float:
    """Bits of a constant."""
    if isinstance(value, bool):
        return 1.0
    if isinstance(value, int):
        return 2.0 + 2 * math.log2(1 + abs(value))
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e6:
            return 3.0 + 2 * math.log2(1 + abs(value))
        return 4.0 + 3.4 * len(repr(value).replace(".", "").lstrip("-0"))
    if isinstance(value, str):
        return 3.0 + 5.0 * len(value)
    return 24.0 if isinstance(value, datetime) else 8.0


def exception_bits(value: object, count: int) -> float:
    """Bits of stating that one of `count` examples is wrong and has this answer instead of the program's."""
    if isinstance(value, list | tuple):
        inner = sum(1.0 + exception_bits(v, 1) for v in value)
    elif isinstance(value, dict):
        inner = sum(2.0 + exception_bits(k, 1) + exception_bits(v, 1) for k, v in value.items())
    else:
        inner = literal_bits(value)
    return inner + math.log2(max(count, 1))


__all__ = ["description_length", "exception_bits", "literal_bits"]
