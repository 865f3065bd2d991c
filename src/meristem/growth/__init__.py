"""The loop that joins task, search and report: from a task to a model."""

from meristem.growth.grow import grow

__all__ = ["grow"]
