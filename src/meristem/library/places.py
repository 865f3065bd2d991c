"""Where the user's own library is."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def default_path() -> Path:
    """Where the user's library is: MERISTEM_LIBRARY, or the system's place for data of a user."""
    named = os.environ.get("MERISTEM_LIBRARY")
    if named:
        return Path(named).expanduser()
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
        return Path(base) / "meristem" / "library"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "meristem" / "library"
    data = os.environ.get("XDG_DATA_HOME", "")
    base_path = Path(data) if data.startswith("/") else Path.home() / ".local" / "share"
    return base_path / "meristem" / "library"


__all__ = ["default_path"]
