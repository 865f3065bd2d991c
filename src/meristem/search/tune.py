"""Tuning the choices of the best structures with Optuna's tree-structured Parzen estimator."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from meristem.language.kinds import KINDS, Integer, OneOf, Real, settings_of
from meristem.language.terms import Choice, Module, Term, modules_of, rewrite
from meristem.search.candidate import History, Result, Setting, Strategy
from meristem.search.evolve import tuned_choices, with_settings
from meristem.search.registry import strategy

_STRUCTURES = 3
_FLOOR = 1e-4  # stands for a lower bound of 0 on a logarithmic range


@strategy
class Tune(Strategy):
    """Models which choices of a structure do well from all trials with that structure, and proposes the next."""

    name = "tune"

    def propose(self, history: History, setting: Setting, rng: np.random.Generator) -> Term | None:
        """The best structures take turns, the best one most often."""
        structures: dict[Term, list[Result]] = {}
        for result in history.best(len(history.told)):
            structures.setdefault(skeleton(result.candidate.term), []).append(result)
        chosen = list(structures.items())[:_STRUCTURES]
        if not chosen:
            return None
        for _ in range(8):
            shape, results = chosen[min(int(rng.exponential(0.7)), len(chosen) - 1)]
            space = search_space(shape)
            if not space:
                continue
            term = _suggest(shape, results, space, int(rng.integers(2**31 - 1)))
            if not history.knows(term):
                return term
        return None


def skeleton(term: Term) -> Term:
    """The term with every choice that search may vary at its default."""

    def plain(node: Term) -> Term:
        if not isinstance(node, Module):
            return node
        varied = tuned_choices(node)
        return with_settings(node, {k: v for k, v in node.settings.items() if k not in varied})

    return rewrite(term, plain)


def search_space(shape: Term) -> dict[str, Any]:
    """Optuna's distribution for every choice of every module, under the name `slot.choice`."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    space: dict[str, Any] = {}
    for node in modules_of(shape):
        for name in tuned_choices(node):
            range_ = KINDS.find(node.kind, node.version).choices[name]
            key = f"{node.slot}.{name}"
            if isinstance(range_, Real):
                low = max(range_.low, _FLOOR) if range_.log else range_.low
                space[key] = FloatDistribution(low, range_.high, log=range_.log)
            elif isinstance(range_, Integer):
                space[key] = IntDistribution(range_.low, range_.high, log=range_.log)
            elif isinstance(range_, OneOf):
                space[key] = CategoricalDistribution(range_.options)
    return space


def _suggest(shape: Term, results: list[Result], space: dict[str, Any], seed: int) -> Term:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # multivariate sampling is called experimental since 2020
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=6, multivariate=True)
    study = optuna.create_study(sampler=sampler)
    for result in results:
        params = _params(shape, result.candidate.term, space)
        if params is not None:
            study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=result.loss))
    found = study.ask(space).params
    return apply_params(shape, found)


def _params(shape: Term, term: Term, space: dict[str, Any]) -> dict[str, Choice] | None:
    """The choices of a term as a point of the space."""
    point: dict[str, Choice] = {}
    shapes, stated_nodes = modules_of(shape), modules_of(term)
    if [n.kind for n in shapes] != [n.kind for n in stated_nodes]:
        return None  # modules that differ in their choices only are one in the structure: no point stands for the term
    for node, stated in zip(shapes, stated_nodes, strict=True):
        kind = KINDS.find(node.kind, node.version)
        settings = settings_of(kind, stated.settings)
        for name in tuned_choices(node):
            value = settings[name]
            distribution = space[f"{node.slot}.{name}"]
            low, high = getattr(distribution, "low", None), getattr(distribution, "high", None)
            if low is not None and high is not None:
                value = min(max(value, low), high)
            point[f"{node.slot}.{name}"] = value
    return point if len(point) == len(space) else None


def apply_params(shape: Term, params: dict[str, Any]) -> Term:
    """The structure with the choices of a point, rounded to four digits."""
    by_node = {node: node.slot for node in modules_of(shape)}
    changed: dict[Term, Term] = {}

    def visit(node: Term) -> Term:
        if node in changed:
            return changed[node]
        children = tuple(visit(child) for child in node.children())
        new = node.with_children(children) if children else node
        if isinstance(node, Module):
            assert isinstance(new, Module)
            settings = settings_of(KINDS.find(node.kind, node.version), node.settings)
            for name in tuned_choices(node):
                value = params[f"{by_node[node]}.{name}"]
                settings[name] = float(f"{value:.4g}") if isinstance(value, float) else value
            new = with_settings(new, settings)
        changed[node] = new
        return new

    return visit(shape)
