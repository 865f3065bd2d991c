"""The objective's limits on the size and the latency of a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from meristem.errors import InputError
from meristem.growth.ensemble import Selection
from meristem.model import Model
from meristem.model.report import Report
from meristem.search.candidate import Result
from meristem.task.objective import Objective
from meristem.values import filler

_REPORT_ROOM = 4_000  # bytes kept for the report, which is not there yet while members are chosen
_SPARE = 200  # bytes more than the least that is advised: intervals, and names of what was left out
_LEAST_CANDIDATES = 10  # that a report lists, however small the model must be


@dataclass(frozen=True)
class Limits:
    """What a model may take: bytes of its file, seconds for one row; None for no limit."""

    size: int | None
    latency: float | None

    @classmethod
    def of(cls, objective: Objective) -> Limits:
        """The limits of an objective."""
        return cls(
            None if objective.max_size is None else int(objective.max_size),
            None if objective.max_latency is None else float(objective.max_latency),
        )

    def hold(self, model: Model) -> bool:
        """Whether a model without its report is within the limits."""
        if self.size is not None and len(model.to_bytes()) + _REPORT_ROOM > self.size:
            return False
        return self.latency is None or latency(model) <= self.latency

    def shrink(
        self,
        selection: Selection | None,
        candidates: Sequence[Result],
        choose: Callable[[Sequence[Result]], Selection | None],
        build: Callable[[Selection | None], Model],
        deadline: float,
    ) -> Selection | None:
        """A selection within the limits: the member that weighs least for its size leaves, and all choose again.

        Args:
            selection: The choice without limits.
            candidates: All that were scored.
            choose: Makes a choice among candidates.
            build: The model of a choice; of None the baseline.
            deadline: When time is up only the baseline is left.
        """
        left = list(candidates)
        while selection is not None and not self.hold(build(selection)):
            if time.monotonic() > deadline:
                return None
            pairs = zip(selection.weights, selection.members, strict=True)
            worst = min(pairs, key=lambda pair: pair[0] / (pair[1].size + 1000))[1]
            left = [r for r in left if r.candidate.number != worst.candidate.number]
            selection = choose(left)
        return selection

    def check(self, model: Model) -> None:
        """Check that a model with its report is within the limit on size.

        Raises:
            InputError: It is not; with the smallest model there is, nothing could be.
        """
        if self.size is None:
            return
        size = len(model.to_bytes())
        if size <= self.size:
            return
        raise InputError(
            f"expected a model of at most {self.size:,} bytes (max_size), but the smallest one found, the same answer "
            f"for every row, takes {size:,}, most of them the names of columns and the labels of categories; "
            f"allow {_rounded(size + _SPARE):,} bytes or more, or give it fewer columns"
        )

    def fit_report(self, model: Model, report: Report) -> Model:
        """The model with its report, whose list of candidates is cut until the file is small enough."""
        whole = replace(model, record=report.to_json())
        while self.size is not None and len(whole.to_bytes()) > self.size:
            if len(report.candidates) <= _LEAST_CANDIDATES:
                report = replace(report, candidates=(), importance=report.importance[:_LEAST_CANDIDATES])
                whole = replace(model, record=report.to_json())
                if len(whole.to_bytes()) > self.size:  # the scores and what the task was are all that is left
                    report = replace(report, importance=(), calibration=None, curve=None)
                return replace(model, record=report.to_json())
            report = replace(report, candidates=report.candidates[: len(report.candidates) // 2])
            whole = replace(model, record=report.to_json())
        return whole


def _rounded(size: int) -> int:
    """A little more, with two digits."""
    step = int(10 ** max(len(str(size)) - 2, 0))
    return -(-size // step) * step


def latency(model: Model) -> float:
    """Seconds that one row takes, the median of a few runs."""
    times = []
    row = filler(model.schema.type, 1) if model.example is None else model.example
    for _ in range(7):
        began = time.perf_counter()
        model.program.run({"row": row}, rows=1)
        times.append(time.perf_counter() - began)
    return float(np.median(times))
