"""What a user states: the task, what counts as good, and what it may cost."""

from __future__ import annotations

from meristem.task.arrays import ArrayTask
from meristem.task.budget import Budget
from meristem.task.examples import ExampleTask
from meristem.task.features import Feature
from meristem.task.objective import Objective
from meristem.task.schema import Dropped, Schema, Target
from meristem.task.task import Finding, Task

__all__ = [
    "ArrayTask",
    "Budget",
    "Dropped",
    "ExampleTask",
    "Feature",
    "Finding",
    "Objective",
    "Schema",
    "Target",
    "Task",
]
