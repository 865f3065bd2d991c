"""Readers as networks: the images of a data set, ready for torch, and what the readers say of them.

What does not change while training is done once: fixed preparation (a spectrum), and the features of frozen parts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError, TypeMismatch
from meristem.language.kinds import Arrays, GradientKind
from meristem.training.lifted.shapes import Pool
from meristem.training.lifted.split import Part, Split
from meristem.types import Type, unify
from meristem.values import Dense

if TYPE_CHECKING:
    import torch

IntArray = NDArray[np.int64]
_CHUNK = 1024  # images read at once outside of training


class Networks:
    """The networks of all slots of a program.

    Args:
        split: The program.
        pools: Images, for the sizes that the types may leave open.
        rng: For their random start.
        init: Arrays by slot that they start from.
        frozen: Slots that are not trained.
    """

    def __init__(
        self,
        split: Split,
        pools: Sequence[Pool],
        rng: np.random.Generator,
        init: Mapping[str, Mapping[str, NDArray[Any]]] | None = None,
        frozen: Collection[str] = (),
    ) -> None:
        from meristem.modules._torch import device

        self.split, self.device = split, device()
        self.frozen = frozenset(frozen)
        self.init = init or {}
        self.of: dict[str, torch.nn.Module] = {}
        missing = self.frozen.difference(init or {})
        if missing:
            raise InputError(f"frozen parts need arrays to start from, {sorted(missing)} have none")
        for reader in split.readers:
            takes = next((pool.type for pool in pools if fits(reader.takes, pool)), reader.takes)
            for part in reader.parts:
                slot = part.node.slot
                if slot not in self.of:
                    kind = gradient_kind(part)
                    network = kind.build([takes], part.gives, part.settings, rng)
                    if init and slot in init:
                        kind.load_into(network, init[slot])
                    if slot in self.frozen:
                        network.requires_grad_(False)
                    self.of[slot] = network.to(self.device).eval()
                takes = part.gives

    def parameters(self) -> list[torch.nn.Parameter]:
        """What is trained."""
        return [p for slot, net in self.of.items() if slot not in self.frozen for p in net.parameters()]

    def train(self) -> None:
        """Set what is trained to training mode; frozen parts stay as they run."""
        for slot, network in self.of.items():
            network.train(slot not in self.frozen)

    def eval(self) -> None:
        """Set all to running mode."""
        for network in self.of.values():
            network.eval()

    def arrays(self) -> dict[str, Arrays]:
        """All that they have learned, by slot."""
        found: dict[str, Arrays] = {}
        for reader in self.split.readers:
            for part in reader.parts:
                found[part.node.slot] = gradient_kind(part).arrays_of(self.of[part.node.slot])
        return found


class Sight:
    """The images that one reader may look at.

    Args:
        networks: All networks.
        number: Which reader of the split.
        pools: The images.
        known: What was made ready of these images before, added to.
    """

    def __init__(
        self, networks: Networks, number: int, pools: Sequence[Pool], known: dict[Any, Any] | None = None
    ) -> None:
        import torch

        self.networks, self.reader = networks, networks.split.readers[number]
        parts = list(self.reader.parts)
        kind, settings = gradient_kind(parts[0]), parts[0].settings
        mine = [k for k, pool in enumerate(pools) if len(pool.data) and fits(self.reader.takes, pool)]
        known = {} if known is None else known
        key: Any = (kind.name, kind.version, tuple(sorted(settings.items())), *mine)
        if key not in known:
            ready = [kind.prepare([Dense(pools[place].type, pools[place].data)], settings) for place in mine]
            sizes = np.array([len(part) for part in ready], np.int64)
            known[key] = (
                sizes,
                (
                    torch.from_numpy(ready[0] if len(ready) == 1 else np.concatenate(ready)).to(
                        networks.device
                    )
                    if ready
                    else torch.zeros((0, 1), device=networks.device)
                ),
            )
        sizes, images = known[key]
        self.starts = dict(zip(mine, (np.cumsum(sizes) - sizes).tolist(), strict=True))
        self.fixed = 0
        while self.fixed < len(parts) and parts[self.fixed].node.slot in networks.frozen and len(images):
            slot = parts[self.fixed].node.slot
            arrays = networks.init[slot]
            key = (*key, slot, id(arrays))
            if (
                key not in known
            ):  # the arrays are kept beside what they gave, so that no others can get their id
                with torch.no_grad():
                    chunks = [networks.of[slot](chunk) for chunk in torch.split(images, _CHUNK)]
                known[key] = arrays, torch.cat(chunks)
            images = known[key][1]
            self.fixed += 1
        self.images = images

    def probabilities(self, rows: IntArray, rng: np.random.Generator | None = None) -> torch.Tensor:
        """What the reader says of images [M]: the probabilities [M, K] of its readings.

        Args:
            rows: Which images, counted over all pools.
            rng: For training: changes the images as they might have been otherwise.
        """
        import torch

        batch = self.images[torch.from_numpy(rows).to(self.images.device)]
        parts = self.reader.parts
        if rng is not None and not self.fixed:
            batch = gradient_kind(parts[0]).augment(batch, parts[0].settings, rng)
        for part in parts[self.fixed :]:
            batch = self.networks.of[part.node.slot](batch)
        result: torch.Tensor = torch.softmax(batch, dim=1)
        return result

    def read(self, rows: IntArray) -> NDArray[np.float64]:
        """The probabilities [M, K] outside of training."""
        import torch

        with torch.no_grad():
            parts = [
                self.probabilities(rows[k : k + _CHUNK]).double().cpu().numpy()
                for k in range(0, len(rows), _CHUNK)
            ]
        return np.concatenate(parts) if parts else np.zeros((0, self.reader.classes))


def fits(takes: Type, pool: Pool) -> bool:
    """Whether a reader may look at the images of a pool."""
    try:
        unify(takes, pool.type, {})
    except TypeMismatch:
        return False
    return True


def gradient_kind(part: Part) -> GradientKind:
    """The kind of a part as one that is trained by gradients."""
    if not isinstance(part.kind, GradientKind):
        raise TypeMismatch(f"expected a module trained by gradients, {part.node.kind} is none")
    return part.kind


__all__ = ["Networks", "Sight", "fits", "gradient_kind"]
