"""Training the perception inside an exact program from final answers only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.language.kinds import Arrays
from meristem.language.terms import Term
from meristem.training.lifted.beyond import Beyond
from meristem.training.lifted.data import Data, Sights, data_of, right_share
from meristem.training.lifted.likelihood import Likelihood
from meristem.training.lifted.plans import Plans
from meristem.training.lifted.shapes import Known
from meristem.training.lifted.sight import Networks
from meristem.training.lifted.split import Split, split_term
from meristem.training.rows import Examples

if TYPE_CHECKING:
    import torch

IntArray = NDArray[np.int64]
_EXACT_FIRST = 0.6  # of the steps, in which only examples with a diagram are used
_EXACT_SHARE = 0.3  # of the examples have one, at least, for that
FLOOR = 1e-6
"""Added to each probability: an impossible label costs 13.8 nats, not infinity."""


@dataclass(frozen=True)
class Recipe:
    """How networks are trained.

    Args:
        images: About how many images a batch holds.
        peak: The highest learning rate of the cycle, or the constant one.
        cycle: Whether the rate goes up and down once (for a training that is to end well), or stays (for a short
            look at how fast the loss falls).
        least, most: Bounds of the number of steps where none is stated.
        usual: Steps for 600 images.
    """

    images: int = 96
    peak: float = 5e-3
    cycle: bool = True
    least: int = 600
    most: int = 6000
    usual: int = 1200

    def steps(self, images: float) -> int:
        """Steps for a data set with so many images: by default 1,200 for 600, 2,400 for 6,000, 4,800 for 60,000.

        On written digits more gained less than a tenth of a point, and half as many lost two to five tenths.
        """
        return max(self.least, min(self.most, round(self.usual * math.pow(max(images, 1.0) / 600, 0.3))))

    def examples(self, readings: float) -> int:
        """Examples a batch, where each has so many readings."""
        return max(4, round(self.images / max(readings, 1.0)))


@dataclass(frozen=True)
class LiftedFit:
    """What training a lifted program gave.

    Args:
        fit: Arrays by slot.
        losses: Shape [steps]: the loss of each batch, nats a label.
        accuracy: The share of validation examples that the concrete program (each image as its likeliest class)
            answers right; None without validation examples.
        entropy: Nats a label: the loss of who knows only how often each label occurs at each shape.
        impossible: Training labels that no reading gives.
        examples: The number of training examples.
        cpu_seconds: What it took, making ready included.
        whole: Whether all steps were done.
        exact: Whether all joint readings were summed, for every example; otherwise the best ones, and samples.
        lost_mass: The mean probability of readings that were sampled, in the last tenth of the steps.
    """

    fit: dict[str, Arrays] = field(repr=False)
    losses: NDArray[np.float64] = field(repr=False)
    accuracy: float | None
    entropy: float
    impossible: int
    examples: int
    cpu_seconds: float
    whole: bool
    exact: bool
    lost_mass: float

    @property
    def loss(self) -> float:
        """The mean loss of the last tenth of the steps."""
        last = self.losses[-max(1, len(self.losses) // 10) :]
        return float(last.mean()) if len(last) else math.nan

    @property
    def learned_nothing(self) -> bool:
        """Whether the loss is no better than that of guessing by frequency: a sign that the program is wrong."""
        return not self.loss < self.entropy - 0.02 * max(self.entropy, 0.1)


def train_lifted(
    program: Term | Split,
    data: Examples,
    *,
    rng: np.random.Generator,
    validation: Examples | None = None,
    steps: int | None = None,
    deadline: float = math.inf,
    init: Mapping[str, Mapping[str, NDArray[Any]]] | None = None,
    frozen: Collection[str] = (),
    recipe: Recipe = Recipe(),
    goal: float | None = None,
    watch: Callable[[int, float], bool] | None = None,
    plans: Plans | None = None,
    known: Known | None = None,
) -> LiftedFit:
    """Train all perceiving modules of a program so that it gives the labels.

    The loss is -log(P(label) + 1e-6), where P sums over all joint readings of an example. Deterministic given
    `rng`, as long as no deadline cuts it; torch runs on one thread.

    Args:
        program: The term, or what `split_term` gave for it.
        data: Inputs and final answers.
        rng: Source of all randomness.
        validation: Held-out examples.
        steps: Batches; by default as many as were measured to suit the number of images.
        deadline: `time.monotonic()` time to end by; the learning rate then comes down in time.
        init: Arrays to start from, by slot.
        frozen: Slots that keep those arrays.
        recipe: How.
        goal: Stop as soon as this share of the validation examples is right; looked at ten times.
        watch: Told each step and its loss; training ends when it gives false.
        plans: Diagrams made before, for the same program.
        known: Data sets made ready before, added to.

    Raises:
        InputError: There are no examples, or no label can be given by any reading.
        TypeMismatch: The program cannot be lifted.
    """
    began = time.process_time()
    split = (
        program
        if isinstance(program, Split)
        else split_term(
            program, {name: column.type for name, column in data.inputs.items()}, target=data.target.type
        )
    )
    if len(data) == 0:
        raise InputError("training needs examples, got none")
    plans = plans or Plans(split)
    known = known or Known()
    ready = data_of(split, data, plans, known)
    if ready.impossible == len(data):
        raise InputError(
            f"none of the {len(data):,} labels is an answer of this program, whatever the images show"
        )
    count = recipe.steps(len(data) * ready.mean_readings) if steps is None else steps
    losses: list[float] = []
    lost: list[float] = []
    from meristem.modules._torch import calm_torch, one_cycle, seed_from

    with calm_torch(seed_from(rng)) as torch:
        networks = Networks(split, ready.shapes.pools, rng, init, frozen)
        loss = LiftedLoss(ready, networks, rng)
        held = None if validation is None else _Held(split, validation, networks, known)
        trained = networks.parameters()
        whole = True
        if trained and count:
            optimizer = torch.optim.AdamW(trained, lr=recipe.peak, weight_decay=1e-2, fused=True)
            size = recipe.examples(ready.mean_readings)
            order = _batches(np.arange(len(data)), size, rng)
            exact = np.flatnonzero(
                [ready.lots[lot].diagram is not None for lot in ready.place[:, 0].tolist()]
            )
            # Samples hit a label only once readings are good: what can be summed exactly teaches first.
            waits = _EXACT_SHARE * len(data) <= len(exact) < len(data)
            first = _batches(exact, size, rng) if waits else order
            start = time.monotonic()
            room = max(deadline - start, 1e-9)
            networks.train()
            for step in range(count):
                share = step / count
                if deadline < math.inf:
                    share = max(share, (time.monotonic() - start) / room)
                    if share >= 1:
                        whole = False
                        break
                rate, momentum = one_cycle(share, recipe.peak) if recipe.cycle else (recipe.peak, 0.9)
                for each in optimizer.param_groups:
                    each["lr"], each["betas"] = rate, (momentum, 0.999)
                value = loss(next(first if share < _EXACT_FIRST else order), rng)
                if value.requires_grad:  # not where all lists of a batch are empty
                    optimizer.zero_grad(set_to_none=True)
                    value.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
                losses.append(float(value.detach()))
                lost.append(loss.lost_mass)
                if watch is not None and not watch(step, losses[-1]):
                    whole = False
                    break
                if goal is not None and held is not None and (step + 1) % max(1, count // 10) == 0:
                    networks.eval()
                    reached = held.accuracy() >= goal
                    networks.train()
                    if reached:
                        break
        networks.eval()
        accuracy = None if held is None else held.accuracy()
        arrays = networks.arrays()
    return LiftedFit(
        arrays,
        np.array(losses),
        accuracy,
        ready.entropy,
        ready.impossible,
        len(data),
        time.process_time() - began,
        whole,
        all(lot.diagram is not None for lot in ready.lots),
        float(np.mean(lost[-max(1, len(lost) // 10) :])) if lost else 0.0,
    )


class LiftedLoss:
    """The loss of batches of examples.

    Args:
        data: The examples.
        networks: The readers' networks.
        rng: For samples, where there is no diagram.

    Attributes:
        lost_mass: Of the last batch: the mean probability of readings that were sampled, not summed.
    """

    def __init__(self, data: Data, networks: Networks, rng: np.random.Generator) -> None:
        self.data, self.rng, self.lost_mass = data, rng, 0.0
        self.sights = Sights(networks, data.shapes).each
        self.device = networks.device
        self.likelihoods = [
            Beyond(data.split, lot.group.values, lot.group.count, lot.variables)
            if lot.diagram is None
            else Likelihood(lot.diagram, self.device)
            for lot in data.lots
        ]

    def __call__(self, rows: IntArray, rng: np.random.Generator | None = None) -> torch.Tensor:
        """The mean of -log(P(label) + 1e-6) over examples; with `rng` images are augmented."""
        import torch

        place = self.data.place[rows]
        wanted: list[list[IntArray]] = [[] for _ in self.sights]
        used: list[tuple[int, IntArray]] = []
        for number in np.unique(place[:, 0]).tolist():
            lot, positions = self.data.lots[number], place[place[:, 0] == number, 1]
            used.append((number, positions))
            for variable in lot.variables:
                starts = self.sights[variable.reader].starts
                wanted[variable.reader].append(lot.rows_of(variable, positions, starts))
        seen: list[Iterator[torch.Tensor]] = []
        for sight, parts in zip(self.sights, wanted, strict=True):
            if parts:
                found = sight.probabilities(np.concatenate(parts), rng)
                seen.append(iter(torch.split(found, [len(part) for part in parts])))
            else:
                seen.append(iter(()))
        total = torch.zeros((), device=self.device)
        lost = 0.0
        for number, positions in used:
            lot, likelihood = self.data.lots[number], self.likelihoods[number]
            readings = [next(seen[variable.reader]) for variable in lot.variables]
            if isinstance(likelihood, Beyond):
                texts = [lot.texts[position] for position in positions.tolist()]
                found, missed = likelihood(readings, texts, self.rng)
                lost += missed * len(positions)
            else:
                found = likelihood(readings, torch.from_numpy(lot.labels[positions]).to(self.device))
            total = total - torch.log(found + FLOOR).sum()
        self.lost_mass = lost / len(rows)
        return total / len(rows)


class _Held:
    """Validation examples: how many the concrete program answers right."""

    def __init__(self, split: Split, examples: Examples, networks: Networks, known: Known) -> None:
        self.labels = examples.target
        self.sights = Sights(networks, known.shapes(split, examples.inputs))

    def accuracy(self) -> float:
        answers, failures = self.sights.answers()
        return right_share(answers, failures, self.labels)


def _batches(rows: IntArray, size: int, rng: np.random.Generator) -> Iterator[IntArray]:
    """Of these rows, batch after batch without end: each comes once before one comes again."""
    waiting = np.zeros(0, np.int64)
    size = min(size, len(rows))
    while True:
        while len(waiting) < size:
            waiting = np.concatenate([waiting, rng.permutation(rows)])
        yield waiting[:size]
        waiting = waiting[size:]


__all__ = ["FLOOR", "LiftedFit", "LiftedLoss", "Recipe", "train_lifted"]
