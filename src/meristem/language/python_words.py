"""Python's words for what terms say: operators, templates of calls, identifiers, annotations."""

from __future__ import annotations

import builtins
import keyword
import re

from meristem.language.kinds import KINDS
from meristem.language.subroutines import body_of
from meristem.language.terms import Call, Choice, Let, Literal, Module, Term
from meristem.language.vocabulary import VOCABULARY, Primitive, Subroutine
from meristem.types import Type

# How strongly Python binds, weakest first.
LAMBDA, IF, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, POSTFIX, ATOM = range(11)
LEVELS = {1: OR, 2: AND, 4: COMPARE, 5: SUM, 6: PRODUCT}  # of the text form's infix operators

TEMPLATES: dict[str, tuple[str, int]] = {
    # What a primitive is in Python's own words, with how strongly that binds. `{0:9}` is the first argument where
    # the surroundings bind with strength 9.
    "not": ("not {0:4}", NOT),
    "negate": ("-{0:9}", UNARY),
    "abs": ("abs({0:0})", POSTFIX),
    "minimum": ("min({0:0}, {1:0})", POSTFIX),
    "maximum": ("max({0:0}, {1:0})", POSTFIX),
    "class_number": ("int({0:0})", POSTFIX),
    "to_real": ("float({0:0})", POSTFIX),
    "length": ("len({0:0})", POSTFIX),
    "text_length": ("len({0:0})", POSTFIX),
    "map_size": ("len({0:0})", POSTFIX),
    "append": ("[*{0:3}, {1:0}]", ATOM),
    "concat_lists": ("{0:6} + {1:7}", SUM),
    "concat_text": ("{0:6} + {1:7}", SUM),
    "reverse": ("{0:9}[::-1]", POSTFIX),
    "sort": ("sorted({0:0})", POSTFIX),
    "min": ("min({0:0})", POSTFIX),
    "max": ("max({0:0})", POSTFIX),
    "zip": ("list(zip({0:0}, {1:0}))", POSTFIX),
    "none": ("None", ATOM),
    "some": ("{0:0}", LAMBDA),
    "is_some": ("{0:6} is not None", COMPARE),
    "pair": ("({0:0}, {1:0})", ATOM),
    "left": ("{0:9}[0]", POSTFIX),
    "right": ("{0:9}[1]", POSTFIX),
    "has_key": ("{1:6} in {0:6}", COMPARE),
    "keys": ("list({0:0})", POSTFIX),
    "values": ("list({0:9}.values())", POSTFIX),
    "items": ("list({0:9}.items())", POSTFIX),
    "map_set": ("{{**{0:6}, {1:0}: {2:0}}}", ATOM),
    "map_of": ("dict({0:0})", POSTFIX),
    "characters": ("list({0:0})", POSTFIX),
    "words": ("{0:9}.split()", POSTFIX),
    "upper": ("{0:9}.upper()", POSTFIX),
    "lower": ("{0:9}.lower()", POSTFIX),
    "title": ("{0:9}.title()", POSTFIX),
    "strip": ("{0:9}.strip()", POSTFIX),
    "starts_with": ("{0:9}.startswith({1:0})", POSTFIX),
    "ends_with": ("{0:9}.endswith({1:0})", POSTFIX),
    "split": ("{0:9}.split({1:0})", POSTFIX),
    "join_text": ("{1:9}.join({0:0})", POSTFIX),
    "join_words": ("' '.join({0:0})", POSTFIX),
    "concat_texts": ("''.join({0:0})", POSTFIX),
    "replace": ("{0:9}.replace({1:0}, {2:0})", POSTFIX),
    "remove_text": ("{0:9}.replace({1:0}, '')", POSTFIX),
    "remove_prefix": ("{0:9}.removeprefix({1:0})", POSTFIX),
    "remove_suffix": ("{0:9}.removesuffix({1:0})", POSTFIX),
    "squeeze_spaces": ("' '.join({0:9}.split())", POSTFIX),
    "count_text": ("{0:9}.count({1:0})", POSTFIX),
    "text_contains": ("{1:6} in {0:6}", COMPARE),
    "contains": ("{1:6} in {0:6}", COMPARE),
    "is_member": ("{0:6} in {1:6}", COMPARE),
    "surround": ("{1:6} + {0:7} + {2:7}", SUM),
    "join_with": ("{0:6} + {1:7} + {2:7}", SUM),
    "show": ("repr({0:0})", POSTFIX),
    "label": ("{0:0}", LAMBDA),
}
SLOT = re.compile(r"\{(\d):(\d)\}")


def python_name(name: str) -> str:
    """A Python name made from any text."""
    text = re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"
    if text[0].isdigit():
        text = "_" + text
    return text + "_" if keyword.iskeyword(text) or text in dir(builtins) else text


def function_name(entry: Primitive | Subroutine) -> str:
    """The Python name of what a call calls."""
    own = entry.function.__name__ if isinstance(entry, Primitive) else python_name(entry.name)
    return own if entry.version == VOCABULARY.find(entry.name).version else f"{own}_v{entry.version}"


def part_name(node: Module) -> str:
    """What a module is called in Python: its kind, or its own name where it is a part trained by gradients."""
    trained = any(kind.name == node.kind and kind.mode == "gradient" for kind in KINDS)
    return node.label if trained and node.label.isidentifier() else node.kind


def functions_of(term: Term) -> set[str]:
    """The Python names of all functions that a term calls, directly or through subroutines, and of its modules."""
    found: set[str] = set()
    todo = [term]
    while todo:
        for node in todo.pop().walk():
            if isinstance(node, Module):
                found.add(python_name(part_name(node)))
            if not isinstance(node, Call) or node.name not in VOCABULARY:
                continue
            entry = VOCABULARY.find(node.name, node.version)
            own = function_name(entry)
            if own not in found and isinstance(entry, Subroutine):
                todo.append(body_of(entry))
            found |= {own, own.rstrip("_")}
    return found


def python_value(value: Choice) -> str:
    """A module's choice as Python writes it."""
    return repr(value)


def count_slots(text: str) -> int:
    """How many different arguments a template takes."""
    return len(set(SLOT.findall(text)))


def python_docstring(text: str) -> str:
    """A text as a docstring, whatever stands in it."""
    plain = text.isprintable() and "\\" not in text and '"""' not in text and not text.endswith('"')
    return f'"""{text}"""' if plain else ascii(text)


def is_there(term: Term) -> bool:
    """Whether a term is a constant that is there."""
    while isinstance(term, Call) and term.name == "some" and len(term.args) == 1:
        term = term.args[0]
    return isinstance(term, Literal)


def has_let(term: Term) -> bool:
    """Whether a term binds a name by `let`, which Python cannot do inside an expression."""
    return any(isinstance(node, Let) for node in term.walk())


def may_be_empty_sum(term: Call, inside: set[str]) -> bool:
    """Whether a call gives the sum of a list as it is, which may be Python's int 0 for no reals."""
    if term.name == "sum":
        return True
    entry = VOCABULARY.find(term.name, term.version)
    if isinstance(entry, Primitive) or not entry.type.result.is_variable or entry.name in inside:
        return False
    calls = [node for node in body_of(entry).walk() if isinstance(node, Call)]
    return any(may_be_empty_sum(call, inside | {entry.name}) for call in calls)


_SIMPLE = {"bool": "bool", "int": "int", "real": "float", "text": "str", "class": "str"}


def annotation(type_: Type) -> str | None:
    """A type as a Python annotation; None where Python has no short word for it."""
    if type_.name in _SIMPLE:
        return _SIMPLE[type_.name]
    if type_.name == "row":
        return "dict"
    inner = [annotation(arg) for arg in type_.args]
    if None in inner or type_.name not in ("list", "pair", "map", "option"):
        return None
    parts = ", ".join(filter(None, inner))
    if type_.name == "option":
        return f"{parts} | None"
    return {"list": "list", "pair": "tuple", "map": "dict"}[type_.name] + f"[{parts}]"


__all__ = [
    "AND",
    "ATOM",
    "COMPARE",
    "IF",
    "LAMBDA",
    "LEVELS",
    "NOT",
    "OR",
    "POSTFIX",
    "PRODUCT",
    "SLOT",
    "SUM",
    "TEMPLATES",
    "UNARY",
    "annotation",
    "count_slots",
    "function_name",
    "functions_of",
    "has_let",
    "is_there",
    "may_be_empty_sum",
    "part_name",
    "python_docstring",
    "python_name",
    "python_value",
]
