"""Ensembles of decision trees as tables of nodes: run, check, and read from LightGBM's text.

Nodes of all trees stand in one table; a child comes after its parent, so a walk always ends. A leaf is its own child.
Thresholds are float32 rounded down and features are float32, so `x <= threshold` decides as it did in training.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, MeristemError
from meristem.modules._inputs import need

Arrays = dict[str, NDArray[Any]]
MISSING_RIGHT, MISSING_LEFT, CATEGORICAL = 0, 1, 2
_MANY_ROWS = 1500  # from here, splitting the rows tree by tree beats walking all trees at once
_FEW_NODES = 30_000  # up to here, deciding at every node for one row beats looking up those that it comes to


def run_trees(arrays: Mapping[str, NDArray[Any]], x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sum of the leaves reached, for each output.

    Args:
        arrays: `feature`, `threshold`, `left`, `right`, `value`, `flags` [nodes]; `roots` [trees], tree t adds to
            output t % outputs; `bits`, the label sets of categorical splits.
        x: Shape [N, D], NaN where missing.

    Returns:
        Shape [N, outputs].
    """
    outputs = int(arrays["outputs"][0])
    roots = arrays["roots"]
    total = np.zeros((len(x), outputs))
    if len(roots) == 0 or len(x) == 0:
        return total
    if len(x) == 1 and len(arrays["feature"]) <= _FEW_NODES:
        return _walk_one(arrays, x[0], roots, outputs)
    walk = _walk_rows if len(x) >= _MANY_ROWS else _walk_levels
    for start in range(0, len(x), 20_000):
        part = x[start : start + 20_000]
        total[start : start + 20_000] = walk(arrays, part, roots, outputs)
    return total


def _walk_one(
    arrays: Mapping[str, NDArray[Any]], row: NDArray[np.float32], roots: NDArray[Any], outputs: int
) -> NDArray[np.float64]:
    """One row through all trees: every node decides, then a level is one look-up."""
    layout = _layout(arrays)
    value = row.take(layout.feature)
    go_right: NDArray[np.bool_] = np.asarray(value > layout.threshold)
    gone = np.isnan(value)
    if gone.any():
        go_right |= gone & (layout.flags != MISSING_LEFT)
    if layout.has_sets:
        go_right[layout.sets] = ~_in_set(arrays, layout.sets, value[layout.sets])
    following = layout.child.take(layout.twice + go_right)
    node = roots.astype(np.int64)
    for _ in range(layout.depth):
        node = following.take(node)
    return np.asarray(layout.value.take(node).reshape(1, -1, outputs).sum(axis=1), np.float64)


def _walk_levels(
    arrays: Mapping[str, NDArray[Any]], x: NDArray[np.float32], roots: NDArray[Any], outputs: int
) -> NDArray[np.float64]:
    """All rows through all trees at once, a level a step."""
    layout = _layout(arrays)
    feature, threshold, child, flags = layout.feature, layout.threshold, layout.child, layout.flags
    sets, missing = layout.has_sets, bool(np.isnan(x).any())
    if len(x) == 1:
        flat, base = x[0], None
        node = roots.astype(np.int64)
    else:
        flat, base = np.ascontiguousarray(x).ravel(), (np.arange(len(x)) * x.shape[1])[:, None]
        node = np.broadcast_to(roots.astype(np.int64), (len(x), len(roots)))
    for _ in range(layout.depth):
        place = feature.take(node)
        value = flat.take(place if base is None else place + base)
        go_right: NDArray[np.bool_] = np.asarray(value > threshold.take(node))
        if missing:
            gone = np.isnan(value)
            go_right |= gone & (flags.take(node) != MISSING_LEFT)
        if sets:
            at = np.asarray(flags.take(node) == CATEGORICAL)
            if at.any():
                go_right[at] = ~_in_set(arrays, node[at], np.asarray(value)[at])
        node = child.take(2 * node + go_right)
    leaves = layout.value.take(node).reshape(len(x), -1, outputs)
    return np.asarray(leaves.sum(axis=1), np.float64)


class _Layout:
    """Tables laid out for walking: both children side by side, and the depth of the deepest leaf."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.feature = arrays["feature"].astype(np.int64)
        self.threshold = np.ascontiguousarray(arrays["threshold"])
        self.child = np.stack([arrays["left"], arrays["right"]], axis=1).ravel().astype(np.int64)
        self.flags = np.ascontiguousarray(arrays["flags"])
        self.value = arrays["value"].astype(np.float64)
        self.sets = np.flatnonzero(arrays["flags"] == CATEGORICAL)
        self.has_sets = len(self.sets) > 0
        self.twice = 2 * np.arange(len(self.feature))
        self.depth = 0
        level = _distinct(arrays["roots"].astype(np.int64))
        own = np.arange(len(self.feature))
        inner = (arrays["left"] != own) | (arrays["right"] != own)
        while len(level := level[inner[level]]):
            self.depth += 1
            level = _distinct(np.concatenate([self.child[2 * level], self.child[2 * level + 1]]))


def _distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The distinct values, sorted. `np.unique` imports NumPy's masked arrays: 20 ms before a first prediction."""
    values = np.sort(values)
    return values[np.concatenate([[True], values[1:] != values[:-1]])] if len(values) else values


_LAYOUTS: dict[int, _Layout] = {}


def _layout(arrays: Mapping[str, NDArray[Any]]) -> _Layout:
    """The layout of an ensemble, made once: it is kept for as long as the ensemble's arrays live."""
    anchor = arrays["feature"]
    found = _LAYOUTS.get(id(anchor))
    if found is None:
        found = _LAYOUTS[id(anchor)] = _Layout(arrays)
        weakref.finalize(anchor, _LAYOUTS.pop, id(anchor), None)
    return found


def _walk_rows(
    arrays: Mapping[str, NDArray[Any]], x: NDArray[np.float32], roots: NDArray[Any], outputs: int
) -> NDArray[np.float64]:
    """Tree by tree, the rows split at each node: every row is touched once a level, in long runs."""
    total = np.zeros((len(x), outputs))
    by_feature = np.ascontiguousarray(x.T)
    missing = np.asarray(np.isnan(by_feature).any(axis=1))
    feature, left, right = (arrays[n].tolist() for n in ("feature", "left", "right"))
    threshold, value, flags = arrays["threshold"], arrays["value"], arrays["flags"].tolist()
    everything = np.arange(len(x), dtype=np.int32)
    for tree, root in enumerate(roots.tolist()):
        column = total[:, tree % outputs]
        stack = [(root, everything)]
        while stack:
            node, rows = stack.pop()
            if left[node] == node:
                column[rows] += value[node]
                continue
            f = feature[node]
            here = by_feature[f][rows]
            if flags[node] == CATEGORICAL:
                go_left = _in_set(arrays, np.full(len(rows), node), here)
            else:
                go_left = np.asarray(here <= threshold[node])
                if flags[node] == MISSING_LEFT and missing[f]:
                    go_left |= np.isnan(here)
            to_left = rows[go_left]
            if len(to_left):
                stack.append((left[node], to_left))
            if len(to_left) < len(rows):
                stack.append((right[node], rows[~go_left]))
    return total


def _in_set(arrays: Mapping[str, NDArray[Any]], node: NDArray[Any], value: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether a label is in the set of a categorical split. `threshold` holds where its bits begin."""
    begin, words = arrays["set_begin"], arrays["bits"]
    code = np.where(np.isnan(value), -1, value).astype(np.int64)
    place = arrays["set_of"][node]
    start, end = begin[place], begin[place + 1]
    word = start + (code >> 5)
    inside = (code >= 0) & (word < end)
    safe = np.where(inside, word, 0)
    found: NDArray[np.bool_] = inside & (((words[safe] >> (code & 31).astype(np.uint32)) & np.uint32(1)) == 1)
    return found


def check_trees(arrays: Mapping[str, NDArray[Any]], width: int | None, outputs: int) -> None:
    """Raise FileFormatError unless every walk through the tables ends inside of them."""
    feature = need(arrays, "feature", "iu", 1)
    n = len(feature)
    for name, kind in (
        ("threshold", "f"),
        ("value", "f"),
        ("left", "i"),
        ("right", "i"),
        ("flags", "iu"),
        ("set_of", "i"),
    ):
        need(arrays, name, kind, 1, (n,))
    roots, begin, bits = (
        need(arrays, "roots", "i", 1),
        need(arrays, "set_begin", "i", 1),
        need(arrays, "bits", "u", 1),
    )
    count = need(arrays, "outputs", "i", 1, (1,))
    own = np.arange(n)
    left, right, sets = arrays["left"], arrays["right"], arrays["set_of"]
    leaf = (left == own) & (right == own)
    inner = (left > own) & (left < n) & (right > own) & (right < n)
    fits = (
        int(count[0]) == outputs
        and len(roots) % outputs == 0
        and bool((leaf | inner).all())
        and (len(roots) == 0 or (roots.min() >= 0 and roots.max() < n))
        and (n == 0 or width is None or int(feature.max()) < width)
        and (n == 0 or feature.min() >= 0)
        and len(begin) >= 1
        and begin[0] == 0
        and begin[-1] == len(bits)
        and bool((np.diff(begin) >= 0).all())
        and (n == 0 or (sets.min() >= 0 and int(sets.max()) < max(len(begin) - 1, 1)))
        and (len(begin) > 1 or not bool((arrays["flags"] == CATEGORICAL).any()))
        and (len(bits) > 0 or not bool((arrays["flags"] == CATEGORICAL).any()))
        and bits.dtype == np.uint32
    )
    if not fits:
        raise FileFormatError("the tables of a tree ensemble do not fit together")


def from_lightgbm(text: str, outputs: int) -> Arrays:
    """The tables of a booster from LightGBM's text form of it.

    All trees are read and laid out together: boosting on small tables makes thousands of tiny trees, and array
    operations a tree would take longer than the boosting.

    Raises:
        MeristemError: The booster uses something the tables cannot hold (linear leaves, zero as missing).
    """
    if (_values(text, "is_linear") != 0).any():
        raise MeristemError("trees with linear leaves cannot be stored")
    leaves = _values(text, "num_leaves").astype(np.int64)
    decision = _values(text, "decision_type").astype(np.int64)
    raw = _values(text, "threshold")
    order, left, right = _preorder(
        leaves, *(_values(text, f"{s}_child").astype(np.int64) for s in ("left", "right"))
    )
    n = len(order)
    own = np.arange(n)
    inner = left != own
    # Where each table's value for a node stands in LightGBM's lists of inner nodes and of leaves.
    chosen, reached = order[inner], order[~inner]
    decision, raw = decision[chosen], raw[chosen]
    categorical = (decision & 1) == 1
    missing_kind = (decision >> 2) & 3
    if bool((missing_kind == 1).any()):
        raise MeristemError("trees that treat zero as missing cannot be stored")
    # A split that never saw a missing value treats it as 0.
    as_zero = (missing_kind == 0) & (raw >= 0)
    default_left = np.where(missing_kind == 0, as_zero, (decision & 2) == 2)
    sets = _values(text, "num_cat").astype(np.int64)
    bounds = _values(text, "cat_boundaries").astype(np.int64)
    # The boundaries of each tree begin anew: the steps between two trees are none.
    joints = np.cumsum(sets[sets > 0] + 1)[:-1] - 1
    set_lengths = np.delete(np.diff(bounds), joints)
    sets_before = np.repeat(np.cumsum(sets) - sets, leaves - 1)[chosen]
    arrays: Arrays = {
        "feature": np.zeros(n, np.int64),
        "threshold": np.zeros(n, np.float32),
        "left": left.astype(np.int32),
        "right": right.astype(np.int32),
        "value": np.zeros(n, np.float32),
        "flags": np.zeros(n, np.uint8),
        "set_of": np.zeros(n, np.int32),
        "roots": (np.cumsum(2 * leaves - 1) - (2 * leaves - 1)).astype(np.int32),
        "outputs": np.array([outputs], np.int32),
        "bits": _values(text, "cat_threshold").astype(np.uint32),
        "set_begin": np.concatenate([[0], np.cumsum(set_lengths)]).astype(np.int32),
    }
    arrays["feature"][inner] = _values(text, "split_feature").astype(np.int64)[chosen]
    arrays["threshold"][inner] = np.where(categorical, 0.0, _round_down(raw))
    arrays["value"][~inner] = _values(text, "leaf_value")[reached]
    arrays["flags"][inner] = np.where(
        categorical, CATEGORICAL, np.where(default_left, MISSING_LEFT, MISSING_RIGHT)
    )
    arrays["set_of"][inner] = np.where(categorical, sets_before + raw, 0)
    widest = max(int(arrays["feature"].max(initial=0)), 1)
    arrays["feature"] = arrays["feature"].astype(np.uint16 if widest < 2**16 else np.int32)
    return arrays


def _values(text: str, key: str) -> NDArray[np.float64]:
    """The numbers that all trees have for a key, one tree after the other."""
    # A pattern that begins with plain text is found seventeen times as fast as one that begins with ^.
    return np.array(" ".join(re.findall(f"\n{key}=(.*)", text)).split(), np.float64)


def _preorder(
    leaves: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Nodes of all trees in preorder, so that children come after their parents, and a left child right after.

    Args:
        leaves: Leaves of each tree, [trees].
        left, right: LightGBM's numbers of the children of all inner nodes; leaf k of a tree is ~k.

    Returns:
        For each node its position in LightGBM's list of inner nodes or of leaves, and the places of its children
        (its own for a leaf), each [nodes].
    """
    inner = leaves - 1
    nodes = inner + leaves
    total = int(nodes.sum())
    # First all trees with their inner nodes before their leaves.
    base = np.cumsum(nodes) - nodes
    tree = np.repeat(np.arange(len(leaves)), inner)
    at = np.arange(len(tree)) - (np.cumsum(inner) - inner)[tree] + base[tree]
    children = np.tile(np.arange(total), (2, 1))
    for side, child in enumerate((left, right)):
        children[side, at] = base[tree] + np.where(child >= 0, child, inner[tree] + ~child)
    is_leaf = np.ones(total, np.bool_)
    is_leaf[at] = False
    position = np.zeros(total, np.int64)
    position[at] = np.arange(len(tree))
    position[is_leaf] = np.arange(total - len(tree))
    # Then sizes from the deepest level up, and places from the roots down.
    levels = [base]
    while len(level := levels[-1][~is_leaf[levels[-1]]]):
        levels[-1] = level
        levels.append(children[:, level].ravel())
    size = np.ones(total, np.int64)
    for level in reversed(levels[:-1]):
        size[level] += size[children[0, level]] + size[children[1, level]]
    place = np.zeros(total, np.int64)
    place[base] = base
    for level in levels[:-1]:
        place[children[0, level]] = place[level] + 1
        place[children[1, level]] = place[level] + 1 + size[children[0, level]]
    order, new_left, new_right = (np.zeros(total, np.int64) for _ in range(3))
    order[place] = position
    new_left[place], new_right[place] = place[children[0]], place[children[1]]
    return order, new_left, new_right


def _round_down(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest float32 that is not above each value; past the range the largest finite one."""
    top = np.finfo(np.float32).max
    single = np.clip(values, -top, top).astype(np.float32)
    lower = np.nextafter(single, np.float32(-np.inf))
    result: NDArray[np.float64] = np.where(single.astype(np.float64) > values, lower, single).astype(
        np.float64
    )
    return np.clip(result, -float(top), float(top))
