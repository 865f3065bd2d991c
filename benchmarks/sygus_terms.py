"""SyGuS-IF as another solver needs it: version 1 files as version 2, and what its answers give.

Thirty years of syntax in a few rules: an s-expression is a list, a text in quotes, or a symbol. Version 2 declares the
non-terminals before the grammar, and calls two functions by other names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any


class Quoted(str):
    """A text in quotes, as against a symbol."""


Expression = list["Expression"] | str

_TOKEN = re.compile(r';[^\n]*|"((?:[^"]|"")*)"|([()])|([^\s()";]+)')
_NAMES = {"str.to.int": "str.to_int", "int.to.str": "str.from_int"}
_PAIR = 2


def read(text: str) -> list[Expression]:
    """All expressions of a text."""
    stack: list[list[Expression]] = [[]]
    for match in _TOKEN.finditer(text):
        quoted, bracket, symbol = match.groups()
        if quoted is not None:
            stack[-1].append(Quoted(quoted.replace('""', '"')))
        elif bracket == "(":
            stack.append([])
        elif bracket == ")":
            done = stack.pop()
            stack[-1].append(done)
        elif symbol is not None:
            stack[-1].append(symbol)
    if len(stack) != 1:
        raise ValueError("brackets that do not match")
    return stack[0]


def write(expression: Expression) -> str:
    """The text of an expression."""
    if isinstance(expression, list):
        return "(" + " ".join(map(write, expression)) + ")"
    if isinstance(expression, Quoted):
        return quoted(expression)
    return expression


def quoted(text: str) -> str:
    """A text in quotes; what is not printable ASCII, and the backslash, by its number."""
    return (
        '"'
        + "".join(c if " " <= c <= "~" and c != "\\" else f"\\u{{{ord(c):x}}}" for c in text).replace(
            '"', '""'
        )
        + '"'
    )


def unescaped(text: str) -> str:
    """The text that one with numbers of characters stands for."""
    return re.sub(
        r"\\u\{([0-9a-fA-F]+)\}|\\u([0-9a-fA-F]{4})", lambda m: chr(int(m.group(1) or m.group(2), 16)), text
    )


def renamed(expression: Expression) -> Expression:
    """With the names of version 2."""
    if isinstance(expression, list):
        return [renamed(part) for part in expression]
    if isinstance(expression, Quoted):
        return expression
    return _NAMES.get(expression, expression)


def converted(text: str, pairs: Sequence[tuple[Sequence[Any], Any]]) -> str:
    """A version 1 file of examples as version 2, with the grammar it has and these examples in place of its own."""
    lines = []
    name = "f"
    for command in read(text):
        assert isinstance(command, list)
        if command[0] == "set-logic":
            lines.append(write(command))
        elif command[0] == "synth-fun":
            _, name, parameters, sort, grammar = command  # type: ignore[assignment]
            groups = [
                [symbol, of, _without_doubles(rules)]
                for symbol, of, rules in renamed(grammar)  # type: ignore[misc]
            ]
            declared = [[symbol, of] for symbol, of, _ in groups]
            lines.append(write(["synth-fun", name, parameters, sort, declared, groups]))  # type: ignore[list-item]
    for args, answer in pairs:
        lines.append(f"(constraint (= ({name} {' '.join(map(constant, args))}) {constant(answer)}))")
    return "\n".join([*lines, "(check-synth)"]) + "\n"


def _without_doubles(rules: Expression) -> Expression:
    assert isinstance(rules, list)
    seen: dict[str, Expression] = {}
    for rule in rules:
        # `-1` is not a numeral of version 2.
        if isinstance(rule, str) and not isinstance(rule, Quoted) and re.fullmatch(r"-\d+", rule):
            rule = ["-", rule[1:]]
        seen.setdefault(write(rule), rule)
    return list(seen.values())


def constant(value: Any) -> str:
    """A Python value as a constant."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if value >= 0 else f"(- {-value})"
    return quoted(value)


# ------------------------------------------------------------------------------------------------- answers


def function_of(answer: str) -> tuple[list[str], Expression] | None:
    """Parameters and body of the first `(define-fun f (...) sort body)` of an answer; None where there is none."""
    waiting = read(answer)
    while waiting:
        expression = waiting.pop(0)
        if isinstance(expression, list):
            if expression[:1] == ["define-fun"]:
                _, _, parameters, _, body = expression
                return [str(parameter[0]) for parameter in parameters], body
            waiting += expression
    return None


def evaluate(body: Expression, names: Mapping[str, Any]) -> Any:
    """What a body gives; the functions are total, as SMT-LIB has them."""
    if isinstance(body, Quoted):
        return unescaped(body)
    if isinstance(body, str):
        if body in ("true", "false"):
            return body == "true"
        return names[body] if body in names else int(body)
    head, *rest = body
    if head == "let":
        bindings, inner = rest
        return evaluate(inner, {**names, **{str(n): evaluate(v, names) for n, v in bindings}})  # type: ignore[misc]
    if head == "ite":
        return evaluate(rest[1] if evaluate(rest[0], names) else rest[2], names)
    args = [evaluate(part, names) for part in rest]
    return _FUNCTIONS[str(head)](*args)


def _substring(text: str, start: int, count: int) -> str:
    return text[start : start + count] if 0 <= start < len(text) and count > 0 else ""


_FUNCTIONS: dict[str, Any] = {
    "str.++": lambda *parts: "".join(parts),
    "str.replace": lambda s, old, new: s.replace(old, new, 1),
    "str.replace_all": lambda s, old, new: s.replace(old, new) if old else s,
    "str.at": lambda s, k: _substring(s, k, 1),
    "str.substr": _substring,
    "str.len": len,
    "str.indexof": lambda s, part, k: s.find(part, k) if 0 <= k <= len(s) else -1,
    "str.to_int": lambda s: int(s) if re.fullmatch("[0-9]+", s) else -1,
    "str.from_int": lambda n: str(n) if n >= 0 else "",
    "str.prefixof": lambda part, s: s.startswith(part),
    "str.suffixof": lambda part, s: s.endswith(part),
    "str.contains": lambda s, part: part in s,
    "str.<": lambda a, b: a < b,
    "str.<=": lambda a, b: a <= b,
    "+": lambda *numbers: sum(numbers),
    "-": lambda a, *rest: a - sum(rest) if rest else -a,
    "*": lambda a, b: a * b,
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "not": lambda a: not a,
    "and": lambda *parts: all(parts),
    "or": lambda *parts: any(parts),
}


__all__ = ["Expression", "Quoted", "converted", "evaluate", "function_of", "read", "write"]
