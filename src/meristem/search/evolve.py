"""Evolution of terms: small changes to the best so far."""

from __future__ import annotations

import math

import numpy as np

from meristem.errors import MeristemError
from meristem.language.infer import infer
from meristem.language.kinds import KINDS, Integer, OneOf, Range, Real, settings_of
from meristem.language.terms import Call, Choice, Module, Term, call, module, modules_of, rewrite
from meristem.search.candidate import History, Setting, Strategy
from meristem.search.registry import strategy

_PARENTS = 6
_TRIES = 40


@strategy
class Evolve(Strategy):
    """Takes one of the best terms and changes it: a few choices, or a part of its structure.

    A change that is not well typed or was tried before is thrown away and another is made.
    """

    name = "evolve"

    def propose(self, history: History, setting: Setting, rng: np.random.Generator) -> Term | None:
        """A changed copy of one of the best terms, better ones more often."""
        parents = history.best(_PARENTS)
        if not parents:
            return None
        for _ in range(_TRIES):
            rank = min(int(rng.exponential(1.5)), len(parents) - 1)
            term = parents[rank].candidate.term
            if rng.random() < 0.3:
                other = parents[int(rng.integers(len(parents)))].candidate.term
                child = change_structure(term, other, rng)
            else:
                child = change_choices(term, rng)
            if child is None or history.knows(child):
                continue
            try:
                result = infer(child, {"row": setting.row}, setting.target).type
            except MeristemError:
                continue
            if result == infer(term, {"row": setting.row}, setting.target).type:
                return child
        return None


def change_choices(term: Term, rng: np.random.Generator) -> Term | None:
    """The term with one to three choices of one of its modules changed."""
    nodes = [m for m in modules_of(term) if tuned_choices(m)]
    if not nodes:
        return None
    # The last module decides most; it is changed more often.
    node = nodes[-1] if rng.random() < 0.6 else nodes[int(rng.integers(len(nodes)))]
    kind = KINDS.find(node.kind, node.version)
    settings = settings_of(kind, node.settings)
    names = tuned_choices(node)
    chosen = rng.permutation(len(names))[: int(rng.integers(1, min(3, len(names)) + 1))]
    for k in chosen.tolist():
        settings[names[k]] = step(kind.choices[names[k]], settings[names[k]], rng)
    return replace(term, node, with_settings(node, settings))


def tuned_choices(node: Module) -> list[str]:
    """The choices of a node that search may vary."""
    return [name for name, range_ in KINDS.find(node.kind, node.version).choices.items() if range_.tuned]


def with_settings(node: Module, settings: dict[str, Choice]) -> Module:
    """The node with these choices; those at their default are left out, so that equal nodes stay equal."""
    kind = KINDS.find(node.kind, node.version)
    stated = {name: value for name, value in settings.items() if value != kind.choices[name].default}
    return Module(node.kind, node.args, tuple(sorted(stated.items())), node.output, node.label, node.version)


def step(range_: Range, value: Choice, rng: np.random.Generator) -> Choice:
    """A value near `value` within its range."""
    if isinstance(range_, OneOf):
        others = [o for o in range_.options if o != value]
        return others[int(rng.integers(len(others)))] if others else value
    assert isinstance(range_, Real | Integer)
    number = float(value)
    if range_.log:
        floor = range_.low if range_.low > 0 else 1e-4
        moved = math.exp(math.log(max(number, floor)) + rng.normal(0.0, 0.5))
    else:
        moved = number + rng.normal(0.0, 0.15) * (range_.high - range_.low)
    moved = min(max(moved, range_.low), range_.high)
    return round(moved) if isinstance(range_, Integer) else float(f"{moved:.4g}")


def change_structure(term: Term, other: Term, rng: np.random.Generator) -> Term | None:
    """The term with a part replaced by one of another's, left out, wrapped, or a vector put beside it."""
    nodes = [n for n in term.walk() if isinstance(n, Module | Call)]
    if not nodes:
        return None
    node = nodes[int(rng.integers(len(nodes)))]
    draw = rng.random()
    if draw < 0.15:
        return change_kind(term, rng)
    if draw < 0.4:
        donors = [n for n in other.walk() if isinstance(n, Module | Call) and n != node]
        return replace(term, node, donors[int(rng.integers(len(donors)))]) if donors else None
    if draw < 0.6 and node.children():
        return replace(term, node, node.children()[int(rng.integers(len(node.children())))])
    if draw < 0.8:
        return replace(term, node, call("concat", node, module("rbf", node)))
    wrappers = [k.name for k in KINDS if k.mode == "unsupervised"]
    return replace(term, node, module(wrappers[int(rng.integers(len(wrappers)))], node))


_NOT_FOR_TABLES = ("constant", "blend", "temperature", "ridge_head", "nearest_mean")
"""What puts other parts together, and heads for the features of networks."""


def change_kind(term: Term, rng: np.random.Generator) -> Term | None:
    """The term with one of its supervised modules replaced by another supervised kind on the same inputs."""
    kinds = [k.name for k in KINDS if k.mode == "supervised" and k.name not in _NOT_FOR_TABLES]
    nodes = [n for n in modules_of(term) if n.kind in kinds]
    if not nodes:
        return None
    node = nodes[int(rng.integers(len(nodes)))]
    others = [name for name in kinds if name != node.kind]
    return replace(term, node, module(others[int(rng.integers(len(others)))], *node.args)) if others else None


def replace(term: Term, old: Term, new: Term) -> Term:
    """The term with every `old` replaced by `new`."""
    return rewrite(term, lambda node: new if node == old else node)
