"""Every strategy on the same histories: well-typed proposals, none twice, the same for the same telling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import meristem.modules
import meristem.primitives  # noqa: F401
from meristem.language.infer import infer
from meristem.language.kinds import KINDS, settings_of
from meristem.language.terms import Term, module, modules_of
from meristem.search import (
    Candidate,
    Evolve,
    First,
    History,
    Portfolio,
    Recall,
    Result,
    Setting,
    Strategy,
    Tune,
)
from meristem.search.pipelines import ROW, first_terms
from meristem.search.tune import skeleton
from meristem.types import REAL, Type, class_of, option_of, row_of

ROWS = {
    "mixed": row_of(
        {
            "a": option_of(REAL),
            "b": option_of(REAL),
            "k": option_of(class_of("x", "y", "z")),
            "when": option_of(Type("datetime")),
            "note": option_of(Type("text")),
        }
    ),
    "numbers": row_of({"a": option_of(REAL)}),
    "text": row_of({"note": option_of(Type("text"))}),
}
TARGETS = {"classes": class_of("no", "yes"), "number": REAL}

STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "first": First,
    "recall": lambda: Recall([module("constant", ROW)]),
    "evolve": Evolve,
    "tune": Tune,
}


def history_of(
    setting: Setting, count: int, loss: Callable[[Term], float] = lambda t: 1.0 + t.size / 1000
) -> History:
    history = History()
    for number, term in enumerate(first_terms(setting.row, setting.rows, setting.classification)[:count]):
        candidate = Candidate(number, term, "first")
        history.add(candidate)
        history.told.append(Result(candidate, "scored", loss(term), 1.0))
    return history


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", STRATEGIES)
def test_proposals_are_new_and_well_typed(name: str, row: str, target: str) -> None:
    setting = Setting(ROWS[row], TARGETS[target], 300, 0)
    strategy = STRATEGIES[name]()
    history = history_of(setting, 0 if name in ("first", "recall") else 5)
    wanted = "dist" if target == "classes" else "real"
    proposed = 0
    for number in range(12):
        term = strategy.propose(history, setting, np.random.default_rng(number))
        if term is None:
            break
        proposed += 1
        assert not history.knows(term)
        assert infer(term, {"row": setting.row}, setting.target).type.name == wanted
        candidate = Candidate(len(history.asked), term, name)
        history.add(candidate)
        history.told.append(Result(candidate, "scored", 1.0, 1.0))
    assert proposed >= 1


@pytest.mark.parametrize("name", STRATEGIES)
def test_nothing_to_go_on_is_no_error(name: str) -> None:
    setting = Setting(ROWS["mixed"], REAL, 300, 0)
    strategy = Recall([]) if name == "recall" else STRATEGIES[name]()
    term = strategy.propose(History(), setting, np.random.default_rng(0))
    assert (term is None) == (name != "first")


def test_equal_tellings_give_equal_askings() -> None:
    def run() -> list[str]:
        portfolio = Portfolio(Setting(ROWS["mixed"], REAL, 300, 5), [First()], [Tune(), Evolve()])
        asked = []
        for _ in range(30):
            candidate = portfolio.ask()
            assert candidate is not None
            asked.append(candidate.term.digest)
            portfolio.tell(Result(candidate, "scored", int(candidate.term.digest[:6], 16) / 1e6, 1.0))
        return asked

    first = run()
    assert first == run()
    assert len(set(first)) == 30


def test_tune_finds_a_good_choice() -> None:
    """The loss depends on one choice only; after some trials the best is near its optimum."""
    setting = Setting(ROWS["numbers"], REAL, 300, 0)

    def loss(term: Term) -> float:
        (boost,) = (m for m in modules_of(term) if m.kind == "boost")
        rate = float(settings_of(KINDS.find("boost"), boost.settings)["rate"])
        return abs(np.log(rate / 0.2))

    start = module("boost", ROW)
    history = History()
    history.add(Candidate(0, start, "first"))
    history.told.append(Result(Candidate(0, start, "first"), "scored", loss(start), 1.0))
    for number in range(1, 30):
        term = Tune().propose(history, setting, np.random.default_rng(number))
        assert term is not None
        assert skeleton(term) == start
        history.add(Candidate(number, term, "tune"))
        history.told.append(Result(Candidate(number, term, "tune"), "scored", loss(term), 1.0))
    assert history.best(1)[0].loss is not None
    assert history.best(1)[0].loss < 0.15  # at the start it is 1.2


def test_time_goes_to_what_pays() -> None:
    class Good(Strategy):
        name = "good"

        def propose(self, history: History, setting: Setting, rng: np.random.Generator) -> Term | None:
            return module("boost", ROW, rounds=len(history.asked) + 1)

    class Bad(Good):
        name = "bad"

    portfolio = Portfolio(Setting(ROWS["numbers"], REAL, 300, 0), [], [Good(), Bad()])
    origins = []
    for _ in range(120):
        candidate = portfolio.ask()
        assert candidate is not None
        origins.append(candidate.origin)
        good = candidate.origin == "good"
        portfolio.tell(
            Result(candidate, "scored", (0.5 if good else 1.0) - candidate.number * 1e-4 * good, 1.0)
        )
    assert origins[40:].count("good") > 2 * origins[40:].count("bad")
    assert "bad" in origins[40:]  # it is never shut out for good
