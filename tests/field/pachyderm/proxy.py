"""Ports of a node: connections to one address are handed on to another, as kube-proxy does with node ports."""

import contextlib
import socket
import threading

from limits import scaled

PIECE = 65536
CONNECT_SECONDS_MAX = scaled(3)


class Proxy:
    """Listens until close(), which also ends the connections. OSError if the port is taken."""

    def __init__(self, address: str, port: int, target: tuple[str, int]):
        self.target = target
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server((address, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        _shut(self._listener)
        with self._lock:
            for one in self._open:
                _shut(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                taken, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        with contextlib.suppress(OSError), taken, socket.create_connection(self.target, timeout=CONNECT_SECONDS_MAX) as other:
            other.settimeout(None)
            with self._lock:
                self._open |= {taken, other}
            back = threading.Thread(target=_pump, args=(other, taken), daemon=True)
            back.start()
            _pump(taken, other)
            back.join()
            with self._lock:
                self._open -= {taken, other}


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    _shut(target)


def _shut(one: socket.socket) -> None:
    """Ends a connection or a listener, also for a thread that waits on it."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
