"""The module kinds. Importing this package declares every kind: each file in it that does not begin with `_`.

To add a kind, put one file here; see docs/add-a-module-kind.md.
"""

from importlib import import_module
from pkgutil import iter_modules

for _found in sorted(m.name for m in iter_modules(__path__) if not m.name.startswith("_")):
    import_module(f"{__name__}.{_found}")
