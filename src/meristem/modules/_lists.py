"""What kinds over lists of vectors share: lists as one padded array, a head, both forms, checks of arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import FileFormatError, MeristemError, TypeMismatch
from meristem.language.kinds import (
    Arrays,
    FitContext,
    Fitted,
    GradientKind,
    Settings,
    class_total,
    settings_of,
)
from meristem.modules._inputs import need
from meristem.modules._network import fit_network
from meristem.types import Type, format_type
from meristem.values import Column, Dense, Lists

FloatArray = NDArray[np.float32]
Sizes = Mapping[str, tuple[int, ...]]
EPSILON = 1e-5
_CHUNK = 512  # lists run at once


class ListKind(GradientKind):
    """A kind that makes features of a list of vectors, and a linear head.

    A prepared row is [L, d + 1]: the vectors of a list, then rows of zeros up to the length of the longest list; the
    last column is 1 where there is a vector. Answers do not depend on L.

    A subclass declares `choices` (`width` and `effort` among them), `trunk`, `sizes` and `features`.
    """

    def takes(self, inputs: Sequence[Type]) -> None:
        if len(inputs) != 1 or inputs[0].name != "list" or inputs[0].item.name != "vector":
            shown = ", ".join(format_type(t, 6) for t in inputs)
            raise TypeMismatch(f"{self.name} takes one list of vectors, got {shown or 'nothing'}")

    @abstractmethod
    def trunk(self, items: int, settings: Settings) -> Any:
        """A torch module from vectors [B, L, d] and where there is one [B, L] to features [B, F]."""

    @abstractmethod
    def sizes(self, items: int, settings: Settings) -> Sizes:
        """The names and shapes of the trunk's arrays, for vectors of so many numbers."""

    @abstractmethod
    def features(
        self,
        arrays: Mapping[str, NDArray[Any]],
        items: FloatArray,
        there: NDArray[np.bool_],
        settings: Settings,
    ) -> FloatArray:
        """As the trunk, in NumPy."""

    # ------------------------------------------------------------------------------------------ torch

    def build(
        self, inputs: Sequence[Type], output: Type, settings: Settings, rng: np.random.Generator
    ) -> Any:
        from meristem.modules._torch import calm_torch, seed_from

        self.takes(inputs)
        items = self._width_of_items(inputs)
        with calm_torch(seed_from(rng)) as torch:
            head = None
            if output.name != "vector":
                scores = 1 if output.name in ("real", "int") else class_total(output)
                head = torch.nn.Linear(self.width_of_features(inputs, settings), scores)
            return _network_class()(self.trunk(items, settings), head)

    def arrays_of(self, network: Any) -> Arrays:
        from meristem.modules._torch import arrays_of

        return arrays_of(network)

    def load_into(self, network: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
        from meristem.modules._torch import need_torch

        torch = need_torch()
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                if name.endswith("num_batches_tracked"):
                    continue
                array = arrays.get(name)
                if array is not None and array.shape == tuple(tensor.shape):
                    tensor.copy_(torch.from_numpy(np.array(array, np.float32)))
                elif not name.startswith("head."):
                    got = "none" if array is None else f"one of shape {list(array.shape)}"
                    raise MeristemError(
                        f"expected an array {name} of shape {list(tensor.shape)}, got {got}: the module has other "
                        "inputs or settings"
                    )

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        return fit_network(self, inputs, settings, context, lambda prepared: "head")

    # ------------------------------------------------------------------------------------------ NumPy

    def prepare(self, inputs: Sequence[Column], settings: Settings) -> NDArray[Any]:
        (lists,) = inputs
        assert isinstance(lists, Lists)
        assert isinstance(lists.items, Dense)
        return padded(lists.items.data, lists.offsets)

    def scores(
        self, arrays: Mapping[str, NDArray[Any]], prepared: NDArray[Any], settings: Settings, output: Type
    ) -> NDArray[Any]:
        parts = []
        for k in range(0, max(len(prepared), 1), _CHUNK):
            rows = prepared[k : k + _CHUNK]
            items, there = rows[..., :-1], rows[..., -1] > 0.5
            seen = self.features(arrays, items * there[..., None], there, settings)
            if output.name != "vector":
                seen = linear(arrays, "head", seen)
            parts.append(seen)
        return np.concatenate(parts).astype(np.float32)

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        self.validate_for(arrays, inputs, output, settings_of(self, {}))

    def validate_for(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type, settings: Settings
    ) -> None:
        try:
            self.takes(inputs)
            items, width = self._width_of_items(inputs), self.width_of_features(inputs, settings)
        except TypeMismatch as error:
            raise FileFormatError(str(error)) from None
        for name, shape in self.sizes(items, settings).items():
            array = need(arrays, f"trunk.{name}", "f", len(shape), shape)
            if name.endswith("running_var") and bool((array < 0).any()):
                raise FileFormatError(f"the array {name!r} of a module holds variances below 0")
        if output.name == "vector":
            if output.params[0] not in (None, width):
                raise FileFormatError(f"{self.name} gives vectors of {width}, not {output}")
            return
        count = 1 if output.name in ("real", "int") else class_total(output)
        need(arrays, "head.weight", "f", 2, (count, width))
        need(arrays, "head.bias", "f", 1, (count,))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        return [f"{self.doc} of {sum(array.size for array in arrays.values()):,} numbers"]

    def _width_of_items(self, inputs: Sequence[Type]) -> int:
        width = inputs[0].item.params[0]
        if not isinstance(width, int) or width < 1:
            shown = format_type(inputs[0], 6)
            raise TypeMismatch(f"{self.name} needs lists of vectors of a known dimension, got {shown}")
        return width


def padded(items: NDArray[Any], offsets: NDArray[np.int64]) -> FloatArray:
    """Lists of vectors as one array [N, L, d + 1]; L is at least 1. See `ListKind`."""
    lengths = np.diff(offsets)
    longest = max(int(lengths.max(initial=0)), 1)
    found = np.zeros((len(lengths), longest, items.shape[1] + 1), np.float32)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    first, last = int(offsets[0]), int(offsets[-1])
    places = np.arange(first, last) - np.repeat(offsets[:-1], lengths)
    found[rows, places, :-1] = items[first:last]
    found[rows, places, -1] = 1.0
    return found


@cache
def _network_class() -> Any:
    """The class of networks over lists; made on first use, since its base is torch's."""
    import torch

    class ListNetwork(torch.nn.Module):
        def __init__(self, trunk: Any, head: Any) -> None:
            super().__init__()
            self.trunk = trunk
            self.head = head

        def forward(self, rows: Any) -> Any:
            there = rows[..., -1] > 0.5
            seen = self.trunk(rows[..., :-1] * there.unsqueeze(-1), there)
            return seen if self.head is None else self.head(seen)

    return ListNetwork


def norm_items(norm: Any, items: Any, there: Any) -> Any:
    """Batch normalization (a torch module) of the vectors that are there; zeros elsewhere."""
    import torch

    some = items[there]
    if len(some) < 2 and norm.training:  # one vector has no spread
        norm.eval()
        some = norm(some)
        norm.train()
    else:
        some = norm(some)
    return torch.zeros_like(items).masked_scatter(there.unsqueeze(-1), some)


def normed(arrays: Mapping[str, NDArray[Any]], name: str, items: FloatArray, there: Any) -> FloatArray:
    """As `norm_items` outside of training, in NumPy."""
    weight, bias, mean, variance = (
        np.asarray(arrays[f"trunk.{name}.{part}"], np.float32)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / np.sqrt(variance + np.float32(EPSILON))
    found: FloatArray = ((items - mean) * scale + bias) * there[..., None]
    return found.astype(np.float32)


def norm_sizes(name: str, width: int) -> dict[str, tuple[int, ...]]:
    """The arrays of a batch normalization."""
    return {f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}


def linear(arrays: Mapping[str, NDArray[Any]], name: str, x: FloatArray) -> FloatArray:
    """A linear layer."""
    weight = np.asarray(arrays[f"{name}.weight"], np.float32)
    found: FloatArray = x @ weight.T + np.asarray(arrays[f"{name}.bias"], np.float32)
    return found


def linear_sizes(name: str, inside: int, outside: int) -> dict[str, tuple[int, ...]]:
    """The arrays of a linear layer."""
    return {f"{name}.weight": (outside, inside), f"{name}.bias": (outside,)}


__all__ = [
    "EPSILON",
    "ListKind",
    "linear",
    "linear_sizes",
    "norm_items",
    "norm_sizes",
    "normed",
    "padded",
]
