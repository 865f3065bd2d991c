"""Reading files and frames into tasks."""

from __future__ import annotations

from meristem.reading.files import read_table
from meristem.reading.tables import read_task

__all__ = ["read_table", "read_task"]
