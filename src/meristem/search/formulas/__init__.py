"""Formulas: reals from numbers, found exactly where the data are exact."""

from meristem.search.formulas.finder import Formulas, pareto

__all__ = ["Formulas", "pareto"]
