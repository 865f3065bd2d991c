"""Declares the reader that tests of lifting use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from glance_reader import Glance

from declared import declared


@pytest.fixture(scope="package", autouse=True)
def _glance() -> Iterator[None]:
    with declared(Glance()):
        yield
