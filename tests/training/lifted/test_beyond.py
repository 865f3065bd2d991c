"""Where no diagram is small enough: the best readings, and samples of the rest."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from glance_reader import IMAGE, over_list

from meristem.training.lifted import Plans, Variable, split_term
from meristem.training.lifted.beyond import Beyond, best_readings
from meristem.types import list_of


def program() -> tuple[object, list[Variable]]:
    split = split_term(over_list("sum(DIGITS) % 5"), {"xs": list_of(IMAGE)})
    return split, [Variable(0, k) for k in range(3)]


def test_the_best_readings_are_the_best() -> None:
    weights = list(np.random.default_rng(0).dirichlet(np.ones(4) * 0.5, (3, 5)))
    found = best_readings(weights, 7)
    every = list(product(range(4), repeat=3))
    for row in range(5):
        chance = {d: float(np.prod([w[row, x] for w, x in zip(weights, d, strict=True)])) for d in every}
        wanted = sorted(chance.values(), reverse=True)[:7]
        np.testing.assert_allclose([chance[tuple(d)] for d in found[row].tolist()], wanted)
    assert best_readings(weights, 1000).shape == (5, 64, 3)


def test_with_all_readings_it_is_exact() -> None:
    torch = pytest.importorskip("torch")
    split, variables = program()
    rng = np.random.default_rng(1)
    raw = [torch.tensor(w, requires_grad=True) for w in rng.dirichlet(np.ones(4), (3, 2))]
    beyond = Beyond(split, {"xs": [0, 1, 2]}, 3, tuple(variables), best=64, samples=4)
    found, lost = beyond(raw, [0, 3], rng)
    diagram = Plans(split).of({"xs": [0, 1, 2]}, 3, variables)
    wanted = diagram.probabilities([w.detach().numpy() for w in raw])
    ids = diagram.answers.find([0, 3])
    np.testing.assert_allclose(found.detach().numpy(), wanted[[0, 1], ids], atol=1e-12)
    assert lost == pytest.approx(0.0, abs=1e-9)


def test_estimates_and_their_gradients_are_right_on_average() -> None:
    torch = pytest.importorskip("torch")
    split, variables = program()
    rng = np.random.default_rng(2)
    weights = rng.dirichlet(np.ones(4), (3, 1))
    logits = [torch.tensor(np.log(w), requires_grad=True) for w in weights]
    beyond = Beyond(split, {"xs": [0, 1, 2]}, 3, tuple(variables), best=8, samples=2000)
    values, gradients = [], []
    for _ in range(30):
        found, lost = beyond([torch.softmax(w, 1) for w in logits], [2], rng)
        assert 0 < lost < 1
        values.append(float(found[0].detach()))
        gradients.append(
            np.concatenate([g.numpy().ravel() for g in torch.autograd.grad(found.sum(), logits)])
        )
    from meristem.training.lifted import Likelihood

    diagram = Plans(split).of({"xs": [0, 1, 2]}, 3, variables)
    exact = Likelihood(diagram)(
        [torch.softmax(w, 1) for w in logits], torch.from_numpy(diagram.answers.find([2]))
    )
    wanted = np.concatenate([g.numpy().ravel() for g in torch.autograd.grad(exact.sum(), logits)])
    assert np.mean(values) == pytest.approx(float(exact[0].detach()), abs=0.005)
    np.testing.assert_allclose(np.mean(gradients, axis=0), wanted, atol=0.005)
