"""Stands between an API server and its etcd, and stops one write right before it reaches the store.

A node port is taken in the store before its Service is written. The gate lets the first write pass and
holds the second: a server that is ended then leaves ports behind that nobody has.

    gate = EtcdGate(etcd_port)                    # the server is started with gate.port
    held = gate.hold(NODE_PORTS, key_of("old", "pachd"))
    held.wait()                                   # the second write is there, and goes no further
    gate.drop()                                   # and now never will; or gate.release()
"""

import contextlib
import socket
import threading

NODE_PORTS = b"/registry/ranges/servicenodeports"
CHUNK_BYTES = 1 << 16


def key_of(namespace: str, service: str) -> bytes:
    return f"/registry/services/specs/{namespace}/{service}".encode()


class EtcdGate:
    def __init__(self, etcd_port: int):
        self._etcd_port = etcd_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._first, self._then = b"", b""  # what is waited for; empty: nothing
        self._held = threading.Event()
        self._decided = threading.Event()
        self._is_dropped = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, first: bytes, then: bytes) -> threading.Event:
        """Holds what names `then`, once something that names `first` has passed. Set when it is held."""
        with self._lock:
            self._first, self._then = first, then
            self._held, self._decided = threading.Event(), threading.Event()
        return self._held

    def drop(self) -> None:
        """Ends all connections, with what is held."""
        with self._lock:
            self._first, self._then = b"", b""
            self._is_dropped = True
            self._decided.set()
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def release(self) -> None:
        """Lets what is held go on."""
        with self._lock:
            self._is_dropped = False
            self._decided.set()

    def close(self) -> None:
        self._listener.close()
        self.drop()

    def _accept(self) -> None:
        while True:
            try:
                server, _ = self._listener.accept()
                etcd = socket.create_connection(("127.0.0.1", self._etcd_port))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                server.close()  # no etcd: the server tries again
                continue
            with self._lock:
                self._open += [server, etcd]
            for source, target, is_request in ((server, etcd, True), (etcd, server, False)):
                threading.Thread(target=self._pass_on, args=(source, target, is_request), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        seen = b""  # the end of what went before: a key may come in two pieces
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK_BYTES):
                if is_request and self._is_held(seen + chunk):
                    break
                seen = (seen + chunk)[-128:]
                target.sendall(chunk)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        if not is_request:
            source.close()
            target.close()

    def _is_held(self, data: bytes) -> bool:
        with self._lock:
            if self._first and self._first in data:
                self._first = b""  # passes
                return False
            if self._first or not self._then or self._then not in data:
                return False
            self._then = b""
            decided = self._decided
            self._held.set()
        decided.wait()
        return self._is_dropped
