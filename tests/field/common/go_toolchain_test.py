"""A machine without Go gets one from the module proxy, and nothing else in its place."""

import http.server
import io
import os
import tempfile
import threading
import unittest
import zipfile
from unittest import mock

import go_toolchain as go

PREFIX = f"{go.MODULE}@{go.MODULE_VERSION}"
FILES = {"bin/go": f"#!/bin/sh\necho go version go{go.VERSION} linux/amd64\n", "src/_go.mod": "module std\n", "VERSION": "go\n"}


def packed(files: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{PREFIX}/{name}", text)
    return held.getvalue()


class Proxy(http.server.BaseHTTPRequestHandler):
    body = b""  # of every answer
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


class Toolchain(unittest.TestCase):
    def setUp(self) -> None:
        server = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        Proxy.body, Proxy.asked = packed(FILES), []
        with zipfile.ZipFile(io.BytesIO(Proxy.body)) as archive:
            self.sum = go._sum_of(archive)
        self.enterContext(mock.patch.dict(os.environ, {
            "DRYDOCK_CACHE": self.folder, "GOPROXY": f"off,http://127.0.0.1:{server.server_port}/,direct"}))
        self.enterContext(mock.patch.object(go, "OWN_PLACES", "/nonexistent"))
        self.enterContext(mock.patch.object(go.shutil, "which", lambda *_, **__: None))

    def test_without_go_it_is_downloaded_once(self) -> None:
        with mock.patch.object(go, "SUM", self.sum):
            path = go.ensure("1.24.0")
            self.assertEqual(go.ensure("1.24.0"), path)
        self.assertEqual(Proxy.asked, [f"/{go.MODULE}/@v/{go.MODULE_VERSION}.zip"])
        self.assertTrue(os.access(path, os.X_OK))
        root = os.path.dirname(os.path.dirname(path))
        self.assertEqual(sorted(os.listdir(os.path.join(root, "src"))), ["go.mod"])

    def test_another_content_is_refused(self) -> None:
        with self.assertRaisesRegex(go.Unavailable, "has the sum h1:.*not h1:Rn6v"):
            go.ensure("1.24.0")
        self.assertEqual([name for name in os.listdir(os.path.join(self.folder, "drydock", "go"))
                          if name != "download.lock"], [])

    def test_a_machines_own_go_is_taken_if_it_is_new_enough(self) -> None:
        own = os.path.join(self.folder, "go")
        for version, is_taken in (("go1.19.8", False), ("go1.24.0", True), ("go1.100.1", True)):
            with open(own, "w") as file:
                file.write(f"#!/bin/sh\necho go version {version} linux/amd64\n")
            os.chmod(own, 0o755)
            with mock.patch.object(go.shutil, "which", lambda *_, **__: own), mock.patch.object(go, "SUM", self.sum):
                self.assertEqual(go.ensure("1.24.0") == own, is_taken, version)

    def test_an_old_go_knows_the_proxy(self) -> None:
        own = os.path.join(self.folder, "go")
        with open(own, "w") as file:
            file.write(f"#!/bin/sh\n[ $1 = version ] && echo go version go1.19.8 linux/amd64 || echo '{os.environ['GOPROXY']}'\n")
        os.chmod(own, 0o755)
        with mock.patch.object(go.shutil, "which", lambda *_, **__: own), mock.patch.object(go, "SUM", self.sum), \
                mock.patch.dict(os.environ):
            del os.environ["GOPROXY"]
            self.assertTrue(go.ensure("1.24.0").startswith(self.folder))
        self.assertEqual(len(Proxy.asked), 1)

    def test_no_proxy_is_said_with_what_helps(self) -> None:
        with mock.patch.dict(os.environ, {"GOPROXY": "off"}), \
                self.assertRaisesRegex(go.Unavailable, "GOPROXY names no proxy.*\n  Install Go 1.25"):
            go.ensure("1.24.0")


if __name__ == "__main__":
    unittest.main()
