"""A full report to test with."""

from __future__ import annotations

from meristem.model.report import (
    Bin,
    Calibration,
    Candidate,
    ClassCount,
    Coverage,
    Curve,
    CurvePoint,
    Effort,
    Facts,
    Forecast,
    Importance,
    Member,
    Quantile,
    Report,
    Score,
)

EVIL = "<script>alert(1)</script>\x1b[31m\"'&\u202e"


def sample(text: str = "x", scale: float = 1.0) -> Report:
    """A full report, with `text` wherever text goes."""
    candidates = tuple(
        Candidate(
            k,
            text,
            text,
            "scored" if k % 4 else text,
            "" if k % 4 else text,
            scale / (k + 1) if k % 4 else None,
            0.5,
            k,
        )
        for k in range(30)
    )
    return Report(
        facts=Facts(
            text, 344, 7, text, "classes", text, False, (ClassCount(text, 152), ClassCount("b", 124)), (text,)
        ),
        effort=Effort(58.3, 60.0, None, 2, 0, {text: text}),
        baseline=Score(text, 1.05 * scale, 1.05 * scale, 1.02 * scale, 1.08 * scale),
        best=Score(text, 0.02 * scale, 0.02 * scale, 0.01 * scale, 0.03 * scale),
        candidates=candidates,
        members=(Member(text, 0.6, 0.03), Member(text, 0.4)),
        importance=(
            Importance(text, 0.8, 0.7, 0.9),
            Importance(text, -0.001, -0.003, 0.002),
            Importance(text, 0.1),
        ),
        calibration=Calibration(
            (Bin(0.5, 0.6, 40), Bin(0.9, 0.88, 41)),
            0.03,
            0.05,
            text,
            (Coverage(0.9, 0.89),),
            (Quantile(0.25, -1.0), Quantile(0.75, 1.5)),
        ),
        curve=Curve(
            (CurvePoint(50, 0.1), CurvePoint(100, 0.06, 0.01), CurvePoint(200, 0.04)),
            Forecast(0.01, 2.0, 0.8, 0.03, 0.02, 0.035),
            text,
        ),
        files=(text,),
        next=(text,),
    )
