#!/usr/bin/env python3
"""Waiting at a real API server: an agent that is told of changes, and a run of drydock that waits for one."""

import os
import tempfile
import time
import unittest
from typing import Any

import api_server
import case
from case import PORTS, SERVICES, Case, service
from limits import scaled
from waiting import Wait, allow_reader

# Below what the interval alone would need, of either side.
NOTICED_SECONDS_MAX = scaled(1)
WAITED_SECONDS = 12
WITHIN_MS = int(scaled(20) * 1000)
server: api_server.ApiServer


def setUpModule() -> None:
    global server
    server = case.start_server()
    allow_reader(server)


class Changes(Case):
    OF_PACHD = {"resource": "services", "namespace": "old", "name": "pachd"}
    PORT = {**OF_PACHD, "pointer": "/spec/ports/0/nodePort", "type": "integer"}
    COUNT = {"resource": "services", "namespace": "old", "labels": "suite=pachyderm", "count": True, "type": "integer"}

    def ask(self, of: dict[str, Any], seen: Any, context: str = "admin", status: str = "known") -> None:
        self.agent.send(do="probe", probes=[{
            "id": "c", "kind": "change", "type": "bool", "deadline_ms": WITHIN_MS,
            "of": {"kind": "kubernetes", **self.context(context), **of}, "seen": {"status": status, "value": seen}}])

    def told(self) -> tuple[str, Any]:  # type: ignore[override]
        fact, = self.agent.receive()["facts"]
        self.evidence = fact["evidence"]
        return fact["status"], fact["value"]

    def check_told_soon(self) -> None:
        began = time.monotonic()
        self.assertEqual(self.told(), ("known", True), self.evidence)
        self.assertLess(time.monotonic() - began, NOTICED_SECONDS_MAX)

    def test_a_change_of_one_object(self) -> None:
        self.ask(self.PORT, PORTS["api"])
        time.sleep(1)  # the watch is open
        self.annotate("somebody was here")
        self.check_told_soon()

    def test_an_object_that_is_made(self) -> None:
        self.ask({**self.PORT, "name": "dash"}, None, status="absent")
        time.sleep(1)
        server.ask("POST", SERVICES, service("dash", {"ui": 30080}))
        self.check_told_soon()

    def test_one_of_a_list_that_goes(self) -> None:
        self.ask(self.COUNT, 1)
        time.sleep(1)
        server.ask("DELETE", f"{SERVICES}/pachd")
        self.check_told_soon()

    def test_what_changed_before_is_told_at_once(self) -> None:
        self.ask(self.PORT, PORTS["api"] - 1)
        self.check_told_soon()

    def test_other_objects_do_not_wake(self) -> None:
        self.ask(self.PORT, PORTS["api"])
        time.sleep(1)
        server.ask("POST", SERVICES, service("dash", {"ui": 30080}))
        time.sleep(1)
        self.annotate("somebody was here")
        self.check_told_soon()  # one answer, and this is its cause

    def test_without_the_right(self) -> None:
        self.ask(self.PORT, PORTS["api"], context="reader")
        self.assertEqual(self.told()[0], "unknown")
        self.assertIn("cannot watch", self.evidence["problem"])

    def test_the_server_dies(self) -> None:
        self.ask(self.PORT, PORTS["api"])
        time.sleep(1)
        server.kill("kube-apiserver")
        try:
            self.assertEqual(self.told()[0], "unknown")
        finally:
            server.start_api_server()
            server.wait_ready()


@unittest.skipUnless("DRYDOCK" in os.environ, "needs the whole drydock in $DRYDOCK")
class Runs(unittest.TestCase):
    def wait(self, context: str) -> tuple[float, int, int]:
        """(seconds until the run had noticed and ended, readings, watches) of a wait of some seconds."""
        wait = Wait(tempfile.mkdtemp(prefix="wait-", dir=case.base), server, context)
        wait.until_it_waits()
        before = wait.requests()
        time.sleep(WAITED_SECONDS)
        seconds = wait.move()
        asked = wait.requests() - before
        print(f"{context}: {seconds:.2f} s, {dict(asked)}", flush=True)
        return seconds, asked["GET"], asked["WATCH"]

    def test_a_long_wait_asks_seldom_and_notices_soon(self) -> None:
        _, readings, watches = self.wait("admin")
        self.assertLess(readings, 30)
        self.assertGreaterEqual(watches, 1)

    def test_without_the_right_it_asks_at_its_interval(self) -> None:
        _, readings, _ = self.wait("reader")
        self.assertGreater(readings, 30 / scaled(1))


if __name__ == "__main__":
    unittest.main()
