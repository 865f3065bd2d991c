"""The finders that growing uses. Importing this package declares every one.

A new one is a new file here, which declares a `Finder` with the decorator `meristem.search.programs.registry.finder`
or adds one that stands elsewhere: every module of this package is loaded.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from meristem.search.programs.registry import FINDERS, finder

for _found in sorted(iter_modules(__path__), key=lambda each: each.name):
    if not _found.name.startswith("_"):
        import_module(f"{__name__}.{_found.name}")

__all__ = ["FINDERS", "finder"]
