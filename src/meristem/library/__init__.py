"""The library: programs kept, found again, shared. Local first, one folder, many processes, data only."""

from meristem.library.card import Card
from meristem.library.checking import Checkup, Damage
from meristem.library.entry import Entry, Use
from meristem.library.finding import Match
from meristem.library.library import Library, LibraryWarning
from meristem.library.packs import Exported, Imported
from meristem.library.places import default_path

__all__ = [
    "Card",
    "Checkup",
    "Damage",
    "Entry",
    "Exported",
    "Imported",
    "Library",
    "LibraryWarning",
    "Match",
    "Use",
    "default_path",
]
