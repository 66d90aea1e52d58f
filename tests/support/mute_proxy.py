"""A TCP proxy that can fall silent: connections stay open and nothing passes."""

import select
import socket
import threading
from types import TracebackType


class MuteProxy:
    """Forwards to ``host:port`` from ``self.port`` until :meth:`mute`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._muted = threading.Event()
        self._ended = threading.Event()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._deaf: set[socket.socket] = set()
        self._opened: list[socket.socket] = [self._listener]
        self._thread = threading.Thread(target=self._run)

    def mute(self) -> None:
        """Stop forwarding; new connections are accepted but get nothing."""
        self._muted.set()

    def unmute(self) -> None:
        """New connections work again; the old ones have lost what was sent meanwhile."""
        self._deaf |= self._pairs.keys()
        self._muted.clear()

    def __enter__(self) -> "MuteProxy":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        for connection in self._opened:
            connection.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([self._listener, *self._pairs], [], [], 0.02)
            for source in ready:
                if source is self._listener:
                    self._accept()
                elif source in self._pairs:
                    self._forward(source)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        far = socket.create_connection(self._target)
        self._pairs |= {near: far, far: near}
        self._opened += (near, far)

    def _forward(self, source: socket.socket) -> None:
        target = self._pairs[source]
        try:
            data = source.recv(65536)
        except ConnectionResetError:
            data = b""
        silent = self._muted.is_set() or source in self._deaf
        if not data:
            # A silent proxy does not forward a close either.
            del self._pairs[source]
            if not silent:
                target.shutdown(socket.SHUT_WR)
        elif not silent:
            target.sendall(data)
