"""What docs/add-a-primitive.md shows works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "add-a-primitive.md"


def test_the_template_works(tmp_path: Path) -> None:
    template, *trials = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "intervals.py").write_text(template, encoding="utf-8")
    # The folder stands in for src/meristem/primitives: files there are found by themselves.
    start = (
        "import pkgutil; own = pkgutil.iter_modules\n"
        f"folder = {str(tmp_path)!r}\n"
        "def found(path):\n"
        "    if isinstance(path, list) and path[0].endswith('primitives'): path.append(folder)\n"
        "    return own(path)\n"
        "pkgutil.iter_modules = found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", start + "".join(trials)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second, source = done.stdout.split("\n", 2)
    assert first == "[[2, 4, 6, 8]]"
    assert second.startswith("[True, EvaluationError")
    assert "def " in source
