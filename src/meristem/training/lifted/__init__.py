"""Lifting: training the perception inside an exact program from final answers only.

`split_term` finds the perception calls of a program and its exact remainder; `Plans` gives the decision diagram of
each shape of examples, exact over all joint readings; `train_lifted` trains by them; `label_prior` and
`label_likelihood` say how well a program explains labels before anything is trained.
"""

from meristem.training.lifted.confidence import answer_probabilities
from meristem.training.lifted.data import Data, concrete_answers, data_of, right_share
from meristem.training.lifted.diagrams import Diagram, diagram_of
from meristem.training.lifted.likelihood import Likelihood
from meristem.training.lifted.plans import Plans
from meristem.training.lifted.priors import Prior, Readings, best_likelihood, label_likelihood, label_prior
from meristem.training.lifted.shapes import Group, Known, Shapes, shapes_of
from meristem.training.lifted.split import Reader, Split, split_term
from meristem.training.lifted.tables import FAILED, Table, Variable, joint_table
from meristem.training.lifted.train import LiftedFit, Recipe, train_lifted

__all__ = [
    "FAILED",
    "Data",
    "Diagram",
    "Group",
    "Known",
    "LiftedFit",
    "Likelihood",
    "Plans",
    "Prior",
    "Reader",
    "Readings",
    "Recipe",
    "Shapes",
    "Split",
    "Table",
    "Variable",
    "answer_probabilities",
    "best_likelihood",
    "concrete_answers",
    "data_of",
    "diagram_of",
    "joint_table",
    "label_likelihood",
    "label_prior",
    "right_share",
    "shapes_of",
    "split_term",
    "train_lifted",
]
