"""Stands where `kubectl proxy` would, and lets a test act in the middle of a change.

    with Meddler(server) as meddler:
        meddler.before("PATCH", lambda: server.merge(...))   # right before the first PATCH is passed on
        meddler.lose("PATCH")                                # its answer: done, and nobody is told
        agent.act({"proxy": meddler.url, ...})
"""

import http.client
import http.server
import ssl
import threading
from collections.abc import Callable
from typing import Any

from api_server import ApiServer
from limits import scaled


class Meddler:
    def __init__(self, server: ApiServer):
        meddler = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                meddler._pass_on(self)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_: Any) -> None:
                pass

        self._server = server
        self._before: dict[str, list[Callable[[], Any]]] = {}
        self._lost: list[str] = []
        self.requests: list[str] = []  # the methods that were asked for, in order
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def __enter__(self) -> "Meddler":
        return self

    def __exit__(self, *_: Any) -> None:
        self._http.shutdown()
        self._http.server_close()

    def before(self, method: str, act: Callable[[], Any], times: int = 1) -> None:
        """Acts before each of the next `times` requests of the method."""
        self._before.setdefault(method, []).extend([act] * times)

    def lose(self, method: str) -> None:
        """The next request of the method is carried out, and its answer is lost."""
        self._lost.append(method)

    def _pass_on(self, handler: Any) -> None:
        method = handler.command
        self.requests.append(method)
        if self._before.get(method):
            self._before[method].pop(0)()
        status, kind, answer = self._ask(handler)
        if method in self._lost:
            self._lost.remove(method)
            handler.close_connection = True
            return
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def _ask(self, handler: Any) -> tuple[int, str, bytes]:
        context = ssl.create_default_context(cafile=self._server.path("ca.crt"))
        connection = http.client.HTTPSConnection("127.0.0.1", self._server.port, timeout=scaled(30), context=context)
        size = int(handler.headers.get("Content-Length") or 0)
        headers = {"Authorization": "Bearer admin-token"}
        if handler.headers.get("Content-Type"):
            headers["Content-Type"] = handler.headers["Content-Type"]
        connection.request(handler.command, handler.path, handler.rfile.read(size) if size else None, headers)
        answer = connection.getresponse()
        try:
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        finally:
            connection.close()
