"""Columns of typed values."""

from meristem.values.building import codes, column_from, concatenate, filler, infer_type, reals
from meristem.values.columns import (
    Column,
    Dense,
    Dists,
    Lists,
    Maps,
    Options,
    Pairs,
    Rows,
    Scalars,
    Texts,
    hashable,
    offsets_from,
    ragged_take,
)
from meristem.values.encoding import decode_column, decode_strings, encode_column, encode_strings, read_type

__all__ = [
    "Column",
    "Dense",
    "Dists",
    "Lists",
    "Maps",
    "Options",
    "Pairs",
    "Rows",
    "Scalars",
    "Texts",
    "codes",
    "column_from",
    "concatenate",
    "decode_column",
    "decode_strings",
    "encode_column",
    "encode_strings",
    "filler",
    "hashable",
    "infer_type",
    "offsets_from",
    "ragged_take",
    "read_type",
    "reals",
]
