"""Strategies that propose from a list: what is known to work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meristem.language.terms import Term
from meristem.search.candidate import History, Setting, Strategy
from meristem.search.pipelines import first_terms
from meristem.search.registry import strategy


@strategy
class First(Strategy):
    """Pipelines that do well on most tables, one after the other."""

    name = "first"
    opening = True

    def propose(self, history: History, setting: Setting, rng: np.random.Generator) -> Term | None:
        """The next pipeline of the list."""
        terms = first_terms(setting.row, setting.rows, setting.classification)
        return next((t for t in terms if not history.knows(t)), None)


class Recall(Strategy):
    """Terms that are at hand: a model to go on from, parts, a user's own sketch.

    Args:
        terms: In the order to try them.
    """

    name = "recall"
    opening = True

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(terms)

    def propose(self, history: History, setting: Setting, rng: np.random.Generator) -> Term | None:
        """The next of the terms."""
        return next((t for t in self.terms if not history.knows(t)), None)
