"""Model, its file, its report, its picture. Loading and predicting need nothing above this package."""

from meristem.model.model import DataWarning, Model, load
from meristem.model.program import Program

__all__ = ["DataWarning", "Model", "Program", "load"]
