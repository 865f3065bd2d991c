"""Abstraction: what solved programs have in common becomes subroutines, and the programs are written with them.

Programs become plain trees (`abstraction_terms`); the set of subroutines with which programs and definitions together
are shortest is looked for (`abstraction_choice`, `abstraction_search`); each gets a type, a name, a description and
examples; and every program that is written with them is held to the one it was (`abstraction_checks`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from meristem import events
from meristem.language.interpreter import Fit
from meristem.language.terms import Call, Term
from meristem.language.text import format_term
from meristem.language.typed import ensure_stack
from meristem.language.vocabulary import VOCABULARY, Subroutine
from meristem.library.abstraction._checks import (
    Solved,
    agrees,
    examples_of,
    hints_of,
    known,
    uses_of,
)
from meristem.library.abstraction._choice import Choice, Chooser, Limits
from meristem.library.abstraction._rewrite import Pattern, find_matches
from meristem.library.abstraction._search import plain_cost
from meristem.library.abstraction._terms import Price, Translator, named_parts, plain_price, same_inlined
from meristem.library.abstraction._trees import Costs, Forest, View, key_of
from meristem.library.abstraction._types import Seen, scheme_from_uses, scheme_of
from meristem.library.abstraction._words import doc_of, name_of, parameter_names
from meristem.task.budget import Budget
from meristem.types import Type

DEFAULT_LIMITS = Limits(
    count=20, arities=(1, 2, 3), least=1, effort=1_000_000, surplus=4, rounds=1, shakes=0, keep=8
)
DEFAULT_COSTS = Costs(call=3.0, argument=0.0, parameter=1.0, definition=5.0)
"""In half bits, beside the prior of the enumeration: there what is often used costs 2, other functions 3 to 5, a name
1. A subroutine is found because it is used often, and the prior is estimated anew with it; so 3. A definition also
says a type and a name."""


@dataclass(frozen=True)
class Learned:
    """A subroutine that programs have in common.

    Args:
        entry: The subroutine: name, type, parameters, body, description, examples.
        body: Its body as a term.
        tasks: The tasks whose programs call it, directly or through others.
        uses: How often they call it directly.
        saving: How much longer programs and definitions are without it.
    """

    entry: Subroutine
    body: Term
    tasks: tuple[str, ...]
    uses: int
    saving: float


@dataclass(frozen=True)
class Rewritten:
    """A program written with subroutines.

    Args:
        solved: The program as it was.
        term: As it is now; the old term where nothing changed or where the new one did not hold.
        fit: The arrays by slot, under the names that the slots have now.
        changed: Whether it calls a learned subroutine.
        asked: Whether its answers were compared, beside its type and its structure.
        reason: Why it stays as it was, where it could have been shorter.
    """

    solved: Solved
    term: Term
    fit: Fit
    changed: bool
    asked: bool
    reason: str = ""


@dataclass(frozen=True)
class Abstractions:
    """What sleeping over programs found.

    Args:
        learned: The subroutines; each calls only those before it.
        programs: The programs, in the order given.
        before: The length of all programs as they were.
        after: Their length now.
        definitions: The length of the definitions.
        complete: Whether it ended by itself, not by its budget.
    """

    learned: tuple[Learned, ...]
    programs: tuple[Rewritten, ...]
    before: float
    after: float
    definitions: float
    complete: bool = True

    @property
    def subroutines(self) -> tuple[Subroutine, ...]:
        """The subroutines alone."""
        return tuple(each.entry for each in self.learned)

    def declared(self) -> AbstractContextManager[None]:
        """A context in which the vocabulary has these subroutines."""
        return known(self.subroutines)


@dataclass
class _Work:
    """What the parts of one sleep share."""

    programs: Sequence[Solved]
    named: list[Term]
    slots: list[dict[str, str]]
    forest: Forest
    translator: Translator
    roots: list[int]
    seen: Seen
    view: View | None = None  # of the programs as they were
    schemes: dict[Pattern, Type | None] = field(default_factory=dict)
    entries: list[Subroutine] = field(default_factory=list)
    bodies: list[Term] = field(default_factory=list)


def sleep(
    programs: Sequence[Solved],
    budget: Budget | str | float | None = None,
    *,
    price: Price = plain_price,
    costs: Costs = DEFAULT_COSTS,
    limits: Limits = DEFAULT_LIMITS,
    taken: Collection[str] = (),
    listeners: Sequence[events.Listener] = (),
) -> Abstractions:
    """Find the subroutines with which programs and definitions are shortest, and write the programs with them.

    Nothing is kept and the vocabulary is left as it is: who calls this decides, and may do so inside a transaction.

    Args:
        programs: Solved tasks.
        budget: Seconds, as a number, text or `Budget`; then the search ends with the best set so far. 60 if left out.
        price: What each node of a program costs; best that of the search which is to use the subroutines.
        costs: What calls and definitions cost, in the same unit.
        limits: How many subroutines, of how many parameters, and how hard to look.
        taken: Names that no subroutine may have, beside those of the vocabulary.
        listeners: Told of phases, and of each shorter set (`Improved`, its loss the length in all).
    """
    began = time.monotonic()
    end = began + Budget.of(budget).limit
    hub = events.Hub(list(listeners))

    def at() -> float:
        return time.monotonic() - began

    def stop() -> bool:
        return time.monotonic() > end

    hub.send(events.Phase(at(), "reading"))
    work = _read(programs, price, costs)
    roots = work.roots
    numbers = {task: k for k, task in enumerate(dict.fromkeys(p.task for p in programs))}
    best = [float("inf")]

    def tell(count: int, length: float) -> None:
        if length < best[0] - 1e-9:
            best[0] = length
            hub.send(events.Improved(at(), length, f"{count} subroutines"))

    chooser = Chooser(
        work.forest,
        roots,
        [p.weight for p in programs],
        [numbers[p.task] for p in programs],
        limits,
        stop,
        lambda pattern: _scheme(work, pattern) is not None,
        tell,
    )
    hub.send(events.Phase(at(), "abstracting"))
    patterns = chooser.choose()
    hub.send(events.Phase(at(), "verifying"))
    while True:
        choice = chooser.written(patterns)
        result = _finish(work, choice, chooser, taken, not stop())
        unused = {
            p
            for p, each in zip(choice.patterns, result.learned, strict=True)
            if len(each.tasks) < min(limits.tasks, len(numbers))
        }
        if not unused:
            break
        # Too many of the programs that called these did not hold.
        patterns = tuple(p for p in patterns if p not in unused)
    hub.send(events.Phase(at(), "done"))
    return result


def _read(programs: Sequence[Solved], price: Price, costs: Costs) -> _Work:
    forest = Forest(costs)
    translator, seen = Translator(forest, price), Seen(forest)
    work = _Work(programs, [], [], forest, translator, [], seen)
    for program in programs:
        term, renamed = named_parts(program.term)
        work.named.append(term)
        work.slots.append(renamed)
        work.roots.append(translator.tree(term))
        seen.note(term, program.inputs, program.target, translator.trees)
    ensure_stack(max((term.depth for term in work.named), default=1))
    return work


def _scheme(work: _Work, pattern: Pattern) -> Type | None:
    """The type of a pattern; None where it cannot be a subroutine."""
    if pattern not in work.schemes:
        names = [f"p{k}" for k in range(pattern.arity)]
        work.schemes[pattern] = None
        if not _says_something(work.forest, pattern):
            return None
        body = work.translator.term(pattern.body, names)
        found = scheme_of(body, names)
        if found is None:
            view = work.view = work.view or View(work.forest, work.roots)
            matches = find_matches(view, pattern)
            table = [[*row, place] for row, place in zip(matches.arguments, matches.places, strict=True)]
            uses = (work.seen.use([int(view.nodes[k]) for k in row]) for row in table)
            found = scheme_from_uses(body, names, (use for use in uses if use is not None))
        work.schemes[pattern] = found
    return work.schemes[pattern]


def _says_something(forest: Forest, pattern: Pattern) -> bool:
    """Whether a body is more than another name for one function."""
    inner = [n for n in forest.inside((pattern.body,)) if forest.parameter_of(n) < 0]
    return len(inner) > 1


def _finish(
    work: _Work, choice: Choice, chooser: Chooser, taken: Collection[str], complete: bool
) -> Abstractions:
    """Subroutines with names and all else, and programs held to what they were."""
    names = _declare(work, choice, taken)
    by_name = dict(zip([e.name for e in work.entries], work.bodies, strict=True))
    bodies = {e.name: (e.parameters, by_name[e.name]) for e in work.entries}
    with known(work.entries):
        programs = tuple(_held(work, k, tree, names, bodies) for k, tree in enumerate(choice.programs))
        for entry in work.entries:
            calling = [(p.solved, p.term) for p in programs if p.changed]
            entry.examples = examples_of(entry, calling)
            entry.hints = hints_of(entry, [term for _, term in calling])
    after = choice.after + sum(  # what did not hold is as long as it was
        p.solved.weight * (plain_cost(work.forest, root) - plain_cost(work.forest, tree))
        for p, root, tree in zip(programs, work.roots, choice.programs, strict=True)
        if p.reason
    )
    chosen = tuple(choice.patterns)
    without = (
        chooser.lengths([tuple(p for p in chosen if p is not gone) for gone in chosen]) if chosen else []
    )
    learned = []
    for number, entry in enumerate(work.entries):
        inside = _callers(entry.name, work)
        calling_tasks = [
            p.solved.task for p in programs if p.changed and any(uses_of(n, p.term) for n in inside)
        ]
        uses = sum(isinstance(n, Call) and n.name == entry.name for p in programs for n in p.term.walk())
        saving = without[number] - choice.total
        learned.append(Learned(entry, by_name[entry.name], tuple(dict.fromkeys(calling_tasks)), uses, saving))
    return Abstractions(tuple(learned), programs, choice.before, after, choice.definitions, complete)


def _callers(name: str, work: _Work) -> set[str]:
    """The subroutine and all that call it."""
    found = {name}
    for entry, body in zip(work.entries, work.bodies, strict=True):  # each calls only those before it
        if any(uses_of(inner, body) for inner in found):
            found.add(entry.name)
    return found


def _declare(work: _Work, choice: Choice, taken: Collection[str]) -> dict[int, str]:
    """Name and type each subroutine; gives their names by their bodies."""
    names: dict[int, str] = {}
    work.entries, work.bodies = [], []
    for pattern, tree in zip(choice.patterns, choice.bodies, strict=True):
        scheme = _scheme(work, pattern)
        assert scheme is not None  # else the pattern would not have been allowed
        parameters = parameter_names(scheme.parameters, _applied(work.forest, pattern))
        whole = work.translator.term(pattern.body, parameters)
        used = {*taken, *names.values(), *(entry.name for entry in VOCABULARY), *parameters}
        name = name_of(whole, used)
        body = work.translator.term(tree, parameters, names)
        entry = Subroutine(
            name,
            1,
            scheme,
            parameters,
            format_term(body),
            cost=3,
            doc=doc_of(whole),
            place="learned from programs",
        )
        names[pattern.body] = name
        work.entries.append(entry)
        work.bodies.append(body)
    return names


def _applied(forest: Forest, pattern: Pattern) -> set[int]:
    """The parameters of a pattern that its body applies."""
    found = set()
    for node in forest.inside((pattern.body,)):
        if key_of(forest, node)[0] == "use":
            found.add(forest.parameter_of(forest.children_of[node][0]))
    return found - {-1}


def _held(
    work: _Work,
    number: int,
    tree: int,
    names: Mapping[int, str],
    bodies: Mapping[str, tuple[tuple[str, ...], Term]],
) -> Rewritten:
    """A program as it is written now, if that is the same program."""
    solved, slots = work.programs[number], work.slots[number]
    term = work.translator.term(tree, (), names, tuple(solved.inputs))
    if not any(uses_of(name, term) for name in names.values()):
        return Rewritten(solved, solved.term, solved.fit, False, False)
    fit = {slots.get(slot, slot): arrays for slot, arrays in solved.fit.items()}
    if not same_inlined(term, bodies, work.named[number]):
        return Rewritten(
            solved, solved.term, solved.fit, False, False, "written out again it is another program"
        )
    agree, asked = agrees(solved, term, fit)
    if not agree:
        why = "it gives other answers" if asked else "it is of another type"
        return Rewritten(solved, solved.term, solved.fit, False, asked, why)
    return Rewritten(solved, term, fit, True, asked)


__all__ = [
    "DEFAULT_COSTS",
    "DEFAULT_LIMITS",
    "Abstractions",
    "Costs",
    "Learned",
    "Limits",
    "Rewritten",
    "Solved",
    "sleep",
]
