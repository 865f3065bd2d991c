"""The prior: what each use of a function costs in a search.

A cost is about -2 log2 of how likely the function is to be used at a place where its type fits, as far as one can say
before any task was solved: what people write often is cheap. An input costs 1. What is not listed costs `OTHER`;
what is None is left out, as another entry says the same (`a > b` is `b < a`), or because only a person would call it.
"""

from __future__ import annotations

OTHER = 5

COSTS: dict[str, int | None] = {
    # numbers
    "add": 2,
    "subtract": 2,
    "multiply": 3,
    "quotient": 3,
    "remainder": 3,
    "divide": 3,
    "negate": 3,
    "abs": 4,
    "minimum": 3,
    "maximum": 3,
    "increment": 2,
    "decrement": 2,
    "square": 4,
    "sign": 5,
    "clamp": None,
    "distance": 5,
    "power": 5,
    "to_real": 3,
    "floor": 3,
    "round": 3,
    # logic
    "and": 3,
    "or": 3,
    "not": 2,
    "xor": 5,
    "equal": 2,
    "not_equal": 3,
    "less": 2,
    "less_equal": 3,
    "greater": None,
    "greater_equal": None,
    "between": None,
    "is_even": 3,
    "is_odd": 3,
    # lists
    "length": 2,
    "get": 2,
    "first": 2,
    "last": 2,
    "take": 2,
    "drop": 2,
    "rest": 2,
    "initial": 3,
    "take_last": 3,
    "slice": 3,
    "append": 2,
    "prepend": 2,
    "concat_lists": 2,
    "reverse": 2,
    "sort": 2,
    "sort_descending": 3,
    "unique": 2,
    "sum": 2,
    "min": 2,
    "max": 2,
    "product": 3,
    "contains": 2,
    "count_of": 3,
    "is_empty": 3,
    "range": 3,
    "repeat": 3,
    "flatten": 3,
    "set_item": 3,
    "insert_at": 3,
    "remove_at": 3,
    "cumulative_sum": 4,
    "differences": 4,
    "argmax": 4,
    "argmin": 4,
    "most_common": 4,
    "digits_of": 5,
    "chunks": 4,
    "windows": 4,
    "zip": 4,
    "left": 2,
    "right": 2,
    "enumerate": None,
    # text
    "text_length": 2,
    "concat_text": 2,
    "characters": 3,
    "join_text": 3,
    "split": 2,
    "words": 2,
    "upper": 3,
    "lower": 3,
    "title": 3,
    "strip": 3,
    "replace": 3,
    "text_slice": 3,
    "text_contains": 3,
    "starts_with": 3,
    "ends_with": 3,
    "text_find": 4,
    "value": 3,
    "or_else": 4,
    # no result, or only another way to say something
    "none": None,
    "map_option": None,
    "first_or_none": None,
    "is_some": 4,
    "some": None,
    "pair": 4,
}
"""By name."""


def cost_of(name: str) -> int | None:
    """What a use costs; None where it is left out."""
    return COSTS.get(name, OTHER)


__all__ = ["COSTS", "OTHER", "cost_of"]
