"""The windows in which a long list is read from its start.

Each window is wider than the one before as long as there is little in them::

    falling    end ├──────────────── low ┤├─── high ┤├┤ start
    rising     start ├┤├─── high ┤├──────────────── low ┤ end

Values are ints or aware datetimes; widths are ints or timedeltas.
"""

from datetime import datetime
from typing import Any

# The most candidates in one window.
CAP = 4096
_GROWTH = 8


class SearchWindows:
    """The windows [low, high) from ``start`` to ``end``, which lies before it if ``falling``.

    ``tick`` is the least width, and ``width`` that of the first window. ``examined`` counts
    the candidates in the windows that were left behind.
    """

    def __init__(self, start: Any, end: Any, *, falling: bool, tick: Any, width: Any) -> None:
        self.position, self._end, self._falling = start, end, falling
        self._tick, self._width = tick, width
        self.examined = 0

    @property
    def over(self) -> bool:
        """Whether the end is reached."""
        return bool(self.position <= self._end if self._falling else self.position >= self._end)

    @property
    def bounds(self) -> tuple[Any, Any]:
        """``low`` and ``high`` of the current window."""
        if self._falling:
            return _step(self.position, -self._width, self._end), self.position
        return self.position, _step(self.position, self._width, self._end)

    @property
    def fits(self) -> bool:
        """Whether the window is so narrow that it cannot hold more than CAP values."""
        low, high = self.bounds
        return bool((high - low) // self._tick <= CAP)

    def narrow(self) -> None:
        """Narrow a window with more than CAP candidates, down to one tick."""
        low, high = self.bounds
        self._width = max((high - low) // _GROWTH, self._tick)

    def advance(self, count: int) -> None:
        """Leave the window, with ``count`` candidates, behind."""
        low, high = self.bounds
        self.position = low if self._falling else high
        self.examined += count
        if count <= CAP // _GROWTH:
            self._width *= _GROWTH


def _step(position: Any, width: Any, end: Any) -> Any:
    """``position + width``, but not beyond ``end``."""
    if isinstance(position, datetime):
        # Far enough: a step of more would leave the range of datetimes.
        beyond = abs(width) >= abs(end - position)
        return end if beyond else position + width
    return max(position + width, end) if width < 0 else min(position + width, end)
