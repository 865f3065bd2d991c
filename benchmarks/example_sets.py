"""The sets of tasks that `examples.py` measures with: readers, and the pairs to learn from and to test with.

None of the data is in this repository: its licences differ. `--data` names a folder with `list_functions`,
`dreamcoder_lists` and `sygus_strings`, each as its source publishes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT = Path(__file__).parents[2] / "shared" / "data" / "examples"

Pair = tuple[tuple[Any, ...], Any]
"""The inputs, and the answer."""


@dataclass(frozen=True)
class Given:
    """A task: pairs to learn from, and pairs that show whether it was learned.

    Args:
        name: Unique in its set.
        types: As `Task.from_examples` takes them: `"list[int] -> int"`.
        train: Pairs to learn from.
        test: Pairs to test with.
        names: Of the inputs.
        text: The file it comes from, where another system reads that.
    """

    name: str
    types: str
    train: tuple[Pair, ...]
    test: tuple[Pair, ...] = ()
    names: tuple[str, ...] = ("x",)
    text: str = field(default="", repr=False)

    @property
    def contradictory(self) -> bool:
        """Whether one input has two answers."""
        seen: dict[str, Any] = {}
        return any(seen.setdefault(json.dumps(args), answer) != answer for args, answer in self.train)

    @property
    def distinct(self) -> tuple[Pair, ...]:
        """The pairs to learn from, each once."""
        return tuple({json.dumps(pair): pair for pair in self.train}.values())


class NoData(Exception):
    """The data is not there."""


def _there(path: Path, what: str) -> Path:
    if not path.exists():
        raise NoData(
            f"expected {what} at {path}, found nothing; the sets are not part of the repository: name the folder that "
            "holds list_functions, dreamcoder_lists and sygus_strings with --data"
        )
    return path


def list_functions(data: Path) -> list[Given]:
    """Functions from lists to lists of whole numbers (J. Rule): 8 pairs to learn, 8 to test."""
    path = _there(data / "list_functions" / "list_functions_even.jsonl", "the list functions")
    found = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        train, test = (
            tuple(((json.loads(p["input"]),), json.loads(p["output"])) for p in row[part])
            for part in ("train", "test")
        )
        found.append(Given(f"c{row['idx']:03d}", "list[int] -> list[int]", train, test))
    return found


_TYPES = {
    "list-of-int": "list[int]",
    "list-of-bool": "list[bool]",
    "int": "int",
    "bool": "bool",
}


def dreamcoder(data: Path) -> list[Given]:
    """DreamCoder's list tasks (MIT): the first 10 pairs to learn, the last 5 to test."""
    path = _there(data / "dreamcoder_lists" / "list_tasks.json", "DreamCoder's list tasks")
    found = []
    for row in json.loads(path.read_text()):
        types = f"{_TYPES[row['type']['input']]} -> {_TYPES[row['type']['output']]}"
        pairs = tuple(((p["i"],), p["o"]) for p in row["examples"])
        found.append(Given(row["name"], types, pairs[:10], pairs[-5:]))
    return found


def sygus(data: Path) -> list[Given]:
    """Strings of the SyGuS competition, by their files. The pairs to test are those of the -long variant."""
    import meristem as ms

    folder = _there(data / "sygus_strings", "the SyGuS files")
    read: dict[str, Given] = {}
    for path in sorted(folder.glob("*/*.sl")):
        text = path.read_text()
        task = ms.Task.from_examples(path)
        # Reading merges equal pairs; how many a file has does not matter to any of the systems.
        pairs = tuple((task.arguments(k), task.answers[k]) for k in range(len(task)))
        types = ", ".join(str(t) for t in task.input_types.values()) + f" -> {task.answers.type}"
        read[path.stem] = Given(path.stem, types, pairs, (), tuple(task.input_types), text)
    found = []
    for name, given in read.items():
        long = read.get(long_variant(name))
        own = [short_variant(other, read) for other in read if other.endswith("-long")]
        test = long.train if long is not None and name in own else ()
        found.append(Given(name, given.types, given.train, test, given.names, given.text))
    return found


def long_variant(name: str) -> str:
    """The name of the long variant of a file."""
    for end in ("_short", "_small", "-short"):
        name = name.removesuffix(end)
    return name + "-long"


def short_variant(name: str, files: dict[str, Given]) -> str | None:
    """The name of the shortest variant of a long file; None where there is none."""
    stem = name.removesuffix("-long")
    return next((stem + end for end in ("_short", "_small", "") if stem + end in files), None)


__all__ = ["DEFAULT", "Given", "NoData", "Pair", "dreamcoder", "list_functions", "long_variant", "sygus"]
