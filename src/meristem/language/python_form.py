"""A term as a Python function that a person reads and believes.

Modules are shown as calls with their choices as keyword arguments. With `standalone=True` the text carries the
definitions of all it uses and runs in a bare interpreter without Meristem. Whole numbers have no 64 bit limit and reals
may be infinite there, and `and`, `or`, `any` and `all` stop early: so it may give an answer where the program itself
fails, but where the program has a value the text gives the same one.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from meristem.errors import TypeMismatch
from meristem.language.infer import Typed, check_size, default_variables, ensure_stack, expect, infer
from meristem.language.subroutines import body_of
from meristem.language.terms import (
    Apply,
    Call,
    Choice,
    Field,
    Hole,
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
from meristem.language.text import INFIX
from meristem.language.vocabulary import VOCABULARY, Primitive, Subroutine
from meristem.types import REAL, Type, format_type

# How strongly Python binds, weakest first.
_LAMBDA, _IF, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _POSTFIX, _ATOM = range(11)
_LEVELS = {1: _OR, 2: _AND, 4: _COMPARE, 5: _SUM, 6: _PRODUCT}  # of the text form's infix operators

_TEMPLATES: dict[str, tuple[str, int]] = {
    # What a primitive is in Python's own words, with how strongly that binds. `{0:9}` is the first argument where
    # the surroundings bind with strength 9.
    "not": ("not {0:4}", _NOT),
    "negate": ("-{0:9}", _UNARY),
    "abs": ("abs({0:0})", _POSTFIX),
    "minimum": ("min({0:0}, {1:0})", _POSTFIX),
    "maximum": ("max({0:0}, {1:0})", _POSTFIX),
    "to_real": ("float({0:0})", _POSTFIX),
    "length": ("len({0:0})", _POSTFIX),
    "text_length": ("len({0:0})", _POSTFIX),
    "map_size": ("len({0:0})", _POSTFIX),
    "append": ("[*{0:3}, {1:0}]", _ATOM),
    "concat_lists": ("{0:6} + {1:7}", _SUM),
    "concat_text": ("{0:6} + {1:7}", _SUM),
    "reverse": ("{0:9}[::-1]", _POSTFIX),
    "sort": ("sorted({0:0})", _POSTFIX),
    "min": ("min({0:0})", _POSTFIX),
    "max": ("max({0:0})", _POSTFIX),
    "zip": ("list(zip({0:0}, {1:0}))", _POSTFIX),
    "none": ("None", _ATOM),
    "some": ("{0:0}", _LAMBDA),
    "is_some": ("{0:6} is not None", _COMPARE),
    "pair": ("({0:0}, {1:0})", _ATOM),
    "left": ("{0:9}[0]", _POSTFIX),
    "right": ("{0:9}[1]", _POSTFIX),
    "has_key": ("{1:6} in {0:6}", _COMPARE),
    "keys": ("list({0:0})", _POSTFIX),
    "values": ("list({0:9}.values())", _POSTFIX),
    "items": ("list({0:9}.items())", _POSTFIX),
    "map_set": ("{{**{0:6}, {1:0}: {2:0}}}", _ATOM),
    "map_of": ("dict({0:0})", _POSTFIX),
    "characters": ("list({0:0})", _POSTFIX),
    "words": ("{0:9}.split()", _POSTFIX),
    "upper": ("{0:9}.upper()", _POSTFIX),
    "lower": ("{0:9}.lower()", _POSTFIX),
    "title": ("{0:9}.title()", _POSTFIX),
    "strip": ("{0:9}.strip()", _POSTFIX),
    "starts_with": ("{0:9}.startswith({1:0})", _POSTFIX),
    "ends_with": ("{0:9}.endswith({1:0})", _POSTFIX),
    "show": ("repr({0:0})", _POSTFIX),
    "label": ("{0:0}", _LAMBDA),
}
_SLOT = re.compile(r"\{(\d):(\d)\}")
_WIDE = 64  # an argument longer than this gets a line of its own
_DEEP = 24  # parentheses deeper than this too: Python's own parser has a limit


def to_python(
    term: Term,
    *,
    name: str = "program",
    inputs: Sequence[str] | Mapping[str, Type] = (),
    target: Type | None = None,
    result: Type | None = None,
    notes: Mapping[Term, Sequence[str]] | None = None,
    standalone: bool = False,
) -> str:
    """A term as the text of a Python function.

    Args:
        term: Any term; holes are shown as `...`.
        name: The name of the function.
        inputs: The names of its inputs, or their types by name.
        target: The type of the task's answer.
        result: The type of the result, where the term leaves it open.
        notes: Lines of comment for modules, such as what they learned.
        standalone: Whether the text carries the definitions of what it uses. `inputs` must then give types.

    Raises:
        TypeMismatch: A part with a fit, or a hole, cannot stand alone; or the term is not well typed.
    """
    check_size(term)
    ensure_stack(3 * term.depth)
    writer = _Writer(term, notes or {}, standalone)
    if isinstance(inputs, Mapping):
        typed = infer(term, inputs, target) if result is None else expect(term, inputs, result, target)
        writer.learn(typed)
        result = default_variables(typed.type)
    elif standalone:
        raise TypeMismatch("expected the types of the inputs for a text that stands alone, got names only")
    lines = writer.function(name, inputs, term, result)
    return "\n".join([*writer.preamble(), *lines]) + "\n"


@dataclass
class _Block:
    """Lines being written, and what names stand for there."""

    indent: str
    names: dict[str, str]
    lines: list[str] = field(default_factory=list)
    known: dict[tuple[Term, tuple[str, ...]], str] = field(default_factory=dict)

    def key(self, term: Term) -> tuple[Term, tuple[str, ...]]:
        """What tells a term from an equal one whose names stand for something else."""
        return term, tuple(self.names.get(name, name) for name in sorted(term.free_names))

    def add(self, line: str) -> None:
        self.lines.append(self.indent + line)


class _Writer:
    def __init__(self, term: Term, notes: Mapping[Term, Sequence[str]], standalone: bool) -> None:
        self.notes, self.standalone = notes, standalone
        self.taken = (
            set(keyword.kwlist) | set(keyword.softkwlist) | set(dir(builtins)) | {"datetime", "functools"}
        )
        self.taken |= {"itertools", "math", "re", "numpy", "np", "timedelta", "annotations"}
        self.taken |= _functions_of(term)
        self.real_sums: set[Term] = set()
        self.used: dict[str, Primitive | Subroutine] = {}
        self.imports: set[str] = set()
        self.open_branches = (
            0  # how many branches and function bodies we stand in: nothing may be moved out of them
        )

    def learn(self, typed: Typed) -> None:
        """Note the sums of reals: Python's sum of nothing is an int."""
        others: set[Term] = set()  # equal terms may be of another type elsewhere
        for node in typed.walk():
            if isinstance(node.term, Call) and _may_be_empty_sum(node.term, set()):
                (self.real_sums if node.type == REAL else others).add(node.term)
        self.real_sums -= others

    # ------------------------------------------------------------------------------------------ the whole

    def function(
        self, name: str, inputs: Sequence[str] | Mapping[str, Type], body: Term, result: Type | None
    ) -> list[str]:
        """The lines of a function definition."""
        block = _Block("    ", {})
        types = inputs if isinstance(inputs, Mapping) else {}
        head = []
        for each in inputs:
            identifier = self.bind(each, block)
            hint = _annotation(types[each]) if each in types else None
            head.append(f"{identifier}: {hint}" if hint else identifier)
        gives = _annotation(result) if result is not None else None
        own = _identifier(name)
        title = f"def {own}({', '.join(head)}){f' -> {gives}' if gives else ''}:"
        if types and result is not None:
            shown = ", ".join(f"{n}: {format_type(t, 6)}" for n, t in types.items())
            block.add(_docstring(f"{shown} -> {format_type(result, 6)}" if shown else format_type(result, 6)))
        self.statements(body, block)
        return [title, *block.lines]

    def preamble(self) -> list[str]:
        """The definitions that the function uses, and imports."""
        if not self.standalone:
            return []
        from meristem.language.python_sources import definitions

        definition_lines: dict[str, list[str]] = {}
        primitives: dict[str, Primitive] = {}
        while len(definition_lines) + len(primitives) < len(self.used):
            for key, entry in list(self.used.items()):
                if isinstance(entry, Primitive):
                    primitives[key] = entry
                elif key not in definition_lines:
                    definition_lines[key] = []  # before its body is written: it is used once here
                    definition_lines[key] = self.subroutine(key, entry)
        lines = ["from __future__ import annotations", ""]
        lines += definitions(primitives, self.imports)
        for text in definition_lines.values():
            lines += [*text, "", ""]
        return lines

    def subroutine(self, key: str, entry: Subroutine) -> list[str]:
        block = _Block("    ", {})
        outside, self.taken = self.taken, set(self.taken)
        names = [self.bind(parameter, block) for parameter in entry.parameters]
        block.add(_docstring(entry.doc))
        self.statements(body_of(entry), block)
        self.taken = outside
        return [f"def {key}({', '.join(names)}):", *block.lines]

    # ------------------------------------------------------------------------------------------ names

    def bind(self, name: str, block: _Block) -> str:
        """A Python name for a name of the term, unlike every other one."""
        identifier = self.fresh(name)
        block.names[name] = identifier
        return identifier

    def fresh(self, name: str) -> str:
        base = _identifier(name)
        identifier, count = base, 1
        while identifier in self.taken:
            count += 1
            identifier = f"{base.rstrip('_')}_{count}"
        self.taken.add(identifier)
        return identifier

    # ------------------------------------------------------------------------------------------ statements

    def statements(self, term: Term, block: _Block) -> None:
        """Write what gives back the value of a term."""
        while True:
            if isinstance(term, Let):
                self.assign(term, block)
                term = term.body
            elif isinstance(term, If) and _weight(term) > 12:
                condition = self.expression(term.condition, _LAMBDA, block)
                block.add(f"if {condition}:")
                inner = _Block(block.indent + "    ", dict(block.names), known=dict(block.known))
                self.statements(term.then, inner)
                block.lines += inner.lines
                term = term.otherwise
            else:
                break
        text = self.expression(term, _LAMBDA, block)
        self.comment(term, block)
        block.add(f"return {text}")

    def assign(self, term: Let, block: _Block) -> None:
        if isinstance(term.value, Lambda):
            identifier = self.define(term.name, term.value, block)
            block.names = {**block.names, term.name: identifier}
            return
        text = self.expression(term.value, _LAMBDA, block)
        block.names = dict(block.names)
        identifier = self.bind(term.name, block)
        self.comment(term.value, block)
        block.add(f"{identifier} = {text}")

    def define(self, name: str, function: Lambda, block: _Block) -> str:
        """Define a function by a statement of its own."""
        identifier = self.fresh(name)
        inner = _Block(block.indent + "    ", dict(block.names))
        names = [self.bind(parameter, inner) for parameter in function.parameters]
        branches, self.open_branches = self.open_branches, 0
        self.statements(function.body, inner)
        self.open_branches = branches
        block.add(f"def {identifier}({', '.join(names)}):")
        block.lines += inner.lines
        return identifier

    def comment(self, term: Term, block: _Block) -> None:
        for line in self.notes.get(term, ()):
            block.add("# " + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line))

    # ------------------------------------------------------------------------------------------ expressions

    def expression(self, term: Term, level: int, block: _Block, depth: int = 0) -> str:
        """A term as an expression; in parentheses where it binds less than `level`."""
        if block.known and (known := block.known.get(block.key(term))):
            return known
        text, own = self.write(term, block, depth + 1)
        if not self.open_branches and depth and not isinstance(term, Variable | Literal | Lambda):
            noted = isinstance(term, Module) and term in self.notes
            if noted or len(text) > _WIDE or depth > _DEEP:
                return self.named(term, text, block)
        return f"({text})" if own < level else text

    def named(self, term: Term, text: str, block: _Block) -> str:
        """Give a value a name and a line of its own."""
        base = term.kind if isinstance(term, Module) else term.name if isinstance(term, Call) else "part"
        identifier = self.fresh(f"{base}_1")
        self.comment(term, block)
        block.add(f"{identifier} = {text}")
        block.known[block.key(term)] = identifier
        return identifier

    def write(self, term: Term, block: _Block, depth: int) -> tuple[str, int]:
        """A term as an expression, and how strongly it binds."""
        if isinstance(term, Variable):
            return block.names.get(term.name) or _identifier(term.name), _ATOM
        if isinstance(term, Literal):
            return self.literal(term)
        if isinstance(term, Call):
            text, own = self.call(term, block, depth)
            return (f"float({text})", _POSTFIX) if term in self.real_sums else (text, own)
        if isinstance(term, Module):
            return self.module(term, block, depth)
        if isinstance(term, Field):
            return f"{self.expression(term.record, _POSTFIX, block, depth)}[{term.name!r}]", _POSTFIX
        if isinstance(term, Record):
            values = [self.expression(v, _IF, block, depth) for v in term.values]
            pairs = zip(term.names, values, strict=True)
            return "{" + ", ".join(f"{n!r}: {v}" for n, v in pairs) + "}", _ATOM
        if isinstance(term, ListOf):
            return "[" + ", ".join(self.expression(v, _IF, block, depth) for v in term.items) + "]", _ATOM
        if isinstance(term, If):
            condition = self.expression(term.condition, _OR, block, depth)
            self.open_branches += 1
            then = self.expression(term.then, _OR, block, depth)
            otherwise = self.expression(term.otherwise, _IF, block, depth)
            self.open_branches -= 1
            return f"{then} if {condition} else {otherwise}", _IF
        if isinstance(term, Let):
            return self.let(term, block, depth)
        if isinstance(term, Lambda):
            return self.function_value(term, block, depth)
        if isinstance(term, Apply):
            function = self.expression(term.function, _POSTFIX, block, depth)
            args = ", ".join(self.expression(arg, _IF, block, depth) for arg in term.args)
            return f"{function}({args})", _POSTFIX
        assert isinstance(term, Hole)
        if self.standalone:
            raise TypeMismatch("a program with a hole cannot stand alone; fill it first")
        return "...", _ATOM

    def literal(self, term: Literal) -> tuple[str, int]:
        value = float(term.value) if term.type == REAL else term.value
        if isinstance(value, datetime):
            self.imports.add("from datetime import datetime")
        text = repr(value).removeprefix("datetime.")
        return text, _UNARY if text.startswith("-") else _POSTFIX if text.isdigit() else _ATOM

    def let(self, term: Let, block: _Block, depth: int) -> tuple[str, int]:
        if not self.open_branches:
            names = block.names
            self.assign(term, block)
            written = self.write(term.body, block, depth)
            # Only the names go back: what the value is called stays known to the text written.
            block.names = names
            return written
        value = self.expression(term.value, _IF, block, depth)
        inner = _Block(block.indent, dict(block.names))
        identifier = self.bind(term.name, inner)
        body = self.expression(term.body, _LAMBDA, inner, depth)
        return f"(lambda {identifier}: {body})({value})", _POSTFIX

    def function_value(self, term: Lambda, block: _Block, depth: int) -> tuple[str, int]:
        if not self.open_branches and _has_let(term.body):
            return self.define("step", term, block), _ATOM
        names, body = self.inside(term, block, depth, _LAMBDA)
        return f"lambda {', '.join(names)}: {body}", _LAMBDA

    def inside(self, term: Lambda, block: _Block, depth: int, level: int) -> tuple[list[str], str]:
        """The parameters and the body of a function whose body is an expression."""
        inner = _Block(block.indent, dict(block.names))
        names = [self.bind(parameter, inner) for parameter in term.parameters]
        self.open_branches += 1
        body = self.expression(term.body, level, inner, depth)
        self.open_branches -= 1
        return names, body

    def module(self, term: Module, block: _Block, depth: int) -> tuple[str, int]:
        if self.standalone:
            raise TypeMismatch(f"the part {term.kind} has fitted numbers, so the text cannot stand alone")
        parts = [self.expression(arg, _IF, block, depth) for arg in term.args]
        parts += [f"{_identifier(name)}={_choice(value)}" for name, value in term.choices]
        if term.label:
            parts.append(f"label={term.label!r}")
        return f"{_identifier(term.kind)}({', '.join(parts)})", _POSTFIX

    # ------------------------------------------------------------------------------------------ calls

    def call(self, term: Call, block: _Block, depth: int) -> tuple[str, int]:
        name, args = term.name, term.args
        newest = name in VOCABULARY and VOCABULARY.find(name).version
        if term.version in (0, newest):
            if name in INFIX and len(args) == 2:
                symbol, level = INFIX[name]
                own = _LEVELS[level]
                first = self.expression(args[0], own + (own == _COMPARE), block, depth)
                return f"{first} {symbol} {self.expression(args[1], own + 1, block, depth)}", own
            special = self.special(name, args, block, depth)
            if special is not None:
                return special
            if name == "is_some" and len(args) == 1 and _is_there(args[0]):
                return "True", _ATOM  # Python warns of asking whether a constant is None
            template = _TEMPLATES.get(name)
            if template is not None and _slots(template[0]) == len(args):
                return self.template(template, args, block, depth)
        return self.plain_call(term, block, depth)

    def template(
        self, template: tuple[str, int], args: tuple[Term, ...], block: _Block, depth: int
    ) -> tuple[str, int]:
        text, own = template
        if text == "{0:0}":  # the argument itself
            return self.write(args[0], block, depth)
        found = [
            self.expression(arg, max(int(level), _IF), block, depth)
            for arg, (_, level) in zip(args, sorted(_SLOT.findall(text)), strict=True)
        ]
        out = _SLOT.sub(lambda match: found[int(match.group(1))], text)
        return out.replace("{{", "{").replace("}}", "}") if "{{" in text else out, own

    def special(self, name: str, args: tuple[Term, ...], block: _Block, depth: int) -> tuple[str, int] | None:
        """Calls that have a form of their own in Python."""
        if name in ("map", "filter", "any", "all", "count") and len(args) == 2:
            function, items = args
            source = self.expression(items, _OR, block, depth)
            if not isinstance(function, Lambda) or len(function.parameters) != 1 or _has_let(function.body):
                called = self.expression(function, _POSTFIX, block, depth)
                variable = self.fresh("item")
                body = f"{called}({variable})"
            else:
                (variable,), body = self.inside(function, block, depth, _IF if name == "map" else _OR)
            if name == "map":
                return f"[{body} for {variable} in {source}]", _ATOM
            if name == "filter":
                return f"[{variable} for {variable} in {source} if {body}]", _ATOM
            if name == "count":
                return f"sum(1 for {variable} in {source} if {body})", _POSTFIX
            return f"{name}({body} for {variable} in {source})", _POSTFIX
        if name == "zip_with" and len(args) == 3 and isinstance(args[0], Lambda):
            function = args[0]
            if len(function.parameters) == 2 and not _has_let(function.body):
                sources = [self.expression(items, _IF, block, depth) for items in args[1:]]
                names, body = self.inside(function, block, depth, _IF)
                return f"[{body} for {', '.join(names)} in zip({', '.join(sources)})]", _ATOM
        if name == "flatten" and len(args) == 1:
            source = self.expression(args[0], _OR, block, depth)
            outer, inner = self.fresh("items"), self.fresh("item")
            return f"[{inner} for {outer} in {source} for {inner} in {outer}]", _ATOM
        if name == "fold" and len(args) == 3:
            self.imports.add("import functools")
            function, start, items = args
            parts = [self.expression(arg, _LAMBDA, block, depth) for arg in (function, items, start)]
            return f"functools.reduce({', '.join(parts)})", _POSTFIX
        if name == "sort_by" and len(args) == 2:
            source, key = (self.expression(arg, _LAMBDA, block, depth) for arg in reversed(args))
            return f"sorted({source}, key={key})", _POSTFIX
        return None

    def plain_call(self, term: Call, block: _Block, depth: int) -> tuple[str, int]:
        args = [self.expression(arg, _LAMBDA, block, depth) for arg in term.args]
        if term.name not in VOCABULARY:
            return f"{_identifier(term.name)}({', '.join(args)})", _POSTFIX
        entry = VOCABULARY.find(term.name, term.version)
        own = _function_name(entry)
        if isinstance(entry, Primitive) and entry.rule is not None and self.standalone:
            raise TypeMismatch(f"{entry.name} goes by the types of fields, so the text cannot stand alone")
        if not self.standalone and not keyword.iskeyword(own.rstrip("_")):
            own = own.rstrip("_")
        self.used[own] = entry
        return f"{own}({', '.join(args)})", _POSTFIX


# ---------------------------------------------------------------------------------------------- small parts


def _identifier(name: str) -> str:
    """A Python name made from any text."""
    text = re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"
    if text[0].isdigit():
        text = "_" + text
    return text + "_" if keyword.iskeyword(text) or text in dir(builtins) else text


def _function_name(entry: Primitive | Subroutine) -> str:
    """The Python name of what a call calls."""
    own = entry.function.__name__ if isinstance(entry, Primitive) else _identifier(entry.name)
    return own if entry.version == VOCABULARY.find(entry.name).version else f"{own}_v{entry.version}"


def _functions_of(term: Term) -> set[str]:
    """The Python names of all functions that a term calls, directly or through subroutines, and of its modules."""
    found: set[str] = set()
    todo = [term]
    while todo:
        for node in todo.pop().walk():
            if isinstance(node, Module):
                found.add(_identifier(node.kind))
            if not isinstance(node, Call) or node.name not in VOCABULARY:
                continue
            entry = VOCABULARY.find(node.name, node.version)
            own = _function_name(entry)
            if own not in found and isinstance(entry, Subroutine):
                todo.append(body_of(entry))
            found |= {own, own.rstrip("_")}
    return found


def _choice(value: Choice) -> str:
    return repr(value)


def _slots(text: str) -> int:
    return len(set(_SLOT.findall(text)))


def _docstring(text: str) -> str:
    plain = text.isprintable() and "\\" not in text and '"""' not in text and not text.endswith('"')
    return f'"""{text}"""' if plain else ascii(text)


def _is_there(term: Term) -> bool:
    """Whether a term is a constant that is there."""
    while isinstance(term, Call) and term.name == "some" and len(term.args) == 1:
        term = term.args[0]
    return isinstance(term, Literal)


def _weight(term: Term) -> int:
    return term.size


def _has_let(term: Term) -> bool:
    return any(isinstance(node, Let) for node in term.walk())


def _may_be_empty_sum(term: Call, inside: set[str]) -> bool:
    """Whether a call gives the sum of a list as it is, which may be Python's int 0 for no reals."""
    if term.name == "sum":
        return True
    entry = VOCABULARY.find(term.name, term.version)
    if isinstance(entry, Primitive) or not entry.type.result.is_variable or entry.name in inside:
        return False
    calls = [node for node in body_of(entry).walk() if isinstance(node, Call)]
    return any(_may_be_empty_sum(call, inside | {entry.name}) for call in calls)


_SIMPLE = {"bool": "bool", "int": "int", "real": "float", "text": "str", "class": "str"}


def _annotation(type_: Type) -> str | None:
    """A type as a Python annotation; None where Python has no short word for it."""
    if type_.name in _SIMPLE:
        return _SIMPLE[type_.name]
    if type_.name == "row":
        return "dict"
    inner = [_annotation(arg) for arg in type_.args]
    if None in inner or type_.name not in ("list", "pair", "map", "option"):
        return None
    parts = ", ".join(filter(None, inner))
    if type_.name == "option":
        return f"{parts} | None"
    return {"list": "list", "pair": "tuple", "map": "dict"}[type_.name] + f"[{parts}]"


__all__ = ["to_python"]
