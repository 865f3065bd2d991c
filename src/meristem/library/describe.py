"""Cards made from what is put into a library: models of any kind, and subroutines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from meristem._version import __version__
from meristem.errors import FileFormatError, InputError, MeristemError, Reason
from meristem.language.infer import infer, infer_body
from meristem.language.interpreter import Fit
from meristem.language.json_form import from_json, to_json
from meristem.language.terms import Call, Hole, Lambda, Module, Term, Variable
from meristem.language.text import format_term
from meristem.language.vocabulary import VOCABULARY, Subroutine
from meristem.library._files import digest_of
from meristem.library.card import ALGORITHMIC, GEOMETRIC, Card, canonical
from meristem.library.running import Runner, behaviour_of, equal, runner_of
from meristem.library.signature import Counts, count_properties
from meristem.model import Model, ProgramModel
from meristem.model.file import parse_json, unpack
from meristem.model.program_model import is_program
from meristem.model.value_text import json_value, value_text
from meristem.model.words import clean
from meristem.types import Type, format_type, function_of, rename_apart, substitute, variable
from meristem.values import Column, encode_column, read_type

SUBROUTINE_FORM = 1
_CLAIMS = 8  # answers that a card claims
_ASKED = 24  # examples that a program is asked for its card
_SAMPLE = 200  # values that statistics are made of
_SUMMARY, _DOC = 2_000, 300
_MOST_PROBED = 2_000  # characters of a value that a card shows
_MOST_TERM = 2_000  # nodes of a term that a card repeats


@dataclass(frozen=True)
class Described:
    """What goes into a library.

    Args:
        card: The card.
        content: The bytes that it speaks of.
        behaviour: How often each property holds of what it does, how often it can be asked, and a hash of what it does.
    """

    card: Card
    content: bytes
    behaviour: tuple[Counts, Counts, str | None]


# ---------------------------------------------------------------------------------------------- types


def principal(term: Term, names: Sequence[str]) -> Type | None:
    """The most general function type of a program over these inputs; None where it cannot be said.

    >>> from meristem.language.text import parse_term
    >>> str(principal(parse_term("append(xs, x)"), ("xs", "x")))
    '(list[a], a) -> list[a]'
    """
    variables = {name: variable(f"i{k}") for k, name in enumerate(names)}
    try:
        root = infer(term, variables)
    except MeristemError:
        return None
    types = dict(variables)
    for node in root.walk():
        if isinstance(node.term, Variable) and node.bindings and not node.bindings[0].local:
            types[node.term.name] = node.type
    return _renamed(function_of(*(types[name] for name in names), root.type))


def _renamed(type_: Type) -> Type:
    """A type whose variables are named a, b, c, ... in the order in which they come up."""
    found: dict[str, Type] = {}
    for inner in _in_order(type_):
        if inner.is_variable and inner.name not in found:
            k = len(found)
            found[inner.name] = variable("abcdefghjklmpqrstuvwxyz"[k] if k < 23 else f"a{k}", inner.kind)
    return substitute(rename_apart(type_, "~"), {f"{old}~": new for old, new in found.items()})


def _in_order(type_: Type) -> list[Type]:
    stack, found = [type_], []
    while stack:
        inner = stack.pop()
        found.append(inner)
        stack.extend(reversed(inner.args))
    return found


# ---------------------------------------------------------------------------------------------- statistics


def statistics(name: str, column: Column) -> dict[str, Any]:
    """What the values of an input looked like: how many, how large, how many differ."""
    values = [column[k] for k in range(min(len(column), _SAMPLE))]
    found: dict[str, Any] = {"name": name, "type": format_type(column.type, 40), "count": len(column)}
    head = column.type.name
    if head in ("int", "real", "bool"):
        found |= _spread("", [float(v) for v in values])
    elif head in ("text", "list", "map"):
        found |= _spread("length_", [float(len(v)) for v in values])
        if head == "list" and column.type.item.name in ("int", "real"):
            found |= _spread("item_", [float(v) for value in values for v in value][:5000])
    if head in ("int", "bool", "text", "class"):
        found["different"] = len(set(values))
    return found


def _spread(prefix: str, values: list[float]) -> dict[str, float]:
    finite = np.array([v for v in values if np.isfinite(v)])
    if not len(finite):
        return {}
    with np.errstate(over="ignore"):
        mean = float(finite.mean())
    return {
        f"{prefix}min": float(finite.min()),
        f"{prefix}mean": mean if np.isfinite(mean) else 0.0,
        f"{prefix}max": float(finite.max()),
    }


def fingerprint(columns: Mapping[str, Column]) -> str:
    """SHA-256 of columns: of which data a program was grown."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for k, column in enumerate(columns.values()):
        encode_column(column, str(k), arrays)
    listed = [
        [name, array.dtype.str, list(array.shape), digest_of(np.ascontiguousarray(array).tobytes())]
        for name, array in sorted(arrays.items())
    ]
    return digest_of(canonical([[str(c.type) for c in columns.values()], listed]))


def _object(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    """An object inside a report; an empty one where there is none."""
    found = record.get(key)
    return found if isinstance(found, dict) else {}


def _used(term: Term) -> tuple[str, ...]:
    """The functions and module kinds inside, each once."""
    names = [n.name if isinstance(n, Call) else n.kind for n in term.walk() if isinstance(n, Call | Module)]
    return tuple(sorted({name[:200] for name in names}))[:200]


def _made(task: str, given: Mapping[str, Any], data: str, seed: object) -> dict[str, Any]:
    return {
        "task": clean(task, _DOC),
        "data": data,
        "seed": seed if isinstance(seed, int) else None,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "by": f"meristem {__version__}",
        "licence": None,
        "origin": "added",
        **{key: value for key, value in given.items() if value is not None},
    }


# ---------------------------------------------------------------------------------------------- what can go in


def describe(thing: object, *, doc: str = "", provenance: Mapping[str, Any] | None = None) -> Described:
    """The card of a model or a subroutine.

    Args:
        thing: A `Model`, a `ProgramModel` or a `Subroutine`.
        doc: A line for a person; made from the program where left out.
        provenance: What is known of where it comes from, beside what the model says: `licence`, `origin`, ...

    Raises:
        InputError: It is nothing that a library holds.
    """
    given = dict(provenance or {})
    if isinstance(thing, ProgramModel):
        return describe_program(thing, thing.to_bytes(), doc, given)
    if isinstance(thing, Model):
        return describe_table(thing, thing.to_bytes(), doc, given)
    if isinstance(thing, Subroutine):
        return describe_subroutine(thing, doc, given)
    raise InputError(
        f"expected a model or a subroutine for the library, got {type(thing).__name__}; load files with ms.load"
    )


def open_content(
    kind: str, content: bytes, name: str
) -> Model | ProgramModel | tuple[str, Type, Lambda, str]:
    """What the bytes of an entry hold; checked as if they came from a stranger.

    Raises:
        FileFormatError: They are damaged or hostile.
    """
    if kind == "subroutine":
        return read_subroutine(content, name)
    parts, flat, extra = unpack(content, name)
    if is_program(parts) != (kind == "program"):
        raise FileFormatError(f"{name} is of another kind than its card says")
    return (ProgramModel if kind == "program" else Model).from_parts(parts, flat, extra, name)


def claims_of(runner: Runner, rows: Sequence[Sequence[Any]], fuel: int = 200_000) -> list[dict[str, Any]]:
    """What a card claims that a program gives for rows of inputs; only what is short."""
    found: list[dict[str, Any]] = []
    for k, inputs in enumerate(rows):
        answer = runner.answer(inputs, fuel)
        if answer.reason == Reason.FUEL:
            break
        text = value_text(answer.value, _MOST_PROBED)
        if len(text) < _MOST_PROBED and "…" not in text:
            found.append(
                {
                    "example": k,
                    "answer": json_value(answer.value),
                    "failure": answer.reason.name.lower() if not answer.there else "",
                }
            )
    return found


def rows_of(model: ProgramModel, most: int = _CLAIMS) -> list[tuple[Any, ...]]:
    """The inputs of the first examples of a model, a tuple each."""
    columns = list(model.examples.values())
    return [tuple(c[k] for c in columns) for k in range(min(len(model.answers), most))]


def runner_for(model: ProgramModel, fit: Fit | None = None) -> Runner | None:
    """A program from examples, ready to run row by row."""
    program = model.program
    return runner_of(
        model.term, model.names, list(program.inputs.values()), program.target, program.fit or None
    )


def describe_program(model: ProgramModel, content: bytes, doc: str, given: Mapping[str, Any]) -> Described:
    """The card of a program from examples, or of one with perception."""
    program, record = model.program, model.record
    exact = not program.fit
    general = principal(model.term, model.names) if exact else None
    if general is None:
        general = function_of(*program.inputs.values(), program.target)
    runner = runner_for(model)
    known = list(
        zip(
            rows_of(model, _ASKED),
            [model.answers[k] for k in range(min(len(model.answers), _ASKED))],
            strict=True,
        )
    )
    wrong = {each.get("number") for each in record.get("wrong", ()) if isinstance(each, dict)}
    behaviour = behaviour_of(runner if exact else None, list(program.inputs.values()), known)
    effort = _object(record, "effort")
    summary = format_term(model.term)[:_SUMMARY]
    scores: list[dict[str, Any]] = [_answered(model, runner, len(wrong))]
    if record.get("kind") != "program" and isinstance(record.get("accuracy"), int | float):
        scores.insert(
            0, _share_score("held-out answers right", float(record["accuracy"]), int(record.get("held") or 0))
        )
    elif isinstance(record.get("agreement"), int | float):
        scores.append({"name": "agreement", "value": float(record["agreement"])})
    first = [
        {"finder": each.get("finder")} for each in record.get("programs", ())[:1] if isinstance(each, dict)
    ]
    card = Card(
        kind="program",
        type=format_type(general),
        inputs=tuple((name, str(t)) for name, t in program.inputs.items()),
        output=(model.output, str(program.target)),
        shelf=ALGORITHMIC if exact else GEOMETRIC,
        summary=summary,
        doc=clean(doc or summary, _DOC),
        content=digest_of(content),
        program=program.hash,
        term=to_json(model.term) if exact and model.term.size <= _MOST_TERM else None,
        parts=_used(model.term),
        recipe={**effort, **(first[0] if first else {}), "ended": str(record.get("ended", ""))[:_DOC]},
        objective={
            "metric": "examples answered" if exact else "answers right",
            "wrong_allowed": len(wrong) > 0,
        },
        scores=tuple(scores),
        statistics=tuple(
            statistics(n, c) for n, c in {**model.examples, model.output: model.answers}.items()
        ),
        probes=tuple(claims_of(runner, rows_of(model))) if runner is not None else (),
        provenance=_made(
            model.name, given, fingerprint({**model.examples, " answers": model.answers}), effort.get("seed")
        ),
        task={"kind": "examples" if exact else "arrays", "examples": len(model.answers)},
    )
    return Described(card, content, behaviour)


def _answered(model: ProgramModel, runner: Runner | None, wrong: int) -> dict[str, Any]:
    """The share of its examples that a program answers; of one with perception what its report says."""
    total = len(model.answers)
    right = total - wrong
    if runner is not None and not model.program.fit:
        total = min(total, _ASKED)
        answers = [model.answers[k] for k in range(total)]
        right = 0
        for inputs, wanted in zip(rows_of(model, _ASKED), answers, strict=True):
            got = runner.answer(inputs, 200_000)
            right += got.there and equal(got.value, wanted)
            if got.reason == Reason.FUEL:
                break  # it would be as slow on the others
    return {"name": "examples answered", "value": right / max(total, 1), "rows": total}


def _share_score(name: str, share: float, rows: int) -> dict[str, Any]:
    """A share with its 95 % interval (Wilson)."""
    found: dict[str, Any] = {"name": name, "value": share, "rows": rows}
    if rows > 0:
        z = 1.96
        middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
        half = (
            z
            / (1 + z * z / rows)
            * float(np.sqrt(max(share * (1 - share), 0) / rows + z * z / (4 * rows * rows)))
        )
        found |= {"low": max(middle - half, 0.0), "high": min(middle + half, 1.0)}
    return found


def describe_table(model: Model, content: bytes, doc: str, given: Mapping[str, Any]) -> Described:
    """The card of a model of a table."""
    program, schema, record = model.program, model.schema, model.record
    facts = _object(record, "facts")
    effort = _object(record, "effort")
    scores = []
    for key in ("best", "baseline"):
        each = record.get(key)
        if isinstance(each, dict) and isinstance(each.get("score"), int | float):
            scores.append(
                {
                    "name": f"{facts.get('metric', 'score')}"
                    + (" of the baseline" if key == "baseline" else ""),
                    "value": float(each["score"]),
                    "low": each.get("low"),
                    "high": each.get("high"),
                    "rows": facts.get("rows"),
                }
            )
    summary = format_term(model.program.term)[:_SUMMARY]
    kinds: dict[str, int] = {}
    for feature in schema.features:
        kinds[feature.kind] = kinds.get(feature.kind, 0) + 1
    probes: list[dict[str, Any]] = []
    if model.example is not None:
        values = model.run_rows(model.example)  # type: ignore[arg-type]  # the example is a column of rows
        probes.append({"example": 0, "answer": np.asarray(values).ravel()[:1000].tolist(), "failure": ""})
    card = Card(
        kind="table",
        type=format_type(function_of(schema.type, program.target)),
        inputs=tuple((f.name, str(f.type)) for f in schema.features)[:1000],
        output=(schema.target.name, str(program.target)),
        shelf=GEOMETRIC if program.fit else ALGORITHMIC,
        summary=summary,
        doc=clean(doc or f"{schema.target.name} from {len(schema.features)} columns", _DOC),
        content=digest_of(content),
        program=program.hash,
        parts=_used(program.term),
        recipe=dict(effort),
        objective={"metric": facts.get("metric"), "greater_is_better": facts.get("greater_is_better")},
        scores=tuple(scores),
        statistics=tuple({"name": f.name, "type": format_type(f.type, 40)} for f in schema.features)[:1000],
        probes=tuple(probes),
        provenance=_made(
            str(facts.get("name", "")), given, str(facts.get("fingerprint", "")), effort.get("seed")
        ),
        task={
            "kind": "table",
            "rows": facts.get("rows"),
            "columns": len(schema.features),
            "kinds": kinds,
            "classes": len(schema.target.values) if schema.target.kind == "classification" else 0,
        },
    )
    holds, asked = count_properties([])
    return Described(card, content, (holds, asked, None))


# ---------------------------------------------------------------------------------------------- subroutines


def describe_subroutine(entry: Subroutine, doc: str, given: Mapping[str, Any]) -> Described:
    """The card of a function with a body in the language, such as abstraction finds."""
    from meristem.language.subroutines import body_of

    function = Lambda(tuple(entry.parameters), body_of(entry))
    content = subroutine_bytes(entry.name, entry.type, function, doc or entry.doc)
    return described_subroutine(content, given)


def subroutine_bytes(name: str, type_: Type, function: Lambda, doc: str) -> bytes:
    """The JSON form of a subroutine: what a library keeps of it."""
    return canonical(
        {
            "meristem-subroutine": SUBROUTINE_FORM,
            "name": name,
            "type": format_type(type_),
            "term": to_json(function),
            "doc": clean(doc, _DOC),
        }
    )


def read_subroutine(content: bytes, name: str) -> tuple[str, Type, Lambda, str]:
    """Name, type, function and line of documentation of a subroutine; well typed, and made of what is built in.

    Raises:
        FileFormatError: It is damaged, hostile, or of a newer form.
    """
    value = parse_json(content, name)
    if not isinstance(value, dict) or value.keys() != {"meristem-subroutine", "name", "type", "term", "doc"}:
        raise FileFormatError(f"{name} is no subroutine: expected its name, type, term and doc")
    if value["meristem-subroutine"] != SUBROUTINE_FORM:
        raise FileFormatError(f"{name} is a subroutine of a form that this version does not know")
    if not all(isinstance(value[key], str) and len(value[key]) <= 10_000 for key in ("name", "type", "doc")):
        raise FileFormatError(f"the subroutine in {name} has no name, type or doc")
    function, type_ = from_json(value["term"]), read_type(value["type"])
    try:
        _check_subroutine(function, type_)
    except FileFormatError as error:
        raise FileFormatError(f"the subroutine in {name} cannot be used: {error}") from None
    except MeristemError as error:
        raise FileFormatError(f"the subroutine in {name} is not well formed: {error}") from None
    assert isinstance(function, Lambda)
    return value["name"], type_, function, value["doc"]


def _check_subroutine(function: Term, type_: Type) -> None:
    if not isinstance(function, Lambda) or not type_.is_function:
        raise FileFormatError("it is no function")
    if len(type_.parameters) != len(function.parameters) or len(set(function.parameters)) < len(
        function.parameters
    ):
        raise FileFormatError("its parameters do not fit its type")
    if function.free_names:
        raise FileFormatError(
            f"it uses the name {clean(min(function.free_names), 40)!r}, which nothing binds"
        )
    for node in function.walk():
        if isinstance(node, Module | Hole):
            raise FileFormatError("it holds a fitted part or a hole; pass a reader as an argument")
        if isinstance(node, Call):
            VOCABULARY.find(node.name, node.version)
    # Its variables stand for any type: each is made a type that equals nothing else.
    fixed = {t.name: variable(f"{t.name}'fixed", t.kind) for t in type_.walk() if t.is_variable}
    held = substitute(type_, fixed)
    root, bindings = infer_body(
        function.body, dict(zip(function.parameters, held.parameters, strict=True)), held.result
    )
    now = function_of(*(b.type for b in bindings), root.type)
    left = [t.name for t in now.walk() if t.is_variable]
    if _renamed(now) != _renamed(held) or len(set(left)) != len(fixed):
        raise FileFormatError(f"its type is {format_type(_renamed(now))}, not {format_type(type_)}")


def described_subroutine(content: bytes, given: Mapping[str, Any]) -> Described:
    """The card of a subroutine in its JSON form."""
    name, type_, function, doc = read_subroutine(content, "the subroutine")
    types = ground_instance(type_)
    runner = None
    behaviour: tuple[Counts, Counts, str | None]
    if types is not None:
        runner = runner_of(function.body, function.parameters, types.parameters, types.result)
    behaviour = behaviour_of(runner, list(types.parameters) if types is not None else [])
    summary = format_term(function)[:_SUMMARY]
    card = Card(
        kind="subroutine",
        type=format_type(_renamed(type_)),
        inputs=tuple(zip(function.parameters, map(format_type, type_.parameters), strict=True)),
        output=("result", format_type(type_.result)),
        shelf=ALGORITHMIC,
        summary=summary,
        doc=clean(doc or summary, _DOC),
        content=digest_of(content),
        program=digest_of(f"{function.digest} {format_type(_renamed(type_))}".encode()),
        term=to_json(function.body) if function.size <= _MOST_TERM else None,
        parts=_used(function),
        objective={},
        provenance=_made(name, given, "", None),
        task={"kind": "subroutine"},
    )
    return Described(card, content, behaviour)


def ground_instance(type_: Type) -> Type | None:
    """A type without variables: whole numbers in their place; None where functions go in."""
    if any(t.is_function for p in type_.parameters for t in p.walk()):
        return None
    from meristem.types import INT

    return substitute(type_, {t.name: INT for t in type_.walk() if t.is_variable})


__all__ = [
    "Described",
    "claims_of",
    "describe",
    "described_subroutine",
    "fingerprint",
    "ground_instance",
    "open_content",
    "principal",
    "read_subroutine",
    "rows_of",
    "runner_for",
    "subroutine_bytes",
]
