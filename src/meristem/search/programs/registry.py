"""The finders that growing uses, by name."""

from __future__ import annotations

from collections.abc import Iterator

from meristem.errors import MeristemError
from meristem.search.programs.problem import Finder


class Finders:
    """All finders, in the order in which they were added."""

    def __init__(self) -> None:
        self._finders: dict[str, Finder] = {}

    def add(self, finder: Finder) -> None:
        """Add a finder.

        Raises:
            MeristemError: Its name is taken.
        """
        if finder.name in self._finders:
            raise MeristemError(f"the finder {finder.name!r} is declared twice")
        self._finders[finder.name] = finder

    def __iter__(self) -> Iterator[Finder]:
        return iter(list(self._finders.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._finders


FINDERS = Finders()


def finder(kind: type[Finder]) -> type[Finder]:
    """Class decorator: have growing use a finder, made without arguments."""
    FINDERS.add(kind())
    return kind


__all__ = ["FINDERS", "Finders", "finder"]
