"""Searching for programs that answer given examples."""

from meristem.search.programs.problem import Finder, Found, Problem

__all__ = ["Finder", "Found", "Problem"]
