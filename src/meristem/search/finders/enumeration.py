"""Bottom-up enumeration over interned columns."""

from meristem.search.enumeration import Enumerate
from meristem.search.programs.registry import FINDERS

FINDERS.add(Enumerate())
