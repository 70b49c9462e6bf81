#!/usr/bin/env python3
"""The agent starts, stops and observes real units: those that restart, fail, are masked, leave
processes behind, or run beside systemd."""

import os
import shutil
import subprocess
import sys
import unittest
from typing import Any

from hosts import Hosts, hosts_of, scaled

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "kubernetes"))

from agent import Agent  # noqa: E402  (in ../kubernetes)
from machine import wait_until  # noqa: E402

AGENT = "/opt/drydock/drydock-agent"
PROGRAM = "/opt/toy/run"
UNIT = "/usr/lib/systemd/system/toy.service"


class Units(unittest.TestCase):
    hosts: Hosts
    agent: Agent

    @classmethod
    def setUpClass(cls) -> None:
        cls.hosts = hosts_of(cls, "drydock-units-", ["a"])
        for source, target in (("/bin/sleep", PROGRAM), (os.environ["DRYDOCK_AGENT"], AGENT)):
            os.makedirs(cls.hosts.disk("a", os.path.dirname(target)))
            shutil.copy(source, cls.hosts.disk("a", target))
        cls.hosts.start()

    def setUp(self) -> None:
        self.connect()
        self.addCleanup(self.clear)

    def connect(self) -> None:
        state = f"/var/lib/drydock-{self.id().rpartition('.')[2]}"
        self.agent = Agent(state, self.hosts.on("a"), AGENT)
        self.addCleanup(self.agent.close)

    def clear(self) -> None:
        self.run_on("sh", "-c", f"systemctl unmask toy; rm -rf {UNIT} {UNIT}.d /run/systemd/system/toy.service*; "
                    f"systemctl daemon-reload; systemctl stop toy; systemctl reset-failed toy; "
                    f"for p in /proc/[0-9]*; do [ \"$(readlink $p/exe)\" = {PROGRAM} ] && kill -9 ${{p#/proc/}}; done; true")

    def run_on(self, *command: str, check: bool = True) -> str:
        return self.hosts.run("a", *command, check=check)

    def write_unit(self, *lines: str, start: str = f"{PROGRAM} 1000") -> None:
        text = "\n".join(["[Service]", f"ExecStart={start}", *lines, "[Install]", "WantedBy=multi-user.target", ""])
        subprocess.run(self.hosts.on("a", "sh", "-c", f"cat > {UNIT}; systemctl daemon-reload"), input=text,
                       text=True, check=True, timeout=scaled(60))

    def act(self, kind: str, **more: Any) -> dict[str, Any]:
        return self.agent.act({"kind": kind, "service": {"type": "systemd", "unit": "toy"}, **more})

    def start(self) -> dict[str, Any]:
        return self.act("service_start")

    def stop(self, within_ms: int = 10_000) -> dict[str, Any]:
        return self.act("service_stop", within_ms=within_ms)

    def observe(self, kind: str = "service", **more: Any) -> dict[str, Any]:
        return self.agent.probe({"kind": kind, "service": {"type": "systemd", "unit": "toy"}, **more})[0]

    def test_a_unit_is_started_and_stopped(self) -> None:
        self.write_unit()
        self.assertEqual(self.observe()["value"], "stopped")
        self.assertEqual(self.start()["outcome"], "done")
        self.assertEqual(self.observe()["value"], "running")
        self.assertEqual(self.observe("exe", versions={"1.0": "/opt/toy"})["value"], "1.0")
        self.assertEqual(self.start()["error"]["code"], "service.already_running")
        self.assertEqual(self.stop()["outcome"], "done")
        self.assertEqual(self.observe()["value"], "stopped")
        self.assertIn("was not running", str(self.stop()))

    def test_nobody_else_starts_what_the_plan_has_stopped(self) -> None:
        self.write_unit("Restart=always")
        self.start()
        self.stop()
        refused = subprocess.run(self.hosts.on("a", "systemctl", "start", "toy"), capture_output=True, text=True)
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(self.observe()["value"], "stopped")
        self.assertIn("90-drydock-hold.conf", self.run_on("systemctl", "status", "toy", check=False))
        self.assertEqual(self.start()["outcome"], "done")
        self.assertEqual(self.observe()["value"], "running")

    def test_a_reboot_gives_the_unit_back(self) -> None:
        self.write_unit()
        self.run_on("systemctl", "enable", "toy")
        self.start()
        self.stop()
        self.hosts.reboot("a")
        self.connect()
        wait_until(lambda: self.observe()["value"] == "running", scaled(20), lambda: str(self.observe()))

    def test_what_systemd_restarts_is_told_with_its_count(self) -> None:
        self.write_unit("Restart=always", "RestartSec=100ms")
        self.start()
        before = self.observe("process")["value"]
        self.run_on("kill", "-9", str(before))
        wait_until(lambda: self.observe("process").get("value") not in (None, before), scaled(20),
                   lambda: str(self.observe()))
        self.assertEqual(self.observe()["evidence"]["restarts"], "1")

    def test_a_masked_unit_is_told_and_not_started(self) -> None:
        self.write_unit()
        self.run_on("systemctl", "mask", "toy")
        self.assertEqual(self.start()["error"]["code"], "service.masked")
        self.assertTrue(self.observe()["evidence"]["masked"])

    def test_a_unit_that_failed_is_reset_and_started(self) -> None:
        self.write_unit("Restart=always", "RestartSec=0", "StartLimitBurst=2", start="/bin/false")
        self.assertEqual(self.start()["error"]["code"], "service.failed")
        self.write_unit()
        self.assertEqual(self.observe()["value"], "stopped")
        self.assertEqual(self.start()["outcome"], "done")

    def test_processes_that_a_stop_leaves_are_named(self) -> None:
        self.write_unit("KillMode=process", start=f"/bin/sh -c '{PROGRAM} 1000 & exec {PROGRAM} 2000'")
        self.start()
        refused = self.stop(2_000)
        self.assertEqual(refused["error"]["code"], "service.processes_left")
        self.assertEqual(self.observe()["value"], "stopping")
        self.assertEqual(self.start()["error"]["code"], "service.processes_left")

    def test_a_process_that_a_person_started_is_a_doubt(self) -> None:
        self.write_unit()
        beside = subprocess.Popen(self.hosts.on("a", PROGRAM, "3000"))
        self.addCleanup(beside.wait)
        wait_until(lambda: self.observe()["status"] == "unknown", scaled(20), lambda: str(self.observe()))
        self.assertIn("runs beside the unit", self.observe()["evidence"]["problem"])
        self.assertEqual(self.start()["error"]["code"], "service.cannot_tell")
        self.clear()

    def test_a_drop_in_and_a_shorter_limit_are_told(self) -> None:
        self.write_unit("TimeoutStopSec=1", start=f"/bin/sh -c 'trap : TERM; while :; do {PROGRAM} 1; done'")
        self.run_on("sh", "-c", f"mkdir -p {UNIT}.d; echo '[Service]\nEnvironment=A=b' > {UNIT}.d/own.conf; "
                    "systemctl daemon-reload")
        self.start()
        self.assertIn("own.conf", self.observe()["evidence"]["drop_ins"])
        self.assertIn("sooner than the plan's 10000 ms", str(self.stop()))

    def test_a_unit_that_is_not_there_is_told(self) -> None:
        self.assertEqual(self.start()["error"]["code"], "service.systemd")
        self.assertEqual(self.observe()["status"], "unknown")


if __name__ == "__main__":
    unittest.main()
