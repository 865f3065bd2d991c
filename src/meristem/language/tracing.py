"""Stepping through a run: each part of a program with its value, in the order of evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meristem.errors import EvaluationError, Reason
from meristem.language.infer import Typed
from meristem.language.interpreter import DEFAULT_FUEL, Fit, Prepared
from meristem.language.reference import Meter, Scope, compute, run_row
from meristem.language.terms import Lambda, Let, Literal, Term, Variable
from meristem.language.vocabulary import Primitive, Subroutine

MOST_CALLS = 5  # of one function that a step shows
_MOST_STEPS = 2000  # in all


@dataclass
class FunctionCall:
    """One call of a function of the program, such as the body of a `map` for one item.

    Args:
        arguments: What its parameters stood for.
        steps: What happened inside.
        value: What it gave; None where it failed.
        body: The term of its body.
    """

    arguments: dict[str, Any]
    body: Term
    steps: list[Step] = field(default_factory=list)
    value: Any = None


@dataclass
class Step:
    """One part of a program that was run.

    Args:
        term: The part.
        value: What it gave; None where it failed.
        reason: OK, or why it has no value.
        calls: The calls of functions of the program that it made; the first ones.
        more: How many calls are not among them.
        entry: What is called, for a call.
        number: Its place in the order of evaluation, from 1.
    """

    term: Term
    value: Any = None
    reason: Reason = Reason.OK
    calls: list[FunctionCall] = field(default_factory=list)
    more: int = 0
    entry: Primitive | Subroutine | None = None
    number: int = 0


@dataclass(frozen=True)
class Traced:
    """A run that was watched.

    Args:
        steps: Its steps, inner ones first; names and constants make none.
        value: The result; None where it failed.
        reason: OK, or why there is none.
    """

    steps: list[Step]
    value: Any
    reason: Reason


def trace(
    program: Prepared,
    inputs: Mapping[str, Any],
    fit: Fit | None = None,
    *,
    fuel: int = DEFAULT_FUEL,
    most_calls: int = MOST_CALLS,
) -> Traced:
    """Run a program on one row of Python values and note what happens.

    Args:
        program: The program.
        inputs: A value for each input.
        fit: The arrays of its modules.
        fuel: What the run may spend.
        most_calls: Calls of one function that a step shows; a `map` over a thousand items is not shown whole.
    """
    watcher = _Watcher(program.root, most_calls)
    value, reason = run_row(program, inputs, fit, fuel=fuel, watch=watcher)
    return Traced(watcher.top, value, reason)


class _Watcher:
    """Notes the steps of a run."""

    def __init__(self, root: Typed, most_calls: int) -> None:
        self.most_calls, self.count = most_calls, 0
        self.top: list[Step] = []
        self.sinks = [self.top]
        self.open: list[Step] = []
        # Bodies of functions that stand in the program itself, and of the subroutines that it calls.
        self.bodies: dict[int, Typed] = {}
        self.hidden: set[int] = set()
        for node in root.walk():
            if isinstance(node.term, Lambda):
                self.bodies[id(node.children[0])] = node
            if node.body is not None:
                self.hidden.add(id(node.body))
        self.quiet = 0

    def __call__(self, node: Typed, scope: Scope, meter: Meter) -> Any:
        function = self.bodies.get(id(node))
        if function is not None and self.open and all(b in scope.values for b in function.bindings):
            return self.call(function, node, scope, meter)
        if id(node) in self.hidden:
            self.quiet += 1
            try:
                return compute(node, scope, meter)
            finally:
                self.quiet -= 1
        return self.part(node, scope, meter)

    def call(self, function: Typed, body: Typed, scope: Scope, meter: Meter) -> Any:
        """A call of a function of the program, by what is running now."""
        owner = self.open[-1]
        outside = self.quiet
        if len(owner.calls) >= self.most_calls or self.count > _MOST_STEPS:
            owner.more += 1
            self.quiet += 1
            try:
                return compute(body, scope, meter)
            finally:
                self.quiet = outside
        made = FunctionCall({b.name: scope.values[b] for b in function.bindings}, body.term)
        owner.calls.append(made)
        self.sinks.append(made.steps)
        self.quiet = 0
        try:
            made.value = self.part(body, scope, meter)
            return made.value
        finally:
            self.quiet = outside
            self.sinks.pop()

    def part(self, node: Typed, scope: Scope, meter: Meter) -> Any:
        known = not node.uses and meter.known(node) is not None
        trivial = isinstance(node.term, Variable | Literal | Lambda | Let)
        if self.quiet or known or trivial or self.count > _MOST_STEPS:
            return compute(node, scope, meter)
        entry = node.entry if isinstance(node.entry, Primitive | Subroutine) else None
        step = Step(node.term, entry=entry)
        self.open.append(step)
        try:
            step.value = compute(node, scope, meter)
        except EvaluationError as error:
            step.reason = error.reason
            raise
        finally:
            self.open.pop()
            self.count += 1
            step.number = self.count
            self.sinks[-1].append(step)
        return step.value


__all__ = ["MOST_CALLS", "FunctionCall", "Step", "Traced", "trace"]
