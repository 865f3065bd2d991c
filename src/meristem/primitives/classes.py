"""Classes as what they stand for. A digit is a class where it is seen, and a whole number where it is reasoned on."""

from __future__ import annotations

from typing import Any

import numpy as np

from meristem.errors import TypeMismatch
from meristem.language.vocabulary import primitive
from meristem.primitives._columns import ints
from meristem.types import INT, Type, format_type
from meristem.values import Column, Scalars

_MOST_DIGITS = 18  # any whole number of so many digits has 64 bits


def label_number(label: str) -> int | None:
    """The whole number that a label says, None where it says none."""
    digits = label.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        return int(label)
    return None


def _number_type(type_: Type) -> Type:
    if type_.name != "class" or any(label_number(label) is None for label in type_.labels):
        raise TypeMismatch(
            f"class_number takes a class whose labels are whole numbers, such as class[10], got {format_type(type_, 6)}"
        )
    return INT


@primitive(_number_type)
def class_number(nothing: Any, item: str) -> int:
    """The whole number that the label of a class says: class[10] has the labels 0 to 9."""
    return int(item)


@class_number.columnar
def _(result: Type, item: Scalars) -> Column:
    table = np.array([int(label) for label in item.type.labels] or [0], np.int64)
    return ints(table[item.data])
