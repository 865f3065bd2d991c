"""The loop that joins task, search and report: from a task to a model."""

from meristem.growth.run import grow

__all__ = ["grow"]
