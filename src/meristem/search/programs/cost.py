"""The description length of any program, for those that no search gave: recalled, filled in, or written by a user.

It is in half bits, as the prior of the enumeration states what each function costs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from meristem.language.terms import Call, If, Literal, Module, Term, Variable
from meristem.search.programs.prior import OTHER, cost_of

_UNLISTED = OTHER + 1.0  # of functions that the enumeration leaves out, and of nodes it does not make
_INPUT, _BRANCH, _LIST = 1.0, 3.0, 2.0
_NOISE = 8.0
_SMALL = {0: 2.0, 1: 2.0, 2: 2.0, 3: 3.0, 4: 3.0, 5: 3.0, -1: 4.0}


def description_length(term: Term, inputs: int) -> float:
    """Half bits that write a program down: the functions, the names, the constants.

    Args:
        term: The program.
        inputs: How many inputs it may use.
    """
    total = 0.0
    for node in term.walk():
        if isinstance(node, Variable):
            total += _INPUT
        elif isinstance(node, Literal):
            total += literal_cost(node.value)
        elif isinstance(node, Call):
            known = cost_of(node.name)
            total += _UNLISTED if known is None else known
        elif isinstance(node, If):
            total += _BRANCH
        elif isinstance(node, Module):
            total += _UNLISTED
        else:
            total += _LIST
    return total + 2.0 * max(inputs - len(term.free_names), 0)


def literal_cost(value: object) -> float:
    """Half bits of a constant."""
    if isinstance(value, bool):
        return 4.0
    if isinstance(value, int):
        return _SMALL.get(value, 4.0 + max(2 * math.log2(abs(value) / 10), 0.0) if value else 2.0)
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e6:
            return literal_cost(int(value))
        return 4.0 + 3.0 * len(repr(value).replace(".", "").lstrip("-0"))
    if isinstance(value, str):
        return 3.0 + float(len(value))
    return 24.0 if isinstance(value, datetime) else 8.0


def answers_bits(answers: Sequence[object]) -> float:
    """Bits that write some answers down as they are: what a program has to be shorter than to have understood them."""
    distinct = {repr(answer): answer for answer in answers}
    again = (len(answers) - len(distinct)) * math.log2(max(len(distinct), 2))
    return sum(map(_value_bits, distinct.values())) + again


def _value_bits(value: object) -> float:
    if isinstance(value, bool):
        return 1.0
    if isinstance(value, list | tuple):
        return 1.0 + sum(map(_value_bits, value))
    return literal_cost(value) / 2


def exception_cost(wrong: float) -> float:
    """Half bits of an example that a program does not answer, where a share of them may be wrong.

    That it is one of the wrong ones rather than one of the others, and some for what stands there instead. So a
    branch made for one example alone is dearer than taking that example for wrong, and a real rule is not.

    Args:
        wrong: The share, above 0 and below 0.5.
    """
    return 2 * math.log2((1 - wrong) / wrong) + _NOISE


__all__ = ["description_length", "exception_cost", "literal_cost"]
