"""A fast webhook receiver that notes when each alert arrived.

Run as ``python -m benchmarks.sink PORT``. It answers 204 to every POST; ``GET /`` gives
``{"messages": n, "alerts": {title: seconds}}`` on the machine's monotonic clock, and
``DELETE /`` begins anew.
"""

import asyncio
import json
import sys
import time


class Sink:
    def __init__(self) -> None:
        self.messages = 0
        self.alerts: dict[str, float] = {}

    def answer(self, method: str, body: bytes) -> bytes:
        if method == "POST":
            self._add(json.loads(body)["data"])
        elif method == "DELETE":
            self.messages, self.alerts = 0, {}
        else:
            return json.dumps({"messages": self.messages, "alerts": self.alerts}).encode()
        return b""

    def _add(self, data: dict[str, object]) -> None:
        at = time.monotonic()
        self.messages += 1
        alerts = data["alerts"] if "alerts" in data else [data["alert"]]
        for alert in alerts:  # type: ignore[attr-defined]
            self.alerts.setdefault(alert["title"], at)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                request, *lines = head.strip().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                answer = self.answer(request.split()[0], body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client has hung up.
        finally:
            writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(Sink().serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
