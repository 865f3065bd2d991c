"""A run of a program for a person: step by step, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meristem.errors import Reason
from meristem.language.python_words import part_name
from meristem.language.syntax import INFIX
from meristem.language.terms import (
    Apply,
    Call,
    If,
    Lambda,
    Let,
    ListOf,
    Literal,
    Module,
    Term,
    Variable,
    rewrite,
)
from meristem.language.text import format_term
from meristem.language.tracing import FunctionCall, Step, Traced, trace
from meristem.model.value_text import value_text
from meristem.model.words import clean

if TYPE_CHECKING:
    from meristem.language.interpreter import Fit, Prepared

_WIDE = 100  # columns of a printed trace
_WORDS = {
    Reason.EMPTY: "there is nothing in it",
    Reason.INDEX: "the position is outside",
    Reason.DOMAIN: "the function is not defined there",
    Reason.OVERFLOW: "the whole number would be too large",
    Reason.DIVISION: "division by zero",
    Reason.NON_FINITE: "the number would not be finite",
    Reason.NOT_FOUND: "it is not found",
    Reason.PARSE: "the text cannot be read as that",
    Reason.FUEL: "it takes too many steps",
    Reason.SIZE: "the value would be too large",
    Reason.FAULT: "a function of the vocabulary is at fault",
}


def reason_words(reason: Reason | int) -> str:
    """Why there is no value, in words."""
    return _WORDS.get(Reason(reason), "")


@dataclass(frozen=True)
class TraceStep:
    """One step of a run.

    Args:
        number: Its place; other steps name it `#number`.
        text: What is done; parts that are steps of their own stand as `#number`.
        term: The same as a term.
        value: What it gives; None where it fails.
        failure: Why it fails; empty where it does not.
        calls: For each of the first calls of a function: what it was given, its steps, what it gave.
        more: How many further calls there were.
    """

    number: int
    text: str
    term: Term
    value: Any
    failure: str = ""
    calls: tuple[TraceCall, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class TraceCall:
    """One call of a function of the program: what it was given, what happened, what it gave."""

    given: Mapping[str, Any]
    steps: tuple[TraceStep, ...]
    value: Any


@dataclass(frozen=True)
class Trace:
    """What happens when a program runs on one input: `print` it.

    Args:
        inputs: The inputs.
        steps: The steps in the order in which they happen.
        value: The result; None where the program fails.
        failure: Why it fails; empty where it does not.
        words: The run in sentences.
    """

    inputs: Mapping[str, Any]
    steps: tuple[TraceStep, ...]
    value: Any
    failure: str = ""
    words: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        lines = [
            f"{clean(name)} = {value_text(value, _WIDE - len(name) - 4)}"
            for name, value in self.inputs.items()
        ]
        lines += _lines(self.steps, "")
        end = f"fails: {self.failure}" if self.failure else value_text(self.value, _WIDE - 8)
        return "\n".join([*lines, f"result  {end}"])

    def __repr__(self) -> str:
        return str(self)


def _text(term: Term) -> str:
    """The text form of a term for a person: trained parts that have a name are called by it."""

    def named(node: Term) -> Term:
        if isinstance(node, Module) and (own := part_name(node)) != node.kind:
            return Call(own, node.args)
        return node

    return format_term(rewrite(term, named))


def _lines(steps: tuple[TraceStep, ...], indent: str) -> list[str]:
    texts = [clean(step.text) for step in steps]
    room = min(max((len(t) for t in texts), default=0), 52)
    digits = len(str(max((step.number for step in steps), default=0)))
    lines = []
    for step, text in zip(steps, texts, strict=True):
        head = f"{indent}{step.number:>{digits}}  {text:<{room}}"
        end = (
            f"fails: {step.failure}"
            if step.failure
            else value_text(step.value, max(_WIDE - len(head) - 4, 30))
        )
        lines.append(f"{head}  → {end}")
        inner = indent + " " * (digits + 2)
        for call in step.calls:
            given = ", ".join(f"{clean(n)} = {value_text(v, 40)}" for n, v in call.given.items())
            if not call.steps:
                lines.append(f"{inner}  {given}  → {value_text(call.value, 40)}")
            else:
                lines.append(f"{inner}  {given}")
                lines += _lines(call.steps, inner + "    ")
        if step.more:
            lines.append(f"{inner}  … {step.more:,} more")
    return lines


def trace_of(program: Prepared, inputs: Mapping[str, Any], fit: Fit | None = None) -> Trace:
    """Run a program on one row of values and note what happens.

    Args:
        program: The program.
        inputs: A value for each input.
        fit: The arrays of its modules.
    """
    traced = trace(program, inputs, fit)
    failure = reason_words(traced.reason) if traced.reason else ""
    steps = _steps(traced.steps, {})
    return Trace(dict(inputs), steps, traced.value, failure, tuple(_sentences(program.term, traced, inputs)))


def _steps(steps: list[Step], around: Mapping[Term, str]) -> tuple[TraceStep, ...]:
    """Steps whose parts are written as references; failures that only pass on another's are left out."""
    names = dict(around)
    made: list[TraceStep] = []
    for step in _telling(steps):
        number = len(made) + 1
        text = _brief(step.term, names)
        calls = tuple(TraceCall(call.arguments, _steps(call.steps, {}), call.value) for call in step.calls)
        failure = reason_words(step.reason) if step.reason else ""
        made.append(TraceStep(number, text, step.term, step.value, failure, calls, step.more))
        names[step.term] = f"#{number}"
    return tuple(made)


def _telling(steps: list[Step]) -> list[Step]:
    """The steps without those that failed only because a part of theirs did."""
    found: list[Step] = []
    failed = False
    for step in steps:
        if step.reason and failed:
            continue
        found.append(step)
        failed = failed or bool(step.reason)
    return found


def _brief(term: Term, names: Mapping[Term, str]) -> str:
    """A term on a line, its parts as references where they have one."""

    def part(inner: Term, wrap: bool = False) -> str:
        known = names.get(inner)
        if known is not None:
            return known
        text = _brief(inner, names) if isinstance(inner, Call | ListOf) else _text(inner)
        compound = isinstance(inner, Call | If | Lambda) and (
            not isinstance(inner, Call) or inner.name in INFIX
        )
        return f"({text})" if wrap and compound else text

    if isinstance(term, Call):
        if term.name in INFIX and len(term.args) == 2:
            return f"{part(term.args[0], True)} {INFIX[term.name][0]} {part(term.args[1], True)}"
        if term.name == "not" and len(term.args) == 1:
            return f"not {part(term.args[0], True)}"
        return f"{term.name}({', '.join(part(arg) for arg in term.args)})"
    if isinstance(term, If):
        return f"if {part(term.condition)} then {part(term.then)} else {part(term.otherwise)}"
    if isinstance(term, ListOf):
        return "[" + ", ".join(part(item) for item in term.items) + "]"
    if isinstance(term, Let):
        return f"let {term.name} = {part(term.value)}"
    return _text(term)


# ---------------------------------------------------------------------------------------------- in words


def _sentences(term: Term, traced: Traced, inputs: Mapping[str, Any]) -> list[str]:
    given = " and ".join(f"{clean(n)} = {value_text(v)}" for n, v in inputs.items())
    lines = [f"Given {given}:" if inputs else "It takes nothing:"]
    steps = _telling(traced.steps)
    count = 0
    for step in steps:
        text = _sentence(step, steps, inputs)
        if text:
            count += 1
            lines.append(f"{count}. {text}")
    if traced.reason:
        lines.append(f"So there is no answer: {reason_words(traced.reason)}.")
    elif not steps:
        constant = isinstance(term, Literal)
        how = "It is the same for every input" if constant else "The answer is an input as it is"
        lines.append(f"{how}: {value_text(traced.value)}.")
    else:
        lines.append(f"So the answer is {value_text(traced.value)}.")
    return lines


def _sentence(step: Step, steps: list[Step], names: Mapping[str, Any]) -> str:
    """What a step does, with the values that it met."""
    known = {each.term: each.value for each in steps if each is not step}
    term = step.term
    gives = f"fails, for {reason_words(step.reason)}" if step.reason else f"gives {value_text(step.value)}"
    if isinstance(term, If):
        taken = known.get(term.condition)
        condition = clean(_text(term.condition))
        if not isinstance(taken, bool):
            return f"The choice by {condition} {gives}."
        way = "first" if taken else "second"
        return f"Because {condition} is {str(taken).lower()}, it takes the {way} way, which {gives}."
    if isinstance(term, ListOf):
        return f"A list is made: {value_text(step.value)}." if not step.reason else f"Making a list {gives}."
    if isinstance(term, Apply | Module) or not isinstance(term, Call):
        return f"{clean(_text(term))} {gives}."
    if len(term.args) == 2 and term.name in INFIX:
        symbol = INFIX[term.name][0]
        left, right = (_met(arg, known, names) for arg in term.args)
        return f"{left} {symbol} {right} {gives}."
    what = f"{term.name}({', '.join(_met(arg, known, names) for arg in term.args)})"
    doc = step.entry.doc.strip().rstrip(".") if step.entry is not None else ""
    text = f"{doc}: {what} {gives}." if doc else f"{what} {gives}."
    if step.calls:
        text += " " + _calls_words(step)
    return text


def _met(arg: Term, known: Mapping[Term, Any], names: Mapping[str, Any]) -> str:
    """An argument as the value that it had."""
    if isinstance(arg, Variable) and arg.name in names:
        return value_text(names[arg.name], 40)
    if arg in known:
        return value_text(known[arg], 40)
    return clean(_text(arg), 80)


def _calls_words(step: Step) -> str:
    said = []
    for call in step.calls[:3]:
        said.append(f"for {_given(call)} it gives {value_text(call.value, 40)}")
    rest = step.more + max(len(step.calls) - 3, 0)
    text = "; ".join(said) + (f"; and so on, {rest:,} more" if rest else "")
    return text[:1].upper() + text[1:] + "."


def _given(call: FunctionCall) -> str:
    return ", ".join(f"{clean(name)} = {value_text(value, 40)}" for name, value in call.arguments.items())


__all__ = ["Trace", "TraceCall", "TraceStep", "reason_words", "trace_of"]
