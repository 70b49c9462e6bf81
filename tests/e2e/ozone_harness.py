"""What end-to-end tests on a real Ozone need: a saved cluster, its cluster file, and drydock.

    class CycleTest(ozone_harness.Case):
        def test_plain(self) -> None:
            self.begin()                        # on the old release, ready, with the keys "golden"
            self.to_the_gate()
            self.finish()                       # approves, and goes on to the end
            self.assert_keys("golden")

There is one place where saved clusters run, so these tests wait for each other. Whatever runs there
is ended in any case, by pid. The folder is used again by the next test; what a failed one left of
logs is printed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from typing import Any, Callable

from program import (DONE, HALTED, KILLED, MOVED, NO, ROOT, WAITS, Run, Running,  # noqa: F401
                     program, require_program, run_drydock, scaled)

sys.path.insert(0, os.path.join(ROOT, "tests", "field", "ozone"))

import cluster  # noqa: E402  (found by the line above)
import golden  # noqa: E402
import keys  # noqa: E402
import processes  # noqa: E402
import releases  # noqa: E402
from cluster import Shape, wait_until  # noqa: E402

OLD, NEW = releases.OLD, releases.NEW
RUN_SECONDS_MAX = scaled(450)  # a whole upgrade
EVENT_SECONDS_MAX = scaled(240)
FULL = bool(os.environ.get("DRYDOCK_OZONE_FULL"))

in_full = unittest.skipUnless(FULL, "only in ozone-full (DRYDOCK_OZONE_FULL=1)")


class Case(unittest.TestCase):
    """One test on one saved cluster."""

    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        require_program()
        try:
            releases.ensure()
        except releases.Unavailable as error:
            raise unittest.SkipTest(f"no Ozone releases: {error}") from None

    def begin(self, moment: str = "initialised", shape: Shape = Shape(), soak: str = "0s",
              start: bool = True, daemon: bool = False, versions: tuple[str, ...] = ()) -> None:
        """A cluster at a saved moment (golden.py), and its cluster file."""
        # What was upgraded by hand has no cold copy, which the check of a plan finds fault with.
        self.allow_unchecked = ["--allow-unchecked", "upgraded by hand"] if moment != "initialised" else []
        self._take(golden.golden(moment, shape, start), versions, daemon, soak)

    def begin_fresh(self, shape: Shape, versions: tuple[str, ...]) -> None:
        """A new cluster on the first of these releases, in a folder of its own."""
        base = tempfile.mkdtemp(prefix=f"drydock-{self._testMethodName}-")
        self.addCleanup(shutil.rmtree, base, ignore_errors=True)
        made = cluster.Cluster(base, shape)
        try:
            made.install(versions[0])
            made.initialise()
            made.wait_ready()
        except BaseException:
            made.close()
            raise
        self.allow_unchecked: list[str] = []
        self._take(made, versions, False, "0s")

    def _take(self, made: cluster.Cluster, versions: tuple[str, ...], daemon: bool, soak: str) \
            -> None:
        self.cluster = made
        self.addCleanup(self.end)
        self.base = self.cluster.base
        self.cluster_file = self.cluster.write_cluster_file(*versions, daemon=daemon, soak=soak)
        self.plan = os.path.join(self.base, "plan.json")
        self.apply_run: Running | None = None

    def end(self) -> None:
        """Ends what runs; tells the ends of all logs if this test failed."""
        if self._failed():
            for name in self.cluster.members:
                print(f"\n--- {name}\n{self.cluster.log_end(name)}", file=sys.stderr, flush=True)
        if self.apply_run and self.apply_run.process.poll() is None:
            self.apply_run.kill()
        self.cluster.close()

    # drydock

    def drydock(self, *args: str, expect: int | None = None, env: dict[str, str] | None = None) \
            -> Run:
        """Runs drydock; `-c <cluster file>` is added where the command takes it."""
        done = run_drydock(self.words(*args), self.base, env, RUN_SECONDS_MAX)
        if expect is not None:
            self.assertEqual(done.code, expect, f"drydock {' '.join(args)}: {done.text()}")
        return done

    def start_drydock(self, *args: str, env: dict[str, str] | None = None) -> Running:
        """Starts drydock for a test that kills it, or does something beside it."""
        self.apply_run = Running(self.words(*args), self.base, env)
        return self.apply_run

    def words(self, *args: str) -> list[str]:
        without = ("apply", "guide", "pack", "version", "completion", "agent")
        named = args[0] in without or "-c" in args
        return list(args) if named else [*args, "-c", self.cluster_file]

    def give(self, role: str, setting: str, value: str) -> None:
        """Adds a setting to the members of a role in the cluster file."""
        with open(self.cluster_file) as file:
            text = file.read()
        at = text.index("settings: {", text.index(f"\n  {role}:\n")) + len("settings: {")
        with open(self.cluster_file, "w") as file:
            file.write(text[:at] + f'"{setting}": "{value}", ' + text[at:])

    def make_plan(self, to: str = NEW) -> dict[str, Any]:
        """The plan, which is written to self.plan too."""
        done = self.drydock("plan", "--to", to, "-o", self.plan)
        self.assertIn(done.code, (DONE, NO) if self.allow_unchecked else (DONE,), done.text())
        with open(self.plan) as file:
            return json.load(file)

    def to_the_gate(self, to: str = NEW) -> None:
        self.make_plan(to)
        self.drydock("apply", self.plan, *self.allow_unchecked, expect=WAITS)

    def approve(self) -> None:
        self.drydock("approve", "finalize", expect=DONE)

    def finish(self) -> None:
        """Approves the gate, and resumes until the run is finished."""
        self.approve()
        self.drydock("resume", expect=DONE)

    def events(self) -> list[dict[str, Any]]:
        done = self.drydock("log", "--json")
        return json.loads(done.stdout)["events"] if done.code == DONE else []

    def wait_for_event(self, kind: str, action: str) -> None:
        """Until the journal has an event of that type of that action."""
        wait_until(lambda: any(event["type"] == kind and event.get("action") == action
                               for event in self.events()),
                   EVENT_SECONDS_MAX, lambda: f"no {kind} of {action}", every=0.2)

    # The cluster

    def wait(self, is_so: Callable[[], object], what: str, within: float = EVENT_SECONDS_MAX) \
            -> None:
        wait_until(lambda: bool(is_so()), within, lambda: f"not: {what}", every=0.1)

    def layouts_on_disk(self) -> dict[str, int]:
        return {name: self.cluster.layout_on_disk(name) for name, member
                in self.cluster.members.items() if member.role in ("scm", "om", "datanode")}

    def versions(self) -> set[str | None]:
        """The releases that servers say they run."""
        return {self.cluster.version(name) for name, member in self.cluster.members.items()
                if member.role in ("scm", "om", "datanode")}

    def registered(self, name: str) -> bool:
        """Whether a datanode is on good terms with SCM, as it says itself."""
        bean = self.cluster.jmx(name, "Hadoop:service=HddsDatanode,name=SCMConnectionManager")
        return bool(bean) and any(scm["state"] == "HEARTBEAT" for scm in bean["SCMServers"])

    def command_pids(self, *words: str) -> list[int]:
        """Processes of this cluster whose command line has all these words."""
        return [pid for pid in processes.of_scratch(self.base)
                if set(words) <= set(processes.command_line(pid))]

    def sent(self, role: str) -> int:
        """How often runs have sent `finalizeupgrade` to "scm" or "om", by what the script says."""
        state = os.path.join(self.base, "state", "hosts")
        found = subprocess.run(["grep", "-rhoc", f"^{role}: FINALIZATION_REQUIRED", state],
                               capture_output=True, text=True)
        return sum(int(line) for line in found.stdout.split())

    def in_background(self, *words: str) -> threading.Thread:
        """`ozone ...` that nobody waits for."""
        thread = threading.Thread(
            target=lambda: subprocess.run([*self.cluster.ozone_command(), *words],
                                          stdin=subprocess.DEVNULL, capture_output=True),
            daemon=True)
        thread.start()
        return thread

    def assert_keys(self, *names: str) -> None:
        """All of these keys are there, byte for byte, and another can be written."""
        keys.put(self.cluster, "after")
        for name in (*names, "after"):
            self.assertEqual(keys.wrong(self.cluster, name), [], name)

    def assert_finalized(self, release: str = NEW) -> None:
        hdds, om = releases.layouts(release)
        wanted = {name: om if self.cluster.members[name].role == "om" else hdds
                  for name in self.layouts_on_disk()}
        self.assertEqual(self.layouts_on_disk(), wanted)
        self.assertEqual(self.versions(), {release})
        self.drydock("journal", "verify", expect=DONE)

    def _failed(self) -> bool:
        result = self._outcome.result  # unittest has no public way to ask; it knows this since 3.11
        return any(self in (test, getattr(test, "test_case", None))
                   for test, _ in result.failures + result.errors)


def main() -> None:
    unittest.main()
