"""Meristem grows models that are programs.

Names load on first use, so `import meristem` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meristem._version import __version__

if TYPE_CHECKING:
    from meristem.adapters.sklearn import MeristemClassifier, MeristemRegressor
    from meristem.growth import grow
    from meristem.library import Library
    from meristem.model import Model, ProgramModel, load
    from meristem.task import ArrayTask, Budget, ExampleTask, Objective, Task

_HOMES = {
    "ArrayTask": "meristem.task",
    "Budget": "meristem.task",
    "ExampleTask": "meristem.task",
    "Library": "meristem.library",
    "MeristemClassifier": "meristem.adapters.sklearn",
    "MeristemRegressor": "meristem.adapters.sklearn",
    "Model": "meristem.model",
    "Objective": "meristem.task",
    "ProgramModel": "meristem.model",
    "Task": "meristem.task",
    "grow": "meristem.growth",
    "load": "meristem.model",
}

__all__ = [
    "ArrayTask",
    "Budget",
    "ExampleTask",
    "Library",
    "MeristemClassifier",
    "MeristemRegressor",
    "Model",
    "Objective",
    "ProgramModel",
    "Task",
    "__version__",
    "grow",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'meristem' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
