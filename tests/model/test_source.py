"""A table model for people: values along the edges of its picture, and how a notebook shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

import meristem as ms
from meristem.model.source import value_text
from meristem.model.words import CHIP, byte_size
from meristem.types import REAL, TEXT, Type, class_of, dist_of, option_of, vector_of
from meristem.values import Column, Dense, Dists, Rows, column_from, filler


def vector(*values: float) -> Column:
    return Dense(vector_of(len(values)), np.array([values]))


def answer(label: str, share: float) -> Column:
    empty = filler(dist_of(class_of(label, "other")), 0)
    assert isinstance(empty, Dists)
    return Dists(np.array([[share, 1 - share]]), empty.support)


def one(value: Any, type_: Type) -> Column:
    return column_from([value], type_)


NAMES = {"bill_length_mm": one(44.5, REAL), "bill_depth_mm": one(17.0, REAL)}


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (vector(0.5, 1.0), "[0.5, 1]"),
        (vector(0.0966, 0.0753, -0.278, 0.5), "[0.0966, 0.0753, …]"),
        (vector(39784.25, 2022.0), "[39784, 2022]"),
        (vector(*[1.0] * 9), "[1, 1, 1, 1, 1, 1, 1, …]"),
        (vector(), "[]"),
        (Rows(NAMES, 1), "bill_length_mm 44.5, …"),
        (Rows({"a" * 60: one(1.0, REAL)}, 1), "a" * 25 + "…"),
        (answer("0", 0.93), "class 0: 93 %"),
        (answer("Adelie", 0.961), "Adelie 96 %"),
        (answer("x" * 50, 0.961), "x" * 20 + "… 96 %"),
        (one(None, option_of(REAL)), "missing"),
        (one(12345.6, option_of(REAL)), "12346"),
        (one(datetime(2022, 1, 10), Type("datetime")), "2022-01-10"),
        (one(datetime(2022, 1, 10, 7, 30), Type("datetime")), "2022-01-10 07:30:00"),
        (one("two\nlines", TEXT), "two lines"),
    ],
)
def test_values_fit_their_place_and_brackets_close(column: Column, text: str) -> None:
    assert value_text(column) == text
    assert len(text) <= CHIP


@pytest.mark.parametrize("room", range(4, 40))
def test_a_bracket_that_opens_also_closes(room: int) -> None:
    values = np.random.default_rng(room).normal(0, 1e4, 9).tolist()
    text = value_text(vector(*values), room=room)
    assert len(text) <= room
    assert (text[0], text[-1]) == ("[", "]")


def test_a_notebook_shows_picture_score_and_sizes() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    task = ms.Task.from_table({"x": x, "z": rng.normal(size=120), "<y>": (x > 0).astype(int)}, target="<y>")
    model = ms.grow(task, budget=ms.Budget(trials=2, cores=0), quiet=True)
    shown = model._repr_html_()
    assert model.picture() in shown
    assert "log-loss" in shown
    assert "95&nbsp;% interval" in shown
    assert "x matters most" in shown
    assert "120 rows, 2 columns, 2 classes" in shown
    assert f"the file takes {byte_size(len(model.to_bytes()))}" in shown
    assert "fitted parts with" in shown
    assert "<y>" not in shown
