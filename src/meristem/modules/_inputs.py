"""What module kinds share: rows and vectors as matrices, answers as arrays, checks of arrays from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, TypeMismatch
from meristem.types import Type, dist_of
from meristem.values import Column, Dense, Dists, Rows, Scalars, Texts, codes, filler, reals

RealArray = NDArray[np.float64]
NUMBERS = ("bool", "int", "real", "datetime")


def bare(type_: Type) -> Type:
    """The type without its option."""
    return type_.item if type_.name == "option" else type_


def field_types(inputs: Sequence[Type]) -> list[tuple[str, Type]]:
    """Names and bare types of all features of rows and vectors, in order; a vector counts as one entry."""
    found: list[tuple[str, Type]] = []
    for k, type_ in enumerate(inputs):
        if type_.name == "row":
            found += [(name, bare(t)) for name, t in type_.fields.items()]
        else:
            found.append((f"input {k + 1}", type_))
    return found


def matrix(columns: Sequence[Column], dtype: Any = np.float64) -> NDArray[Any]:
    """Rows and vectors as one matrix [N, D]: numbers as they are, classes as codes, NaN where missing."""
    parts: list[NDArray[Any]] = []
    total = len(columns[0])
    for column in columns:
        if isinstance(column, Rows):
            block = np.empty((total, len(column.fields)), dtype)
            for j, child in enumerate(column.fields.values()):
                block[:, j] = _numbers(child)
            parts.append(block)
        elif isinstance(column, Dense):
            width = int(np.prod(column.data.shape[1:]))
            parts.append(column.data.reshape(total, width).astype(dtype, copy=False))
        else:
            parts.append(_numbers(column).astype(dtype)[:, None])
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _numbers(column: Column) -> NDArray[Any]:
    if bare(column.type).name == "class":
        found = codes(column).astype(np.float64)
        found[found < 0] = np.nan
        return found
    return reals(column)


def check_numeric(inputs: Sequence[Type], kind: str, classes: bool = False) -> None:
    """Raise TypeMismatch unless the inputs are rows of (optional) numbers, or vectors."""
    if not inputs:
        raise TypeMismatch(f"{kind} takes at least one input")
    for type_ in inputs:
        if type_.name == "vector":
            continue
        fields = type_.fields.values() if type_.name == "row" else [type_]
        for t in fields:
            if bare(t).name not in NUMBERS and not (classes and bare(t).name == "class"):
                raise TypeMismatch(f"{kind} takes numbers{' and classes' if classes else ''}, got {t}")


def prediction_type(target: Type | None, kind: str) -> Type:
    """What a supervised kind gives for a task: a distribution over classes, or a real."""
    if target is None:
        raise TypeMismatch(f"{kind} learns from answers, but the type of the answer is not known here")
    if target.name in ("class", "bool"):
        return dist_of(target)
    if target.name in ("real", "int"):
        return Type("real")
    raise TypeMismatch(f"{kind} predicts classes or numbers, not {target}")


def prediction(values: RealArray, output: Type) -> Column:
    """Probabilities [N, K] or numbers [N] as a column of type `output`."""
    if output.name == "dist":
        return Dists(values, support_of(output))
    return Scalars(output, values)


def support_of(output: Type) -> Column:
    """The column of values that a distribution type ranges over."""
    if output.item.name == "bool":
        return Scalars(output.item, np.array([False, True]))
    empty = filler(output, 0)
    assert isinstance(empty, Dists)
    return empty.support


def class_count(output: Type) -> int:
    """The number of classes of a distribution type."""
    return 2 if output.item.name == "bool" else len(output.item.params)


def answers(target: Column | None) -> NDArray[Any]:
    """The answers of a task: class codes int64 [N], or numbers float64 [N]."""
    if target is None:
        raise TypeMismatch("a supervised fit needs answers")
    return codes(target) if bare(target.type).name in ("class", "bool") else reals(target)


def texts_of(column: Column, name: str) -> Texts:
    """The text column of a field, with missing as the empty text."""
    from meristem.values import Options

    if isinstance(column, Options):
        inner = column.values
        assert isinstance(inner, Texts), name
        ids = np.full(len(column), len(inner.pool), np.int64)
        ids[column.present] = inner.ids
        return Texts(ids, [*inner.pool, ""])
    assert isinstance(column, Texts), name
    return column


def softmax(scores: RealArray) -> RealArray:
    """Probabilities [N, K] from scores [N, K]."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: RealArray = shifted / shifted.sum(axis=1, keepdims=True)
    return result


def need(
    arrays: Mapping[str, NDArray[Any]], name: str, kind: str, ndim: int, shape: tuple[int | None, ...] = ()
) -> NDArray[Any]:
    """An array from a file with the right name, dtype kind (one of numpy's letters) and shape.

    Raises:
        FileFormatError: It is not there, or not so.
    """
    found = arrays.get(name)
    if found is None:
        raise FileFormatError(f"the array {name!r} of a module is missing")
    fits = len(shape) in (0, found.ndim) and all(
        want is None or want == have for want, have in zip(shape, found.shape, strict=False)
    )
    if found.dtype.kind not in kind or found.ndim != ndim or not fits:
        raise FileFormatError(
            f"the array {name!r} of a module has dtype {found.dtype} and shape {found.shape}"
        )
    if found.dtype.kind == "f" and not bool(np.isfinite(found).all()):
        raise FileFormatError(f"the array {name!r} of a module holds numbers that are not finite")
    return found


def width_of(inputs: Sequence[Type]) -> int | None:
    """The number of columns `matrix` gives, None where a vector's dimension is not known."""
    total = 0
    for type_ in inputs:
        if type_.name == "row":
            total += len(type_.args)
        elif type_.name == "vector":
            if not isinstance(type_.params[0], int):
                return None
            total += type_.params[0]
        else:
            total += 1
    return total
