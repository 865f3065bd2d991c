"""A term as a Python function that a person reads and believes.

Modules are shown as calls with their choices as keyword arguments. With `standalone=True` the text carries the
definitions of all it uses and runs in a bare interpreter without Meristem. Whole numbers have no 64 bit limit and reals
may be infinite there, and `and`, `or`, `any` and `all` stop early: so it may give an answer where the program itself
fails, but where the program has a value the text gives the same one.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from meristem.errors import TypeMismatch
from meristem.language.infer import Typed, check_size, default_variables, ensure_stack, expect, infer
from meristem.language.python_words import (
    ATOM,
    COMPARE,
    IF,
    LAMBDA,
    LEVELS,
    OR,
    POSTFIX,
    SLOT,
    TEMPLATES,
    UNARY,
    annotation,
    count_slots,
    function_name,
    functions_of,
    has_let,
    is_there,
    may_be_empty_sum,
    part_name,
    python_docstring,
    python_name,
    python_value,
)
from meristem.language.subroutines import body_of
from meristem.language.terms import (
    Apply,
    Call,
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
        self.taken |= functions_of(term)
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
            if isinstance(node.term, Call) and may_be_empty_sum(node.term, set()):
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
            hint = annotation(types[each]) if each in types else None
            head.append(f"{identifier}: {hint}" if hint else identifier)
        gives = annotation(result) if result is not None else None
        own = python_name(name)
        title = f"def {own}({', '.join(head)}){f' -> {gives}' if gives else ''}:"
        if types and result is not None:
            shown = ", ".join(f"{n}: {format_type(t, 6)}" for n, t in types.items())
            block.add(
                python_docstring(f"{shown} -> {format_type(result, 6)}" if shown else format_type(result, 6))
            )
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
        block.add(python_docstring(entry.doc))
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
        base = python_name(name)
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
            elif isinstance(term, If) and term.size > 12:
                condition = self.expression(term.condition, LAMBDA, block)
                block.add(f"if {condition}:")
                inner = _Block(block.indent + "    ", dict(block.names), known=dict(block.known))
                self.statements(term.then, inner)
                block.lines += inner.lines
                term = term.otherwise
            else:
                break
        text = self.expression(term, LAMBDA, block)
        self.comment(term, block)
        block.add(f"return {text}")

    def assign(self, term: Let, block: _Block) -> None:
        if isinstance(term.value, Lambda):
            identifier = self.define(term.name, term.value, block)
            block.names = {**block.names, term.name: identifier}
            return
        text = self.expression(term.value, LAMBDA, block)
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
        base = (
            part_name(term) if isinstance(term, Module) else term.name if isinstance(term, Call) else "part"
        )
        identifier = self.fresh(f"{base}_1")
        self.comment(term, block)
        block.add(f"{identifier} = {text}")
        block.known[block.key(term)] = identifier
        return identifier

    def write(self, term: Term, block: _Block, depth: int) -> tuple[str, int]:
        """A term as an expression, and how strongly it binds."""
        if isinstance(term, Variable):
            return block.names.get(term.name) or python_name(term.name), ATOM
        if isinstance(term, Literal):
            return self.literal(term)
        if isinstance(term, Call):
            text, own = self.call(term, block, depth)
            return (f"float({text})", POSTFIX) if term in self.real_sums else (text, own)
        if isinstance(term, Module):
            return self.module(term, block, depth)
        if isinstance(term, Field):
            return f"{self.expression(term.record, POSTFIX, block, depth)}[{term.name!r}]", POSTFIX
        if isinstance(term, Record):
            values = [self.expression(v, IF, block, depth) for v in term.values]
            pairs = zip(term.names, values, strict=True)
            return "{" + ", ".join(f"{n!r}: {v}" for n, v in pairs) + "}", ATOM
        if isinstance(term, ListOf):
            return "[" + ", ".join(self.expression(v, IF, block, depth) for v in term.items) + "]", ATOM
        if isinstance(term, If):
            condition = self.expression(term.condition, OR, block, depth)
            self.open_branches += 1
            then = self.expression(term.then, OR, block, depth)
            otherwise = self.expression(term.otherwise, IF, block, depth)
            self.open_branches -= 1
            return f"{then} if {condition} else {otherwise}", IF
        if isinstance(term, Let):
            return self.let(term, block, depth)
        if isinstance(term, Lambda):
            return self.function_value(term, block, depth)
        if isinstance(term, Apply):
            function = self.expression(term.function, POSTFIX, block, depth)
            args = ", ".join(self.expression(arg, IF, block, depth) for arg in term.args)
            return f"{function}({args})", POSTFIX
        assert isinstance(term, Hole)
        if self.standalone:
            raise TypeMismatch("a program with a hole cannot stand alone; fill it first")
        return "...", ATOM

    def literal(self, term: Literal) -> tuple[str, int]:
        value = float(term.value) if term.type == REAL else term.value
        if isinstance(value, datetime):
            self.imports.add("from datetime import datetime")
        text = repr(value).removeprefix("datetime.")
        return text, UNARY if text.startswith("-") else POSTFIX if text.isdigit() else ATOM

    def let(self, term: Let, block: _Block, depth: int) -> tuple[str, int]:
        if not self.open_branches:
            names = block.names
            self.assign(term, block)
            written = self.write(term.body, block, depth)
            # Only the names go back: what the value is called stays known to the text written.
            block.names = names
            return written
        value = self.expression(term.value, IF, block, depth)
        inner = _Block(block.indent, dict(block.names))
        identifier = self.bind(term.name, inner)
        body = self.expression(term.body, LAMBDA, inner, depth)
        return f"(lambda {identifier}: {body})({value})", POSTFIX

    def function_value(self, term: Lambda, block: _Block, depth: int) -> tuple[str, int]:
        if not self.open_branches and has_let(term.body):
            return self.define("step", term, block), ATOM
        names, body = self.inside(term, block, depth, LAMBDA)
        return f"lambda {', '.join(names)}: {body}", LAMBDA

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
        parts = [self.expression(arg, IF, block, depth) for arg in term.args]
        own = part_name(term)
        if own != term.kind:  # its kind and choices are said once, where the part is described
            return f"{python_name(own)}({', '.join(parts)})", POSTFIX
        parts += [f"{python_name(name)}={python_value(value)}" for name, value in term.choices]
        if term.label:
            parts.append(f"label={term.label!r}")
        return f"{python_name(term.kind)}({', '.join(parts)})", POSTFIX

    # ------------------------------------------------------------------------------------------ calls

    def call(self, term: Call, block: _Block, depth: int) -> tuple[str, int]:
        name, args = term.name, term.args
        newest = name in VOCABULARY and VOCABULARY.find(name).version
        if term.version in (0, newest):
            if name in INFIX and len(args) == 2:
                symbol, level = INFIX[name]
                own = LEVELS[level]
                first = self.expression(args[0], own + (own == COMPARE), block, depth)
                return f"{first} {symbol} {self.expression(args[1], own + 1, block, depth)}", own
            special = self.special(name, args, block, depth)
            if special is not None:
                return special
            if name == "is_some" and len(args) == 1 and is_there(args[0]):
                return "True", ATOM  # Python warns of asking whether a constant is None
            template = TEMPLATES.get(name)
            if template is not None and count_slots(template[0]) == len(args):
                return self.template(template, args, block, depth)
        return self.plain_call(term, block, depth)

    def template(
        self, template: tuple[str, int], args: tuple[Term, ...], block: _Block, depth: int
    ) -> tuple[str, int]:
        text, own = template
        if text == "{0:0}":  # the argument itself
            return self.write(args[0], block, depth)
        found = [
            self.expression(arg, max(int(level), IF), block, depth)
            for arg, (_, level) in zip(args, sorted(SLOT.findall(text)), strict=True)
        ]
        out = SLOT.sub(lambda match: found[int(match.group(1))], text)
        return out.replace("{{", "{").replace("}}", "}") if "{{" in text else out, own

    def special(self, name: str, args: tuple[Term, ...], block: _Block, depth: int) -> tuple[str, int] | None:
        """Calls that have a form of their own in Python."""
        if name in ("map", "filter", "any", "all", "count") and len(args) == 2:
            function, items = args
            source = self.expression(items, OR, block, depth)
            if not isinstance(function, Lambda) or len(function.parameters) != 1 or has_let(function.body):
                called = self.expression(function, POSTFIX, block, depth)
                variable = self.fresh("item")
                body = f"{called}({variable})"
            else:
                (variable,), body = self.inside(function, block, depth, IF if name == "map" else OR)
            if name == "map":
                return f"[{body} for {variable} in {source}]", ATOM
            if name == "filter":
                return f"[{variable} for {variable} in {source} if {body}]", ATOM
            if name == "count":
                return f"sum(1 for {variable} in {source} if {body})", POSTFIX
            return f"{name}({body} for {variable} in {source})", POSTFIX
        if name == "zip_with" and len(args) == 3 and isinstance(args[0], Lambda):
            function = args[0]
            if len(function.parameters) == 2 and not has_let(function.body):
                sources = [self.expression(items, IF, block, depth) for items in args[1:]]
                names, body = self.inside(function, block, depth, IF)
                return f"[{body} for {', '.join(names)} in zip({', '.join(sources)})]", ATOM
        if name == "flatten" and len(args) == 1:
            source = self.expression(args[0], OR, block, depth)
            outer, inner = self.fresh("items"), self.fresh("item")
            return f"[{inner} for {outer} in {source} for {inner} in {outer}]", ATOM
        if name == "fold" and len(args) == 3:
            self.imports.add("import functools")
            function, start, items = args
            parts = [self.expression(arg, LAMBDA, block, depth) for arg in (function, items, start)]
            return f"functools.reduce({', '.join(parts)})", POSTFIX
        if name == "sort_by" and len(args) == 2:
            source, key = (self.expression(arg, LAMBDA, block, depth) for arg in reversed(args))
            return f"sorted({source}, key={key})", POSTFIX
        return None

    def plain_call(self, term: Call, block: _Block, depth: int) -> tuple[str, int]:
        args = [self.expression(arg, LAMBDA, block, depth) for arg in term.args]
        if term.name not in VOCABULARY:
            return f"{python_name(term.name)}({', '.join(args)})", POSTFIX
        entry = VOCABULARY.find(term.name, term.version)
        own = function_name(entry)
        if isinstance(entry, Primitive) and entry.rule is not None and self.standalone:
            raise TypeMismatch(f"{entry.name} goes by the types of fields, so the text cannot stand alone")
        if not self.standalone and not keyword.iskeyword(own.rstrip("_")):
            own = own.rstrip("_")
        self.used[own] = entry
        return f"{own}({', '.join(args)})", POSTFIX


__all__ = ["to_python"]
