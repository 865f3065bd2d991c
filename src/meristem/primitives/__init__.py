"""The algorithmic vocabulary. Importing this package declares every primitive and subroutine.

A new one is a new file here, or a declaration in one of these: every module of this package is loaded.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

for _found in iter_modules(__path__):
    if not _found.name.startswith("_"):
        import_module(f"{__name__}.{_found.name}")
