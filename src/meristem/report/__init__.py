"""What happened, in numbers: intervals, calibration, importance, learning curves, and live progress.

The report itself is data and lives in `meristem.model.report`; here is what fills it.
"""

from meristem.report.calibration import coverage, reliability
from meristem.report.curve import forecast
from meristem.report.importance import permutation_importance
from meristem.report.intervals import bootstrap, bootstrap_mean
from meristem.report.progress import Progress, progress

__all__ = [
    "Progress",
    "bootstrap",
    "bootstrap_mean",
    "coverage",
    "forecast",
    "permutation_importance",
    "progress",
    "reliability",
]
