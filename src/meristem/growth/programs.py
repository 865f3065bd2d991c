"""Growing a program from examples: time for the finders, a choice among what fits, a model."""

from __future__ import annotations

import math
import platform
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from meristem import events
from meristem._version import __version__
from meristem.errors import InputError, MeristemError, ResourceError
from meristem.executors.threads import one_thread
from meristem.growth.clock import Clock, one_interrupt
from meristem.growth.finding import Fitting, Hunt
from meristem.growth.keeping import keep, recall_from
from meristem.language.plain import strict
from meristem.language.terms import Term
from meristem.language.text import format_term
from meristem.model import words
from meristem.model.program import Program
from meristem.model.program_model import ProgramModel
from meristem.model.program_report import NEAR, FoundProgram, ProgramReport, WrongExample
from meristem.model.questions import Rival
from meristem.model.report import Effort
from meristem.model.value_text import value_text
from meristem.search.programs.agreement import Agreement, agree, answers_by, input_weights
from meristem.search.programs.check import Checker
from meristem.search.programs.cost import answers_bits
from meristem.search.programs.made_up import joined, make_up
from meristem.search.programs.neighbours import is_program, neighbours
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.search.programs.recall import Try
from meristem.search.programs.robust import Robust
from meristem.search.programs.sketch import Sketch, check_sketch
from meristem.values import Column

if TYPE_CHECKING:
    from meristem.library import Entry, Library
    from meristem.task.budget import Budget
    from meristem.task.examples import ExampleTask

_MOST_ASKED = 100  # programs whose agreement is measured
_GENTLE, _WILD = 36, 16  # inputs made up for that
_MOST_FURTHER = 200
_MOST_RIVALS = 12  # programs that a model keeps beside its own
_MOST_QUESTIONS = 10
_MOST_NEIGHBOURS = 40
_SMALL_TERMS = 1500  # worked out for neighbours: 0.3 to 0.6 s
_MOST_CHECKED = 60  # examples that a neighbour is checked on: there are many neighbours
_NEAR = 2.0  # bits: a neighbour is at least so much less likely than the program it is near
_LEAST_SHARE = 1e-4  # of the likelihood: a rival below it raises no question
_MOST_LISTED = 100
_METRIC = "bits"
_LOOSE, _NEAREST_TURNS = 0.45, 1000  # where nothing fits: for what fits most


def grow_program(
    task: ExampleTask,
    budget: Budget,
    clock: Clock,
    *,
    seed: int = 0,
    parts: Sequence[object] = (),
    start: object = None,
    sketch: str | Term | None = None,
    wrong: float = 0.0,
    quiet: bool = False,
    listeners: Sequence[events.Listener] = (),
    finders: Sequence[Finder] | None = None,
    library: Library | None = None,
) -> ProgramModel:
    """Grow a program for examples; see `grow`.

    Args:
        task: The examples.
        budget: What may be used; a trial is one turn of one finder.
        clock: Began with the call.
        seed: Source of all randomness.
        parts: Models of programs that are tried first.
        start: A model to go on from.
        sketch: A program with holes `?` to fill, as text or term.
        wrong: The share of the examples that may be wrong, from 0 to below 0.5.
        quiet: Show no progress.
        listeners: Told of every event.
        finders: The ways of searching, in place of the registered ones.
        library: Where programs that may do it are looked for, and where the one that is found is kept.

    Raises:
        InputError: An argument cannot be used, or the examples contradict each other.
        MeristemError: No program was found that fits; says how near the best one came.
    """
    problem = _problem(task, wrong, seed, budget)
    opening = _opening(problem, parts, start, sketch)
    hub = events.Hub(list(listeners))
    with ExitStack() as stack:
        if not quiet:
            from meristem.report.progress import progress

            stack.enter_context(progress(hub))
        stack.enter_context(one_interrupt(clock))
        stack.enter_context(one_thread())
        hub.send(events.Started(clock.elapsed, task.name, _finite(clock.limit), budget.trials, 1, _METRIC))
        for finding in task.findings:
            hub.send(events.Warned(clock.elapsed, finding.text))
        hub.send(events.Phase(clock.elapsed, "searching"))
        if finders is None:
            from meristem.search.finders import FINDERS

            # With a sketch only its fillings are searched: the user has said what the program looks like.
            finders = [] if opening and isinstance(opening[-1], Sketch) else list(FINDERS)
        parts_too = [Robust(each) for each in finders] if wrong else []
        recalled: list[Finder] = []
        origins: dict[Term, tuple[Entry, ...]] = {}
        if library is not None and (not opening or not isinstance(opening[-1], Sketch)):
            recalled = recall_from(library, origins, clock, bool(finders))
        hunt = Hunt(problem, [*opening, *recalled, *finders, *parts_too], budget.trials, clock, hub)
        hunt.run()
        if not hunt.fitting:
            near = hunt.partial if sketch is not None else _nearest(problem, hunt, finders, clock)
            if not hunt.fitting:
                raise MeristemError(_nothing(task, hunt, near, sketch is not None))
        hub.send(events.Phase(clock.elapsed, "choosing"))
        model = _model(task, problem, hunt, budget, clock, seed)
        if library is not None:
            keep(library, model, origins.get(model.term, ()), hub, clock.elapsed)
        hub.send(events.Phase(clock.elapsed, "done"))
    return model


def _finite(limit: float) -> float | None:
    return None if math.isinf(limit) else limit


def _problem(task: ExampleTask, wrong: float, seed: int, budget: Budget) -> Problem:
    if isinstance(wrong, bool) or not isinstance(wrong, int | float) or not 0 <= wrong < 0.5:
        raise InputError(f"wrong: expected a share of wrong examples from 0 to below 0.5, got {wrong!r}")
    allowed = int(wrong * len(task) + 1e-9)
    clashing = {b for _, b in task.contradictions}
    if clashing and len(clashing) > allowed:
        share = math.ceil(100 * len(clashing) / len(task)) / 100
        advice = (
            f"correct them, or tolerate wrong ones with wrong={share:g}" if share < 0.5 else "correct them"
        )
        if wrong:
            advice = f"wrong={wrong:g} tolerates {allowed} of {len(task)}; {advice}"
        raise InputError(
            f"expected one answer for each input, got contradictions: {task.contradiction_words()}; {advice}"
        )
    further = {n: c.take(np.arange(min(len(c), _MOST_FURTHER))) for n, c in task.further.items()}
    if not any(len(c) for c in further.values()):
        further = {}
    memory = min(max(budget.memory_bytes // 2, 100_000_000), 4_000_000_000)
    return Problem(task.inputs, task.answers, further, float(wrong), seed=seed, memory=memory)


def _opening(
    problem: Problem, parts: Sequence[object], start: object, sketch: str | Term | None
) -> list[Finder]:
    """The finders that come before the others."""
    opening: list[Finder] = []
    terms: list[Term] = []
    for model in ([start] if start is not None else []) + list(parts):
        if not isinstance(model, ProgramModel):
            raise InputError(
                f"expected programs grown from examples as start and parts, got {type(model).__name__}; "
                "load files with ms.load"
            )
        terms += [model.term, *(rival.term for rival in model.rivals)]
    if terms:
        opening.append(Try(terms))
    if sketch is not None:
        opening.append(Sketch(read_sketch(sketch, problem)))
    return opening


def read_sketch(sketch: str | Term, problem: Problem) -> Term:
    """A sketch as a term that fits the problem.

    Raises:
        InputError: It cannot be read, or is not well typed here.
    """
    from meristem.language.text import parse_term

    if not isinstance(sketch, str | Term):
        raise InputError(f"sketch: expected a program as text, such as 'sort_by(?, x)', got {sketch!r:.60}")
    try:
        term = parse_term(sketch) if isinstance(sketch, str) else sketch
    except MeristemError as error:
        raise InputError(f"the sketch cannot be read: {error}; a hole is written as ?") from None
    check_sketch(term, problem)
    return term


def _nearest(problem: Problem, hunt: Hunt, finders: Sequence[Finder], clock: Clock) -> Found | None:
    """A program that answers most of the examples, found on parts of them in the time that was kept back.

    If it answers them all the hunt has it.
    """
    best = hunt.partial
    if clock.stopped:
        return best
    deadline = time.monotonic() + 0.6 * max(clock.end - time.monotonic(), 0.0)
    loose = replace(problem, wrong=_LOOSE, notes={})
    for each in (Robust(finder) for finder in finders):
        if not each.suits(loose):
            continue
        try:
            for found in islice(each.find(loose), _NEAREST_TURNS):
                if time.monotonic() > deadline or clock.stopped:
                    break
                if found is not None and (best is None or len(found.wrong) < len(best.wrong)):
                    best = found
                    if len(found.wrong) <= hunt.allowed:  # parts may be easier than all examples at once
                        hunt.offer(found, each)
                        return best
        except Exception as error:
            # It only serves a message; what the hunt itself met of this finder is told already.
            if strict() and not isinstance(error, ResourceError | MemoryError):
                raise
            hunt.hub.errors.append(traceback.format_exc())
    return best


def _nothing(task: ExampleTask, hunt: Hunt, best: Found | None, sketched: bool) -> str:
    """Why there is no model, and what to do."""
    count = len(task)
    if best is not None:
        missed = best.wrong[0]
        near = (
            f"the best, {format_term(best.term)[:200]}, answers {count - len(best.wrong)} of them, "
            f"not {task.shown(missed)}"
        )
    else:
        near = "none answers even a part of them"
    looked = f" ({words.count(hunt.considered, 'program')} looked at)" if hunt.considered else ""
    todo = ["give it more time (budget=)"] if not hunt.exhausted else []
    todo.append("loosen the sketch" if sketched else "say what the program looks like (sketch=)")
    if best is not None and 0 < len(best.wrong) < 0.34 * count:
        todo.append(f"tolerate wrong examples (wrong={math.ceil(100 * len(best.wrong) / count) / 100:g})")
    failed = [f"the search {each.name!r} {each.end}" for each in hunt.ends() if each.end.startswith("failed")]
    if failed:
        todo.insert(0, f"report a defect in Meristem ({'; '.join(failed)})")
    todo.append("check the examples: state the types, or split what is done into two programs")
    advice = ", or ".join(todo)
    return (
        f"expected a program for {words.count(count, 'example')}, found none{looked}; {near}; {hunt.ended}. "
        f"What to do: {advice}"
    )


# ---------------------------------------------------------------------------------------------- choosing


@dataclass(frozen=True)
class _Chosen:
    """The choice among what fits.

    Args:
        ranked: The programs, the likeliest first.
        agreement: How the first ones agree.
        inputs: What they were asked.
        weights: How much each of these counts.
    """

    ranked: Sequence[Fitting]
    agreement: Agreement
    inputs: Mapping[str, Column]
    weights: NDArray[np.float64]

    @property
    def best(self) -> Fitting:
        return self.ranked[self.agreement.best]


def _choose(problem: Problem, hunt: Hunt, seed: int) -> _Chosen:
    ranked = sorted(hunt.fitting.values(), key=lambda f: f.rank)[:_MOST_ASKED]
    inputs, (further, gentle, wild) = _asked(problem, seed)
    result, weights = problem.answers.type, input_weights(further, gentle, wild)
    says = answers_by([f.term for f in ranked], inputs, result)
    best = agree(says, [f.bits for f in ranked], weights).best
    # Programs near the chosen one have no vote in the choice: how many there are says more of the vocabulary than of
    # the task. They show where it is a guess, and so make questions. What never differs from a likelier one is the same
    # program in other words, and is left out.
    near = _near(ranked[best], problem, hunt) if len(weights) else []
    if len(weights):
        found = [*ranked, *near]
        says = answers_by([f.term for f in found], inputs, result)
        seen = {says[best].tobytes()}
        kept = []
        for k, row in enumerate(says):
            if k == best or row.tobytes() not in seen:
                seen.add(row.tobytes())
                kept.append(k)
        kept = kept[: sum(k < len(ranked) for k in kept) + _MOST_NEIGHBOURS]
        best, ranked, says = kept.index(best), [found[k] for k in kept], says[kept]
    return _Chosen(ranked, agree(says, [f.bits for f in ranked], weights, best), inputs, weights)


def _asked(problem: Problem, seed: int) -> tuple[dict[str, Column], tuple[int, int, int]]:
    """Inputs to tell programs apart by: those the user gave, gently made-up ones, wild ones; and how many of each."""
    if not problem.inputs:
        return {}, (0, 0, 0)
    sets = [make_up(problem.inputs, _GENTLE, seed, gentle=True), make_up(problem.inputs, _WILD, seed)]
    if problem.further:
        sets.insert(0, dict(problem.further))
    counts = [len(next(iter(each.values()))) for each in sets]
    inputs = sets[0]
    for each in sets[1:]:
        inputs = joined(inputs, each)
    return inputs, (0 if len(sets) == 2 else counts[0], counts[-2], counts[-1])


def _near(best: Fitting, problem: Problem, hunt: Hunt) -> list[Fitting]:
    """Programs near the chosen one that fit as well, the likeliest first."""
    if not is_program(best.term):
        return []
    clock = hunt.clock
    deadline = clock.began + 0.97 * clock.limit - 0.3
    found: list[Fitting] = []
    checker = hunt.checker if len(problem) <= _MOST_CHECKED else Checker(_first(problem, _MOST_CHECKED))
    for term, longer in neighbours(best.term, problem, _SMALL_TERMS, deadline):
        if time.monotonic() > deadline:
            break
        checked = checker.check(term) if term not in hunt.fitting else None
        if checked is None or len(checked.wrong) > len(best.wrong):
            continue
        bits = best.bits + max(longer, _NEAR)
        found.append(
            Fitting(term, bits, checked.wrong, best.support, checked.values, NEAR, hunt.turn, clock.elapsed)
        )
    return sorted(found, key=lambda f: f.rank)[: 2 * _MOST_NEIGHBOURS]


def _first(problem: Problem, count: int) -> Problem:
    """The problem with its first examples only."""
    rows = np.arange(count)
    inputs = {name: column.take(rows) for name, column in problem.inputs.items()}
    return replace(problem, inputs=inputs, answers=problem.answers.take(rows), notes={})


def _questions(chosen: _Chosen) -> list[int]:
    """Positions of inputs on which the programs differ, the most telling first.

    The first has the largest expected surprise (entropy of the answers by likelihood); each next one is the one that
    splits best what the ones before leave together. Inputs where the chosen program fails come last.
    """
    says, mass = chosen.agreement.says, chosen.agreement.mass
    best = chosen.agreement.best
    told = np.flatnonzero(mass >= _LEAST_SHARE)
    if len(told) < 2 or not says.shape[1]:
        return []
    groups = np.zeros(len(told), np.int64)  # which of the programs the questions so far leave together
    found: list[int] = []
    open_ = [i for i in range(says.shape[1]) if len(set(says[told, i].tolist())) > 1]
    while open_ and len(found) < _MOST_QUESTIONS:
        gains = []
        for i in open_:
            column = says[told, i]
            both = np.unique(np.stack([groups, column]), axis=1, return_inverse=True)[1].reshape(-1)
            failing = float(mass[told][column < 0].sum())
            gain = _entropy(both, mass[told]) * (0.1 if says[best, i] < 0 else 1.0) * (1 - 0.5 * failing)
            # What the user gave is a better question than what was made up, and a wild one is the worst.
            gains.append(gain * float(chosen.weights[i]))
        pick = open_[int(np.argmax(gains))]
        both = np.unique(np.stack([groups, says[told, pick]]), axis=1, return_inverse=True)[1].reshape(-1)
        if found and len(set(both.tolist())) == len(set(groups.tolist())):
            break  # it tells nothing that those before do not
        groups = both
        found.append(pick)
        open_.remove(pick)
    return found


def _entropy(groups: NDArray[np.int64], mass: NDArray[np.float64]) -> float:
    total = np.bincount(groups, mass)
    share = total[total > 0] / total.sum()
    return float(-(share * np.log2(share)).sum())


def _model(
    task: ExampleTask, problem: Problem, hunt: Hunt, budget: Budget, clock: Clock, seed: int
) -> ProgramModel:
    chosen = _choose(problem, hunt, seed)
    best, agreement = chosen.best, chosen.agreement
    places = _questions(chosen)
    asked = {n: c.take(np.array(places, np.int64)) for n, c in chosen.inputs.items()} if places else {}
    rivals = tuple(
        Rival(f.term, float(m))
        for f, m in zip(chosen.ranked, agreement.mass, strict=True)
        if f is not best and m >= _LEAST_SHARE
    )[:_MOST_RIVALS]
    program = Program(best.term, problem.types, problem.answers.type, {}, exact=True)
    report = _report(task, problem, hunt, chosen, budget, clock, seed, len(places))
    return ProgramModel(
        program,
        task.name,
        task.output,
        dict(task.inputs),
        task.answers,
        report.to_json(),
        rivals if places else (),
        asked,
    )


def _report(
    task: ExampleTask,
    problem: Problem,
    hunt: Hunt,
    chosen: _Chosen,
    budget: Budget,
    clock: Clock,
    seed: int,
    questions: int,
) -> ProgramReport:
    best, agreement = chosen.best, chosen.agreement
    asked = agreement.says.shape[1]
    same = agreement.says == agreement.says[agreement.best]
    listed = [
        FoundProgram(
            text=format_term(f.term),
            bits=f.bits,
            share=float(agreement.mass[k]),
            finder=f.finder,
            turn=f.turn,
            seconds=f.seconds,
            wrong=len(f.wrong),
            support=f.support if f.branches else None,
            agrees=float(same[k].mean()) if asked else None,
        )
        for k, f in enumerate(chosen.ranked[:_MOST_LISTED])
    ]
    wrong = tuple(
        WrongExample(
            task.numbers[k],
            ", ".join(value_text(v) for v in task.arguments(k)),
            value_text(task.answers[k]),
            "nothing: it fails" if best.values[k] is None else value_text(best.values[k]),
        )
        for k in best.wrong
    )
    return ProgramReport(
        name=task.name,
        examples=len(task),
        further=max((len(c) for c in task.further.values()), default=0),
        types={name: str(type_) for name, type_ in problem.types.items()},
        output=str(problem.answers.type),
        effort=Effort(
            seconds=clock.elapsed,
            budget_seconds=_finite(clock.limit),
            budget_trials=budget.trials,
            workers=1,
            seed=seed,
            versions={"meristem": __version__, "python": platform.python_version(), "numpy": np.__version__},
        ),
        program=format_term(best.term),
        bits=best.bits,
        told=answers_bits(task.answers.to_list()),
        agreement=agreement.share,
        asked=asked,
        considered=hunt.considered,
        ended=hunt.ended,
        support=best.support if best.branches else None,
        wrong=wrong,
        finders=tuple(hunt.ends()),
        programs=tuple(listed),
        findings=tuple(finding.text for finding in task.findings),
        questions=questions,
    )


__all__ = ["grow_program", "read_sketch"]
