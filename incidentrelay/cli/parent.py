"""Ends this process together with its parent, however the parent ends.

The parent holds the other end of this process's standard input. Even kill -9 closes it,
on every Unix; a signal handler cannot promise that.
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
    """From now on, the end of standard input acts like SIGTERM."""
    threading.Thread(target=_watch, name="parent", daemon=True).start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    # Interrupted work has a lease, and the next worker repeats it.
    os._exit(1)
