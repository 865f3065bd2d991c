"""Fitting terms: bottom-up, with out-of-fold outputs where a supervised part feeds another."""

from meristem.training.fit import CrossFitted, FitFailed, Trained, cross_fit, fit_term
from meristem.training.rows import Examples, Splits, split

__all__ = ["CrossFitted", "Examples", "FitFailed", "Splits", "Trained", "cross_fit", "fit_term", "split"]
