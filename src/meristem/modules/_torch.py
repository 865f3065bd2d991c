"""Networks in torch: made from layers, their arrays taken out and put in, and how they are optimised.

Torch is imported when these functions are called, and runs on one thread: small networks gain nothing from more, and
the workers beside this one need theirs. On a machine with a CUDA device it is used.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError, MissingDependency
from meristem.language.kinds import Arrays
from meristem.modules._layers import (
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    Layers,
    Linear,
    PoolAll,
    Relu,
    Shape,
    shapes_of,
)

Network = Any
"""A `torch.nn.Module`; no file here may import torch for its types alone."""
DECAY = 1e-2  # weight decay of AdamW
_WARM_SHARE = (
    0.3  # of all steps in which the rate rises; the rest it falls (Smith 2018, as torch's OneCycleLR)
)


def need_torch() -> Any:
    """The torch package.

    Raises:
        MissingDependency: It is not installed.
    """
    try:
        import torch
    except ImportError:
        raise MissingDependency("torch", "training networks", "torch") from None
    return torch


@contextmanager
def calm_torch(seed: int) -> Iterator[Any]:
    """Torch on one thread with its randomness seeded; both are as before afterwards."""
    torch = need_torch()
    before = torch.get_num_threads()
    cuda = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield torch
        finally:
            torch.set_num_threads(before)


def device() -> Any:
    """Where networks are trained: the CUDA device where there is one."""
    torch = need_torch()
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def seed_from(rng: np.random.Generator) -> int:
    """A seed for torch."""
    return int(rng.integers(2**62))


def network_of(layers: Layers, shape: Shape, seed: int) -> Network:
    """A new network over rows of a shape, with torch's usual random start."""
    with calm_torch(seed) as torch:
        made = [
            _layer(layer, before, torch.nn)
            for layer, before in zip(layers, shapes_of(layers, shape), strict=False)
        ]
        network = torch.nn.Sequential(*made)
    return network


def _layer(layer: Layer, before: Shape, nn: Any) -> Any:
    if isinstance(layer, Convolution):
        return nn.Conv2d(before[0], layer.out, layer.kernel, layer.stride, layer.padding)
    if isinstance(layer, BatchNorm):
        return (nn.BatchNorm2d if len(before) == 3 else nn.BatchNorm1d)(before[0], eps=layer.epsilon)
    if isinstance(layer, Relu):
        return nn.ReLU()
    if isinstance(layer, PoolAll):
        pool = nn.AdaptiveMaxPool2d if layer.highest else nn.AdaptiveAvgPool2d
        return nn.Sequential(pool(1), nn.Flatten())
    if isinstance(layer, Flatten):
        return nn.Flatten()
    if isinstance(layer, Dropout):
        return nn.Dropout(layer.share)
    assert isinstance(layer, Linear)
    return nn.Linear(before[0], layer.out)


def arrays_of(network: Network) -> Arrays:
    """The parameters and running statistics of a network, copied."""
    state = network.state_dict()
    return {
        name: tensor.detach().cpu().numpy().astype(np.float32)
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }


def load_into(network: Network, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put arrays into a network; its last layer is left as it is where they have none of its shape.

    Raises:
        MeristemError: They are those of another network.
    """
    torch = need_torch()
    state = network.state_dict()
    last = f"{len(list(network.children())) - 1}."
    with torch.no_grad():
        for name, tensor in state.items():
            if name.endswith("num_batches_tracked"):
                continue
            array = arrays.get(name)
            if array is not None and array.shape == tuple(tensor.shape):
                tensor.copy_(torch.from_numpy(np.array(array, np.float32)))
            elif not name.startswith(last):
                got = "none" if array is None else f"one of shape {list(array.shape)}"
                raise MeristemError(
                    f"expected an array {name} of shape {list(tensor.shape)}, got {got}: the module has other inputs "
                    "or settings"
                )


def one_cycle(share: float, peak: float) -> tuple[float, float]:
    """The learning rate and the first momentum at a share of all steps: up to `peak`, then down to next to nothing.

    >>> [round(one_cycle(s, 1.0)[0], 3) for s in (0.0, 0.3, 1.0)]
    [0.04, 1.0, 0.0]
    """
    if share < _WARM_SHARE:
        low, part = peak / 25, share / _WARM_SHARE
    else:
        low, part = peak / 250_000, (1 - share) / (1 - _WARM_SHARE)
    height = 0.5 * (1 - math.cos(math.pi * part))
    return low + (peak - low) * height, 0.95 - 0.1 * height


def optimise(
    network: Network,
    loss_of: Callable[[int], Any],
    steps: int,
    *,
    peak: float = 4e-3,
    deadline: float = math.inf,
) -> bool:
    """Train a network by AdamW with one cycle of the learning rate.

    Args:
        network: In training mode during, in running mode after.
        loss_of: The loss of the batch of a step.
        steps: How many.
        peak: The highest learning rate.
        deadline: `time.monotonic()` time to end by. Where the steps take longer the cycle is run through faster, so
            that the rate still comes down.

    Returns:
        Whether all steps were done.
    """
    torch = need_torch()
    optimizer = torch.optim.AdamW(network.parameters(), lr=peak, weight_decay=DECAY)
    began = time.monotonic()
    room = max(deadline - began, 1e-9)
    network.train()
    done = 0
    for step in range(steps):
        share = step / steps
        if deadline < math.inf:
            share = max(share, (time.monotonic() - began) / room)
            if share >= 1:
                break
        rate, momentum = one_cycle(share, peak)
        for group in optimizer.param_groups:
            group["lr"], group["betas"] = rate, (momentum, 0.999)
        loss = loss_of(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        done += 1
    network.eval()
    return done == steps


__all__ = [
    "arrays_of",
    "calm_torch",
    "device",
    "load_into",
    "need_torch",
    "network_of",
    "one_cycle",
    "optimise",
    "seed_from",
]
