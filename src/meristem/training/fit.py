"""Fitting a term: bottom-up over its modules.

A supervised module that feeds another module passes on out-of-fold outputs while training, and the outputs of its
full fit afterwards: what stands above it never sees an answer through it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError, Reason, TypeMismatch
from meristem.language.infer import infer
from meristem.language.interpreter import evaluate
from meristem.language.kinds import KINDS, Arrays, FitContext, fit_kind, run_kind, settings_of
from meristem.language.terms import Lambda, Module, Term, modules_of
from meristem.training.rows import Examples, Splits, split
from meristem.values import Column, concatenate

_INNER_FOLDS = 4

Notes = dict[str, dict[str, Any]]


class FitFailed(MeristemError):
    """A term could not be fitted; the message says why."""


@dataclass(frozen=True)
class Trained:
    """A fitted term.

    Args:
        fit: Arrays by slot.
        notes: What the fits noted, by slot.
        held: The term's outputs for the held-out rows, when there were any.
    """

    fit: dict[str, Arrays]
    notes: Notes
    held: Column | None = None


def fit_term(
    term: Term,
    train: Examples,
    *,
    seed: int,
    held: Examples | None = None,
    deadline: float = float("inf"),
    notes: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    known: Mapping[str, Arrays] | None = None,
    ordered: bool = False,
) -> Trained:
    """Fit every module of a term.

    Args:
        term: Without holes.
        train: The rows to fit on.
        seed: Source of all randomness; a module's own depends on it and on the module's content.
        held: Rows for early stopping, never for fitting.
        deadline: `time.monotonic()` time at which fits that can stop early do.
        notes: By slot what earlier fits on folds noted.
        known: Fits by slot that are kept as they are (inherited weights).
        ordered: Whether rows are in the order of time.

    Raises:
        FitFailed: The term gives no value on some row of the data.
        TypeMismatch: The term is not well typed for these inputs.
    """
    for node in term.walk():
        if isinstance(node, Lambda) and modules_of(node.body):
            raise TypeMismatch("a module inside a function can be trained by gradients only")
    named: dict[str, Module] = {}
    for node in modules_of(term):
        if named.setdefault(node.slot, node) is not node:
            raise TypeMismatch(
                f"the part {node.label!r} stands over several arguments: it can be trained by gradients only"
            )
    infer(term, train.types, train.target.type)  # a part of another task may not suit this one's answers
    below = {m for node in modules_of(term) for arg in node.args for m in modules_of(arg)}
    target_type = train.target.type
    fit: dict[str, Arrays] = {}
    noted: Notes = {}
    train_memo: dict[Term, Column] = {}
    held_memo: dict[Term, Column] = {}

    def run(part: Term, rows: Examples, memo: dict[Term, Column]) -> Column:
        result = evaluate(part, dict(rows.inputs), fit, target=target_type, memo=memo, rows=len(rows))
        if result.failures.any():
            first = int(np.flatnonzero(result.failures)[0])
            reason = Reason(int(result.failures[first])).name.lower()
            raise FitFailed(
                f"no value on {int((result.failures != 0).sum())} rows, the first is row {first}: {reason}"
            )
        return result.column

    for node in modules_of(term):
        kind = KINDS.find(node.kind, node.version)
        settings = settings_of(kind, node.settings)
        if known is not None and node.slot in known:
            fit[node.slot] = dict(known[node.slot])
            continue
        inputs = [run(arg, train, train_memo) for arg in node.args]
        rng = np.random.default_rng([seed, int(node.digest[:12], 16)])
        supervised = kind.mode != "unsupervised"
        validation = None
        if held is not None and supervised:
            held_inputs = tuple(run(arg, held, held_memo) for arg in node.args)
            validation = (held_inputs, held.target, held.weights)
        context = FitContext(
            train.target if supervised else None,
            rng,
            train.weights,
            deadline,
            validation,
            notes.get(node.slot, ()) if notes else (),
        )
        fitted = fit_kind(kind, inputs, settings, context)
        fit[node.slot] = fitted.arrays
        noted[node.slot] = fitted.notes
        # Features of networks trained on other rows have other axes, so they cannot stand beside each other.
        features = kind.mode == "gradient" and node.output is not None and node.output.name == "vector"
        if supervised and node in below and not features:
            train_memo[node] = _out_of_fold(node, inputs, train, context, fitted.notes, target_type, ordered)
    return Trained(fit, noted, None if held is None else run(term, held, held_memo))


def _out_of_fold(
    node: Module,
    inputs: Sequence[Column],
    train: Examples,
    context: FitContext,
    noted: Mapping[str, Any],
    target_type: Any,
    ordered: bool,
) -> Column:
    """Outputs of a module for its own training rows, each from a fit that did not see the row."""
    kind = KINDS.find(node.kind, node.version)
    settings = settings_of(kind, node.settings)
    output = node.output or kind.type_of([c.type for c in inputs], target_type)
    # Also for ordered rows plain folds: an output is needed for every row, the earliest too.
    splits = split(train, context.rng, folds=_INNER_FOLDS)
    parts: list[Column] = []
    places: list[NDArray[Any]] = []
    for keep, out in splits.pairs():
        inner = FitContext(
            train.target.take(keep),
            context.rng,
            None if train.weights is None else train.weights[keep],
            context.deadline,
            None,
            (noted,) if noted else (),
        )
        arrays = fit_kind(kind, [c.take(keep) for c in inputs], settings, inner).arrays
        parts.append(run_kind(kind, arrays, [c.take(out) for c in inputs], settings, output, len(out)))
        places.append(out)
    if splits.mode == "holdout":  # very many rows: the one fit serves the rest as well
        full = fit_kind(kind, [c.take(places[0]) for c in inputs], settings, inner).arrays
        rest = np.flatnonzero(splits.fold < 0)
        parts.append(run_kind(kind, full, [c.take(rest) for c in inputs], settings, output, len(rest)))
        places.append(rest)
    return concatenate(parts).take(np.argsort(np.concatenate(places)))


@dataclass(frozen=True)
class CrossFitted:
    """A term fitted on every split.

    Args:
        output: Its outputs for `splits.covered`, each from a fit that did not see the row.
        notes: By slot the notes of each fit.
        fits: The fit of each split, when asked for.
    """

    output: Column
    notes: dict[str, list[dict[str, Any]]]
    fits: list[dict[str, Arrays]] = field(default_factory=list)


def cross_fit(
    term: Term,
    examples: Examples,
    splits: Splits,
    *,
    seed: int,
    deadline: float = float("inf"),
    cap: int | None = None,
    keep_fits: bool = False,
) -> CrossFitted:
    """Fit a term on every split and predict what each held out.

    Args:
        term: The term.
        examples: All rows.
        splits: Which rows train and which are held out.
        seed: Source of all randomness.
        deadline: `time.monotonic()` time to end by; it is shared out evenly over the fits.
        cap: At most so many training rows a fit (a random choice; the last ones where rows are ordered).
        keep_fits: Whether to give back the fits.
    """
    rng = np.random.default_rng([seed, 7])
    parts: list[Column] = []
    places: list[NDArray[Any]] = []
    notes: dict[str, list[dict[str, Any]]] = {}
    fits = []
    pairs = list(splits.pairs())
    for done, (keep, out) in enumerate(pairs):
        now = time.monotonic()
        share = now + (deadline - now) / (len(pairs) - done)
        if cap is not None and len(keep) > cap:
            keep = keep[-cap:] if splits.mode == "ahead" else np.sort(rng.choice(keep, cap, replace=False))
        trained = fit_term(
            term,
            examples.take(keep),
            seed=seed,
            held=examples.take(out),
            deadline=share,
            ordered=splits.mode == "ahead",
        )
        assert trained.held is not None
        parts.append(trained.held)
        places.append(out)
        for slot, noted in trained.notes.items():
            notes.setdefault(slot, []).append(noted)
        if keep_fits:
            fits.append(trained.fit)
    output = concatenate(parts).take(np.argsort(np.concatenate(places), kind="stable"))
    return CrossFitted(output, notes, fits)
