"""Model, its file, its report, its picture. Loading and predicting need nothing above this package."""

from meristem.model.model import DataWarning, Model, load
from meristem.model.program import Program
from meristem.model.program_model import ProgramModel, ProgramWarning

__all__ = ["DataWarning", "Model", "Program", "ProgramModel", "ProgramWarning", "load"]
