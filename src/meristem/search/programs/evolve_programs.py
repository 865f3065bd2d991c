"""Evolution of typed programs, for what enumeration does not reach.

Where no short program answers the examples, a longer one may be put together from parts that bring the answers
nearer. A population of programs is kept, with a score for each example (1 where it is answered, less the further the
value is from the answer). Parents are chosen by epsilon-lexicase selection (La Cava, Spector and Danai, 2016): by one
example after the other in random order, so that a program that is right where others are wrong has children too.
Changes keep the type: a part is replaced by a random one, by one of another program or of the enumeration's small
ones, wrapped in a call, swapped for a part of itself; two programs are joined by a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, ClassVar

import numpy as np

from meristem.errors import MeristemError
from meristem.language.failures import Reasons
from meristem.language.interpreter import Prepared, prepare
from meristem.language.terms import Call, If, Lambda, Literal, Term, Variable
from meristem.search.programs.check import Checker
from meristem.search.programs.cost import description_length
from meristem.search.programs.nearness import nearness
from meristem.search.programs.neighbours import put
from meristem.search.programs.problem import Finder, Found, Problem
from meristem.search.programs.random_programs import Grammar, Place
from meristem.types import BOOL, INT, Type
from meristem.values import Column, hashable

_FUEL = 2000  # what one example may cost: answers beyond are hardly ever meant, and would take memory
_EXAMPLES = 20  # that the population is scored on; what answers these is held against all
_A_TURN = 6  # programs between two words to the caller: about a hundredth of a second
_LARGEST = 32  # nodes of a program
_LENGTH = 0.0015  # of the score, for a half bit of length
_TIGHT = 0.02  # scores as near as that are equal in a selection
_POOL = 48  # programs that one selection looks at
_PARTNERS, _TESTS = 8, 8  # programs one may be joined with, and random tests to join them by
_STALE = 25  # generations without a better program until the population starts anew
_MOST_KEPT = 20_000  # columns of parts, scores of values, terms seen
_SMALL = 4_000  # programs that the enumeration of the beginning may hold
_SMALL_LEVELS = 8  # how far it goes
_SMALL_SCORED = 1_500  # how many of its programs of the answer's type are scored
_SMALL_PARTS = 400  # how many of each type are kept as parts


@dataclass(frozen=True)
class Individual:
    """A program of the population.

    Args:
        term: It.
        scores: How near each answer is, from 0 to 1.
        length: Its description length, in half bits.
        behaviour: Its answers.
    """

    term: Term
    scores: tuple[float, ...]
    length: float
    behaviour: tuple[Any, ...]

    @property
    def fitness(self) -> float:
        """What the population is ranked by."""
        return sum(self.scores) / len(self.scores) - _LENGTH * self.length

    @property
    def answered(self) -> int:
        """How many of the examples it answers."""
        return sum(score == 1.0 for score in self.scores)


@dataclass(frozen=True)
class EvolvePrograms(Finder):
    """Evolution of typed programs.

    Args:
        population: How many programs are kept.
        most: How many programs are tried in all; it ends then.
        small: Whether it begins with the programs of a short enumeration, and takes parts from them.
        starts: Further programs to begin with.
    """

    name = "evolve"
    # It tries about a thousand programs a second, where enumeration tries millions: it is for what is left then.
    weight: ClassVar[float] = 0.1
    tolerant: ClassVar[bool] = True
    population: int = 150
    most: int = 1_000_000
    small: bool = True
    starts: tuple[Term, ...] = ()

    def suits(self, problem: Problem) -> bool:
        """Whether there are two examples at least, which together say more than one answer."""
        return len(problem) > 1

    def find(self, problem: Problem) -> Iterator[Found | None]:
        """See `Finder.find`."""
        yield None  # before any work: where a short program answers it is over then
        run = _Run(self, problem)
        yield None
        yield from run.begin()
        yield from run.evolve()


class _Run:
    """One run, with all that changes."""

    def __init__(self, settings: EvolvePrograms, problem: Problem) -> None:
        from meristem.search.enumeration.finder import spread_out

        self.settings, self.problem = settings, problem
        self.rng = Random(f"evolve {problem.seed}")
        self.grammar = Grammar(problem)
        chosen = np.array(sorted(spread_out(problem.answers, min(len(problem), _EXAMPLES), problem.seed)))
        self.inputs = {name: column.take(chosen) for name, column in problem.inputs.items()}
        self.column = problem.answers.take(chosen)
        self.answers = self.column.to_list()
        self.type = problem.answers.type
        self.values = Values(self.inputs, len(chosen), problem.memory, self.grammar)
        self.checker = Checker(problem)
        self.allowed = int(problem.wrong * len(problem) + 1e-9)
        # With wrong examples among those scored, the right program misses some of them.
        self.enough = len(chosen) - int(problem.wrong * len(chosen) + 1e-9)
        self.told: set[Term] = set()
        self.best_told = 0
        self.seen: set[Term] = set()
        self.known: dict[tuple[int, Any], float] = {}
        self.parts: dict[Type, list[Term]] = {}
        self.small: list[Term] = []
        self.tried = problem.notes["programs"] = 0

    # --------------------------------------------------------------------------------------- the beginning

    def begin(self) -> Iterator[Found | None]:
        """Small programs by a short enumeration: the nearest of the answer's type, and parts of every type."""
        for term in self.settings.starts:
            admitted = self.grammar.admit(term, self.type)
            if admitted is not None:
                self.small.append(admitted)
        if not self.settings.small:
            return
        from meristem.search.enumeration import Search, Settings

        part = Problem(self.inputs, self.column, seed=self.problem.seed)
        search = Search(part, Settings(most=_SMALL, bodies=_SMALL // 4, levels=_SMALL_LEVELS))
        for found in search.run():
            if found is not None:
                admitted = self.grammar.admit(found.term, self.type)
                if admitted is not None:
                    self.small.append(admitted)
                    yield from self._add(admitted, [])
            yield None
            if search.bank.count >= _SMALL:
                break
        ranked: list[tuple[float, Term]] = []
        for type_, blocks in search.bank.blocks.items():
            places = [(block, k) for block in blocks.values() for k in range(len(block))]
            for block, k in self.rng.sample(places, min(len(places), _SMALL_PARTS)):
                term = block.term(k)
                admitted = self.grammar.admit(term, type_)
                if admitted is not None:
                    self.parts.setdefault(type_, []).append(admitted)
                if k % _A_TURN == 0:
                    yield None
            if type_ != self.type:
                continue
            pool = search.pools[type_]
            for count, (block, k) in enumerate(self.rng.sample(places, min(len(places), _SMALL_SCORED))):
                ids = block.ids[:, k]
                good = np.flatnonzero(ids >= 0) if type_.name != "int" else np.arange(len(ids))
                values = pool.column(ids[good]).to_list()
                total = sum(self._score(int(i), value) for i, value in zip(good, values, strict=True))
                ranked.append((total, block.term(k)))
                if count % (4 * _A_TURN) == 0:
                    yield None
        ranked.sort(key=lambda each: -each[0])
        for _, term in ranked[: self.settings.population]:
            admitted = self.grammar.admit(term, self.type)
            if admitted is not None:
                self.small.append(admitted)

    # ------------------------------------------------------------------------------------------ generations

    def evolve(self) -> Iterator[Found | None]:
        """Generations, with a new beginning whenever nothing gets better."""
        while self.tried < self.settings.most:
            population: list[Individual] = []
            self.seen.clear()
            for term in self.small:
                yield from self._add(term, population)
            while len(population) < self.settings.population and self.tried < self.settings.most:
                made = self.grammar.grow(self.rng, self.type, (), self.rng.randint(1, 12))
                if made is None:
                    return  # no term is of that type
                before = self.tried
                yield from self._add(made, population)
                if self.tried == before:
                    self.tried += 1  # seen before: so that few possible terms do not take forever
                    if self.tried % _A_TURN == 0:
                        yield None
            yield from self._generations(population)

    def _generations(self, population: list[Individual]) -> Iterator[Found | None]:
        best, stale = 0.0, 0
        while stale < _STALE and self.tried < self.settings.most:
            population = self._survivors(population)
            top = max((each.fitness for each in population), default=0.0)
            best, stale = (top, 0) if top > best + 1e-9 else (best, stale + 1)
            if not population:
                return
            children: list[Individual] = []
            for count in range(self.settings.population):
                child = self.change(self._parent(population), population)
                if child is not None:
                    yield from self._add(child, children)
                if count % _A_TURN == 0:  # also where most children were seen before
                    yield None
            population = population + children

    def _add(self, term: Term, population: list[Individual]) -> Iterator[Found | None]:
        """Score a term, unless it was seen."""
        if term in self.seen or term.size > _LARGEST:
            return
        if len(self.seen) >= _MOST_KEPT:
            self.seen.clear()
        self.seen.add(term)
        self.tried += 1
        each = self.individual(term)
        if each is not None:
            population.append(each)
            if each.answered >= self.enough or each.answered > self.best_told:
                self.best_told = max(self.best_told, each.answered)
                if term not in self.told:
                    self.told.add(term)
                    checked = self.checker.check(term)
                    if checked is not None:
                        yield Found(term, each.length, checked.wrong)
        if self.tried % _A_TURN == 0:
            self.problem.notes["programs"] = self.tried
            yield None

    def individual(self, term: Term) -> Individual | None:
        """A term with its scores; None where it has no value at all."""
        found = self.values.of(term)
        if found is None:
            return None
        column, failures = found
        values = column.to_list()
        scores, behaviour = [], []
        for i, (value, failed) in enumerate(zip(values, failures.tolist(), strict=True)):
            scores.append(0.0 if failed else self._score(i, value))
            behaviour.append(None if failed else (hashable(value),))
        if not any(scores):
            return None
        length = description_length(term, len(self.problem.inputs))
        return Individual(term, tuple(scores), length, tuple(behaviour))

    def _score(self, example: int, value: Any) -> float:
        key = (example, hashable(value))
        found = self.known.get(key)
        if found is None:
            if len(self.known) >= _MOST_KEPT:
                self.known.clear()
            found = nearness(value, self.answers[example], self.type, self.problem.close)
            self.known[key] = found
        return found

    def _survivors(self, population: list[Individual]) -> list[Individual]:
        """The shortest of each behaviour; of these the fittest, and for each example the nearest."""
        shortest: dict[tuple[Any, ...], Individual] = {}
        for each in population:
            other = shortest.get(each.behaviour)
            if other is None or each.length < other.length:
                shortest[each.behaviour] = each
        ranked = sorted(shortest.values(), key=lambda each: -each.fitness)
        kept = dict.fromkeys(range(min(len(ranked), self.settings.population)))
        for i in range(len(self.answers)):
            order = sorted(range(len(ranked)), key=lambda k: -ranked[k].scores[i])
            kept.update(dict.fromkeys(order[:3]))
        return [ranked[k] for k in kept]

    def _parent(self, population: list[Individual]) -> Individual:
        """By epsilon-lexicase selection among some, or the fittest of four."""
        rng = self.rng
        if rng.random() < 0.4:
            return max(rng.choices(population, k=4), key=lambda each: each.fitness)
        left = rng.sample(population, min(len(population), _POOL))
        for i in rng.sample(range(len(self.answers)), len(self.answers)):
            top = max(each.scores[i] for each in left)
            left = [each for each in left if each.scores[i] >= top - _TIGHT]
            if len(left) == 1:
                break
        return min(left, key=lambda each: each.length)

    # ---------------------------------------------------------------------------------------------- changes

    def change(self, parent: Individual, population: list[Individual]) -> Term | None:
        """A changed program; None where the change that was drawn has no place in it."""
        rng = self.rng
        term = parent.term
        for _ in range(2 if rng.random() < 0.25 else 1):
            places = self.grammar.places(term)
            place = rng.choice(places)
            roll = rng.random()
            new: Term | None
            if roll < 0.2:
                new = self.grammar.grow(rng, place.type, place.scope, rng.choice((1, 3, 4, 6, 8)))
            elif roll < 0.42:
                new = self._from_other(place, population)
            elif roll < 0.57:
                new = self._from_parts(place)
            elif roll < 0.75:
                new = self._wrapped(place)
            elif roll < 0.83:
                new = self._constant(term, places)
                if new is not None:
                    term = new
                    continue
            elif roll < 0.89:
                new = self._hoisted(place)
            elif roll < 0.95:
                new = self._swapped(place)
            else:
                return self._joined(parent, population)
            if new is None:
                return None
            term = put(term, place.path, new)
        return term

    def _joined(self, parent: Individual, population: list[Individual]) -> Term | None:
        """Two programs that are right on different examples, joined by the test of some that tells them best."""
        rng = self.rng
        others = [each for each in rng.choices(population, k=_PARTNERS) if each.term != parent.term]
        if not others:
            return None
        other = max(others, key=lambda each: sum(map(max, each.scores, parent.scores)))
        made = [self.grammar.grow(rng, BOOL, (), rng.randint(2, 7)) for _ in range(_TESTS)]
        parts = self.parts.get(BOOL, [])
        tests = [
            *rng.sample(parts, min(len(parts), 4 * _TESTS)),
            *(test for test in made if test is not None),
        ]
        best: tuple[float, Term] | None = None
        for test in tests:
            found = self.values.of(test)
            if found is None or found[1].any():
                continue
            says = found[0].to_list()
            for then, otherwise in ((parent, other), (other, parent)):
                pairs = zip(says, then.scores, otherwise.scores, strict=True)
                total = sum(a if yes else b for yes, a, b in pairs) - _LENGTH * test.size
                if best is None or total > best[0]:
                    best = total, If(test, then.term, otherwise.term)
        return None if best is None else best[1]

    def _fits(self, part: Term, place: Place) -> bool:
        """Whether all that a part uses is known where it is to stand."""
        return part.free_names <= {*self.inputs, *place.scope}

    def _from_other(self, place: Place, population: list[Individual]) -> Term | None:
        """A part of another program."""
        other = self.rng.choice(population).term
        fitting = [
            each.part
            for each in self.grammar.places(other)
            if each.type == place.type and each.part != place.part and self._fits(each.part, place)
        ]
        return self.rng.choice(fitting) if fitting else None

    def _from_parts(self, place: Place) -> Term | None:
        """A small program of the enumeration; one of its inputs may be exchanged for the part that stood there."""
        parts = self.parts.get(place.type)
        if not parts:
            return None
        part = self.rng.choice(parts)
        if self.rng.random() < 0.5:
            inside = [each for each in self.grammar.places(part) if each.type == place.type and each.path]
            inside = [each for each in inside if not set(each.scope) & place.part.free_names]
            if inside:
                return put(part, self.rng.choice(inside).path, place.part)
        return part

    def _wrapped(self, place: Place) -> Term | None:
        """The part inside a call that gives its type."""
        fitting = [
            (each, k)
            for each, _ in self.grammar.productions.get(place.type, ())
            for k, type_ in enumerate(each.arguments)
            if type_ == place.type and k not in each.fixed
        ]
        if not fitting:
            return None
        each, k = self.rng.choices(fitting, [each.weight for each, _ in fitting])[0]
        return self.grammar.call(self.rng, each, place.scope, self.rng.choice((2, 4, 6, 8)), {k: place.part})

    def _constant(self, term: Term, places: list[Place]) -> Term | None:
        """The program with a number moved a little."""
        fitting = [p for p in places if isinstance(p.part, Literal) and p.type == INT]
        if not fitting:
            return None
        place = self.rng.choice(fitting)
        assert isinstance(place.part, Literal)
        value = place.part.value + self.rng.choice((-2, -1, -1, 1, 1, 2))
        return put(term, place.path, Literal(value, INT))

    def _hoisted(self, place: Place) -> Term | None:
        """A part of the part, of the same type."""
        inside = [
            each.part
            for each in self.grammar.places(place.part)
            if each.type == place.type and each.path and self._fits(each.part, place)
        ]
        return self.rng.choice(inside) if inside else None

    def _swapped(self, place: Place) -> Term | None:
        """The part with another function of the same type."""
        part = place.part
        if not isinstance(part, Call):
            return None
        key = (tuple(self.grammar.type_of(arg) for arg in part.args), place.type)
        fitting = [each for each in self.grammar.alike.get(key, ()) if each.name != part.name]
        if not fitting:
            return None
        each = self.rng.choice(fitting)
        return Call(each.name, part.args, each.version)


class Values:
    """What programs give for some inputs, by the columnar interpreter, each part once.

    Args:
        inputs: A column for each input.
        rows: How many rows they have.
        memory: Bytes that may be used in all.
        grammar: What the programs are made of; says the types of parts.
    """

    def __init__(self, inputs: dict[str, Column], rows: int, memory: int, grammar: Grammar) -> None:
        self.inputs, self.rows, self.grammar = inputs, rows, grammar
        self.types = {name: column.type for name, column in inputs.items()}
        self.most = max(min(_MOST_KEPT, memory // (16 * _FUEL * rows)), 100)
        self.known: dict[Term, tuple[Column, Reasons] | None] = {}
        self._prepared = lru_cache(4000)(self._ready)

    def of(self, term: Term) -> tuple[Column, Reasons] | None:
        """The values of a term whose names are all inputs, and where it has none; None where it cannot run."""
        if term in self.known:
            return self.known[term]
        if len(self.known) >= self.most:
            self.known.clear()
        found = self._run(term)
        if found is not None and found[1].all():
            found = None
        self.known[term] = found
        return found

    def _run(self, term: Term) -> tuple[Column, Reasons] | None:
        """Parts are run by themselves; what is left is one node over their columns."""
        if isinstance(term, Variable):
            return self.inputs[term.name], np.zeros(self.rows, np.int8)
        columns = dict(self.inputs)
        skeleton: list[Term] = []
        lost: list[Reasons] = []
        for k, child in enumerate(term.children() if isinstance(term, Call | If) else ()):
            if isinstance(child, Lambda):
                skeleton.append(child)
                continue
            found = self.of(child)
            if found is None:
                if isinstance(term, Call) or k == 0:
                    return None
                return self._whole(term)
            columns[f"~{k}"] = found[0]
            lost.append(found[1])
            skeleton.append(Variable(f"~{k}"))
        if isinstance(term, If):
            if any(each.any() for each in lost):
                return self._whole(term)  # what the branch not taken lacks does not matter
            lost = []
        node = term.with_children(tuple(skeleton)) if skeleton else term
        types = tuple((name, columns[name].type) for name in sorted(columns) if name in node.free_names)
        return self._go(node, self.grammar.type_of(term), types, columns, lost)

    def _whole(self, term: Term) -> tuple[Column, Reasons] | None:
        return self._go(term, self.grammar.type_of(term), tuple(sorted(self.types.items())), self.inputs, [])

    def _go(
        self,
        node: Term,
        type_: Type,
        types: tuple[tuple[str, Type], ...],
        columns: dict[str, Column],
        lost: list[Reasons],
    ) -> tuple[Column, Reasons] | None:
        program = self._prepared(node, type_, types)
        if program is None:
            return None
        failures = np.zeros(self.rows, np.int8)
        for each in lost:
            failures = np.where(failures == 0, each, failures)
        try:
            result = program.run(columns, fuel=_FUEL, rows=self.rows)
        except MeristemError:
            return None
        return result.column, np.where(failures == 0, result.failures, failures)

    def _ready(self, node: Term, type_: Type, types: tuple[tuple[str, Type], ...]) -> Prepared | None:
        try:
            return prepare(node, dict(types), result=type_)
        except MeristemError:
            return None


__all__ = ["EvolvePrograms", "Individual", "Values"]
