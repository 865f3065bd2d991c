"""Growing a program with perception in it: programs ranked by labels, readers trained inside them, an honest check."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from meristem import events
from meristem._version import __version__
from meristem.errors import InputError, MeristemError
from meristem.executors.threads import one_thread
from meristem.growth.clock import Clock, one_interrupt
from meristem.growth.plain_network import PlainResult, train_plain
from meristem.growth.readers import Reader, described, new_reader, readers_of, shares_of, with_new_head
from meristem.language.kinds import Arrays
from meristem.language.terms import Literal, Term, Variable
from meristem.language.text import format_term
from meristem.model.perception_report import PerceptionReport, TiedProgram, TriedProgram
from meristem.model.program import Program
from meristem.model.program_model import ProgramModel
from meristem.model.report import Effort as Spent
from meristem.search.hybrid import (
    Answering,
    Look,
    Ranked,
    Ranking,
    look_at,
    rank_known,
    rank_programs,
    reading_problem,
    right_share_of,
)
from meristem.search.hybrid.known import score_of
from meristem.search.hybrid.ranking import NATS
from meristem.search.hybrid.readings import applied, reader_of
from meristem.training.lifted import Recipe, train_lifted
from meristem.training.rows import Examples

if TYPE_CHECKING:
    from meristem.task.arrays import ArrayTask
    from meristem.task.budget import Budget

_HELD_SHARE, _HELD_LEAST, _HELD_MOST = 0.1, 20, 1500
_CLASSES = (10, 20)
_WIDE = 3  # programs that are trained at all, and as many more as the labels tell from these by less than `_CLOSE`
_CLOSE = 12.0  # nats
_WIDEST = 6
_ALIKE = 0.6  # agreement beyond chance from which a reader can be trained under either of two programs
_RUNGS = (160, 480)  # steps; after each the better half goes on
_ENOUGH, _RECALLED = (
    0.9,
    0.85,
)  # share of held-out examples right at which the search ends; and for a part as it is
_LEARNED = 0.05  # nats a label
_PERFECT = 0.995  # of held-out examples: training ends before all its steps
_IMPOSSIBLE = 0.2
_KEPT_EXAMPLES = 4
_SEEN_ROWS = 1500  # training examples that programs are compared on by what a reader sees
_PLAIN_SHARE, _PLAIN_LEAST, _PLAIN_MOST = 0.3, 1.5, 30.0
_SHORT = Recipe(peak=2e-3, cycle=False)


@dataclass
class Candidate:
    """A program with a reader.

    Args:
        term: The program over readings.
        cost: Its description length in half bits.
        reader: Its reader.
        gap: Nats a label before training; None where that was not measured.
        fit: Arrays by slot, from its last training.
        loss: Of that training.
        steps: Of that training.
        accuracy: The share of held-out examples right.
        cpu_seconds: What it took.
    """

    term: Term
    cost: float
    reader: Reader
    gap: float | None = None
    fit: Mapping[str, Arrays] = field(default_factory=dict, repr=False)
    loss: float | None = None
    steps: int = 0
    accuracy: float | None = None
    cpu_seconds: float = 0.0
    learned: bool = True


def grow_perception(
    task: ArrayTask,
    budget: Budget,
    clock: Clock,
    *,
    seed: int = 0,
    parts: Sequence[object] = (),
    plain: bool = True,
    quiet: bool = False,
    listeners: Sequence[events.Listener] = (),
) -> ProgramModel:
    """Grow a program with perception in it; see `grow`.

    Args:
        task: Images and final answers.
        budget: What may be used.
        clock: Began with the call.
        seed: Source of all randomness.
        parts: Models whose readers are tried first: as they are, then with a new head.
        plain: Whether a plain network is trained beside the program, to compare with.
        quiet: Show no progress.
        listeners: Told of every event.

    Raises:
        InputError: The task cannot be used; says why.
    """
    look = look_at(task.input_types)
    readers = readers_of(parts, look)
    hub = events.Hub(list(listeners))
    with ExitStack() as stack:
        if not quiet:
            from meristem.report.progress import progress

            stack.enter_context(progress(hub))
        stack.enter_context(one_interrupt(clock))
        stack.enter_context(one_thread())
        limit = None if math.isinf(clock.limit) else clock.limit
        hub.send(events.Started(clock.elapsed, task.name, limit, budget.trials, 1, "wrong answers"))
        for finding in task.findings:
            hub.send(events.Warned(clock.elapsed, finding.text))
        work = _Work(task, look, readers, budget, clock, hub, seed)
        work.run()
        if plain and not clock.stopped:
            work.compare()
        hub.send(events.Phase(clock.elapsed, "done"))
        return work.model()


class _Work:
    """One growing."""

    def __init__(
        self,
        task: ArrayTask,
        look: Look,
        readers: Sequence[Reader],
        budget: Budget,
        clock: Clock,
        hub: events.Hub,
        seed: int,
    ) -> None:
        self.task, self.look, self.readers = task, look, list(readers)
        self.budget, self.clock, self.hub, self.seed = budget, clock, hub, seed
        self.began = time.process_time()
        if task.held is None:
            count = min(max(_HELD_SHARE * len(task), _HELD_LEAST), _HELD_MOST, 0.3 * len(task))
            split = task.hold_out(count / len(task), np.random.default_rng([seed, 3]))
        else:
            split = task
        assert split.held is not None
        self.train = Examples(split.inputs, split.answers)
        self.held = Examples(split.held.inputs, split.held.answers)
        raw = self.train.target.to_list()
        often: dict[Any, int] = {}
        for value in raw:
            often[value] = often.get(value, 0) + 1
        self.usual = max(often, key=lambda value: (often[value], repr(value)))
        self.constant = float(np.mean([value == self.usual for value in self.held.target.to_list()]))
        shares = np.array(list(often.values())) / len(raw)
        self.entropy = float(-(shares @ np.log(shares)))
        self.best: Candidate | None = None
        self.tried: list[Candidate] = []
        self.ties: list[TiedProgram] = []
        self.plain: PlainResult | None = None
        self.considered = self.number = 0
        self.stages: dict[str, float] = {}
        self.notes: list[str] = []
        self.ended = "nothing is left to try"
        hub.send(events.Baseline(clock.elapsed, 1 - self.constant))

    # ------------------------------------------------------------------------------------------ the search

    def run(self) -> None:
        """Search: parts first, then new readers."""
        if self.train.target.type.name == "class":
            self._classify()
            return
        if self.train.target.type.name not in ("int", "bool"):
            raise InputError(
                "expected final answers that are whole numbers, true and false, or (of one image each) labels, got "
                f"{self.train.target.type}; give what is asked of the images as one of these"
            )
        self._recall()
        if self._enough(_RECALLED):
            self.ended = "a part of an earlier model answers it"
            return
        self._search()

    def _enough(self, share: float) -> bool:
        best = self.best
        return best is not None and best.accuracy is not None and best.accuracy >= share

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began = time.process_time()
        self.hub.send(events.Phase(self.clock.elapsed, name))
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.process_time() - began

    def _classify(self) -> None:
        """One image an example, its label the answer: the reader is the program."""
        if len(self.look.places) != 1 or self.look.places[0].listed:
            raise InputError(
                "expected answers that are whole numbers or true and false for several images an example, got labels; "
                "number them, or give one image an example"
            )
        place = self.look.places[0]
        node = reader_of(self.look.image, 2, "label")
        node = replace(node, output=self.train.target.type)
        reader = Reader("new reader", node)
        with self._stage("training"):
            candidate = Candidate(Variable(place.variable), 1.0, reader)
            self._train(candidate, None, Recipe(), term=applied(node, place.image))
            self._take(candidate)

    def _recall(self) -> None:
        """Readers of earlier models as they are: what they see is known, so programs are found as from examples."""
        for reader in self.readers:
            if self.clock.left <= 0:
                return
            with self._stage("reading with parts"):
                seen = reader.read(self.look, self.train.inputs, reader.fit)
            with self._stage("searching"):
                found = rank_known(
                    self.look,
                    seen,
                    self.train.target,
                    reader.classes,
                    seed=self.seed,
                    deadline=self.clock.search_end,
                )
                self.considered += found.considered
            for place, each in enumerate(found.programs[:6]):
                candidate = Candidate(each.term, each.cost, reader, fit=reader.fit)
                if each.score < found.guessing:
                    break
                candidate.accuracy = self._held_share(candidate)
                self.tried.append(candidate)
                if place == 0:
                    self._take(candidate)
                    self.ties = self._near(found.programs)

    @staticmethod
    def _near(programs: Sequence[Answering]) -> list[TiedProgram]:
        first = programs[0]
        return [
            TiedProgram(
                format_term(each.term),
                f"answers {each.right:.1%} of the examples, this one {first.right:.1%}",
            )
            for each in programs[1:]
            if first.score - each.score < 3.0
        ]

    def _search(self) -> None:
        """Programs by the labels alone, then readers trained inside the likeliest."""
        with self._stage("searching"):
            ranking, classes = self._rank()
        programs = [p for p in ranking.programs if p.impossible <= _IMPOSSIBLE * max(ranking.labels, 1)]
        if not programs:
            self.notes.append(
                f"no program of the {self.considered:,} looked at can give the labels, whatever the images show"
            )
            return
        self.ties = [TiedProgram(format_term(t.term), t.reason) for t in programs[0].ties]
        kept = self._to_train(ranking, programs)
        wide = max(p.classes for p in kept)
        variants = [
            head for r in self.readers[:2] if (head := with_new_head(r, self.look, max(wide, 2))) is not None
        ]
        candidates = [
            Candidate(p.term, p.cost, variant, ranking.gap(p))
            for p in kept
            for variant in (
                *variants,
                new_reader(self.look, max(p.classes, 2) if classes != 10 else _tidy(p)),
            )
        ]
        with self._stage("training"):
            self._halve(candidates, ranking)

    @staticmethod
    def _to_train(ranking: Ranking, programs: Sequence[Ranked]) -> list[Ranked]:
        """The programs that readers are trained in.

        Of programs that agree on most readings one is enough: what its reader learns tells which of them it is.
        """
        kept: list[int] = []
        # A program that explains the labels far worse than another is not worth a training.
        limit = programs[0].score - max(60.0, 0.05 * ranking.labels)
        for k, each in enumerate(ranking.programs):
            if all(each is not p for p in programs) or each.score < limit or len(kept) >= _WIDEST:
                continue
            if len(kept) >= _WIDE and each.score < programs[0].score - _CLOSE:
                continue
            if all(ranking.alike[k, other] < _ALIKE for other in kept):
                kept.append(k)
        return [ranking.programs[k] for k in kept]

    def _rank(self) -> tuple[Ranking, int]:
        best: tuple[Ranking, int] | None = None
        sizes = list(_CLASSES)
        highest = max(int(v) for v in self.train.target.to_list())
        if sizes[-1] < highest + 1 <= 300 and int(self.look.shapes(self.train.inputs).sum(axis=1).min()) == 1:
            sizes.append(highest + 1)
        for classes in sizes:
            try:
                problem = reading_problem(self.look, self.train.inputs, self.train.target, classes)
            except InputError:
                if best is None:
                    raise
                continue
            ranking = rank_programs(problem, seed=self.seed, deadline=self.clock.search_end)
            self.considered += ranking.considered
            if best is None or _lost(ranking) < _lost(best[0]):
                best = ranking, classes
            if _lost(ranking) < 0.02 or self.clock.left <= 0:
                break
        assert best is not None
        return best

    def _halve(self, candidates: list[Candidate], ranking: Ranking) -> None:
        """Short trainings from one seed, the better half goes on; full ones until the check passes."""
        for steps in _RUNGS:
            if len(candidates) <= 2 and steps == _RUNGS[0]:
                continue
            if len(candidates) == 1 or self.clock.left <= 0:
                break
            for each in candidates:
                if self.clock.left <= 0:
                    break
                self._train(each, steps, _SHORT)
            # Few labels are soon learned by heart: below `_LEARNED` the order that the labels gave stays.
            candidates.sort(key=lambda c: math.inf if c.loss is None else max(c.loss, _LEARNED))
            candidates = candidates[: max(1, (len(candidates) + 1) // 2)]
        for k, each in enumerate(candidates):
            if self.clock.left <= 0 and self.best is not None:
                self.ended = "stopped by the user" if self.clock.stopped else "the time is used up"
                return
            self._train(each, None, Recipe())
            self._take(each)
            self._reconsider(each, ranking)
            if self._enough(_ENOUGH):
                self.ended = "the check on held-out examples passed"
                return
            if k + 1 < len(candidates):
                self.hub.send(events.Phase(self.clock.elapsed, "the next program"))

    def _train(
        self, candidate: Candidate, steps: int | None, recipe: Recipe, term: Term | None = None
    ) -> None:
        """Train a candidate's reader inside its program."""
        self.number += 1
        reader = candidate.reader
        whole = reader.over(self.look, candidate.term) if term is None else term
        text = format_term(whole)
        self.hub.send(events.CandidateStarted(self.clock.elapsed, self.number, reader.way, text))
        began = time.monotonic()
        try:
            done = train_lifted(
                whole,
                self.train,
                rng=np.random.default_rng(
                    [self.seed, 11]
                ),  # the same for all: they differ in their programs only
                validation=self.held if steps is None else None,
                goal=_PERFECT if steps is None else None,
                steps=steps,
                deadline=max(self.clock.search_end, time.monotonic() + 0.2),
                init=candidate.fit or reader.fit or None,
                frozen=reader.frozen,
                recipe=recipe,
                watch=lambda step, loss: not self.clock.stopped,
            )
        except MeristemError as error:
            candidate.loss = math.inf
            self._ended(text, reader.way, "failed", None, began, str(error))
            return
        candidate.cpu_seconds += done.cpu_seconds
        candidate.loss, candidate.steps = done.loss, len(done.losses)
        candidate.learned = not done.learned_nothing
        if steps is None:
            candidate.fit, candidate.accuracy = done.fit, done.accuracy
        if candidate not in self.tried:
            self.tried.append(candidate)
        self._ended(
            text, reader.way, "scored", done.loss if done.accuracy is None else 1 - done.accuracy, began
        )

    def _ended(
        self, text: str, origin: str, outcome: str, loss: float | None, began: float, reason: str = ""
    ) -> None:
        loss = loss if loss is not None and math.isfinite(loss) else None
        seconds = time.monotonic() - began
        self.hub.send(
            events.CandidateEnded(
                self.clock.elapsed, self.number, origin, text, outcome, loss, seconds, reason
            )
        )

    def _take(self, candidate: Candidate) -> None:
        """Keep a candidate if it is the best so far."""
        if candidate.accuracy is None:
            return
        if self.best is None or self.best.accuracy is None or candidate.accuracy > self.best.accuracy:
            self.best = candidate
            text = format_term(candidate.reader.over(self.look, candidate.term))
            self.hub.send(events.Improved(self.clock.elapsed, 1 - candidate.accuracy, text))

    def _held_share(self, candidate: Candidate) -> float:
        seen = candidate.reader.read(self.look, self.held.inputs, candidate.fit)
        return right_share_of(self.look, seen, self.held.target, candidate.term)

    def _reconsider(self, candidate: Candidate, ranking: Ranking) -> None:
        """Which program do the labels want, now that the reader has learned something? Ties end here."""
        if candidate.accuracy is None or not candidate.fit or self.clock.left <= 0:
            return
        rows = np.arange(min(len(self.train), _SEEN_ROWS))
        some = self.train.take(rows)
        seen = candidate.reader.read(self.look, some.inputs, candidate.fit)
        labels = len(set(map(repr, some.target.to_list())))
        pool: dict[Term, float] = {candidate.term: candidate.cost}
        for each in ranking.programs:
            pool.setdefault(each.term, each.cost)
            for tie in each.ties:
                pool.setdefault(tie.term, tie.cost)

        def score(term: Term, cost: float) -> float:
            share = right_share_of(self.look, seen, some.target, term)
            return score_of(share, len(some), labels) - NATS * cost

        if candidate.accuracy < _ENOUGH:
            found = rank_known(
                self.look,
                seen,
                some.target,
                candidate.reader.classes,
                seed=self.seed,
                deadline=self.clock.search_end,
            )
            self.considered += found.considered
            for known in found.programs:
                pool.setdefault(known.term, known.cost)
        scores = {term: score(term, cost) for term, cost in pool.items()}
        best = max(scores, key=lambda term: (scores[term], -term.size, term.digest))
        self.ties = [tie for tie in self.ties if not _settled(tie, scores, best)]
        if best == candidate.term or scores[best] < scores[candidate.term] + 2.0:
            return
        other = Candidate(best, pool[best], candidate.reader, None, candidate.fit)
        other.accuracy = self._held_share(other)
        self.tried.append(other)
        self._take(other)
        if other.accuracy < _ENOUGH and self.clock.left > 0:
            # The reader learned under another program: let it go on under this one.
            again = Candidate(best, pool[best], candidate.reader, None, candidate.fit)
            self._train(again, None, Recipe())
            self._take(again)

    # ------------------------------------------------------------------------------------- what comes after

    def compare(self) -> None:
        """The plain network on the same examples."""
        spent = time.process_time() - self.began
        seconds = min(max(_PLAIN_SHARE * spent, _PLAIN_LEAST), _PLAIN_MOST, max(self.clock.left, 0.0))
        if seconds < 0.3:
            return
        with self._stage("plain network"):
            try:
                self.plain = train_plain(
                    self.look,
                    self.train,
                    self.held,
                    np.random.default_rng([self.seed, 13]),
                    cpu_seconds=seconds,
                    deadline=self.clock.search_end,
                )
            except MeristemError as error:
                self.notes.append(f"no plain network was trained: {error}")

    def model(self) -> ProgramModel:
        """The best there is."""
        best = self.best
        look = self.look
        target = self.train.target.type
        if best is None:
            term: Term = Literal(self.usual, target)
            fit: dict[str, Any] = {}
        elif target.name == "class":
            term, fit = applied(best.reader.node, look.places[0].image), dict(best.fit)
        else:
            term, fit = best.reader.over(look, best.term), dict(best.fit)
        program = Program(term, dict(self.task.input_types), target, fit, exact=True)
        rows = np.arange(min(_KEPT_EXAMPLES, len(self.held)))
        examples = {name: column.take(rows) for name, column in self.held.inputs.items()}
        report = self._report(term, best)
        return ProgramModel(
            program, self.task.name, self.task.output, examples, self.held.target.take(rows), report.to_json()
        )

    def _report(self, term: Term, best: Candidate | None) -> PerceptionReport:
        accuracy = self.constant if best is None or best.accuracy is None else best.accuracy
        error = math.sqrt(max(self.constant * (1 - self.constant), 1e-4) / max(len(self.held), 1))
        explained = best is not None and best.learned and accuracy > self.constant + 3 * error
        if self.clock.stopped:
            self.ended = "stopped by the user"
        prior: tuple[float, ...] = ()
        classes = 0
        if best is not None and self.train.target.type.name != "class":
            classes = best.reader.classes
            seen = best.reader.read(self.look, self.held.inputs, best.fit)
            prior = tuple(float(p) for p in shares_of(seen, classes))
            self.notes.append(f"reader: {described(best.reader, self.look)}")
        tried = sorted(self.tried, key=lambda c: (-(c.accuracy or -1.0), c.loss or math.inf, c.cost))
        versions = {"meristem": __version__, "python": platform.python_version(), "numpy": np.__version__}
        return PerceptionReport(
            name=self.task.name,
            examples=len(self.train),
            further=0,
            types={name: str(type_) for name, type_ in self.task.input_types.items()},
            output=str(self.train.target.type),
            effort=Spent(
                seconds=self.clock.elapsed,
                budget_seconds=None if math.isinf(self.clock.limit) else self.clock.limit,
                budget_trials=self.budget.trials,
                workers=1,
                seed=self.seed,
                versions=versions,
            ),
            program=format_term(term),
            bits=0.5 * (best.cost if best is not None else 1.0),
            agreement=1.0,
            asked=0,
            considered=self.considered,
            ended=self.ended,
            findings=tuple(finding.text for finding in self.task.findings),
            notes=tuple(self.notes),
            way="" if best is None else best.reader.way,
            held=len(self.held),
            accuracy=float(accuracy),
            plain=None if self.plain is None else self.plain.accuracy,
            constant=self.constant,
            classes=classes,
            prior=prior,
            entropy=self.entropy,
            tried_programs=tuple(_listed(c) for c in tried[:20]),
            ties=tuple(self.ties[:20]),
            stages={name: f"{seconds:.1f}" for name, seconds in self.stages.items()},
            cpu_seconds=time.process_time() - self.began,
            explained=bool(explained),
        )


def _listed(candidate: Candidate) -> TriedProgram:
    loss = candidate.loss
    return TriedProgram(
        format_term(candidate.term),
        float(candidate.cost),
        candidate.gap,
        None if loss is None or not math.isfinite(loss) else float(loss),
        candidate.steps,
        None if candidate.accuracy is None else float(candidate.accuracy),
        float(candidate.cpu_seconds),
    )


def _settled(tie: TiedProgram, scores: Mapping[Term, float], best: Term) -> bool:
    """Whether what a reader sees tells a tied program from the best one."""
    for term, value in scores.items():
        if format_term(term) == tie.text:
            return value < scores[best] - 3.0
    return False


def _lost(ranking: Ranking) -> float:
    """The share of labels that the best program cannot give."""
    return ranking.programs[0].impossible / max(ranking.labels, 1) if ranking.programs else 1.0


def _tidy(program: Ranked) -> int:
    """How many classes a new reader has: ten, unless the labels clearly show fewer."""
    return 10 if program.classes >= 9 else max(program.classes, 2)


__all__ = ["Candidate", "grow_perception"]
