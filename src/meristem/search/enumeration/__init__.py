"""Enumeration of programs, bottom-up over interned columns."""

from meristem.search.enumeration._fill import fill
from meristem.search.enumeration._search import Search
from meristem.search.enumeration._settings import Settings
from meristem.search.enumeration.finder import Enumerate

__all__ = ["Enumerate", "Search", "Settings", "fill"]
