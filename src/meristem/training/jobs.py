"""What workers are asked to do: evaluate a candidate, refit one on all rows.

A worker gives back predictions and arrays; the driver scores, so a user's own functions never travel.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import meristem.modules
import meristem.primitives  # noqa: F401  (declare the vocabulary)
from meristem.language.json_form import from_json
from meristem.language.kinds import CUT, flatten_fit
from meristem.modules.blend import values_of
from meristem.training.fit import cross_fit, fit_term
from meristem.training.rows import Examples, Splits

if TYPE_CHECKING:
    from meristem.executors.jobs import JobContext

Arrays = dict[str, NDArray[Any]]


def share_task(examples: Examples, splits: Splits) -> tuple[dict[str, Any], Arrays]:
    """What `pool.share("task", ...)` takes."""
    payload, arrays = examples.encode()
    return {**payload, "mode": splits.mode}, {**arrays, "fold": splits.fold}


def _task(context: JobContext) -> tuple[Examples, Splits]:
    found = context.cache.get("task")
    if found is None:
        payload, arrays = context.shared("task")
        found = Examples.decode(payload, arrays), Splits(np.asarray(arrays["fold"]), payload["mode"])
        context.cache["task"] = found
    result: tuple[Examples, Splits] = found
    return result


def evaluate(
    payload: Mapping[str, Any], arrays: Arrays, context: JobContext
) -> tuple[dict[str, Any], Arrays]:
    """Cross-fit a candidate.

    Payload: `term`, `seed`, `cap`, `deadline`. Gives `output`, the predictions for the covered rows, and the notes.
    """
    examples, splits = _task(context)
    done = cross_fit(
        from_json(payload["term"]),
        examples,
        splits,
        seed=payload["seed"],
        deadline=payload["deadline"] or float("inf"),
        cap=payload["cap"],
        keep_fits=True,
    )
    size = packed_size(done.fits[-1])
    # The last fold's fit goes along: should the budget end before a fit on all rows, it answers in its place.
    fit = {f"fit/{key}": array for key, array in flatten_fit(done.fits[-1]).items()}
    cut = was_cut(note for notes in done.notes.values() for note in notes)
    return {"notes": done.notes, "size": size, "cut": cut}, {"output": values_of(done.output), **fit}


def refit(payload: Mapping[str, Any], arrays: Arrays, context: JobContext) -> tuple[dict[str, Any], Arrays]:
    """Fit a candidate on all rows, guided by the notes of its folds. Gives the fit as arrays `slot/name`."""
    examples, splits = _task(context)
    cap = payload["cap"]
    if cap is not None and len(examples) > cap:
        rng = np.random.default_rng([payload["seed"], 8])
        ahead = splits.mode == "ahead"
        rows = (
            np.arange(len(examples) - cap, len(examples))
            if ahead
            else rng.choice(len(examples), cap, replace=False)
        )
        examples = examples.take(np.sort(rows))
    trained = fit_term(
        from_json(payload["term"]),
        examples,
        seed=payload["seed"],
        deadline=payload["deadline"] or float("inf"),
        notes=payload["notes"],
        ordered=splits.mode == "ahead",
    )
    return {"cut": was_cut(trained.notes.values())}, flatten_fit(trained.fit)


def learning_curve(
    payload: Mapping[str, Any], arrays: Arrays, context: JobContext
) -> tuple[dict[str, Any], Arrays]:
    """Predictions of a candidate for one held-out part, trained on a share of the other rows.

    Payload: `term`, `seed`, `rows`, `deadline`. Gives `output` and `held`, the positions it is for.
    """
    examples, splits = _task(context)
    keep, held = next(iter(splits.pairs()))
    if splits.mode == "ahead":
        *_, (keep, held) = splits.pairs()
    rng = np.random.default_rng([payload["seed"], 9])
    count = min(int(payload["rows"]), len(keep))
    keep = keep[-count:] if splits.mode == "ahead" else np.sort(rng.choice(keep, count, replace=False))
    trained = fit_term(
        from_json(payload["term"]),
        examples.take(keep),
        seed=payload["seed"],
        held=examples.take(held),
        deadline=payload["deadline"] or float("inf"),
    )
    assert trained.held is not None
    return {"rows": count}, {"output": values_of(trained.held), "held": held}


def was_cut(notes: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the deadline ended one of the fits that left these notes."""
    return any(note.get(CUT) is True for note in notes)


def packed_size(fit: Mapping[str, Mapping[str, NDArray[Any]]]) -> int:
    """Bytes that the arrays of a fit take in a model file, about."""
    every = (array for arrays in fit.values() for array in arrays.values())
    return sum(len(zlib.compress(np.ascontiguousarray(a).tobytes(), 6)) + 120 for a in every)
