"""The portfolio: several strategies behind one ask and tell, time going to those that pay."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from meristem.errors import MeristemError
from meristem.search.candidate import Candidate, History, Result, Setting, Strategy
from meristem.search.pipelines import row_cap


class Portfolio:
    """Asks its strategies for candidates.

    The opening strategies are asked in order until they have nothing more. After that each proposal comes from one
    of the others, drawn in proportion to how often its recent proposals were among the best: all counted, nothing
    timed, so equal tellings give equal askings.

    Args:
        setting: The task.
        opening: Asked first, in this order.
        others: Asked afterwards.
    """

    def __init__(self, setting: Setting, opening: Sequence[Strategy], others: Sequence[Strategy]) -> None:
        self.setting = setting
        self.opening = tuple(opening)
        self.others = tuple(others)
        self.history = History()

    def ask(self) -> Candidate | None:
        """The next candidate, or None when no strategy has one (for now, if results are still to be told)."""
        number = len(self.history.asked)
        rng = np.random.default_rng([self.setting.seed, 11, number])
        for strategy in self.opening:
            candidate = self._propose(strategy, number, rng)
            if candidate is not None:
                return candidate
        weights = np.array([self._worth(s.name) for s in self.others])
        order = list(range(len(self.others)))
        while order:
            shares = weights[order] / weights[order].sum()
            k = order[int(rng.choice(len(order), p=shares))]
            candidate = self._propose(self.others[k], number, rng)
            if candidate is not None:
                return candidate
            order.remove(k)
        return None

    def tell(self, result: Result) -> None:
        """Take the result of a candidate, a failure too."""
        self.history.told.append(result)

    def _propose(self, strategy: Strategy, number: int, rng: np.random.Generator) -> Candidate | None:
        try:
            term = strategy.propose(self.history, self.setting, rng)
        except MeristemError:
            if os.environ.get("MERISTEM_STRICT") == "1":
                raise
            return None  # a strategy that fails costs its turn, not the run
        if term is None or self.history.knows(term):
            return None
        candidate = Candidate(number, term, strategy.name, row_cap(term))
        self.history.add(candidate)
        return candidate

    def _worth(self, name: str) -> float:
        """How well a strategy did: the share of its last 12 proposals that were among the best fifth of all so far."""
        mine = [r for r in self.history.told if r.candidate.origin == name][-12:]
        losses = sorted(r.loss for r in self.history.scored() if r.loss is not None)
        if not mine or not losses:
            return 0.5
        bar = losses[len(losses) // 5]
        good = sum(1 for r in mine if r.loss is not None and r.loss <= bar)
        return (good + 1.0) / (len(mine) + 3.0)
