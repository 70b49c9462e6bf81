"""What every test of the core needs: a toy cluster that serves, and drydock to run.

    class AbortTest(harness.Case):
        def test_plain(self) -> None:
            '''Why this test is there, in one sentence.'''
            self.begin(end_seconds=1)                         # three members on 1.0
            self.make_plan()
            running = self.start_drydock("apply", self.plan)
            ...
            self.assertEqual(self.watcher.lowest, 2)

A watcher counts from begin() on how many members serve. A scratch folder goes when its test passes,
and stays (its path is printed) when it fails. Whatever runs on it is ended in any case, by pid.
"""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import unittest
from typing import Any, Iterable, Iterator

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import toy  # noqa: E402  (it needs the line above)
from program import (DONE, HALTED, KILLED, MOVED, NO, USAGE, WAITS,  # noqa: E402,F401
                     Run, Running, program, run_drydock, scaled)
from toy import NEW, OLD  # noqa: E402,F401

RUN_SECONDS_MAX = scaled(90)
WITHOUT_CLUSTER_FILE = ("apply", "rehearse", "check", "guide", "sign", "pack", "version", "completion", "agent",
                        "store", "vfolders", "extract", "copy", "verify", "manifest")


class Case(unittest.TestCase):
    """One test on one toy cluster in one scratch folder."""

    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        for needed in (program(), toy.toy_member()):
            if not os.access(needed, os.X_OK):
                raise unittest.SkipTest(f"{needed} is not built; ./dev build makes it")

    def begin(self, variant: str = "toy", members: int = 3, end_seconds: float = 0,
              lines: Iterable[str] = (), releases: Iterable[str] = (OLD, NEW)) -> None:
        """A cluster on 1.0 that serves, in a fresh scratch folder, and its cluster file.

        May be called again in one test: the cluster before it is ended first."""
        self._end()
        self.scratch = tempfile.mkdtemp(prefix=f"drydock-core-{self._testMethodName}-")
        self.cluster = toy.Cluster(self.scratch, members, end_seconds, lines, releases)
        self.watcher = self.cluster.watch()
        self.addCleanup(self._end)
        self.environment = {"DRYDOCK_PACKS": self.cluster.install_pack(variant)}
        self.cluster_file = self.cluster.write_cluster_file()
        self.plan = os.path.join(self.scratch, "plan.json")
        self.cluster.start_all()
        self.watcher.start()

    def _end(self) -> None:
        if not hasattr(self, "cluster"):
            return
        if self.watcher.is_alive():
            self.watcher.__exit__()
        self.cluster.close()
        del self.cluster
        if self._failed():
            print(f"\nkept for a look: {self.scratch}", file=sys.stderr, flush=True)
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _failed(self) -> bool:
        result = self._outcome.result  # unittest has no public way to ask
        return any(self in (test, getattr(test, "test_case", None))
                   for test, _ in result.failures + result.errors)

    # drydock

    def drydock(self, *args: str, expect: int | Iterable[int] | None = None,
                env: dict[str, str] | None = None, timeout: float = RUN_SECONDS_MAX) -> Run:
        """Runs drydock; `-c <cluster file>` is added where the command takes it."""
        done = run_drydock(self._words(args), self.scratch, self.environment | (env or {}),
                           timeout)
        if expect is not None:
            self.assertIn(done.code, [expect] if isinstance(expect, int) else list(expect),
                          f"drydock {' '.join(args)}: {done.text()}")
        return done

    def start_drydock(self, *args: str, env: dict[str, str] | None = None) -> Running:
        return Running(self._words(args), self.scratch, self.environment | (env or {}))

    def _words(self, args: tuple[str, ...]) -> list[str]:
        is_complete = args[0] in WITHOUT_CLUSTER_FILE or "-c" in args
        return list(args) if is_complete else [*args, "-c", self.cluster_file]

    def make_plan(self, to: str = NEW, cluster_file: str = "", plan: str = "") -> str:
        """Returns the plan's path."""
        plan = plan or self.plan
        self.drydock("plan", "--to", to, "-o", plan, "-c", cluster_file or self.cluster_file,
                     expect=DONE)
        return plan

    @contextlib.contextmanager
    def stopped(self, running: Running) -> Iterator[None]:
        """SIGSTOP of the conductor, and SIGCONT at the end."""
        running.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            running.process.send_signal(signal.SIGCONT)

    def wait_for(self, condition: Any, what: str, seconds: float = toy.WAIT_SECONDS_MAX) -> None:
        self.cluster.wait_for(condition, what, seconds)

    def kill_in_stop(self, member: str, seconds: float) -> None:
        """Applies the plan, with kill -9 of the conductor as soon as the member was told to end.
        That stop takes so long, and none behind it does."""
        self.cluster.set_end_seconds(member, seconds)
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: self.cluster.is_ending(member), f"{member} to be told to end")
        running.kill()
        self.cluster.set_end_seconds(member, 0)

    # The journal, read without drydock

    def rows(self, query: str, state: str = "state") -> list[tuple[Any, ...]]:
        """Rows of the journal's database; none while there is no database."""
        path = os.path.join(self.scratch, state, "journal.db")
        try:
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                return database.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []

    def runs(self, state: str = "state") -> list[str]:
        """The words of all runs, oldest first: "finished", "aborted"."""
        return [word for word, in self.rows("SELECT state FROM runs ORDER BY number", state)]

    def open_runs(self, state: str = "state") -> list[str]:
        return [run for run, in self.rows("SELECT id FROM runs WHERE is_over = 0", state)]

    def empty_runs(self, state: str = "state") -> list[str]:
        return [run for run, in self.rows("SELECT id FROM runs WHERE records = 0", state)]

    def events(self, cluster_file: str = "", run: str = "") -> list[dict[str, Any]]:
        """Every event of the last run (or of the one named), oldest first."""
        words = ["log", "--json", "-c", cluster_file or self.cluster_file]
        answer = json.loads(self.drydock(*words, *(["--run", run] if run else []),
                                         expect=DONE).stdout)
        return answer["events"]

    def types(self, cluster_file: str = "", run: str = "") -> list[str]:
        return [event["type"] for event in self.events(cluster_file, run)]

    # What an operator sees

    @staticmethod
    def words_of(done: Run) -> str:
        """What was printed, without line breaks."""
        return " ".join(done.text().split())

    def assert_at_least_up(self, number: int) -> None:
        self.assertGreaterEqual(self.watcher.lowest, number, f"{self.watcher.moments}")

    def assert_all_on(self, version: str) -> None:
        self.wait_for(lambda: self.cluster.up() == self.cluster.members, "all members to serve",
                      scaled(5))
        self.assertEqual(self.cluster.versions(), [version] * len(self.cluster.members))

    def assert_stays(self, seconds: float, condition: Any, what: str) -> None:
        """The condition holds for that long: something must not happen later either."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.assertTrue(condition(), what)
            time.sleep(0.02)


def main() -> None:
    unittest.main()
