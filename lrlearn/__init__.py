"""lrlearn: the exponential learning-rate schedule ``lr_e = initial_lr * gamma ** e``, to be dragged and measured."""

import importlib
import sys
import types
from typing import Any

from lrlearn.schedules import chained_lrs, exponential_lr, gamma_for, half_life, step_budget

_EXPLORERS = "ScheduleExplorer", "DescentExplorer", "WorkedExample", "TrainingExplorer", "SweepExplorer"
# what needs matplotlib or ipywidgets is imported when it is first used
_LATER = {"filmstrip": "lrlearn.filmstrip"} | dict.fromkeys(_EXPLORERS, "lrlearn.explorers")

__all__ = ["chained_lrs", "exponential_lr", "gamma_for", "half_life", "step_budget", *_LATER]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'lrlearn' has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(types.ModuleType):
    """Importing the module lrlearn.filmstrip must not hide what has the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name == "filmstrip" and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
