"""The command line: `meristem grow | predict | score | show | library`.

Exit codes: 0 done, 1 the input cannot be used, 2 the command was typed wrongly, 70 a defect in Meristem,
130 interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code.

    Args:
        arguments: What follows the program's name. None takes it from the command line, and this is then the whole
            life of the process: a budget counts from its start, and it ends here, without returning.
    """
    from meristem.cli.start import leave, process_start, this_moment

    began = process_start() if arguments is None else this_moment()
    from meristem.cli.app import run

    code = run(arguments, began)
    if arguments is None:
        leave(code)
    return code
