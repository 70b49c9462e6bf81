#!/usr/bin/env python3
"""Whole runs of drydock on the real servers: up, back, killed, and what is wrong found in time."""

import json
import os
import shutil
import sys
import tempfile
import time
import unittest

import cluster
import load
import releases

sys.path.append(os.path.join(cluster.ROOT, "tests", "e2e"))

from limits import scaled  # noqa: E402
from program import DONE, KILLED, NO, WAITS, Run, Running, require_program, run_drydock  # noqa: E402,F401

RUN_SECONDS_MAX = scaled(900)  # four hops
DIGESTS = {"23.03.11": "1e2ba071724dc6cb", "23.03.12": "1e2ba071724dc6cb", "23.09.0": "194dfd07949ddf7c",
           "23.09.8": "29b6c8a18f82d757", "23.09.10": "4862f37897f4a9b1"}
KILLS_MAX = 200  # of one run
RECORDS_MIN = 25  # that a leg has at the least
KILLS = 8  # records of a run at which it is killed, spread over it; all with DRYDOCK_BACKENDAI_FULL


class Case(unittest.TestCase):
    """One test on one cluster in one scratch folder, which stays if the test failed."""

    @classmethod
    def setUpClass(cls) -> None:
        require_program()
        try:
            for release in releases.SERVERS:
                releases.ensure(release)
            cluster.etcd_releases.ensure()
        except (releases.Unavailable, cluster.etcd_releases.Unavailable) as error:
            raise unittest.SkipTest(f"no Backend.AI releases: {error}") from None

    digests = DIGESTS  # of schemas that came from 23.03.11's own; a fresh one of a release differs

    def begin(self, release: str) -> None:
        """The four servers of a release, their cluster file, and a writer."""
        self.scratch = tempfile.mkdtemp(prefix=f"drydock-{self._testMethodName[:30]}-")
        self.cluster = cluster.Cluster(self.scratch)
        self.addCleanup(self.end)
        self.cluster.start_stores()
        self.cluster.create(release)
        self.cluster.start()
        self.file = self.cluster.write_cluster_file(*releases.SERVERS)
        self.plan = os.path.join(self.scratch, "plan.json")
        self.load = load.Load(self.cluster)
        self.load.wait_for(5)

    def end(self) -> None:
        if hasattr(self, "load"):
            self.load.stop()
        self.cluster.close()
        failed = any(error for _, error in self._outcome.result.failures + self._outcome.result.errors)
        if failed:
            print(f"\nkept for a look: {self.scratch}", file=sys.stderr, flush=True)
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def drydock(self, *words: str, expect: int | None = DONE, env: dict[str, str] | None = None) -> Run:
        named = words[0] in ("apply", "check", "rehearse")
        args = list(words) if named else [*words, "-c", self.file]
        done = run_drydock(args, self.scratch, env, RUN_SECONDS_MAX)
        if expect is not None:
            self.assertEqual(done.code, expect, f"drydock {' '.join(words)}: {done.text()}")
        return done

    def make_plan(self, to: str) -> None:
        self.drydock("plan", "--to", to, "-o", self.plan)

    def upgrade(self, to: str) -> None:
        """Plans and applies one leg, past its gate if it has one."""
        self.cluster.prepare(to)
        self.make_plan(to)
        done = self.drydock("apply", self.plan, expect=None)
        if done.code == WAITS:
            self.drydock("approve", "point-of-no-return")
            done = self.drydock("resume", expect=None)
        self.assertEqual(done.code, DONE, done.text())
        self.assert_at(to)

    def assert_at(self, release: str) -> None:
        """The servers, the schema and the agents' row are the release's, and writes are taken."""
        self.assertEqual((self.cluster.version(), self.cluster.status(), self.cluster.digest),
                         (release, "running", self.digests[release]))
        self.assertEqual(self.cluster.server.rows(cluster.DATABASE, "select status, version from agents"),
                         [["ALIVE", release]])
        self.load.wait_for(5)

    def assert_nothing_lost(self) -> None:
        done = self.load.stop()
        self.assertEqual(self.load.wrong(), [])
        self.drydock("journal", "verify")
        print(f"{self._testMethodName}: {done}", flush=True)

    def records(self) -> int:
        text = self.drydock("log", "--json").stdout
        return len([line for line in text.splitlines() if line.strip()])


class WholeWay(Case):
    def test_up_to_23_09_10_and_back_to_23_09_0_under_a_writer(self) -> None:
        self.begin("23.3.11")
        for release in ("23.03.12", "23.09.0"):
            self.upgrade(release)
        refused = self.drydock("downgrade", expect=NO)  # behind its gate, and the files look fine
        self.assertIn("restore", refused.text())
        for release in ("23.09.8", "23.09.10"):
            self.upgrade(release)
        self.drydock("downgrade")
        self.assert_at("23.09.8")
        self.make_plan("23.09.0")
        self.drydock("apply", self.plan)
        self.assert_at("23.09.0")
        self.assert_nothing_lost()

    def test_back_from_the_gate_and_by_the_dump_behind_it(self) -> None:
        self.begin("23.3.12")
        self.make_plan("23.09.0")
        self.drydock("apply", self.plan, expect=WAITS)
        self.assertNotEqual(self.cluster.pids("manager"), [])  # nobody waits for a person while it is down
        self.drydock("downgrade")
        self.assert_at("23.03.12")
        self.assertEqual(self.load.wrong(), [])
        before = len(self.load.acknowledged)
        self.upgrade("23.09.0")
        written = self.load.acknowledged[:before]
        self.load.stop()
        copies = sorted(os.listdir(self.cluster.path("backups")))
        self.drydock("plan", "--to", "23.03.12", "--restore", self.cluster.path(f"backups/{copies[-1]}"),
                     "-o", self.plan)
        self.drydock("apply", self.plan, expect=WAITS)
        self.drydock("approve", "writes-are-lost")
        self.drydock("resume")
        self.load = load.Load(self.cluster)
        self.assert_at("23.03.12")
        self.load.stop()
        self.load.acknowledged += written
        self.assertEqual(self.load.wrong(), [])


class Journey(Case):
    """The whole way as one command; the hop that closes the way back is approved by name."""

    def test_up_in_one_command_and_down_within_23_09(self) -> None:
        self.begin("23.3.11")
        self.cluster.prepare("23.03.12")
        self.drydock("upgrade", "--to", "23.09.10", "--through", "23.09.0", "--through", "23.09.8", "--approve",
                     "23.09.0:point-of-no-return")
        self.assert_at("23.09.10")
        self.assertEqual(self.hops(), ["23.03.11 -> 23.03.12", "23.03.12 -> 23.09.0", "23.09.0 -> 23.09.8",
                                       "23.09.8 -> 23.09.10"])
        self.drydock("downgrade")
        self.assert_at("23.09.0")
        self.assert_nothing_lost()

    def hops(self) -> list[str]:
        """The hops of the journey, each of which was run."""
        hops = json.loads(self.drydock("status", "--json").stdout)["journey"]["hops"]
        self.assertTrue(all(hop["run"] for hop in hops), hops)
        return [f"{hop['from']} -> {hop['to']}" for hop in hops]


class Environments(Case):
    def test_one_is_made_from_pins_before_anything_stops(self) -> None:
        self.begin("23.9.8")
        self.digests = {}
        self.load.stop()
        self.cluster.write_cluster_file("23.9.8", "23.9.10", made=("23.9.10",))
        self.make_plan("23.09.10")
        done = self.drydock("apply", self.plan)
        made, stopped = done.text().index("environment of 23.09.10 for web-1, and check it: done"), \
            done.text().index("web-1: stop")
        self.assertLess(made, stopped)
        self.assertEqual(self.cluster.version(), "23.09.10")
        self.assertTrue(os.path.realpath(self.cluster.path("manager/current")).startswith(self.scratch))
        with open(self.cluster.path("made/23.9.10/drydock-venv.json")) as file:
            self.assertEqual(json.load(file)["state"], "made")


class Killed(Case):
    """kill -9 of the conductor at records spread over a leg; each time it ends as if nothing had been."""

    def test_killed_at_records_and_resumed(self) -> None:
        self.begin("23.9.8")
        self.digests = {"23.09.8": self.cluster.digest}
        self.make_plan("23.09.10")
        self.drydock("apply", self.plan)
        self.digests["23.09.10"] = self.cluster.digest
        self.assertNotEqual(*self.digests.values())
        count = self.records()
        self.drydock("downgrade")
        self.assert_at("23.09.8")
        step = 1 if os.environ.get("DRYDOCK_BACKENDAI_FULL") else max(1, count // KILLS)
        for number, moment in zip(range(2, count + 1, step), ("after", "sent", "before") * count):
            with self.subTest(record=number, moment=moment):
                self.killed_once(number, moment)
        self.assert_nothing_lost()

    def test_every_record_of_a_leg_and_of_its_way_back(self) -> None:
        """Each conductor dies at one of its first records, so each record of the leg is one at which somebody died."""
        self.begin("23.9.8")
        self.digests = {"23.09.8": self.cluster.digest}
        # The first record is that it takes the run. Who always dies before anything is sent never gets on: they take turns.
        for moment, records in (("sent", (2,)), ("after", (2, 3, 4)), ("before", (2, 3, 4))):
            with self.subTest(moment):
                self.make_plan("23.09.10")
                began = time.monotonic()
                up = self.killed_all_the_way(("apply", self.plan), moment, records)
                self.digests.setdefault("23.09.10", self.cluster.digest)
                self.assert_at("23.09.10")
                back = self.killed_all_the_way(("downgrade",), moment, records)
                self.assert_at("23.09.8")
                print(f"killed {moment} each record: {up} on the way up, {back} on the way back, "
                      f"{time.monotonic() - began:.0f} s", flush=True)
                self.assertGreater(min(up, back), RECORDS_MIN)
        self.assert_nothing_lost()

    def killed_all_the_way(self, words: tuple[str, ...], moment: str, records: tuple[int, ...]) -> int:
        """Runs it to its end with conductors that die; how many died."""
        for died in range(KILLS_MAX):
            crash = f"{records[died % len(records)]}:{moment}"
            done = self.drydock(*words, env={"DRYDOCK_CRASH": crash}, expect=None)
            if done.code == DONE:
                return died
            self.assertEqual(done.code, KILLED, done.text())
            words = ("resume",)
        self.fail(f"it does not end: {done.text()}")

    def killed_once(self, record: int, moment: str) -> None:
        self.make_plan("23.09.10")
        done = self.drydock("apply", self.plan, env={"DRYDOCK_CRASH": f"{record}:{moment}"}, expect=None)
        if done.code == KILLED:
            done = self.drydock("resume", expect=None)
            if done.code == NO and "there is no run" in done.text():
                done = self.drydock("apply", self.plan, expect=None)
        self.assertEqual(done.code, DONE, done.text())
        self.assert_at("23.09.10")
        self.drydock("downgrade")
        self.assert_at("23.09.8")


if __name__ == "__main__":
    unittest.main()
