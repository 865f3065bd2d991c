"""Every strategy on the same histories: well-typed proposals, none twice, the same for the same telling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import meristem.modules
import meristem.primitives  # noqa: F401
from meristem.errors import BrokenContract, MeristemError
from meristem.language.infer import infer
from meristem.language.kinds import KINDS, settings_of
from meristem.language.terms import Term, module, modules_of
from meristem.search import (
    STRATEGIES,
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
    strategy,
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

# Each file in the package is found by itself; `Recall` takes what a user has at hand.
ALL: dict[str, Strategy] = {s.name: s for s in STRATEGIES} | {"recall": Recall([module("constant", ROW)])}


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
@pytest.mark.parametrize("name", ALL)
def test_proposals_are_new_and_well_typed(name: str, row: str, target: str) -> None:
    setting = Setting(ROWS[row], TARGETS[target], 300, 0)
    asked = ALL[name]
    history = history_of(setting, 0 if asked.opening else 5)
    wanted = "dist" if target == "classes" else "real"
    proposed = 0
    for number in range(12):
        term = asked.propose(history, setting, np.random.default_rng(number))
        if term is None:
            break
        proposed += 1
        assert not history.knows(term)
        assert infer(term, {"row": setting.row}, setting.target).type.name == wanted
        candidate = Candidate(len(history.asked), term, name)
        history.add(candidate)
        history.told.append(Result(candidate, "scored", 1.0, 1.0))
    assert proposed >= 1


@pytest.mark.parametrize("name", ALL)
def test_nothing_to_go_on_is_no_error(name: str) -> None:
    setting = Setting(ROWS["mixed"], REAL, 300, 0)
    asked = Recall([]) if name == "recall" else ALL[name]
    term = asked.propose(History(), setting, np.random.default_rng(0))
    if name in ("first", "recall", "evolve", "tune"):
        assert (term is None) == (name != "first")
    if term is not None:
        infer(term, {"row": setting.row}, setting.target)


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


def test_proposals_do_not_depend_on_anything_but_history_and_generator() -> None:
    setting = Setting(ROWS["mixed"], TARGETS["classes"], 300, 0)
    for name, made in ALL.items():
        terms = [made.propose(history_of(setting, 5), setting, np.random.default_rng(3)) for _ in range(2)]
        assert terms[0] == terms[1], name


def test_growing_uses_what_is_registered() -> None:
    import meristem as ms

    class Always(Strategy):
        name = "on_trial"

        def propose(self, history: History, setting: Setting, rng: np.random.Generator) -> Term | None:
            term = module("boost", ROW, rounds=len(history.asked) + 1)
            return None if history.knows(term) else term

    table = {"x": np.arange(60.0), "y": np.arange(60.0) % 7}
    strategy(Always)
    try:
        with pytest.raises(
            MeristemError, match=r"declared twice: in .*test_strategies.py and in .*test_strat"
        ):
            strategy(Always)
        model = ms.grow(
            ms.Task.from_table(table, target="y"), budget=ms.Budget(trials=14, cores=0), quiet=True
        )
    finally:
        STRATEGIES.remove("on_trial")
    assert "on_trial" in {c.origin for c in model.report().candidates}
    with pytest.raises(BrokenContract, match="expected a short text as 'name'"):
        strategy(type("Nameless", (Strategy,), {"propose": Always.propose}))
