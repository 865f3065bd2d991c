"""The loop that joins task, search and report: from a task to a model."""

from meristem.growth.door import grow

__all__ = ["grow"]
