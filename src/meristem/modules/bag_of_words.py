"""Free text as counts of words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import TypeMismatch
from meristem.language.kinds import FitContext, Fitted, Integer, ModuleKind, Settings, register
from meristem.modules._inputs import bare, need, texts_of
from meristem.types import Type, vector_of
from meristem.values import Column, Dense, Rows, decode_strings, encode_strings

_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_LONGEST = 40  # characters of a word that are looked at


@register
class BagOfWords(ModuleKind):
    """tf-idf of the words that most texts share: log(1 + count) x log(N / texts with it), of length 1 a field."""

    name = "bag_of_words"
    mode = "unsupervised"
    choices = {"words": Integer(400, 10, 5000, log=True), "least": Integer(3, 1, 100, log=True)}
    doc = "free text as weighted counts of words"

    def type_of(self, inputs: Sequence[Type], target: Type | None) -> Type:
        if len(inputs) != 1 or inputs[0].name != "row":
            raise TypeMismatch("bag_of_words takes one row of texts")
        for name, type_ in inputs[0].fields.items():
            if bare(type_).name != "text":
                raise TypeMismatch(f"bag_of_words takes texts, but {name!r} is {type_}")
        return vector_of(None)

    def fit(self, inputs: Sequence[Column], settings: Settings, context: FitContext) -> Fitted:
        (rows,) = inputs
        assert isinstance(rows, Rows)
        arrays: dict[str, NDArray[Any]] = {}
        for k, (name, column) in enumerate(rows.fields.items()):
            texts = texts_of(column, name)
            counts: Counter[str] = Counter()
            used, times = np.unique(texts.ids, return_counts=True)
            for i, repeated in zip(used.tolist(), times.tolist(), strict=True):
                for word in set(words_of(texts.pool[i])):
                    counts[word] += repeated
            # A word of one text alone, a name perhaps, says nothing about others and has no place in a model file.
            least = max(2, min(int(settings["least"]), len(rows) // 20))
            common = [(w, c) for w, c in counts.items() if c >= least]
            common.sort(key=lambda entry: (-entry[1], entry[0]))
            kept = common[: int(settings["words"])]
            encode_strings([w for w, _ in kept], f"f{k}.words", arrays)
            weights = np.array([np.log((1 + len(rows)) / (1 + c)) + 1 for _, c in kept])
            arrays[f"f{k}.idf"] = weights
        return Fitted(arrays)

    def forward(
        self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Column], settings: Settings, output: Type
    ) -> Column:
        (rows,) = inputs
        assert isinstance(rows, Rows)
        blocks: list[NDArray[Any]] = []
        for k, (name, column) in enumerate(rows.fields.items()):
            texts = texts_of(column, name)
            places = {w: i for i, w in enumerate(decode_strings(f"f{k}.words", arrays))}
            used, inverse = np.unique(texts.ids, return_inverse=True)
            block = np.zeros((len(used), len(places)))
            for row, i in enumerate(used.tolist()):
                for word in words_of(texts.pool[i]):
                    place = places.get(word)
                    if place is not None:
                        block[row, place] += 1.0
            block = np.log1p(block) * arrays[f"f{k}.idf"]
            block /= np.maximum(np.sqrt((block**2).sum(axis=1, keepdims=True)), 1e-12)
            blocks.append(block[inverse.reshape(-1)])
        return Dense(output, np.concatenate(blocks, axis=1) if blocks else np.zeros((len(rows), 0)))

    def validate(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> None:
        for k in range(len(inputs[0].args)):
            need(arrays, f"f{k}.idf", "f", 1, (len(decode_strings(f"f{k}.words", arrays)),))

    def describe(self, arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Type], output: Type) -> list[str]:
        total = sum(len(a) for name, a in arrays.items() if name.endswith(".idf"))
        return [f"{total} words"]


def words_of(text: str) -> list[str]:
    """Words in lower case, and signs that are neither letters, digits nor blanks."""
    return [w[:_LONGEST] for w in _WORD.findall(text.lower())]
