"""Names and descriptions of learned subroutines, made from their bodies."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from meristem.language.terms import (
    Apply,
    Call,
    Field,
    If,
    Lambda,
    Let,
    ListOf,
    Literal,
    Module,
    Record,
    Term,
    Variable,
)
from meristem.types import Type

_MOST_NAME, _MOST_WORDS, _MOST_DOC = 40, 3, 160
_WORDS = {
    "add": "plus",
    "subtract": "minus",
    "multiply": "times",
    "quotient": "div",
    "remainder": "mod",
    "concat_lists": "join",
    "concat_text": "join",
}
_NAMES = {
    "list": ("xs", "ys", "zs"),
    "int": ("n", "m", "k"),
    "real": ("r", "s", "t"),
    "text": ("words", "other_words", "more_words"),
    "bool": ("flag", "other_flag", "third_flag"),
    "map": ("table", "other_table", "third_table"),
    "->": ("step", "other_step", "third_step"),
    "test": ("test", "other_test", "third_test"),
    "reader": ("reader", "other_reader", "third_reader"),
}
_OTHERS = ("value", "other", "third")


def parameter_names(
    types: Sequence[Type], applied: Collection[int], taken: Collection[str] = ()
) -> tuple[str, ...]:
    """Readable names for parameters.

    Args:
        types: Their types.
        applied: Positions of those that modules are given for.
        taken: Names not to use.
    """
    found: list[str] = []
    for position, type_ in enumerate(types):
        head = type_.name
        if position in applied:
            head = "reader"
        elif type_.is_function and type_.result.name == "bool":
            head = "test"
        names = _NAMES.get(head, _OTHERS) if not type_.is_variable else _OTHERS
        free = (
            n
            for n in (*names, *(f"{names[0]}_{k}" for k in range(2, 99)))
            if n not in found and n not in taken
        )
        found.append(next(free))
    return tuple(found)


def name_of(body: Term, taken: Collection[str]) -> str:
    """A name that says what a body does: its outermost functions, and its constants.

    >>> from meristem.language.text import parse_term
    >>> name_of(parse_term("sum(map(reader, xs))"), ())
    'sum_of_map'
    >>> name_of(parse_term("take(sort(xs), 3)"), {"take_3_of_sort"})
    'take_3_of_sort_2'
    """
    words = _words(body)[:_MOST_WORDS]
    name = "_of_".join(words)
    while len(name) > _MOST_NAME and len(words) > 1:
        words = words[:-1]
        name = "_of_".join(words)
    name = name[:_MOST_NAME].strip("_") or "part"
    if not name[0].isalpha():
        name = f"part_{name}"
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique


def _words(term: Term) -> list[str]:
    """The functions of a body from the outside in, each with its small constants."""
    found: list[str] = []
    level: list[Term] = [term]
    while level and len(found) < _MOST_WORDS:
        inner: list[Term] = []
        for node in level:
            word = _word(node)
            if word:
                found.append(word)
            inner.extend(node.children())
        level = inner
    return found


def _word(node: Term) -> str:
    if isinstance(node, Call):
        constants = [_constant(arg) for arg in node.args if isinstance(arg, Literal)]
        return "_".join([_WORDS.get(node.name, node.name), *filter(None, constants)])
    if isinstance(node, If):
        return "choice"
    if isinstance(node, Module):
        return node.label or node.kind
    if isinstance(node, Record):
        return "record"
    if isinstance(node, Field):
        return "".join(c for c in node.name.lower() if c.isascii() and c.isalnum())[:12]
    return ""


def _constant(literal: Literal) -> str:
    value = literal.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) < 1000:
        return str(value) if value >= 0 else f"minus_{-value}"
    if isinstance(value, str) and value.isascii() and value.isalnum() and len(value) <= 10:
        return value.lower()
    return ""


def doc_of(body: Term) -> str:
    """A sentence that says what a body gives.

    >>> from meristem.language.text import parse_term
    >>> doc_of(parse_term("sum(map(x => x * n, xs))"))
    'The sum of the map of xs by each x to the product of x and n.'
    """
    from meristem.language.text import format_term

    said = _phrase(body)
    if len(said) > _MOST_DOC:
        said = format_term(body)
    if len(said) > _MOST_DOC:
        said = said[: _MOST_DOC - 3] + "..."
    return f"{said[:1].upper()}{said[1:]}."


_PHRASES = {
    "add": "the sum of {} and {}",
    "subtract": "{} minus {}",
    "multiply": "the product of {} and {}",
    "quotient": "{} divided by {}",
    "divide": "{} divided by {}",
    "remainder": "the remainder of {} by {}",
    "increment": "{} plus 1",
    "decrement": "{} minus 1",
    "square": "the square of {}",
    "equal": "whether {} is {}",
    "not_equal": "whether {} is not {}",
    "less": "whether {} is less than {}",
    "less_equal": "whether {} is at most {}",
    "greater": "whether {} is greater than {}",
    "greater_equal": "whether {} is at least {}",
    "and": "{} and {}",
    "or": "{} or {}",
    "not": "not {}",
    "map": "the map of {1} by {0}",
    "filter": "the items of {1} kept by {0}",
    "sort_by": "{1} sorted by {0}",
    "take": "the first {1} items of {0}",
    "drop": "{0} without its first {1} items",
    "take_last": "the last {1} items of {0}",
    "concat_lists": "{} followed by {}",
    "prepend": "{1} with {0} before it",
    "append": "{} with {} at its end",
    "rest": "{} without its first item",
    "initial": "{} without its last item",
    "get": "item {1} of {0}",
    "first": "the first item of {}",
    "last": "the last item of {}",
    "sort": "{} sorted",
    "reverse": "{} reversed",
    "unique": "the distinct items of {}",
    "contains": "whether {} has {}",
    "repeat": "{} repeated {} times",
}


def _phrase(term: Term) -> str:
    if isinstance(term, Variable):
        return term.name
    if isinstance(term, Literal):
        return repr(term.value) if isinstance(term.value, str) else str(term.value).lower()
    if isinstance(term, Lambda):
        return f"each {', '.join(term.parameters)} to {_phrase(term.body)}"
    if isinstance(term, If):
        test, then, otherwise = (_phrase(child) for child in term.children())
        return f"{then} if {test.removeprefix('whether ')}, else {otherwise}"
    if isinstance(term, Let):
        return f"{_phrase(term.body)}, where {term.name} is {_phrase(term.value)}"
    if isinstance(term, ListOf):
        return f"the list of {_listed(term.items)}" if term.items else "the empty list"
    if isinstance(term, Field):
        return f"{term.name} of {_phrase(term.record)}"
    if isinstance(term, Record):
        return f"the record of {_listed(term.values)}"
    if isinstance(term, Apply):
        return f"the {_phrase(term.function)} of {_listed(term.args)}"
    if isinstance(term, Call) and term.name in _PHRASES:
        return _PHRASES[term.name].format(*map(_phrase, term.args))
    name = (
        term.name if isinstance(term, Call) else getattr(term, "label", "") or getattr(term, "kind", "part")
    )
    return f"the {name.replace('_', ' ')} of {_listed(term.children())}"


def _listed(terms: Sequence[Term]) -> str:
    said = [_phrase(term) for term in terms]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}" if said else "nothing"


__all__ = ["doc_of", "name_of", "parameter_names"]
