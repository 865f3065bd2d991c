"""Strategies that propose terms, behind one ask and tell."""

from meristem.search.candidate import Candidate, History, Result, Setting, Strategy
from meristem.search.evolve import Evolve
from meristem.search.first import First, Recall
from meristem.search.portfolio import Portfolio
from meristem.search.tune import Tune

__all__ = [
    "Candidate",
    "Evolve",
    "First",
    "History",
    "Portfolio",
    "Recall",
    "Result",
    "Setting",
    "Strategy",
    "Tune",
]
