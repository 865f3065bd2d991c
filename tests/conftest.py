"""What all tests share."""

from __future__ import annotations

import signal

# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start inherits that. The tests
# that send it need the usual handling.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
