"""lrlearn: the exponential learning-rate schedule ``lr_e = initial_lr * gamma ** e``, to be dragged and measured."""

import importlib
import logging
from typing import Any

__version__ = "0.1.0"

from lrlearn.schedules import chained_lrs, exponential_lr, gamma_for, half_life, step_budget

_EXPLORERS = "ScheduleExplorer", "DescentExplorer", "WorkedExample", "TrainingExplorer", "SweepExplorer"
# what needs matplotlib or ipywidgets is imported when it is first used
_LATER = {"filmstrip": "lrlearn.filmstrips"} | dict.fromkeys(_EXPLORERS, "lrlearn.explorers")

# When first used matplotlib tells of a home folder that it cannot write to, and of fonts that it lists: in a lesson's
# first picture. These are the functions that do so.
_TELL = {"_get_config_or_cache_dir", "json_dump", "<lambda>"}
for _logger in ("matplotlib", "matplotlib.font_manager"):
    logging.getLogger(_logger).addFilter(lambda record: record.funcName not in _TELL)

__all__ = ["chained_lrs", "exponential_lr", "gamma_for", "half_life", "step_budget", *_LATER]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'lrlearn' has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
