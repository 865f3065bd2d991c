"""The card of an entry: all that is known of it without opening it, as plain JSON under one hash.

A card says what the program takes and gives, what it is made of, how it was trained and for what it counts as good, its
scores with intervals, what its inputs looked like, inputs with the answers it claims to give, and where it comes from.
Cards of strangers are data: `Card.from_bytes` holds each field to its kind and size, and `meristem.library.checking`
holds the claims to what the program does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from meristem.errors import FileFormatError
from meristem.language.json_form import from_json
from meristem.language.terms import Term
from meristem.library._files import is_digest
from meristem.model.file import parse_json
from meristem.types import Type
from meristem.values import read_type

FORMAT = 1
KINDS = ("program", "table", "subroutine")
ALGORITHMIC, GEOMETRIC = "algorithmic", "geometric"
SHELVES = (ALGORITHMIC, GEOMETRIC)
MOST_BYTES = 2_000_000
_TEXT, _NAMES = 20_000, 1_000

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Card:
    """What is known of an entry.

    Args:
        kind: `program` (grown from examples, or with perception), `table` (a model of a table) or `subroutine`.
        type: The most general type, as text: variables stand where any type will do.
        inputs: Name and type of each input as it was grown.
        output: Name and type of the answer.
        shelf: `algorithmic`, or `geometric` where something in it was fitted.
        summary: The program as text.
        doc: A line for a person.
        content: SHA-256 of the model's file, or of the subroutine's JSON form.
        program: The hash of the program alone: term, types, arrays.
        term: The JSON form of the term where nothing is fitted: enough to run it.
        parts: The functions and module kinds that it is made of, each once.
        recipe: How it was trained: seed, budget, seconds, versions, which search found it.
        objective: What counted as good.
        scores: Each with `name`, `value` and, where known, `low`, `high` (95 %) and `rows`.
        statistics: Of each input: how many values, and their sizes.
        probes: Inputs with the answers that the program claims to give.
        provenance: Task, fingerprint of the data, seed, time, who used what, licence.
        task: What tasks are compared by.
    """

    kind: str
    type: str
    inputs: tuple[tuple[str, str], ...]
    output: tuple[str, str]
    shelf: str
    summary: str
    doc: str
    content: str
    program: str
    term: Json | None = field(default=None, repr=False)
    parts: tuple[str, ...] = ()
    recipe: Json = field(default_factory=dict, repr=False)
    objective: Json = field(default_factory=dict, repr=False)
    scores: tuple[Json, ...] = ()
    statistics: tuple[Json, ...] = field(default=(), repr=False)
    probes: tuple[Json, ...] = field(default=(), repr=False)
    provenance: Json = field(default_factory=dict, repr=False)
    task: Json = field(default_factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(name for name, _ in self.inputs)

    @property
    def input_types(self) -> tuple[Type, ...]:
        """The types of the inputs as it was grown; functions among them for a subroutine."""
        return tuple(read_type(text) for _, text in self.inputs)

    @property
    def output_type(self) -> Type:
        """The type of the answer as it was grown."""
        return read_type(self.output[1])

    def read_term(self) -> Term | None:
        """The term, where nothing in it is fitted.

        Raises:
            FileFormatError: It is damaged.
        """
        return None if self.term is None else from_json(self.term)

    def to_bytes(self) -> bytes:
        """The card as canonical JSON: equal cards have equal bytes."""
        return canonical({"meristem-card": FORMAT, **{f.name: getattr(self, f.name) for f in fields(self)}})

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "the card") -> Card:
        """Read a card.

        Raises:
            FileFormatError: It is damaged, hostile, or of a newer format.
        """
        if len(data) > MOST_BYTES:
            raise FileFormatError(f"{name} has {len(data):,} bytes, more than a card may have")
        value = parse_json(data, name)
        _hold(isinstance(value, dict), name, "is an object")
        form = value.pop("meristem-card", None)
        _hold(type(form) is int and form >= 1, name, "says its format")
        if form > FORMAT:
            raise FileFormatError(
                f"{name} has format {form}, this Meristem reads up to {FORMAT}; update with: pip install -U meristem"
            )
        _hold(value.keys() == {f.name for f in fields(cls)}, name, "has the parts of a card")
        for key in ("type", "summary", "doc"):
            _hold(isinstance(value[key], str) and len(value[key]) <= _TEXT, name, f"has a text {key!r}")
        _hold(value["kind"] in KINDS and value["shelf"] in SHELVES, name, "says what it is of")
        _hold(is_digest(value["content"]) and is_digest(value["program"]), name, "has two hashes")
        _hold(_named(value["output"]), name, "names its answer")
        _hold(isinstance(value["inputs"], list) and len(value["inputs"]) <= _NAMES, name, "lists its inputs")
        _hold(all(map(_named, value["inputs"])), name, "names its inputs")
        _hold(value["term"] is None or isinstance(value["term"], dict), name, "has a term")
        parts = value["parts"]
        _hold(
            isinstance(parts, list) and all(isinstance(p, str) and len(p) <= 200 for p in parts),
            name,
            "has parts",
        )
        for key in ("recipe", "objective", "provenance", "task"):
            _hold(isinstance(value[key], dict), name, f"has an object {key!r}")
        for key in ("scores", "statistics", "probes"):
            listed = value[key]
            _hold(
                isinstance(listed, list)
                and len(listed) <= _NAMES
                and all(isinstance(v, dict) for v in listed),
                name,
                f"lists its {key}",
            )
        card = cls(
            **{
                **value,
                "inputs": tuple((n, t) for n, t in value["inputs"]),
                "output": tuple(value["output"]),
                **{key: tuple(value[key]) for key in ("parts", "scores", "statistics", "probes")},
            }
        )
        for text in (card.type, card.output[1], *(t for _, t in card.inputs)):
            read_type(text)
        if card.to_bytes() != data:
            raise FileFormatError(f"{name} is not written as cards are: keys in order, no blanks")
        return card


def _named(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(part, str) and len(part) <= _TEXT for part in value)
    )


def _hold(condition: bool, name: str, what: str) -> None:
    if not condition:
        raise FileFormatError(f"expected that {name} {what}; it does not: it is damaged, or no card")


def canonical(value: Any) -> bytes:
    """JSON in one way only: keys in order, no blanks, ASCII."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


__all__ = ["ALGORITHMIC", "FORMAT", "GEOMETRIC", "Card", "canonical"]
