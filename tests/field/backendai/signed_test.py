#!/usr/bin/env python3
"""packs/backendai/scripts/signed.py against a manager that answers as it was seen to."""

import http.server
import os
import subprocess
import sys
import threading
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

from limits import scaled  # noqa: E402  (found by the line above)

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "..", "..", "..", "packs/backendai/scripts/signed.py")
DONE, NO = 0, 1


class Manager(http.server.BaseHTTPRequestHandler):
    """Gives the next of `answers` to each call, the last one for ever; notes the calls."""

    answers: list[int] = []
    calls: list[str] = []

    def answer(self) -> None:
        self.calls.append(self.command)
        self.send_response(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        Manager.calls = []
        self.server = http.server.HTTPServer(("127.0.0.1", 0), Manager)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def probe(self, answers: list[int]) -> int:
        Manager.answers = answers
        url = f"http://127.0.0.1:{self.server.server_port}"
        return subprocess.run([sys.executable, SCRIPT, url, "folder", "local:volume1"], stdout=subprocess.DEVNULL, timeout=scaled(60),
                              env=os.environ | {"ACCESS_KEY": "a", "SECRET_KEY": "s"}).returncode

    def test_two_clients_that_write_at_once_are_no_failure(self) -> None:
        self.assertEqual(self.probe([500, 500, 201, 500, 204]), DONE)
        self.assertEqual(Manager.calls, ["POST"] * 3 + ["DELETE"] * 2)

    def test_a_refusal_is_one_at_once(self) -> None:
        self.assertEqual(self.probe([400]), NO)
        self.assertEqual(Manager.calls, ["POST"])

    def test_a_manager_that_never_does_it_is_broken(self) -> None:
        self.assertEqual(self.probe([500]), NO)
        self.assertEqual(Manager.calls, ["POST"] * 6)


if __name__ == "__main__":
    unittest.main()
