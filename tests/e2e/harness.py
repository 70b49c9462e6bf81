"""What every end-to-end test needs: a restored real cluster, writers on it, and drydock to run.

    class UpgradeTest(harness.Case):
        def test_plain(self) -> None:
            self.begin(write=True)                                  # 3.4, healthy, writers on
            self.drydock("plan", "--to", self.new, "-o", self.plan, expect=0)
            self.drydock("apply", self.plan, expect=3)              # waits at its gate
            self.assert_nothing_lost()

    if __name__ == "__main__":
        harness.main()

A scratch folder goes when its test passes, and stays (its path is printed) when it fails. Whatever
runs on it is ended in any case, by pid. Without etcd releases the tests are skipped, saying why.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
import traceback
import unittest
from typing import Any, Callable, Iterable, Self

from program import (DONE, HALTED, KILLED, MOVED, NO, ROOT, RUN_SECONDS_MAX,  # noqa: F401
                     USAGE, WAITS, Run, Running, program, require_program, run_drydock)

sys.path.insert(0, os.path.join(ROOT, "tests", "field", "etcd"))

import api  # noqa: E402  (found by the line above)
import cluster  # noqa: E402
import golden  # noqa: E402
import load  # noqa: E402
import plan_file  # noqa: E402
import releases  # noqa: E402

AT_ONCE = 2  # trials of one test that run side by side
FAILED_TRIALS_MAX = 3  # more of the same tell nothing new


class Case(unittest.TestCase):
    """One test on one restored cluster in one scratch folder."""

    maxDiff = None
    trial_failed = False

    @classmethod
    def setUpClass(cls) -> None:
        require_program()
        try:
            folders = releases.ensure()
        except releases.Unavailable as error:
            raise unittest.SkipTest(f"no etcd releases: {error}") from None
        cls.old, cls.new = (releases.version_of(folders[series]) for series in ("3.4", "3.5"))

    def begin(self, write: bool = False, fast: bool = True, soak: str = "0s",
              slot: int | None = None, rate: float = 0) -> None:
        """A healthy 3.4 cluster in a fresh scratch folder, its cluster file, and writers if asked.

        May be called again in one test: the cluster before it is ended first."""
        self.end()
        self.load = None
        self.scratch = tempfile.mkdtemp(prefix=f"drydock-{self._testMethodName}-")
        self.cluster = golden.golden(self.scratch, slot, fast)
        self.addCleanup(self.end)
        self.cluster_file = self.cluster.write_cluster_file(soak=soak)
        self.plan = os.path.join(self.scratch, "plan.json")
        self.load = load.Load(self.cluster, rate=rate) if write else None

    def end(self) -> None:
        """Ends what runs; the scratch folder goes unless this test failed."""
        if not hasattr(self, "cluster"):
            return
        if self.load:
            self.load.stop()
        self.cluster.close()
        if self._failed():
            print(f"\nkept for a look: {self.scratch}", file=sys.stderr, flush=True)
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)
        del self.cluster

    # drydock

    def drydock(self, *args: str, expect: int | None = None, env: dict[str, str] | None = None,
                timeout: float = RUN_SECONDS_MAX) -> Run:
        """Runs drydock; `-c <cluster file>` is added where the command takes it.

        On a busy machine a survey may fall into an election or get no answer in time, and is
        refused before anything is begun. Unless a refusal is what is expected, the command is typed
        again then."""
        done = api.outlast_election(
            lambda: run_drydock(self.words(*args), self.scratch, env, timeout),
            lambda run: expect != NO and run.code == NO and any(
                reason in run.text()
                for reason in ("no whole answer", "(cannot tell)", "did not answer within",
                               "could not be told")))
        if expect is not None:
            self.assertEqual(done.code, expect, f"drydock {' '.join(args)}: {done.text()}")
        return done

    def start_drydock(self, *args: str, env: dict[str, str] | None = None) -> Running:
        """Starts drydock for a test that kills it, or does something beside it."""
        return Running(self.words(*args), self.scratch, env)

    def words(self, *args: str) -> list[str]:
        without = ("apply", "rehearse", "check", "guide", "pack", "version", "completion", "agent")
        named = args[0] in without or "-c" in args
        return list(args) if named else [*args, "-c", self.cluster_file]

    def journal_events(self) -> list[dict[str, Any]]:
        """Every journal record of the run, oldest first, as `drydock log --json` tells them."""
        text = self.drydock("log", "--json", expect=0).stdout
        try:
            answer = json.loads(text)
        except json.JSONDecodeError:  # one record a line
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return answer if isinstance(answer, list) else answer.get("events", [answer])

    def gate(self) -> str:
        """The name of the plan's gate before the point of no return."""
        return plan_file.gate_of(self.plan)

    def make_plan(self) -> None:
        """Plans the upgrade to the new release."""
        self.drydock("plan", "--to", self.new, "-o", self.plan, expect=DONE)

    def to_the_gate(self) -> None:
        """Plans, and applies up to the gate."""
        self.make_plan()
        self.drydock("apply", self.plan, expect=WAITS)

    def finish(self) -> None:
        """Resumes the run, or begins it, approving its gate, until it is finished."""
        done = self.drydock("resume")
        if done.code == NO and "there is no run" in done.stderr:  # it died before there was one
            done = self.drydock("apply", self.plan)
        if done.code == WAITS:
            self.drydock("approve", self.gate(), expect=DONE)
            done = self.drydock("resume")
        self.assertEqual(done.code, DONE, done.text())

    def records(self) -> list[list[dict[str, Any]]]:
        """The journal's records, each with its events."""
        by_number: dict[int, list[dict[str, Any]]] = {}
        for event in self.journal_events():
            by_number.setdefault(event["sequence"], []).append(event)
        return [by_number[number] for number in sorted(by_number)]

    def touched(self) -> tuple[Any, ...]:
        """What a run changes on hosts: every start and stop of a member, every action's folder."""
        hosts = os.path.join(self.scratch, "state", "hosts")
        actions = sorted(os.path.join(top, name) for top, folders, _ in os.walk(hosts)
                         for name in folders if ".running" not in top)  # an index of the agent's
        return ([(self.cluster.starts(name), self.cluster.stops(name))
                 for name in self.cluster.members], actions)

    def each(self, cases: Iterable[Any], trial: "Callable[[Self, Any], None]") -> None:
        """Runs trial(case object of its own, case) for each case, AT_ONCE of them side by side."""
        left, failed = iter(list(cases)), list[str]()
        lock = threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    case = next(left, None)
                if case is None or len(failed) >= FAILED_TRIALS_MAX:
                    return
                one = type(self)(self._testMethodName)
                try:
                    trial(one, case)
                except Exception:  # told below, by the test that these trials belong to
                    one.trial_failed = True
                    failed.append(f"{case}:\n{traceback.format_exc()}")
                finally:
                    one.end()

        workers = [threading.Thread(target=work) for _ in range(AT_ONCE)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertFalse(failed, "\n".join(failed))

    # The cluster

    def versions(self) -> list[str]:
        """The version each member runs, in the members' order."""
        return [self.cluster.versions(name)[0] for name in self.cluster.members]

    def assert_nothing_lost(self) -> None:
        """Ends the writers, if there are any, and compares their record on every member."""
        self.cluster.wait_healthy()
        if self.load:
            summary = self.load.stop()
            self.assertGreater(summary["acknowledged"], 0)
            writers, self.load = self.load, None
            for name in self.cluster.members:
                found = writers.verify(self.cluster, name)
                self.assertEqual((found["lost"], found["moved"]), (0, 0), f"{name}: {found}")
        for number in (0, golden.KEYS - 1):
            self.assertEqual(self.cluster.get(f"g/{number:04}"), f"golden value {number}")
        self.assertEqual(len(self.cluster.hashes()), 1, "the members' data differ")

    def assert_starts(self, expected: dict[str, list[str]]) -> None:
        """Which releases were started on which member, one for each process, by their own logs."""
        self.assertEqual({name: self.cluster.starts(name) for name in expected}, expected)

    def assert_upgraded(self) -> None:
        """All members on the new release and its level, started and stopped once each for it,
        nothing lost, and the journal whole."""
        self.assertEqual(self.versions(), [self.new] * 3)
        self.assertEqual({self.cluster.versions(name)[1] for name in self.cluster.members},
                         {self.level(self.new)})
        self.assert_nothing_lost()
        self.assert_starts({name: ["3.4", "3.5"] for name in self.cluster.members})
        self.assertEqual([self.cluster.stops(name) for name in self.cluster.members], [1, 1, 1])
        self.drydock("journal", "verify", expect=DONE)

    @staticmethod
    def level(version: str) -> str:
        """The level that a version leads to: 3.5.16 -> 3.5.0."""
        return version.rsplit(".", 1)[0] + ".0"

    def _failed(self) -> bool:
        if self._outcome is None:  # one trial of several
            return self.trial_failed
        result = self._outcome.result  # unittest has no public way to ask; it knows this since 3.11
        return any(self in (test, getattr(test, "test_case", None))
                   for test, _ in result.failures + result.errors)


def main() -> None:
    unittest.main()
