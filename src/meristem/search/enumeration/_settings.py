"""What a search may do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a search may do. Each switch can be turned off, to measure what it is worth.

    Args:
        most: Programs kept in the bank of the whole program.
        bodies: Programs kept in a bank of function bodies.
        rows: Rows of a context of functions: distinct (example, parameters).
        sources: Lists that functions of one kind are applied to.
        more_sources: The same, those counted that hold no items but of the first ones.
        examples: Examples that are searched with; the others check what was found.
        conditionals: Whether programs that are right on some examples are joined by tests. Adds programs only.
        inverses: Whether answers are taken apart (`concat_lists(p, ?)`, `interleave(?, p)`, `map(?, xs)`). Adds
            programs only.
        functions: Whether there are functions at all.
        merge: Whether of programs with equal outputs only the cheapest is kept. Sound: any program made of one of them
            gives what the same made of the other gives.
        ahead: How much longer functions may be whose results are known than those that are applied to lists.
        levels: The highest cost.
        expansions: States of a chain of parts that are looked at, a level.
    """

    most: int = 3_000_000
    bodies: int = 120_000
    rows: int = 600
    sources: int = 24
    more_sources: int = 80
    examples: int = 16
    conditionals: bool = True
    inverses: bool = True
    functions: bool = True
    merge: bool = True
    ahead: int = 2
    levels: int = 60
    expansions: int = 120


__all__ = ["Settings"]
