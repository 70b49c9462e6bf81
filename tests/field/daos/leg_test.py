#!/usr/bin/env python3
"""Tests the legs of the pack on the double, by drydock itself from `plan` to the end: formatted and rebuilt, and changed in place."""

import time
import unittest

import cluster
from leg_case import DONE, KILLED, NO, WAITS, Case, RebuiltCase, Running, scaled, with_mounts

RECORDS = 4  # that a conductor writes before it is killed; kill_test.py has each
KILLS_MIN = 4
KILLS_MAX = 60


@with_mounts
class Rebuilt(RebuiltCase):
    """1.2 to 2.0: all content goes out of a mount and comes back into another one."""

    def test_from_plan_to_compare(self) -> None:
        self.begin_old()
        self.apply(self.NEW, self.GATE)
        self.assert_rebuilt()

    def test_killed_at_records_and_resumed(self) -> None:
        self.begin_old()
        died = self.killed_all_the_way(("apply", self.plan(self.NEW)), WAITS)
        self.assert_old_is_whole()
        self.drydock("approve", self.GATE, "-c", self.config)
        died += self.killed_all_the_way(("resume", "-c", self.config), DONE)
        self.assertGreaterEqual(died, KILLS_MIN)
        self.assert_rebuilt()
        self.drydock("journal", "verify", "-c", self.config)

    def test_taken_back_at_the_gate(self) -> None:
        """Users have what they had: the ACL of before, and every file."""
        self.begin_old()
        acl = self.place.dmg("pool", "get-acl", f"--pool={self.pool}")
        self.drydock("apply", self.plan(self.NEW), expect=WAITS)
        self.drydock("downgrade", "-c", self.config)
        self.assert_old_is_whole()
        self.place.release = self.OLD
        self.assertEqual(self.place.dmg("pool", "get-acl", f"--pool={self.pool}"), acl)
        self.place.mount(self.pool, self.container)
        self.assertEqual(self.seen("mount1"), self.before)

    def test_other_kinds_of_containers_refuse_it(self) -> None:
        cluster.set_os(self.place, "centos", "7.9")
        self.begin("1.2.0", "2.0.3")
        self.place.daos("container", "create", f"--pool={self.make_pool()}", "--type=HDF5")
        told = self.drydock("plan", "-c", self.config, "--to", "2.0.3", expect=NO).text()
        self.assertIn("not-posix", told)

    def killed_all_the_way(self, words: tuple[str, ...], end: int) -> int:
        """Runs it to its end with conductors that die one after another; how many died."""
        for died in range(KILLS_MAX):
            moment = ("sent", "after", "before")[died % 3]
            done = self.drydock(*words, env={"DRYDOCK_CRASH": f"{RECORDS + died % 3}:{moment}"}, expect=None)
            if done.code != KILLED:
                self.assertEqual(done.code, end, done.text())
                print(f"{words[0]}: killed {died} times on its way", flush=True)
                return died
            words = ("resume", "-c", self.config)
        self.fail(f"it does not end: {done.text()}")


class InPlace(Case):
    def test_two_legs_and_the_pools_are_upgraded(self) -> None:
        cluster.set_os(self.place, "sles", "15.3")
        self.begin("2.0.3", "2.2.0")
        self.place.dmg("pool", "create", "tank")
        self.place.dmg("pool", "create", "lake")
        with self.place.system.change() as state:
            state["fail_upgrades"] = 1
        self.apply("2.2.0", "clients")
        self.assert_upgraded(1)

    def test_from_2_2_to_2_8_leg_by_leg(self) -> None:
        """EL has no level in common from 2.6 to 2.8: it is installed while all servers are stopped."""
        releases = ("2.2.0", "2.4.1", "2.6.5", "2.8.0")
        cluster.set_os(self.place, "rocky", "8.6")
        self.begin(*releases)
        self.place.dmg("pool", "create", "tank")
        for version, (old, new, level) in enumerate(zip(releases, releases[1:], ("8.8", "8.8", "9.6")), 2):
            self.write_config(old, *releases, os_next=f"el{level}")
            self.apply_while_the_os_is_installed(new, level)
            self.drydock("approve", "clients", "-c", self.config)
            self.drydock("resume", "-c", self.config)
            self.assert_upgraded(version)

    def apply_while_the_os_is_installed(self, to: str, level: str) -> None:
        running = Running(["apply", self.plan(to)], self.place.base)
        self.addCleanup(running.process.kill)
        ends = time.monotonic() + scaled(60)
        while self.place.system.running():
            self.assertIsNone(running.process.poll(), "it ended before all servers were stopped")
            self.assertLess(time.monotonic(), ends)
            time.sleep(0.05)
        cluster.set_os(self.place, "rocky", level)
        done = running.wait(scaled(150))
        self.assertEqual(done.code, WAITS, done.text())

    def assert_upgraded(self, version: int) -> None:
        """All pools have the layout of the release, and nothing is left to be upgraded."""
        rows = self.place.dmg("pool", "list", "-v").splitlines()[2:]
        self.assertEqual({row.split()[-1] for row in rows}, {"None"})
        with self.place.system.change() as state:
            self.assertEqual({pool["global_version"] for pool in state["pools"]}, {version})

    def test_an_os_that_the_new_release_does_not_know_refuses_it(self) -> None:
        cluster.set_os(self.place, "rocky", "9.4")
        self.begin("2.6.5", "2.8.0")
        self.place.dmg("pool", "create", "tank")
        told = self.drydock("plan", "-c", self.config, "--to", "2.8.0", expect=NO).text()
        self.assertIn("os_next", told)
        self.write_config("2.6.5", "2.8.0", os_next="el9.6")
        self.plan("2.8.0")


if __name__ == "__main__":
    unittest.main()
