#!/usr/bin/env python3
"""A roll of etcd on three real hosts over ssh: 3.4 to 3.5, while conductors die and hosts go away.

Whatever happens: each member was started once on each release, and every key is on every member.
"""

import base64
import os
import shutil
import sys
import tempfile
import time
import unittest

import etcd_hosts
from etcd_hosts import EtcdHosts
from hosts import debian, why_not
from limits import scaled
from machine import wait_until
from plan_file import gate_of
from program import DONE, HALTED, KILLED, WAITS, Run, require_program

ROUNDS_MAX = 60  # processes of one run
STEP_SECONDS_MAX = scaled(60)
# After so many records each conductor dies. Fewer than four would be no progress: a resume makes some by itself.
STRIDES = range(4, 12) if os.environ.get("DRYDOCK_HOSTS_FULL") else [7]
MOMENTS = ("before", "after", "sent")


class Roll(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        require_program()
        if reason := why_not():
            raise unittest.SkipTest(reason)

    def begin(self) -> None:
        self.end()
        self.base = tempfile.mkdtemp(prefix="drydock-roll-")
        self.plan = os.path.join(self.base, "plan.json")
        try:
            self.cluster = EtcdHosts(self.base, ["a", "b", "c"])
        except (debian.Unavailable, etcd_hosts.releases.Unavailable) as error:
            raise unittest.SkipTest(str(error)) from error
        self.addCleanup(self.end)
        self.cluster.hosts.start()
        self.cluster.wait_healthy()
        self.cluster.write_cluster_file()
        self.keys = [base64.b64encode(f"key{number}".encode()).decode() for number in range(20)]
        for key in self.keys:
            self.cluster.put(key, key)
        self.drydock("plan", "--trust", "--to", self.cluster.new, "-o", self.plan, expect=DONE)

    def end(self) -> None:
        if not hasattr(self, "cluster"):
            return
        self.cluster.close()
        shutil.rmtree(self.base, ignore_errors=True)
        del self.cluster

    def drydock(self, *words: str, expect: int | None = None, env: dict[str, str] | None = None) -> Run:
        done = self.cluster.drydock(*words, env=env)
        if expect is not None:
            self.assertEqual(done.code, expect, f"drydock {' '.join(words)}: {done.text()}")
        return done

    def finish(self) -> None:
        """Resumes the run to its end, and approves its gate."""
        done = self.drydock("resume")
        for _ in range(5):
            if done.code == WAITS:
                self.drydock("approve", gate_of(self.plan), expect=DONE)
            elif done.code != HALTED:
                break
            done = self.drydock("resume")
        self.assertEqual(done.code, DONE, done.text())

    def assert_upgraded(self, restarted: str = "") -> None:
        self.cluster.wait_healthy()
        self.assertEqual(self.cluster.versions(), [self.cluster.new] * 3)
        for name in self.cluster.names:
            if name != restarted:  # a reboot starts a unit, too
                self.assertEqual(self.cluster.starts(name), [self.cluster.old, self.cluster.new], name)
            self.assertEqual([self.cluster.value(name, key) for key in self.keys], self.keys, name)

    def test_a_roll(self) -> None:
        self.begin()
        began = time.monotonic()
        self.drydock("apply", self.plan, expect=WAITS)
        self.finish()
        print(f"the roll took {time.monotonic() - began:.1f} s", file=sys.stderr)
        self.assert_upgraded()

    def test_conductors_that_die(self) -> None:
        for stride in STRIDES:
            with self.subTest(stride=stride):
                self.begin()
                deaths = self.killed_every(stride)
                self.assert_upgraded()
                self.assertGreater(deaths, 2)

    def killed_every(self, stride: int) -> int:
        """Runs to the end with conductors that die after so many records each; how many died."""
        deaths = 0
        words = ["apply", self.plan]
        for number in range(ROUNDS_MAX):
            done = self.drydock(*words, env={"DRYDOCK_CRASH": f"{stride}:{MOMENTS[number % 3]}"})
            deaths += done.code == KILLED
            if done.code == DONE:
                return deaths
            if done.code == WAITS:
                self.drydock("approve", gate_of(self.plan), expect=DONE)
            else:
                self.assertEqual(done.code, KILLED, done.text())
            begun = self.drydock("status").code != 1
            words = ["resume"] if begun else words
        raise AssertionError(f"not at its end after {ROUNDS_MAX} conductors")

    def in_the_middle(self) -> None:
        """Begins the roll, and returns when its first member runs the new release."""
        self.cluster.start_drydock("apply", self.plan)
        wait_until(lambda: self.cluster.new in self.cluster.versions(), STEP_SECONDS_MAX,
                   lambda: f"no member is upgraded: {self.cluster.last.poll()}", every=0.1)

    def test_a_host_that_is_rebooted_in_the_middle(self) -> None:
        self.begin()
        self.in_the_middle()
        next_one = self.cluster.names[self.cluster.versions().index(self.cluster.old)]
        self.cluster.hosts.reboot(next_one)
        told = self.cluster.last.communicate(timeout=etcd_hosts.RUN_SECONDS_MAX)
        self.assertIn(self.cluster.last.returncode, (WAITS, HALTED), told)
        self.cluster.wait_healthy()
        self.finish()
        self.assert_upgraded(restarted=next_one)

    def test_a_host_that_is_cut_off_for_two_seconds(self) -> None:
        self.begin()
        self.in_the_middle()
        self.cluster.hosts.cut("b")
        time.sleep(2)  # the cut itself
        self.cluster.hosts.heal("b")
        told = self.cluster.last.communicate(timeout=etcd_hosts.RUN_SECONDS_MAX)
        self.assertIn(self.cluster.last.returncode, (WAITS, HALTED), told)
        self.finish()
        self.assert_upgraded()


if __name__ == "__main__":
    unittest.main()
