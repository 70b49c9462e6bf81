"""etcd 3.4 -> 3.5 -> 3.6 as one journey, with the real pack and program, on a fake cluster.

Behind 3.5 the way back is closed; 3.6 has a call that lowers the level again.
"""

import json
import os
import shutil
import sys
import tempfile
import unittest
from typing import Any

from program import (DONE, HALTED, KILLED, NO, ROOT, WAITS, Run, Running, require_program,
                     run_drydock)

sys.path.insert(0, os.path.join(ROOT, "tests", "fake_etcd"))

from fake_cluster import MEMBERS, RELEASES, FakeCluster, built  # noqa: E402

OLD, MIDDLE, NEW = RELEASES
GATE = "point-of-no-return"
APPROVED = ("--approve", f"{MIDDLE}:{GATE}")
BETWEEN = {"DRYDOCK_CRASH": "run.finished:after"}
SPREAD = (1, 3, 8, 15, 24, 33)  # records of a run at which its conductor dies


class Journey(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        require_program()
        if not os.access(built("fake_etcd_server"), os.X_OK):
            raise unittest.SkipTest("fake_etcd_server is not built; ./dev build makes it")

    def begin(self) -> None:
        """A cluster on 3.4; one that was there before is ended first."""
        self.doCleanups()
        self.scratch = tempfile.mkdtemp(prefix="drydock-journey-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.cluster = self.enterContext(FakeCluster(self.scratch))

    def drydock(self, *words: str, expect: int, env: dict[str, str] | None = None) -> Run:
        done = run_drydock([*words, "-c", self.cluster.cluster_file], self.scratch, env)
        self.assertEqual(done.code, expect, f"drydock {' '.join(words)}: {done.text()}")
        return done

    def words(self, done: Run) -> str:
        return " ".join(done.text().split())

    def journey(self, code: int = DONE) -> dict[str, Any]:
        return json.loads(self.drydock("status", "--json", expect=code).stdout)["journey"]

    def assert_on(self, version: str) -> dict[str, Any]:
        """All members run it and hold every acknowledged write; none was ever refused."""
        self.assertEqual(self.cluster.versions(), [version] * 3)
        state = self.cluster.state()
        self.assertEqual(state["lost"], 0)
        self.assertGreater(state["acknowledged"], 0)
        self.assertEqual([state["nodes"][name]["refusals"] for name in MEMBERS], [0] * 3)
        self.drydock("journal", "verify", expect=DONE)
        return state

    def assert_there(self) -> None:
        """On 3.6, each member started once a release."""
        state = self.assert_on(NEW)
        self.assertEqual(state["level"], "3.6")
        self.assertEqual([state["nodes"][name]["starts"] for name in MEMBERS], [3] * 3)

    def test_there_with_its_gate(self) -> None:
        self.begin()
        done = self.drydock("upgrade", "--to", NEW, expect=WAITS)
        self.assertIn(f"hop 1 of 2 {OLD} -> {MIDDLE}", self.words(done))
        journey = self.journey(WAITS)
        self.assertEqual((journey["hop"], journey["reaches"]), (1, OLD))
        self.drydock("approve", GATE, expect=DONE)
        done = self.drydock("resume", expect=DONE)
        self.assertIn(f"hop 2 of 2 {MIDDLE} -> {NEW}", self.words(done))
        self.assert_there()
        journey = self.journey()
        self.assertEqual((journey["hop"], journey["next"], journey["reaches"]), (2, "none", MIDDLE))
        self.assertIn("closed when", journey["closed"])

    def test_back_as_far_as_it_goes(self) -> None:
        """3.6 lowers its level again; what 3.5 has raised stays."""
        self.begin()
        self.drydock("upgrade", "--to", NEW, *APPROVED, expect=DONE)
        words = self.words(self.drydock("downgrade", "--dry-run", expect=DONE))
        self.assertIn(f"back to {MIDDLE}; further: the way back closed when", words)
        words = self.words(self.drydock("downgrade", expect=DONE))
        self.assertIn(f"back to {MIDDLE}; further: the way back closed when", words)
        self.assertEqual(self.assert_on(MIDDLE)["level"], "3.5")
        self.assertEqual(self.journey()["next"], "none")
        self.drydock("resume", expect=DONE)
        words = self.words(self.drydock("downgrade", expect=NO))
        self.assertIn("rebuild", words)
        self.assert_on(MIDDLE)

    def test_back_before_the_point_of_no_return(self) -> None:
        self.begin()
        self.drydock("upgrade", "--to", NEW, expect=WAITS)
        self.drydock("downgrade", expect=DONE)
        self.assertEqual(self.assert_on(OLD)["level"], "3.4")

    def test_killed_between_hops(self) -> None:
        self.begin()
        self.drydock("upgrade", "--to", NEW, *APPROVED, env=BETWEEN, expect=KILLED)
        self.assert_on(MIDDLE)
        self.assertEqual(self.journey(WAITS)["next"], "forward")
        self.drydock("resume", expect=DONE)
        self.assert_there()

    def test_killed_at_records_of_both_hops(self) -> None:
        for record in SPREAD:
            crash = {"DRYDOCK_CRASH": f"{record}:after"}
            with self.subTest(record=record):
                self.begin()
                self.drydock("upgrade", "--to", NEW, *APPROVED, env=crash, expect=KILLED)
                self.drydock("resume", *APPROVED, env=BETWEEN, expect=KILLED)
                self.drydock("resume", env=crash, expect=KILLED)
                self.drydock("resume", expect=DONE)
                self.assert_there()

    def test_killed_on_the_way_back(self) -> None:
        for record in SPREAD[1:4]:
            with self.subTest(record=record):
                self.begin()
                self.drydock("upgrade", "--to", NEW, *APPROVED, expect=DONE)
                crash = {"DRYDOCK_CRASH": f"{record}:after"}
                self.drydock("downgrade", env=crash, expect=KILLED)
                self.drydock("resume", expect=DONE)
                self.assert_on(MIDDLE)

    def test_a_member_that_died_between_hops(self) -> None:
        """Facts are surveyed anew: the member that is down is the first of the next hop."""
        self.begin()
        self.drydock("upgrade", "--to", NEW, *APPROVED, env=BETWEEN, expect=KILLED)
        self.cluster.kill("m3")
        self.drydock("resume", expect=DONE)
        state = self.assert_on(NEW)
        self.assertEqual([state["nodes"][name]["starts"] for name in MEMBERS], [3, 3, 3])

    def test_a_preflight_that_fails_between_hops(self) -> None:
        """It halts before anything is changed, says what cures it, and goes on behind the cure."""
        self.begin()
        self.drydock("upgrade", "--to", NEW, *APPROVED, env=BETWEEN, expect=KILLED)
        self.cluster.set_no_space(True)
        done = self.drydock("resume", expect=HALTED)
        self.assertIn("no alarm: DOES NOT HOLD", self.words(done))
        self.assertIn("compact, delete, defrag", self.words(done))
        self.assert_on(MIDDLE)
        self.assertEqual(self.journey(HALTED)["hop"], 2)
        self.cluster.set_no_space(False)
        self.drydock("resume", expect=DONE)
        self.assert_there()

    def test_two_people_go_on(self) -> None:
        """Of two who resume between hops at once, one begins the next hop."""
        self.begin()
        self.drydock("upgrade", "--to", NEW, *APPROVED, env=BETWEEN, expect=KILLED)
        words = ["resume", "-c", self.cluster.cluster_file]
        both = [Running(words, self.scratch) for _ in range(2)]
        done = [one.wait() for one in both]
        self.assertIn(DONE, [run.code for run in done], "".join(run.text() for run in done))
        self.assert_there()
        self.assertEqual(self.journey()["hop"], 2)


if __name__ == "__main__":
    unittest.main()
