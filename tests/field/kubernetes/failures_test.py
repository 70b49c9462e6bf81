#!/usr/bin/env python3
"""drydock's agent at an API server that dies, hangs, or loses its store in the middle of a patch."""

import itertools
import time
import unittest
from typing import Any

import api_server
import case
from case import IS_FULL, Case, move, ports_of
from etcd_gate import NODE_PORTS, EtcdGate, key_of
from limits import scaled, slowness

LEAK_MINUTES = 13  # the server's own repair, no matter how fast the machine is
# Each test has ports of its own, since those that leak stay taken for minutes.
numbers = itertools.count(31000, 50)
server: api_server.ApiServer
gate: EtcdGate


def setUpModule() -> None:
    global server, gate
    server = case.start_server()
    gate = EtcdGate(server.etcd_port)
    unittest.addModuleCleanup(gate.close)
    server.kill("kube-apiserver")
    server.store_port = gate.port
    server.start_api_server()
    server.wait_ready()


class Failures(Case):
    def setUp(self) -> None:
        first = next(numbers)
        self.PORTS = {"api": first, "trace": first + 1, "http": first + 2}
        super().setUp()
        self.old = list(self.PORTS.values())
        self.new = [port + 10 for port in self.old]
        self.move = move(10, self.PORTS)

    def begin_and_hold(self, within: float) -> None:
        """Begins the move; its ports are taken in the store then, and the Service is not written."""
        held = gate.hold(NODE_PORTS, key_of("old", "pachd"))
        self.agent.begin({**self.context(), **self.move}, within)
        self.assertTrue(held.wait(scaled(20)), "the patch does not reach the store")

    def kill_server(self) -> None:
        server.kill("kube-apiserver")
        gate.drop()
        server.start_api_server()
        server.wait_ready()

    def kill_store(self) -> None:
        server.kill("etcd")
        gate.drop()
        server.start_etcd()
        server.wait_ready()

    def check_leak(self) -> None:
        """The ports are taken by nobody: told apart from a rival, by the step and by a dry run."""
        self.assertEqual(ports_of("pachd"), self.old)
        self.assertEqual(self.act(self.move, within=1), ("failed", "kubernetes.port_leaked"))
        self.assertIn("no service has it", self.outcome["error"]["message"])
        self.assertEqual(self.outcome["error"]["class"], "transient", self.outcome)
        ask = {key: self.move[key] for key in ("resource", "namespace", "name")}
        self.assertEqual(self.probe(**ask, dry_run={"patch": self.move["patch"]}), ("known", False))
        self.assertEqual(self.evidence["code"], "kubernetes.port_leaked")
        self.assertEqual(ports_of("pachd"), self.old)

    def check_unknown(self) -> None:
        end = self.told(self.agent.result())
        self.assertEqual(end[0], "unknown", self.outcome)
        self.assertIn(end[1], ("kubernetes.port_leaked", "kubernetes.unknown_outcome"))

    def test_the_server_is_killed_in_the_middle_of_a_patch(self) -> None:
        self.begin_and_hold(within=2)
        self.kill_server()
        self.check_unknown()
        self.check_leak()
        # Other ports are not concerned.
        self.assertEqual(self.act(move(20, self.PORTS)), ("done", "changed"))
        self.assertEqual(ports_of("pachd"), [port + 20 for port in self.old])

    def test_a_patch_that_loses_a_race_leaves_its_ports_taken(self) -> None:
        """Somebody writes between the server's own reading and its write: no crash is needed for a leak."""
        self.begin_and_hold(within=5)
        server.rewrite(key_of("old", "pachd"))
        gate.release()
        self.assertEqual(self.told(self.agent.result()), ("failed", "kubernetes.port_leaked"))
        self.assertEqual(ports_of("pachd"), self.old)

    def test_the_store_is_killed_under_a_patch(self) -> None:
        self.begin_and_hold(within=2)
        self.kill_store()
        self.check_unknown()
        found = ports_of("pachd")
        self.assertEqual(found, self.old)
        end = self.act(self.move, within=1)
        self.assertIn(end, (("done", "changed"), ("failed", "kubernetes.port_leaked")), self.outcome)
        self.assertEqual(ports_of("pachd"), self.new if end[0] == "done" else self.old)

    @unittest.skipUnless(IS_FULL, "takes seven minutes: ./dev test kubernetes-full")
    def test_a_leaked_port_is_waited_for(self) -> None:
        self.begin_and_hold(within=LEAK_MINUTES * 60 / slowness())
        self.kill_server()
        began = time.monotonic()
        self.assertEqual(self.told(self.agent.result()), ("done", "changed"))
        self.assertIn(self.outcome["evidence"]["leaked_port"], self.new)
        self.assertEqual(ports_of("pachd"), self.new)
        print(f"the leaked port was free after {time.monotonic() - began:.0f} s", flush=True)

    def test_the_server_hangs_in_the_middle_of_a_patch(self) -> None:
        server.suspend("kube-apiserver", True)
        self.agent.begin({**self.context(), **self.move}, within=60)
        time.sleep(1)  # the request lies in the server's socket
        server.suspend("kube-apiserver", False)
        self.assertEqual(self.told(self.agent.result()), ("done", "changed"))
        self.assertEqual(ports_of("pachd"), self.new)

    def test_the_server_hangs_for_good(self) -> None:
        server.suspend("kube-apiserver", True)
        try:
            result = self.agent.act({**self.context(), **self.move}, within=1)
        finally:
            server.suspend("kube-apiserver", False)
        self.assertEqual(self.told(result), ("failed", "kubernetes.not_sent"))  # TLS is not agreed upon

    def test_the_server_is_not_there(self) -> None:
        server.kill("kube-apiserver")
        try:
            result = self.agent.act({**self.context(), **self.move}, within=1)
        finally:
            server.start_api_server()
            server.wait_ready()
        self.assertEqual(self.told(result), ("failed", "kubernetes.not_sent"))
        self.assertEqual(ports_of("pachd"), self.old)

    def test_the_store_stands_still(self) -> None:
        """The answer comes once the store goes on."""
        self.suspend_store(seconds=2)
        self.assertEqual(self.told(self.agent.result()), ("done", "changed"))
        self.assertEqual(ports_of("pachd"), self.new)

    @unittest.skipUnless(IS_FULL, "takes a minute: ./dev test kubernetes-full")
    def test_the_store_stands_still_until_the_server_gives_up(self) -> None:
        """The server answers 504; then the object decides."""
        self.begin_and_hold(within=120 / slowness())
        server.suspend("etcd", True)
        gate.drop()
        time.sleep(45)  # the server gives up after 34 s
        server.suspend("etcd", False)
        end = self.told(self.agent.result())
        self.assertIn(end, (("done", "changed"), ("unknown", "kubernetes.port_leaked"),
                            ("failed", "kubernetes.port_leaked")), self.outcome)
        self.assertEqual(ports_of("pachd"), self.new if end[0] == "done" else self.old)

    def suspend_store(self, seconds: float) -> None:
        server.suspend("etcd", True)
        try:
            self.agent.begin({**self.context(), **self.move}, within=60)
            time.sleep(seconds)
        finally:
            server.suspend("etcd", False)


if __name__ == "__main__":
    unittest.main()
