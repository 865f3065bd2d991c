"""A new reader: programs ranked by the labels alone, then readers trained inside the likeliest of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from meristem import events
from meristem.errors import InputError
from meristem.growth.perception_state import Candidate, Growing
from meristem.growth.readers import new_reader, with_new_head
from meristem.language.terms import Call, Literal, Term, Variable
from meristem.language.text import format_term
from meristem.model.perception_report import TiedProgram
from meristem.search.hybrid import Ranked, Ranking, rank_known, rank_programs, reading_problem, right_share_of
from meristem.search.hybrid.known import score_of
from meristem.search.hybrid.ranking import NATS
from meristem.search.hybrid.relabelling import not_told_apart
from meristem.search.hybrid.scoring import run_on
from meristem.training.lifted import Recipe
from meristem.types import BOOL, INT

_CLASSES = (10, 20)
_WIDE = 3  # programs that are trained at all, and as many more as the labels tell from these by less than `_CLOSE`
_CLOSE = 12.0  # nats
_WIDEST = 6
_FAR = 30.0  # nats
_EXPLAINED = 0.02  # nats a label by which the labels' own frequencies may explain them better
_ALIKE = 0.6  # agreement beyond chance from which a reader can be trained under either of two programs
_RUNGS = (160, 480)  # steps; after each the better half goes on
ENOUGH = 0.9  # share of held-out examples right at which the search ends
_LEARNED = 0.05  # nats a label
_IMPOSSIBLE = 0.2
_SEEN_ROWS = 1500  # training examples that programs are compared on by what a reader sees
_SHORT = Recipe(peak=2e-3, cycle=False)
_LONG = Recipe()
_ONE_IMAGE = Recipe(images=64, peak=4e-3, usual=750)  # a label an image teaches far more than one a list


def search_new(growing: Growing) -> None:
    """Programs by the labels alone, then readers trained inside the likeliest."""
    if growing.train.target.type == BOOL and _of_one_image(growing):
        _yes_or_no(growing)
        return
    with growing.stage("searching"):
        ranking, classes = _rank(growing)
    programs = [p for p in ranking.programs if p.impossible <= _IMPOSSIBLE * max(ranking.labels, 1)]
    if not programs:
        growing.notes.append(
            f"no program of the {growing.considered:,} looked at can give the labels, whatever the images show"
        )
        return
    growing.ties = [TiedProgram(format_term(t.term), t.reason) for t in programs[0].ties]
    kept = _to_train(ranking, programs)
    wide = max(p.classes for p in kept)
    variants = [
        head
        for r in growing.readers[:2]
        if (head := with_new_head(r, growing.look, max(wide, 2))) is not None
    ]
    candidates = [
        Candidate(p.term, p.cost, variant, ranking.gap(p))
        for p in kept
        for variant in (
            *variants,
            new_reader(growing.look, max(p.classes, 2) if classes != 10 else _tidy(p)),
        )
    ]
    with growing.stage("training"):
        _halve(growing, candidates, ranking)
    _note_classes(growing)


def _note_classes(growing: Growing) -> None:
    """Say which classes the program never tells apart: a reader that learned by it tells them apart by chance."""
    best = growing.best
    if best is None:
        return
    classes = best.reader.classes
    try:
        problem = reading_problem(growing.look, growing.train.inputs, growing.train.target, classes)
    except InputError:  # too many classes to look at all readings
        return
    answers = run_on(problem, best.term, problem.columns(problem.shapes))
    if answers is None:
        return
    starts = problem.readings.starts.tolist()
    blocks = [slice(a, b) for a, b in pairwise(starts)]
    groups = not_told_apart(answers, classes, blocks, problem.shapes.sum(axis=1).tolist())
    if groups:
        shown = "; ".join(", ".join(map(str, group)) for group in groups)
        growing.notes.append(
            f"the answers never tell these classes apart: {shown}; "
            "as a part this reader serves tasks that need not either"
        )


def _of_one_image(growing: Growing) -> bool:
    """Whether every example is one image."""
    return len(growing.look.places) == 1 and not growing.look.places[0].listed


def _yes_or_no(growing: Growing) -> None:
    """Whether an image shows something: any program would do, so a reader of two classes is asked for the second."""
    places = growing.look.places
    term = Call("equal", (Variable(places[0].variable), Literal(1, INT)))
    heads = [head for r in growing.readers[:2] if (head := with_new_head(r, growing.look, 2)) is not None]
    candidates = [Candidate(term, 3.0, reader) for reader in (*heads, new_reader(growing.look, 2))]
    with growing.stage("training"):
        _halve(growing, candidates, None, _ONE_IMAGE)


def _to_train(ranking: Ranking, programs: Sequence[Ranked]) -> list[Ranked]:
    """The programs that readers are trained in.

    Of programs that agree on most readings one is enough: what its reader learns tells which of them it is.
    """
    kept: list[int] = []
    # A program that explains the labels far worse than another is not worth a training.
    # How far is far depends on how well the best one does: where none explains the labels, the order says little.
    sure = ranking.gap(programs[0]) < _EXPLAINED
    limit = programs[0].score - (_FAR if sure else max(2 * _FAR, 0.05 * ranking.labels))
    for k, each in enumerate(ranking.programs):
        if all(each is not p for p in programs) or each.score < limit or len(kept) >= _WIDEST:
            continue
        if len(kept) >= _WIDE and each.score < programs[0].score - _CLOSE:
            continue
        if all(ranking.alike[k, other] < _ALIKE for other in kept):
            kept.append(k)
    return [ranking.programs[k] for k in kept]


def _rank(growing: Growing) -> tuple[Ranking, int]:
    best: tuple[Ranking, int] | None = None
    sizes = list(_CLASSES)
    highest = max(int(v) for v in growing.train.target.to_list())
    if (
        sizes[-1] < highest + 1 <= 300
        and int(growing.look.shapes(growing.train.inputs).sum(axis=1).min()) == 1
    ):
        sizes.append(highest + 1)
    for classes in sizes:
        try:
            problem = reading_problem(growing.look, growing.train.inputs, growing.train.target, classes)
        except InputError:
            if best is None:
                raise
            continue
        ranking = rank_programs(problem, seed=growing.seed, deadline=growing.clock.search_end)
        growing.considered += ranking.considered
        if best is None or _lost(ranking) < _lost(best[0]):
            best = ranking, classes
        if _lost(ranking) < 0.02 or growing.over():
            break
    assert best is not None
    return best


def _halve(
    growing: Growing, candidates: list[Candidate], ranking: Ranking | None, recipe: Recipe = _LONG
) -> None:
    """Short trainings from one seed, the better half goes on; full ones until the check passes."""
    for steps in _RUNGS:
        if len(candidates) <= 2 and steps == _RUNGS[0]:
            continue
        if len(candidates) == 1 or growing.over():
            break
        if growing.trials_left() <= len(candidates):
            break  # what is left goes to the likeliest
        for each in candidates:
            if growing.over():
                break
            growing.train_in(each, steps, _SHORT)
        # Few labels are soon learned by heart: below `_LEARNED` the order that the labels gave stays.
        candidates.sort(key=lambda c: math.inf if c.loss is None else max(c.loss, _LEARNED))
        candidates = candidates[: max(1, (len(candidates) + 1) // 2)]
    for k, each in enumerate(candidates):
        if growing.over() and growing.best is not None:
            growing.ended = growing.used_up
            return
        growing.train_in(each, None, recipe)
        growing.take(each)
        if ranking is not None:
            _reconsider(growing, each, ranking)
        if growing.enough(ENOUGH):
            growing.ended = "the check on held-out examples passed"
            return
        if k + 1 < len(candidates):
            growing.hub.send(events.Phase(growing.clock.elapsed, "the next program"))


def _reconsider(growing: Growing, candidate: Candidate, ranking: Ranking) -> None:
    """Which program do the labels want, now that the reader has learned something? Ties end here."""
    if candidate.accuracy is None or not candidate.fit or growing.over():
        return
    rows = np.arange(min(len(growing.train), _SEEN_ROWS))
    some = growing.train.take(rows)
    seen = candidate.reader.read(growing.look, some.inputs, candidate.fit)
    labels = len(set(map(repr, some.target.to_list())))
    pool: dict[Term, float] = {candidate.term: candidate.cost}
    for each in ranking.programs:
        pool.setdefault(each.term, each.cost)
        for tie in each.ties:
            pool.setdefault(tie.term, tie.cost)

    def score(term: Term, cost: float) -> float:
        share = right_share_of(growing.look, seen, some.target, term)
        return score_of(share, len(some), labels) - NATS * cost

    if candidate.accuracy < ENOUGH:
        found = rank_known(
            growing.look,
            seen,
            some.target,
            candidate.reader.classes,
            seed=growing.seed,
            deadline=growing.clock.search_end,
        )
        growing.considered += found.considered
        for known in found.programs:
            pool.setdefault(known.term, known.cost)
    scores = {term: score(term, cost) for term, cost in pool.items()}
    best = max(scores, key=lambda term: (scores[term], -term.size, term.digest))
    growing.ties = [tie for tie in growing.ties if not _settled(tie, scores, best)]
    if best == candidate.term or scores[best] < scores[candidate.term] + 2.0:
        return
    other = Candidate(best, pool[best], candidate.reader, None, candidate.fit)
    other.accuracy = growing.held_share(other)
    growing.tried.append(other)
    growing.take(other)
    if other.accuracy < ENOUGH and not growing.over():
        # The reader learned under another program: let it go on under this one.
        again = Candidate(best, pool[best], candidate.reader, None, candidate.fit)
        growing.train_in(again, None, Recipe())
        growing.take(again)


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


__all__ = ["ENOUGH", "search_new"]
