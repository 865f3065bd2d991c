"""Formulas: reals from numbers, found exactly where the data are exact."""

from meristem.search.formulas.finder import Formulas

__all__ = ["Formulas"]
