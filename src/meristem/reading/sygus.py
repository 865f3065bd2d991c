"""SyGuS-IF files (versions 1 and 2) as examples: the constraints of programming-by-examples problems.

Only what says examples is read: `synth-fun` for the names and types of the inputs, and the constraints
`(constraint (= (f a b) c))`, either way round. The grammar is left: the vocabulary here is our own.
Grammar of the files: SyGuS-IF 2.1, https://sygus.org/language/
"""

from __future__ import annotations

import re
from typing import Any

from meristem.errors import InputError
from meristem.task.examples import Given
from meristem.types import BOOL, INT, TEXT, Type

_SORTS: dict[str, Type] = {"String": TEXT, "Int": INT, "Bool": BOOL}
_TOKEN = re.compile(r'\s+|;[^\n]*|([()])|("(?:[^"]|"")*")|\|([^|]*)\||([^\s()";|]+)')
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]{1,5})\}|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_DEEPEST = 200
_PASSED_OVER = (
    *("set-logic", "set-option", "set-info", "set-feature", "declare-var", "declare-datatype"),
    *("define-fun", "define-sort", "check-synth"),
)


class _Symbol(str):
    """A word that is no literal."""

    __slots__ = ()


def read_sygus(text: str, name: str = "the file") -> Given:
    """Read the examples of a SyGuS-IF file.

    Raises:
        InputError: It is no such file, or its constraints are no examples; says where.
    """
    inputs: list[tuple[Any, ...]] = []
    outputs: list[Any] = []
    lines: list[int] = []
    function: tuple[str, tuple[str, ...], list[Type], Type] | None = None
    for line, command in _commands(text, name):
        head = command[0] if command and isinstance(command[0], str) else ""
        where = f"{name}, line {line}"
        if head == "synth-fun":
            if function is not None:
                raise InputError(f"{where}: expected one function to find, there is a second; split the file")
            function = _signature(command, where)
        elif head in ("constraint", "assume"):
            if function is None:
                raise InputError(f"{where}: a constraint stands before the synth-fun that it is of")
            row, answer = _example(command, function, where)
            inputs.append(row)
            outputs.append(answer)
            lines.append(line)
        elif head in ("synth-inv", "inv-constraint", "declare-primed-var", "chc-constraint"):
            raise InputError(f"{where}: {head} is no example; only problems given by examples can be read")
        elif head not in _PASSED_OVER:
            raise InputError(
                f"{where}: expected a command of SyGuS-IF such as synth-fun, got {str(head)[:40]!r}"
            )
    if function is None:
        raise InputError(f"{name} has no synth-fun; expected a SyGuS-IF file with a function to find")
    if not inputs:
        raise InputError(f"{name} has no constraints; expected examples as (constraint (= (f ...) ...))")
    own, names, types, result = function
    return Given(
        inputs=inputs,
        outputs=outputs,
        names=names,
        types=dict(zip(names, types, strict=True)),
        output_type=result,
        output=own,
    )


def _commands(text: str, name: str) -> list[tuple[int, list[Any]]]:
    """The commands of a file with the line on which each begins: nested lists of symbols and values."""
    found: list[tuple[int, list[Any]]] = []
    stack: list[list[Any]] = []
    position, begun = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        line = text.count("\n", 0, position) + 1 if match is None or not stack else begun
        if match is None:
            raise InputError(
                f"{name}, line {line}: cannot read {text[position : position + 20]!r}; is a quote open?"
            )
        position = match.end()
        sign, literal, barred, word = match.groups()
        if sign == "(":
            if not stack:
                begun = text.count("\n", 0, match.start()) + 1
            if len(stack) >= _DEEPEST:
                raise InputError(f"{name}, line {begun}: parentheses nest more than {_DEEPEST} deep")
            stack.append([])
            continue
        value: Any
        if sign == ")":
            if not stack:
                raise InputError(f"{name}, line {text.count(chr(10), 0, match.start()) + 1}: a ')' too many")
            value = stack.pop()
            if not stack:
                found.append((begun, value))
                continue
        elif literal is not None:
            value = _string(literal)
        elif barred is not None:
            value = _Symbol(barred)
        elif word is not None:
            value = _atom(word)
        else:
            continue  # blanks and comments
        if not stack:
            raise InputError(
                f"{name}, line {text.count(chr(10), 0, match.start()) + 1}: expected '(', got {str(value)[:40]!r}; "
                "is this a SyGuS-IF file?"
            )
        stack[-1].append(value)
    if stack:
        raise InputError(f"{name}, line {begun}: a '(' is never closed; is the file complete?")
    return found


def _string(literal: str) -> str:
    """The text of a literal: a quote is doubled; other characters may be written as \\x41, \\u0041 or \\u{41}."""

    def character(match: re.Match[str]) -> str:
        code = int(next(filter(None, match.groups())), 16)
        return match.group() if code > 0x10FFFF or 0xD800 <= code < 0xE000 else chr(code)

    return _ESCAPE.sub(character, literal[1:-1].replace('""', '"'))


def _atom(word: str) -> Any:
    if re.fullmatch(r"-?\d{1,40}", word):
        return int(word)
    if word in ("true", "false"):
        return word == "true"
    if re.fullmatch(r"#x[0-9a-fA-F]+|#b[01]+|-?\d+\.\d+", word):
        raise InputError(
            f"expected values of String, Int or Bool, got {word[:40]!r}: other sorts are not read"
        )
    return _Symbol(word)


def _sort(value: Any, where: str) -> Type:
    found = _SORTS.get(value) if isinstance(value, str) else None
    if found is None:
        shown = (
            value
            if isinstance(value, str)
            else " ".join(map(str, value))
            if isinstance(value, list)
            else value
        )
        raise InputError(
            f"{where}: expected a sort String, Int or Bool, got {str(shown)[:40]!r}: others are not read"
        )
    return found


def _signature(command: list[Any], where: str) -> tuple[str, tuple[str, ...], list[Type], Type]:
    if (
        len(command) < 4
        or not isinstance(command[1], _Symbol)
        or not isinstance(command[2], list)
        or any(not isinstance(p, list) or len(p) != 2 or not isinstance(p[0], _Symbol) for p in command[2])
    ):
        raise InputError(f"{where}: expected (synth-fun name ((input Sort) ...) Sort ...)")
    names = tuple(str(parameter[0]) for parameter in command[2])
    if not names or len(set(names)) < len(names):
        raise InputError(f"{where}: expected a function with inputs of distinct names, got {list(names)}")
    types = [_sort(parameter[1], where) for parameter in command[2]]
    return str(command[1]), names, types, _sort(command[3], where)


def _value(term: Any, where: str) -> Any:
    if isinstance(term, list) and len(term) == 2 and term[0] == "-" and type(term[1]) is int:
        return -term[1]
    if isinstance(term, _Symbol | list):
        shown = term if isinstance(term, str) else "(" + " ".join(map(str, term)) + ")"
        raise InputError(
            f"{where}: expected a value, got {shown[:60]!r}: only constraints that are examples are read"
        )
    return term


def _example(
    command: list[Any], function: tuple[str, tuple[str, ...], list[Type], Type], where: str
) -> tuple[tuple[Any, ...], Any]:
    """The inputs and the answer of a constraint."""
    name, names, _, _ = function

    def is_call(term: Any) -> bool:
        return isinstance(term, list) and bool(term) and isinstance(term[0], _Symbol) and term[0] == name

    body = command[1] if len(command) == 2 else None
    if isinstance(body, list) and len(body) == 3 and body[0] == "=":
        left, right = body[1], body[2]
        if is_call(right) and not is_call(left):
            left, right = right, left
        if is_call(left) and not is_call(right):
            if len(left) - 1 != len(names):
                raise InputError(f"{where}: {name} takes {len(names)} inputs, got {len(left) - 1}")
            return tuple(_value(arg, where) for arg in left[1:]), _value(right, where)
    elif isinstance(body, list) and body:  # of a Bool, stated without an `=`
        inner = body[1] if body[0] == "not" and len(body) == 2 else body
        if is_call(inner) and len(inner) - 1 == len(names):
            return tuple(_value(arg, where) for arg in inner[1:]), inner is body
    raise InputError(
        f"{where}: expected an example such as (constraint (= ({name} ...) ...)), got another formula"
    )


__all__ = ["read_sygus"]
