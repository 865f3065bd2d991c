from __future__ import annotations

import os
import tempfile

import pytest
from executor_helpers import MODULES, children, eventually

from meristem.executors import Pool
from meristem.executors._shared import PREFIX


@pytest.fixture(autouse=True)
def temp_folder(tmp_path, monkeypatch):
    """Every test has its own temporary folder, and leaves no shared data, process or open file behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = len(os.listdir("/proc/self/fd"))
    yield tmp_path
    assert not list(tmp_path.glob(f"{PREFIX}*"))
    assert eventually(lambda: not children()), children()
    assert len(os.listdir("/proc/self/fd")) <= files


@pytest.fixture
def pool(temp_folder):
    with Pool(2, modules=MODULES) as pool:
        yield pool
