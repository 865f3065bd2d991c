"""What happened while a program was found: what was tried, what fits, how sure it is."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

from meristem.errors import FileFormatError
from meristem.model.report import Effort, _plain, _read
from meristem.model.words import clean, count, duration, joined, number, percent

FORMAT = 1
NEAR = "near it"
"""In place of a finder: a program that no search gave, but that lies near the chosen one and fits too."""


@dataclass(frozen=True)
class FinderEnd:
    """A way of searching and its end.

    Args:
        name: Which.
        seconds: What it took.
        turns: How often it was asked.
        programs: How many programs it looked at, where it says so.
        found: How many that fit it gave.
        refuted: How many that it gave and that do not answer the examples after all.
        end: Why it ended, in words.
    """

    name: str
    seconds: float
    turns: int
    programs: int
    found: int
    refuted: int
    end: str


@dataclass(frozen=True)
class FoundProgram:
    """A program that fits.

    Args:
        text: It, in the text form.
        bits: Its description length.
        share: Its share of the likelihood of all that fit.
        finder: What found it.
        turn: At which turn of the search.
        seconds: How long after the start.
        wrong: How many examples it does not answer.
        support: The least number of examples that a branch of it rests on; None without branches.
        agrees: The share of further and made-up inputs on which it says what the chosen one says; None where none
            were asked.
    """

    text: str
    bits: float
    share: float
    finder: str
    turn: int
    seconds: float
    wrong: int = 0
    support: int | None = None
    agrees: float | None = None


@dataclass(frozen=True)
class WrongExample:
    """An example that the program does not answer: its number, and as texts its inputs, its answer and what comes."""

    number: int
    inputs: str
    wanted: str
    got: str


@dataclass(frozen=True)
class ProgramReport:
    """The report of a program that was grown from examples.

    Args:
        name: Of the task.
        examples: How many.
        further: How many inputs without answers.
        types: The type of each input, by name.
        output: The type of the answers.
        effort: What was spent.
        program: The chosen one in the text form.
        bits: Its description length.
        agreement: Its expected agreement with all programs that fit, on further and made-up inputs, 0 to 1.
        asked: On how many inputs that was measured.
        considered: How many programs were looked at.
        support: The least number of examples that a branch rests on; None without branches.
        wrong: The examples that it does not answer, where that was allowed.
        finders: The ways of searching.
        programs: Those that fit, the likeliest first.
        ended: Why the search ended.
        findings: Sentences about the examples that the user should read.
        questions: How many questions the model has.
        told: Bits that write the answers down as they are; None in reports of earlier versions.
    """

    name: str
    examples: int
    further: int
    types: dict[str, str]
    output: str
    effort: Effort
    program: str
    bits: float
    agreement: float
    asked: int
    considered: int
    ended: str
    support: int | None = None
    wrong: tuple[WrongExample, ...] = ()
    finders: tuple[FinderEnd, ...] = ()
    programs: tuple[FoundProgram, ...] = ()
    findings: tuple[str, ...] = ()
    questions: int = 0
    notes: tuple[str, ...] = field(default=())
    told: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists, texts and numbers.

        Raises:
            ValueError: A number is not finite, or a value has not the declared type: a defect of the caller.
        """
        try:
            read = ProgramReport.from_json({"kind": "program", "format": FORMAT, **_plain(self)})
        except FileFormatError as error:
            raise ValueError(f"the report cannot be stored: {error}") from None
        return {"kind": "program", "format": FORMAT, **_plain(read)}

    @classmethod
    def from_json(cls, value: object) -> ProgramReport:
        """Read what `to_json` gave.

        Raises:
            FileFormatError: It is not a report of a format that this version knows.
        """
        if not isinstance(value, dict) or value.get("kind") != "program":
            raise FileFormatError("expected the report of a program from examples")
        version = value.get("format")
        if type(version) is not int or version != FORMAT:
            raise FileFormatError(
                f"expected a report of format {FORMAT}, got {version!r:.60}: it is damaged or was "
                "written by a newer version; upgrade Meristem or show the model with the version that grew it"
            )
        rest = {k: v for k, v in value.items() if k not in ("format", "kind")}
        report = _read(cls, rest, "report")
        assert isinstance(report, cls)
        return report

    # ------------------------------------------------------------------------------------------ in words

    def verdict(self) -> str:
        """Whether to trust the program, in a sentence or two."""
        fits = self.examples - len(self.wrong)
        text = (
            ("It answers the example" if self.examples == 1 else f"It answers all {self.examples:,} examples")
            if not self.wrong
            else f"It answers {fits:,} of {count(self.examples, 'example')}"
        )
        rivals = [p for p in self.programs[:100] if p.agrees is not None and p.agrees < 1]
        if self.examples == 1:
            return f"{text}. One example leaves almost everything open: add two or three that differ."
        if self.support is not None and self.support < 2:
            return f"{text}, but a branch of it rests on one example: it may only repeat that one. Add another like it."
        if self.told is not None and self.bits > self.told:
            return (
                f"{text}, but writing it down takes as much as the answers themselves ({self.bits:.0f} bits, they "
                f"{self.told:.0f}): it may only repeat them. Add examples, or say what it looks like (sketch=)."
            )
        if not self.asked or (self.agreement > 0.995 and not self.questions):
            return f"{text}, and nothing that fits as well was found to answer otherwise."
        if self.agreement > 0.9:
            return (
                f"{text}. Other programs fit too and seldom answer otherwise "
                f"({percent(1 - self.agreement)} by likelihood): see the questions."
            )
        return (
            f"{text}, but {count(len(rivals), 'other program')} that fit too answer otherwise on many inputs "
            f"({percent(1 - self.agreement)} by likelihood): answer a question below and add it as an example."
        )

    def tried(self) -> str:
        """What was tried and why it ended, in words."""
        looked = f"{self.considered:,} programs looked at, " if self.considered else ""
        found = sum(p.finder != NEAR for p in self.programs)
        fitting = count(found, "program") + " that " + ("fits" if found == 1 else "fit")
        near = len(self.programs) - found
        fitting += f" and {near:,} near by that would do" if near else ""
        return f"{looked}{fitting} found in {duration(self.effort.seconds)}; {self.ended}."

    def text(self, width: int = 100) -> str:
        """The report as plain text with lines of at most `width` characters."""
        types = ", ".join(f"{clean(n, 40)}: {clean(t, 60)}" for n, t in self.types.items())
        head = f"{clean(self.name, 60)}: a program from {count(self.examples, 'example')}"
        lines = [head, "=" * len(head), ""]
        body = [self.verdict(), f"{types} -> {clean(self.output, 60)}. {self.tried()}"]
        body += [f"Note: {clean(text, 600)}" for text in (*self.findings, *self.notes)]
        for text in body:
            lines += [*textwrap.wrap(text, width, break_on_hyphens=False), ""]
        if self.wrong:
            lines.append(f"Examples taken as wrong ({len(self.wrong)}):")
            for each in self.wrong[:10]:
                line = (
                    f"  example {each.number}: {each.inputs} -> {each.wanted}, the program gives {each.got}"
                )
                lines.append(clean(line, 2 * width))
            lines.append("")
        others = sorted(self.programs, key=lambda p: (-p.share, p.bits))[:6]  # equals stay as they came
        others = [p for p in others if p.text != self.program]
        lines.append(f"Likeliest programs (bits; share{'; agrees' if self.asked else ''}):")
        for p in [next((p for p in self.programs if p.text == self.program), None), *others]:
            if p is not None:
                agrees = f"  {percent(p.agrees):>6}" if p.agrees is not None else ""
                shown = f"  {number(p.bits, 4):>6}  {percent(p.share):>7}{agrees}  "
                lines.append(shown + clean(p.text, max(width - len(shown), 30)))
        if self.finders:
            said = [f"{clean(f.name, 30)} {duration(f.seconds)}, {clean(f.end, 80)}" for f in self.finders]
            lines += ["", *textwrap.wrap(f"Searched by {joined(said)}.", width, break_on_hyphens=False)]
        return "\n".join(lines).rstrip() + "\n"

    def __str__(self) -> str:
        return self.text()


__all__ = ["FinderEnd", "FoundProgram", "ProgramReport", "WrongExample"]
