"""Evolution of typed terms."""

from meristem.search.programs.evolve_programs import EvolvePrograms
from meristem.search.programs.registry import FINDERS

FINDERS.add(EvolvePrograms())
