"""CSV tables for spreadsheets (RFC 4180)."""

import csv
import io
from collections.abc import Iterable, Sequence

# A spreadsheet evaluates text that starts with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format rows with a header; text that a spreadsheet would evaluate gets a prefix ``'``."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
    return out.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
