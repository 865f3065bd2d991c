"""Strategies that propose terms, behind one ask and tell.

Importing this package declares every strategy: each file in it is loaded. To add one, put one file here; see
docs/add-a-strategy.md.
"""

from importlib import import_module
from pkgutil import iter_modules

from meristem.search.candidate import Candidate, History, Result, Setting, Strategy
from meristem.search.evolve import Evolve
from meristem.search.first import First, Recall
from meristem.search.portfolio import Portfolio
from meristem.search.registry import STRATEGIES, strategy
from meristem.search.tune import Tune

__all__ = [
    "STRATEGIES",
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
    "strategy",
]

for _found in sorted(m.name for m in iter_modules(__path__) if not (m.ispkg or m.name.startswith("_"))):
    import_module(f"{__name__}.{_found}")
