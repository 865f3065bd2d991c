"""Formulas over numbers."""

from meristem.search.formulas import Formulas
from meristem.search.programs.registry import FINDERS

FINDERS.add(Formulas())
