"""The strategies that growing uses, by name."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from meristem.errors import BrokenContract, MeristemError
from meristem.search.candidate import Strategy


class Strategies:
    """All strategies, by name."""

    def __init__(self) -> None:
        self._strategies: dict[str, Strategy] = {}

    def add(self, made: Strategy) -> None:
        """Add a strategy.

        Raises:
            BrokenContract: It has no name.
            MeristemError: Its name is taken.
        """
        name = getattr(made, "name", None)
        if not isinstance(name, str) or not name:
            raise BrokenContract(
                f"the strategy {type(made).__name__} in {_place(made)}: expected a short text as 'name', got {name!r}"
            )
        if name in self._strategies:
            raise MeristemError(
                f"the strategy {name!r} is declared twice: in {_place(self._strategies[name])} and in "
                f"{_place(made)}; choose another name"
            )
        self._strategies[name] = made

    def remove(self, name: str) -> None:
        """Forget a strategy; for those that were made on trial."""
        self._strategies.pop(name, None)

    def opening(self) -> list[Strategy]:
        """Those that are asked first, until they have nothing more."""
        return [s for s in self if s.opening]

    def others(self) -> list[Strategy]:
        """Those that are asked afterwards, in proportion to what paid."""
        return [s for s in self if not s.opening]

    def __iter__(self) -> Iterator[Strategy]:
        # By name: what is asked for must not depend on which file was imported first.
        return iter([self._strategies[name] for name in sorted(self._strategies)])


STRATEGIES = Strategies()


def strategy(kind: type[Strategy]) -> type[Strategy]:
    """Class decorator: have growing use a strategy, made without arguments."""
    STRATEGIES.add(kind())
    return kind


def _place(made: Strategy) -> str:
    """The file that declares a strategy."""
    module = sys.modules.get(type(made).__module__)
    return getattr(module, "__file__", None) or type(made).__module__
