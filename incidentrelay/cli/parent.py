"""Ending together with the process that started this one, however that one ends.

The starter keeps the other end of this process's standard input. A kill -9 closes
it too, on every Unix, which no handler of signals could promise.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import rich_click as click

Function = TypeVar("Function", bound=Callable[..., Any])

GRACE_SECONDS = 10


def parent_option(function: Function) -> Function:
    """Adds the hidden ``--end-with-stdin`` (parameter ``end_with_stdin``) to a command."""
    option = click.option("--end-with-stdin", is_flag=True, hidden=True)
    return option(function)


def end_with_stdin() -> None:
    """From now on, the end of standard input ends this process like SIGTERM."""
    threading.Thread(target=_watch, name="parent", daemon=True).start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    # What is cut off here has a lease, and is done again by the next worker.
    os._exit(1)
