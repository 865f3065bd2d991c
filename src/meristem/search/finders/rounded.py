"""Formulas whose results are rounded."""

from meristem.search.formulas.rounded import Rounded
from meristem.search.programs.registry import FINDERS

FINDERS.add(Rounded())
