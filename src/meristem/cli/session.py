"""What the commands of one call share: when it began, where words go, and how errors end it."""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from meristem.errors import MeristemError

OK, USER_ERROR, USAGE_ERROR, DEFECT, INTERRUPTED = 0, 1, 2, 70, 130
_COLOURS = {"red": "31", "yellow": "33", "bold": "1", "dim": "2"}


class WrongUse(MeristemError):
    """The command was typed wrongly."""


@dataclass
class Session:
    """One call of the command line.

    Args:
        began: When the process began, in `time.monotonic()` seconds.
        debug: Whether errors show their traceback.
        when_stopped: What to say if the user interrupts now.
        as_json: Whether a program reads stdout: then an error is a JSON object there too.
    """

    began: float
    debug: bool = False
    when_stopped: str = "stopped"
    as_json: bool = False

    @property
    def elapsed(self) -> float:
        """Seconds since the process began."""
        return time.monotonic() - self.began

    def run(self, command: Callable[[], int | None]) -> int:
        """Run a command; whatever happens becomes a line for the user and an exit code."""
        try:
            with warnings.catch_warnings():
                if not self.debug:
                    warnings.showwarning = self._warned
                code = command()
            sys.stdout.flush()
            return code or OK
        except KeyboardInterrupt:
            note(self.when_stopped)
            return INTERRUPTED
        except BrokenPipeError:
            # Who reads has read enough (`meristem show model.mst | head`): that is no error.
            silence(sys.stdout)
            return OK
        except WrongUse as error:
            return self.fail(str(error), USAGE_ERROR)
        except MeristemError as error:
            return self.fail(str(error), USER_ERROR)
        except MemoryError:
            return self.fail(
                "there is not enough memory for this; use a smaller table or --memory", USER_ERROR
            )
        except OSError as error:
            name = f" ({one_line(error.filename)})" if error.filename else ""
            return self.fail(f"{error.strerror or error}{name}", USER_ERROR)
        except Exception as error:
            hint = (
                "" if self.debug else "; this is a defect in Meristem: --debug shows where, please report it"
            )
            return self.fail(f"{type(error).__name__}: {error}{hint}", DEFECT)

    def fail(self, message: str, code: int) -> int:
        """Say why it ended, with the traceback of the error under way where that is wanted."""
        if self.debug and sys.exc_info()[0] is not None:
            note(traceback.format_exc().rstrip())
        note(f"{paint('error:', 'red', sys.stderr)} {one_line(message)}")
        if self.as_json:
            import json

            try:
                say(json.dumps({"error": one_line(message), "code": code}))
                sys.stdout.flush()
            except BrokenPipeError:
                silence(sys.stdout)
        return code

    @staticmethod
    def _warned(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        warn(str(message))


def warn(message: str) -> None:
    """Tell the user something on stderr that does not stop the work."""
    note(f"{paint('warning:', 'yellow', sys.stderr)} {one_line(message)}")


def note(text: str) -> None:
    """A line on stderr. If nobody listens there any more, the work goes on."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except BrokenPipeError:
        silence(sys.stderr)


def say(text: str = "") -> None:
    """A line on stdout."""
    sys.stdout.write(text + "\n")


def silence(stream: TextIO) -> None:
    """Send what is still to be written to nowhere, so that closing the stream at the end cannot fail."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass


def one_line(text: object) -> str:
    """Text on one line without characters that steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text)).strip()


def colourful(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours, and the user has nothing against them."""
    return (
        stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")
    )


def paint(text: str, style: str, stream: TextIO) -> str:
    """The text in a colour where the stream shows colours."""
    return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if colourful(stream) else text


def prepare_streams() -> None:
    """See that no character is ever the reason for a crash, whatever the terminal's encoding is."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
