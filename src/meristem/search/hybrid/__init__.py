"""Programs over what images show, found before any network is trained: readings, enumeration, likelihood of labels."""

from meristem.search.hybrid.enumerating import Effort
from meristem.search.hybrid.known import Answering, Answers, rank_known, right_share_of
from meristem.search.hybrid.ranking import Ranked, Ranking, Tie, rank_programs
from meristem.search.hybrid.readings import Look, ReadingProblem, look_at, reader_of, reading_problem

__all__ = [
    "Answering",
    "Answers",
    "Effort",
    "Look",
    "Ranked",
    "Ranking",
    "ReadingProblem",
    "Tie",
    "look_at",
    "rank_known",
    "rank_programs",
    "reader_of",
    "reading_problem",
    "right_share_of",
]
