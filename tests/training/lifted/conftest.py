"""Declares the reader that tests of lifting use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from glance_reader import Glance

from meristem.language.kinds import KINDS


@pytest.fixture(scope="package", autouse=True)
def _glance() -> Iterator[None]:
    KINDS.add(Glance())
    yield
    del KINDS._kinds["glance", 1]
    KINDS._names.discard("glance")
