"""The floor: the least that a durable answer needs, on the same web server.

Parse the JSON, one INSERT, one COMMIT. Run as ``python -m benchmarks.floor URL PORT``.
"""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

import waitress
from sqlalchemy import text

from incidentrelay.db import Database

_INSERT = text("INSERT INTO floor VALUES (1, :body)")


def make_floor(
    database: Database,
) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """A WSGI application; makes its table."""
    with database.writing.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS floor (id INTEGER, body TEXT)"))

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if body:
            json.loads(body)
            with database.writing.begin() as connection:
                connection.execute(_INSERT, {"body": body.decode()})
        start_response("200 OK", [("Content-Length", "2")])
        return [b"[]"]

    return answer


if __name__ == "__main__":
    url, port = sys.argv[1:]
    # As many threads as production.ini has.
    waitress.serve(make_floor(Database(url)), host="127.0.0.1", port=int(port), threads=8)
