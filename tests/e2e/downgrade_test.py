"""The ways back: in place before the point of no return; rebuild and restore after it.

CI goes back from every third record of a run, and dies at every third of a way back;
DRYDOCK_E2E_FULL does so at each.
"""

import glob
import json
import os

import harness  # first: it knows where the others are
import cluster
from harness import DONE, KILLED, NO, WAITS

WRITES_PER_SECOND = 30  # of each writer
APART = 3  # records from one death to the next, in CI


def spread(records: int, first: int) -> range:
    """The numbers of the records that count here: all of them, or some that stand apart."""
    if os.environ.get("DRYDOCK_E2E_FULL"):
        return range(1, records + 1)
    return range(first, records + 1, APART)


class BeforeThePointOfNoReturn(harness.Case):
    def test_from_every_record(self) -> None:
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.to_the_gate()
        records = len(self.records())
        self.drydock("downgrade", expect=DONE)
        self.assert_back(moved=["m1", "m2", "m3"])
        self.assertGreater(records, 20)
        self.each(spread(records, first=1), BeforeThePointOfNoReturn.back_from)

    def back_from(self, record: int) -> None:
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.make_plan()
        done = self.drydock("apply", self.plan, env={"DRYDOCK_CRASH": f"{record}:after"})
        self.assertIn(done.code, (KILLED, WAITS), done.text())
        self.drydock("downgrade", expect=DONE)
        self.assert_back()

    def test_a_downgrade_that_is_killed_goes_on(self) -> None:
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.to_the_gate()
        forward = len(self.records())
        self.drydock("downgrade", expect=DONE)
        records = len(self.records())
        self.assertGreater(records, 10, f"after {forward} on the way there")
        self.each(spread(records, first=2), BeforeThePointOfNoReturn.back_in_two_goes)

    def back_in_two_goes(self, record: int) -> None:
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.to_the_gate()
        done = self.drydock("downgrade", env={"DRYDOCK_CRASH": f"{record}:after"})
        if done.code == KILLED:
            # Until the way back has begun, the open run is the way forward: said again, it begins.
            plan = json.loads(self.drydock("status", "--json").stdout)["plan"]
            self.drydock("resume" if plan["to"] == self.old else "downgrade", expect=DONE)
        else:
            self.assertEqual(done.code, DONE, done.text())
        self.assert_back()

    def assert_back(self, moved: list[str] | None = None) -> None:
        """All on the old release and level, nothing lost; nothing started twice on one way."""
        self.assertEqual(self.versions(), [self.old] * 3)
        self.assertEqual({self.cluster.versions(name)[1] for name in self.cluster.members},
                         {self.level(self.old)})
        self.assert_nothing_lost()
        for name in self.cluster.members:
            starts = self.cluster.starts(name)
            # Untouched; stopped and started again; or there and back.
            self.assertIn(starts, [["3.4"], ["3.4", "3.4"], ["3.4", "3.5", "3.4"]], name)
            self.assertEqual(self.cluster.stops(name), len(starts) - 1, name)
        self.drydock("journal", "verify", expect=DONE)


class AfterThePointOfNoReturn(harness.Case):
    def test_downgrade_is_refused_with_what_is_left(self) -> None:
        self.upgraded()
        before = self.touched()
        done = self.drydock("downgrade", expect=NO)
        for word in ("3.5", "level", "rebuild", "restore", "revisions"):
            self.assertIn(word, done.stderr)
        failure = json.loads(self.drydock("downgrade", "--json", expect=NO).stdout)
        self.assertEqual([way["kind"] for way in failure["ways_left"]], ["rebuild", "restore"])
        for way in failure["ways_left"]:
            self.assertIn("drydock plan", way["command"])
        self.assertEqual(self.touched(), before)
        self.assert_nothing_lost()

    def test_rebuild_loses_nothing(self) -> None:
        self.upgraded()
        summary = self.load.stop()
        self.assertGreater(summary["acknowledged"], 0)
        writers, self.load = self.load, None
        cluster_ids = self.cluster_ids()
        back = os.path.join(self.scratch, "back.json")
        self.drydock("plan", "--rebuild", "--to", self.old, "-o", back, expect=DONE)
        self.drydock("apply", back, expect=WAITS)
        self.drydock("approve", "writers-stopped", expect=DONE)
        self.drydock("resume", expect=DONE)
        self.cluster.wait_healthy()
        self.assertEqual(self.versions(), [self.old] * 3)
        self.assertEqual(self.levels(), {self.level(self.old)})
        self.assertEqual(len(self.cluster_ids()), 1)
        self.assertNotEqual(self.cluster_ids(), cluster_ids)
        for name in self.cluster.members:
            self.assertEqual(writers.verify(self.cluster, name)["lost"], 0)
            self.assertTrue(glob.glob(self.cluster.members[name].data + ".before-*"))
        self.cluster.put("after", "rebuild")
        self.assert_nothing_lost()
        self.drydock("journal", "verify", expect=DONE)

    def test_restore_brings_exactly_what_was_before_the_copy(self) -> None:
        self.begin()
        self.cluster.put("before", "copy")
        self.make_plan()
        self.drydock("apply", self.plan, expect=WAITS)
        self.drydock("approve", self.gate(), expect=DONE)
        self.drydock("resume", expect=DONE)
        copied = self.cluster.revision()  # nobody writes: what the copy has is all there is
        for number in range(7):
            self.cluster.put(f"after/{number}", "copy")
        failure = json.loads(self.drydock("downgrade", "--json", expect=NO).stdout)
        restore = next(way for way in failure["ways_left"] if way["kind"] == "restore")
        self.assertRegex(restore["cost"], r"\b7 revisions")
        copies = glob.glob(os.path.join(self.scratch, "state", "backups", "*", "snapshot.db"))
        self.assertEqual(len(copies), 1)
        self.assertIn(copies[0], restore["command"])
        back = os.path.join(self.scratch, "back.json")
        self.drydock("plan", "--restore", copies[0], "--to", self.old, "-o", back, expect=DONE)
        self.drydock("apply", back, expect=WAITS)
        self.drydock("approve", "writes-are-lost", expect=DONE)
        self.drydock("resume", expect=DONE)
        self.cluster.wait_healthy()
        self.assertEqual(self.versions(), [self.old] * 3)
        self.assertEqual(self.levels(), {self.level(self.old)})
        self.assertEqual(self.cluster.get("before"), "copy")
        self.assertIsNone(self.cluster.get("after/0"))
        self.assertEqual(self.cluster.revision(), copied)
        self.assert_nothing_lost()

    def upgraded(self) -> None:
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.to_the_gate()
        self.drydock("approve", self.gate(), expect=DONE)
        self.drydock("resume", expect=DONE)

    def levels(self) -> set[str]:
        cluster.wait_until(lambda: all(self.cluster.versions(name)[1] != "not_decided"
                                       for name in self.cluster.members), 10,
                           lambda: "no level is decided")
        return {self.cluster.versions(name)[1] for name in self.cluster.members}

    def cluster_ids(self) -> set[str]:
        return {self.cluster.status(name)["header"]["cluster_id"] for name in self.cluster.members}


class OnceApproved(harness.Case):
    def test_downgrade_while_the_last_member_is_old(self) -> None:
        """Approved, but the conductor died before the last member was started: the level is low."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.to_the_gate()
        self.drydock("approve", self.gate(), expect=DONE)
        self.drydock("downgrade", expect=DONE)
        self.assertEqual(self.versions(), [self.old] * 3)
        self.assert_nothing_lost()


if __name__ == "__main__":
    harness.main()
