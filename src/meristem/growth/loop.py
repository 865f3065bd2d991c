"""The loop that joins search and workers: asks, submits, tells, refits, and ends in time.

With a budget in trials, candidate k is asked for exactly when the results 0 to k - LAG were told, and results are
told in the order of asking. So what is asked does not depend on how many workers there are or how fast they are.
With a budget in seconds only, results are told as they come and no worker waits.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem import events
from meristem.errors import MeristemError
from meristem.executors import Ended, Executor
from meristem.growth.clock import Clock
from meristem.growth.ensemble import Selection, select
from meristem.language.json_form import to_json
from meristem.language.kinds import Arrays, unflatten_fit
from meristem.language.text import format_term
from meristem.modules._inputs import answers
from meristem.search import Candidate, Portfolio, Result
from meristem.task.budget import Budget
from meristem.task.objective import Scorer
from meristem.training.rows import Examples, Splits

RealArray = NDArray[np.float64]

LAG = 4
CUT_SHORT = "its training was cut short by the budget: with more seconds it may be better"
_LONGEST_TRIAL = 1800.0  # seconds; ends a runaway trial where only trials count
_TRIAL_SHARE = 0.5  # of the time left that one candidate may take
CURVE_SHARES = (0.125, 0.25, 0.5)
CURVE_ROWS = 10  # fewer are no point of a learning curve
_EXPECTED = (
    "FitFailed",
    "TypeMismatch",
    "TermTypeError",
    "InputError",
    "MeristemError",
    "MissingDependency",
    "ResourceError",
)


@dataclass
class Growth:
    """The state of one run.

    Args:
        examples: The rows it learns from.
        splits: How they are held out.
        portfolio: What proposes.
        pool: What works.
        scorer: What is made small.
        budget: What may be used.
        clock: When to end.
        hub: Who is told.
        seed: Of all fits.
        max_size: Most bytes of the model file; candidates that alone are larger are not chosen.
    """

    examples: Examples
    splits: Splits
    portfolio: Portfolio
    pool: Executor
    scorer: Scorer
    budget: Budget
    clock: Clock
    hub: events.Hub
    seed: int
    max_size: int | None = None
    fits: dict[int, dict[str, Arrays]] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    ended_at: dict[int, float] = field(default_factory=dict)
    curve: list[tuple[int, float]] = field(default_factory=list)
    selection: Selection | None = None
    _jobs: dict[int, tuple[str, Any]] = field(default_factory=dict)
    _waiting: dict[int, Result] = field(default_factory=dict)
    _unfit: set[int] = field(default_factory=set)
    _curve_sent: bool = False

    def __post_init__(self) -> None:
        covered = self.splits.covered
        target = self.examples.target.take(covered)
        self.target = target
        self.y: NDArray[Any] = answers(target)
        self.weights = None if self.examples.weights is None else self.examples.weights[covered]
        self.in_order = self.budget.trials is not None

    # ------------------------------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Search until the budget ends, then see that what was chosen is fitted on all rows."""
        while not self._finished():
            self._submit()
            if not self.pool.outstanding:
                break
            patience = 0.1 if math.isinf(self.clock.left) else min(0.1, max(self.clock.left, 0.0))
            for ended in self.pool.wait(patience):
                self._take(ended)
        if self.clock.stopped:
            self.hub.send(events.Phase(self.clock.elapsed, "stopping"))
        for kind, what in self._jobs.values():
            if kind == "candidate":
                word = "the run was stopped" if self.clock.stopped else "the budget ended"
                self.portfolio.tell(Result(what, "stopped", reason=f"{word} before it was done"))

    def _finished(self) -> bool:
        return self.clock.stopped or self.clock.left <= 0

    def _submit(self) -> None:
        if self.in_order:
            self._submit_candidates(LAG)
            if not self._candidates_out():
                self._submit_refits(self._unfitted())
                if not self._jobs:
                    self._submit_curve()
            elif self.clock.limit < math.inf:
                self._submit_refits(self._due())
            return
        while self.pool.idle > 0:
            before = len(self._jobs)
            due = self._due()
            if due:
                self._submit_refits(due[:1])
            elif not self._closing():
                self._submit_candidates(self._candidates_out() + 1)
            else:
                self._submit_curve()
            if len(self._jobs) == before:
                break

    def _candidates_out(self) -> int:
        return len(self.portfolio.history.asked) - len(self.portfolio.history.told)

    def _submit_candidates(self, outstanding: int) -> None:
        trials = self.budget.trials
        while self._candidates_out() < outstanding and not self.clock.stopped:
            if trials is not None and len(self.portfolio.history.asked) >= trials:
                return
            if self.in_order and self.clock.limit < math.inf and self._closing():
                return
            candidate = self.portfolio.ask()
            if candidate is None:
                return
            self._send("candidate", candidate, candidate, {})
            self.hub.send(
                events.CandidateStarted(
                    self.clock.elapsed, candidate.number, candidate.origin, format_term(candidate.term)
                )
            )

    def _send(self, kind: str, what: Any, candidate: Candidate, more: dict[str, Any]) -> None:
        job = {"candidate": "evaluate", "refit": "refit", "curve": "learning_curve"}[kind]
        deadline = limit = None
        if math.isinf(self.clock.limit):
            limit = _LONGEST_TRIAL
        else:
            # Fits that can stop early do so in time for their predictions to count; no candidate takes all there is.
            limit = max(self.clock.left, 0.01)
            if kind != "curve":  # a point of the curve that was cut short would say something wrong
                share = _TRIAL_SHARE if kind == "candidate" else 0.85
                deadline = time.monotonic() + max(share * self.clock.left, 0.05)
        payload = {
            "term": to_json(candidate.term),
            "seed": self.seed,
            "cap": candidate.cap,
            "deadline": deadline,
            **more,
        }
        number = self.pool.submit(f"meristem.training.jobs:{job}", payload, limit=limit)
        self._jobs[number] = (kind, what)

    # ------------------------------------------------------------------------------------------ what is chosen

    def _unfitted(self) -> list[Result]:
        """The chosen candidates that no fit on all rows exists of or is under way for."""
        if self.selection is None:
            return []
        running = {what.candidate.number for kind, what in self._jobs.values() if kind == "refit"}
        return [
            m
            for m in self.selection.members
            if m.candidate.number not in self.fits
            and m.candidate.number not in running
            and m.candidate.number not in self._unfit
        ]

    def _refit_seconds(self, result: Result) -> float:
        """What fitting a candidate on all rows will take, from what its folds took."""
        fits = max(self.splits.count, 1)
        return result.seconds / fits * (1.3 if fits == 1 else fits / (fits - 1)) * 1.2 + 0.05

    def _needed(self) -> float:
        """Seconds that the open refits and the learning curve will take on all workers."""
        open_refits = self._unfitted()
        seconds = [self._refit_seconds(r) for r in open_refits]
        workers = max(self.budget.workers, 1)
        total = max(sum(seconds) / workers, max(seconds, default=0.0))
        return total + self._curve_seconds() / workers

    def _typical_trial(self) -> float:
        recent = [r.seconds for r in self.portfolio.history.told[-6:] if r.seconds > 0]
        return float(np.median(recent)) if recent else 0.0

    def _closing(self) -> bool:
        """Whether a candidate that starts now would end too late for what still has to be done."""
        if math.isinf(self.clock.limit):
            return False
        # A trial that is told to ends within its share of the time left.
        trial = min(0.8 * self._typical_trial(), _TRIAL_SHARE * self.clock.left)
        return self.clock.left < self._needed() + trial

    def _due(self) -> list[Result]:
        """Refits that should start now that time runs short: the largest shares first, those that can end in time."""
        if not self._closing():
            return []
        return [r for r in self._unfitted() if self._refit_seconds(r) < self.clock.left]

    def _submit_refits(self, results: Sequence[Result]) -> None:
        for result in results:
            self._send("refit", result, result.candidate, {"notes": result.notes})

    def _curve_seconds(self) -> float:
        """What the learning curve will take; 0 where there is no time for it."""
        best = self.selection.members[0] if self.selection else None
        if best is None or self.curve or len(self.examples) < 40:
            return 0.0
        seconds = sum(CURVE_SHARES) * best.seconds / max(self.splits.count, 1)
        return seconds if math.isinf(self.clock.limit) or seconds < 0.1 * self.clock.limit else 0.0

    def _submit_curve(self) -> None:
        if (
            self.selection is None
            or not self._curve_seconds()
            or any(k == "curve" for k, _ in self._jobs.values())
        ):
            return
        if self._curve_sent:
            return
        self._curve_sent = True
        best = self.selection.members[0]
        train = len(next(iter(self.splits.pairs()))[0])
        for share in CURVE_SHARES:
            rows = int(share * min(train, best.candidate.cap or train))
            if rows >= CURVE_ROWS:
                self._send("curve", best, best.candidate, {"rows": rows})

    # ------------------------------------------------------------------------------------------ results

    def _take(self, ended: Ended) -> None:
        kind, what = self._jobs.pop(ended.number)
        if kind == "candidate":
            result = self._score(what, ended)
            if not self.in_order:
                self._tell(result)
                return
            self._waiting[what.number] = result
            # One told, then as many asked as that allows, then the next: the order never depends on the workers.
            while (number := len(self.portfolio.history.told)) in self._waiting:
                self._tell(self._waiting.pop(number))
                self._submit_candidates(LAG)
        elif kind == "refit":
            if ended.outcome == "done":
                self.fits[what.candidate.number] = unflatten_fit(ended.arrays)
                if ended.payload.get("cut"):
                    self.cut.add(what.candidate.number)
            else:
                self._unfit.add(what.candidate.number)
                self._choose()
        elif ended.outcome == "done":
            self._note_curve(ended)

    def _score(self, candidate: Candidate, ended: Ended) -> Result:
        if ended.outcome != "done":
            name = ended.reason.split(":", 1)[0]
            if (
                ended.outcome == "failed"
                and name not in _EXPECTED
                and os.environ.get("MERISTEM_STRICT") == "1"
            ):
                raise MeristemError(
                    f"an unexpected error in {format_term(candidate.term)}:\n{ended.traceback}"
                )
            return Result(candidate, ended.outcome, None, ended.seconds, ended.reason, ended.traceback)
        output = ended.arrays.get("output")
        if output is None or len(output) != len(self.y) or not np.isfinite(output).all():
            return Result(
                candidate, "failed", None, ended.seconds, "its predictions are not all finite numbers"
            )
        size = int(ended.payload.get("size", 0))
        if self.max_size is not None and size > self.max_size:
            reason = f"its {size:,} bytes are above the limit of {self.max_size:,}"
            return Result(candidate, "too large", None, ended.seconds, reason)
        try:
            loss = float(self.scorer.loss(self.y, output, self.weights))
        except Exception as error:
            if self.scorer.callable_ is None:
                raise
            # The user's own function: its failure ends this candidate, not the run.
            reason = f"the metric {self.scorer.name} raised {type(error).__name__}: {error}"
            return Result(candidate, "failed", None, ended.seconds, reason)
        if not math.isfinite(loss):
            return Result(candidate, "failed", None, ended.seconds, f"its loss is {loss}")
        notes = ended.payload.get("notes", {})
        fold_fit = unflatten_fit({k[4:]: v for k, v in ended.arrays.items() if k.startswith("fit/")})
        reason = CUT_SHORT if ended.payload.get("cut") else ""
        return Result(candidate, "scored", loss, ended.seconds, reason, "", output, notes, size, fold_fit)

    def _tell(self, result: Result) -> None:
        self.portfolio.tell(result)
        candidate = result.candidate
        self.ended_at[candidate.number] = self.clock.elapsed
        self.hub.send(
            events.CandidateEnded(
                self.clock.elapsed,
                candidate.number,
                candidate.origin,
                format_term(candidate.term),
                result.outcome,
                result.loss,
                result.seconds,
                result.reason,
            )
        )
        if result.loss is not None:
            self._choose()

    def _choose(self) -> None:
        before = math.inf if self.selection is None else self.selection.loss
        usable = [r for r in self.portfolio.history.scored() if r.candidate.number not in self._unfit]
        self.selection = select(usable, self.y, self.weights, self.scorer)
        if self.selection is not None and self.selection.loss < before:
            text = " + ".join(format_term(m.candidate.term) for m in self.selection.members[:3])
            self.hub.send(events.Improved(self.clock.elapsed, self.selection.loss, text))

    def fit_of(self, result: Result) -> dict[str, Arrays]:
        """The fit on all rows, or where there was no time for it the one of the last fold."""
        return self.fits.get(result.candidate.number, result.fold_fit)

    def _note_curve(self, ended: Ended) -> None:
        output, held = ended.arrays["output"], ended.arrays["held"]
        target = self.examples.target.take(held)
        y: NDArray[Any] = answers(target)
        weights = None if self.examples.weights is None else self.examples.weights[held]
        if np.isfinite(output).all():
            self.curve.append((int(ended.payload["rows"]), self.scorer.loss(y, output, weights)))

    def full_curve(self) -> list[tuple[int, float]]:
        """Points of the learning curve with the one at all training rows of the split it was measured on."""
        if not self.curve or self.selection is None:
            return []
        best = self.selection.members[0]
        pairs = list(self.splits.pairs())
        keep, held = pairs[-1] if self.splits.mode == "ahead" else pairs[0]
        places = np.searchsorted(self.splits.covered, held)
        assert best.output is not None
        weights = None if self.weights is None else self.weights[places]
        loss = self.scorer.loss(self.y[places], best.output[places], weights)
        rows = min(len(keep), best.candidate.cap or len(keep))
        return sorted([*self.curve, (rows, loss)])
