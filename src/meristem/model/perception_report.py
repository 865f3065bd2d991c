"""What happened while a program with perception was grown: programs, what the reader seems to have learned, effort."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

from meristem.errors import FileFormatError
from meristem.model.program_report import ProgramReport
from meristem.model.report import _plain, _read
from meristem.model.words import clean, count, duration, number, percent

FORMAT = 1
BEYOND = -1.0
KIND = "perception"


@dataclass(frozen=True)
class TriedProgram:
    """A program that was ranked, or trained.

    Args:
        text: It, over readings.
        cost: Its description length in half bits.
        gap: Nats a label by which the labels' own frequencies explain them better, before training; None where
            readings were known.
        loss: Nats a label at the end of its longest training; None where it was not trained.
        steps: Of that training.
        accuracy: The share of held-out examples that it answers; None where that was not measured.
        cpu_seconds: What training took.
    """

    text: str
    cost: float
    gap: float | None = None
    loss: float | None = None
    steps: int = 0
    accuracy: float | None = None
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class TiedProgram:
    """A program that the labels do not tell from the chosen one, and why."""

    text: str
    reason: str


@dataclass(frozen=True)
class PerceptionReport(ProgramReport):
    """The report of a program with perception in it. `examples` are those it learned from.

    Args:
        way: How it was found: `part as it is`, `new head`, or `new reader`.
        held: How many examples were held out.
        accuracy: The share of them that the program answers.
        plain: The share that a plain network trained on the same examples answers; None where there was none.
        plain_name: Which plain network that is, the best of several.
        turn: The number of labels at which that network would do as well as the program, going by its learning curve;
            `BEYOND` where that is more than a thousand times those at hand, None where it is not known.
        constant: The share that the most frequent answer answers.
        classes: How many classes the reader has.
        prior: How often it sees each of them, in the held-out examples.
        entropy: Nats a label: how uncertain the labels are.
        tried: The programs that were looked at closely, best first.
        ties: Programs that the labels do not tell apart.
        cpu_seconds: What it took by stage.
        explained: Whether the program explains the labels at all.
    """

    way: str = ""
    held: int = 0
    accuracy: float = 0.0
    plain: float | None = None
    constant: float = 0.0
    classes: int = 0
    prior: tuple[float, ...] = ()
    entropy: float = 0.0
    tried_programs: tuple[TriedProgram, ...] = ()
    ties: tuple[TiedProgram, ...] = ()
    stages: dict[str, str] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    explained: bool = True
    plain_name: str = field(default="", metadata={"later": True})
    turn: float | None = field(default=None, metadata={"later": True})

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists, texts and numbers."""
        return {"kind": KIND, "format": FORMAT, **_plain(self)}

    @classmethod
    def from_json(cls, value: object) -> PerceptionReport:
        """Read what `to_json` gave.

        Raises:
            FileFormatError: It is not a report of a format that this version knows.
        """
        if not isinstance(value, dict) or value.get("kind") != KIND or value.get("format") != FORMAT:
            raise FileFormatError(
                f"expected the report of a program with perception of format {FORMAT}: it is damaged or was written "
                "by a newer version"
            )
        rest = {k: v for k, v in value.items() if k not in ("format", "kind")}
        report = _read(cls, rest, "report")
        assert isinstance(report, cls)
        return report

    @property
    def won(self) -> str:
        """Which answers more held-out examples: `program`, `network` or `tie`."""
        if self.plain is None or abs(self.plain - self.accuracy) < 0.005:
            return "program" if self.plain is None else "tie"
        return "program" if self.accuracy > self.plain else "network"

    def verdict(self) -> str:
        """Whether to trust the program, in a sentence or two."""
        if not self.held and self.explained:
            return (
                "No example could be held out, so how good it is was not measured (the most frequent answer is right "
                f"for {percent(self.constant)}): give more examples of each answer."
            )
        shown = f"It answers {percent(self.accuracy)} of {count(self.held, 'held-out example')}"
        if self.plain is not None:
            name = f" ({clean(self.plain_name, 40)})" if self.plain_name else ""
            shown += f", a plain network{name} trained on the same examples {percent(self.plain)}"
            shown += {"program": ": the program won", "network": ": the network won", "tie": ": a tie"}[
                self.won
            ]
            shown += self._turning()
        shown += f" (the most frequent answer: {percent(self.constant)})."
        if not self.explained:
            shown += (
                " No program that was tried explains the labels: take this one for what it is worth, check the labels, "
                "or give more examples or more time."
            )
        return shown

    def _turning(self) -> str:
        """At how many labels the other one would win, in words."""
        if self.turn is None or self.won == "tie":
            return ""
        if self.won == "network":
            return f", as it does from about {_rounded(self.turn)} labels on" if self.turn > 0 else ""
        if self.turn <= 0:
            return (
                "; not with a thousand times as many labels would the network catch up, by its learning curve"
            )
        return f"; the network would catch up at about {_rounded(self.turn)} labels, by its learning curve"

    def text(self, width: int = 100) -> str:
        """The report as plain text with lines of at most `width` characters."""
        head = f"{clean(self.name, 60)}: a program with perception from {count(self.examples, 'example')}"
        lines = [head, "=" * len(head), ""]
        types = ", ".join(f"{clean(n, 40)}: {clean(t, 60)}" for n, t in self.types.items())
        spent = "; ".join(f"{clean(k, 40)} {clean(v, 20)}" for k, v in self.stages.items())
        body = [
            self.verdict(),
            f"{types} -> {clean(self.output, 60)}. Found by: {self.way}. {self.considered:,} programs looked at; "
            f"{duration(self.effort.seconds)} in all, {number(self.cpu_seconds, 3)} CPU-seconds ({spent}); "
            f"{self.ended}.",
        ]
        seen = ", ".join(f"{k}: {percent(p)}" for k, p in enumerate(self.prior))
        if seen:
            body.append(f"What the reader sees of its {self.classes} classes: {seen}.")
        body += [f"Note: {clean(text, 600)}" for text in (*self.findings, *self.notes)]
        for text in body:
            lines += [*textwrap.wrap(text, width, break_on_hyphens=False), ""]
        lines.append("Programs (answers held-out; loss after training, steps; gap before it):")
        for p in self.tried_programs[:8]:
            said = [
                "      -" if p.accuracy is None else f"{percent(p.accuracy):>7}",
                "      -      " if p.loss is None else f"{p.loss:7.3f} {p.steps:5d}",
                "      -" if p.gap is None else f"{p.gap:7.4f}",
            ]
            shown = "  " + "  ".join(said) + "  "
            lines.append(shown + clean(p.text, max(width - len(shown), 30)))
        if self.ties:
            lines += ["", "Not told apart by the labels:"]
            lines += [f"  {clean(t.text, width - 6)}: {clean(t.reason, 80)}" for t in self.ties[:8]]
        return "\n".join(lines).rstrip() + "\n"

    def __str__(self) -> str:
        return self.text()


def _rounded(labels: float) -> str:
    """A number of labels to two digits."""
    step = 10 ** max(len(str(int(labels))) - 2, 0)
    return f"{max(1, round(labels / step)) * step:,}"


__all__ = ["BEYOND", "KIND", "PerceptionReport", "TiedProgram", "TriedProgram"]
