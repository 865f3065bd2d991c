"""The source text of primitives with everything it needs, for programs that run without Meristem."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, ModuleType
from typing import Any, TypeVar, get_origin

from meristem.errors import EvaluationError, MeristemError, Reason
from meristem.language.limits import MAX_ELEMENTS, most_elements
from meristem.language.vocabulary import Primitive

_ERRORS = '''class Reason:
    """Why there is no value."""

{reasons}


class EvaluationError(ArithmeticError):
    """There is no value for these arguments."""
'''


def definitions(primitives: Mapping[str, Primitive], imports: Iterable[str] = ()) -> list[str]:
    """Lines that import, and that define the plain functions of primitives by the names they are to have."""
    found = _Found()
    found.imports.update(imports)
    for name, entry in primitives.items():
        found.function(name, entry.function)
    lines = sorted(found.imports)
    if lines:
        lines.append("")
    if found.errors:
        reasons = "\n".join(f"    {reason.name} = {reason.name.lower()!r}" for reason in Reason)
        lines += ["", *_ERRORS.format(reasons=reasons).splitlines(), ""]
    lines += found.constants
    for text in found.functions.values():
        lines += ["", *text.splitlines(), ""]
    return [*lines, ""]


class _Found:
    """What functions need, gathered as they are met."""

    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.constants: list[str] = []
        self.functions: dict[str, str] = {}
        self.errors = False
        self.names: set[str] = set()

    def function(self, name: str, function: Callable[..., Any]) -> None:
        if name in self.functions:
            return
        self.functions[name] = ""  # met; its place comes after what it needs
        text = _source(function, name)
        for needed in sorted(_globals_of(function.__code__)):
            if needed in function.__globals__:
                self.need(needed, function.__globals__[needed])
        # Annotations are never worked out, but people and their tools read them.
        for needed in sorted(_annotated(text) & function.__globals__.keys()):
            self.annotate(needed, function.__globals__[needed])
        del self.functions[name]
        self.functions[name] = text

    def annotate(self, name: str, value: Any) -> None:
        """Note a name that only an annotation uses: it may stand for a type that was put together."""
        if name in self.names:
            return
        if isinstance(value, TypeVar):
            self.names.add(name)
            self.imports.add("from typing import TypeVar")
            allowed = "".join(f", {part.__name__}" for part in value.__constraints__)
            self.constants.append(f"{name} = TypeVar({name!r}{allowed})")
        elif get_origin(value) is not None:
            self.names.add(name)
            self.imports |= {"import collections.abc", "import typing"}
            self.constants.append(f"{name} = {value!r}")
        else:
            self.need(name, value)

    def need(self, name: str, value: Any) -> None:
        if value is EvaluationError or value is Reason:
            self.errors = True
        elif value is most_elements:  # alone there is no fuel to bound it
            self.functions[name] = f"def {name}() -> int:\n    return {MAX_ELEMENTS}"
        elif isinstance(value, ModuleType):
            own = value.__name__
            self.imports.add(f"import {own}" if own == name else f"import {own} as {name}")
        elif isinstance(value, Primitive):
            self.function(name, value.function)
        elif inspect.isfunction(value) and value.__module__.startswith("meristem."):
            self.function(name, value)
        elif inspect.isclass(value) or inspect.isfunction(value) or inspect.isbuiltin(value):
            self.imports.add(f"from {value.__module__} import {value.__name__}")
        elif name not in self.names:
            self.names.add(name)
            if isinstance(value, re.Pattern):
                self.imports.add("import re")
                self.constants.append(f"{name} = re.compile({value.pattern!r}, {value.flags})")
            elif isinstance(value, bool | int | float | str | tuple | frozenset | None):
                self.constants.append(f"{name} = {value!r}")
            else:
                raise MeristemError(f"a primitive uses {name}, which cannot be written into a program")


def _source(function: Callable[..., Any], name: str) -> str:
    """The text of a function, without its decorators, under a name."""
    text = textwrap.dedent(inspect.getsource(function))
    (node,) = ast.parse(text).body
    assert isinstance(node, ast.FunctionDef)
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    lines[0] = re.sub(r"def\s+\w+", f"def {name}", lines[0], count=1)
    return "\n".join(lines)


def _annotated(text: str) -> set[str]:
    """The names that stand in the annotations of a function and of what is in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(part, ast.expr):
                found |= {inner.id for inner in ast.walk(part) if isinstance(inner, ast.Name)}
    return found


def _globals_of(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _globals_of(constant)
    return names


__all__ = ["definitions"]
