#!/usr/bin/env python3
"""A test that is killed takes its clusters with it. Without that, members of real clusters stay on
the machine, hold its ports and slow down the tests that come next."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

import limits
import processes
from machine import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
SUPERVISE = os.path.join(HERE, "supervise.py")
CORE, E2E = (os.path.normpath(os.path.join(HERE, "..", "..", name)) for name in ("core", "e2e"))
WAIT_SECONDS_MAX = limits.scaled(10)
GONE_SECONDS_MAX = limits.scaled(5)

# A cluster of daemons: each in a session of its own, without a parent and without a mark.
START_CLUSTER = """
    import os, subprocess
    for number in range(3):
        subprocess.run(["setsid", "sh", "-c", "sleep 300 & echo $! >> pids"], env={"PATH": os.environ["PATH"]})
"""


def is_running(pid: int) -> bool:
    return bool(processes.command_line(pid))


class Supervise(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="drydock-supervise-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.addCleanup(self.end_daemons)

    def write_test(self, *parts: str) -> str:
        """A test program of these parts; returns its path."""
        path = os.path.join(self.folder, "made_test.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(textwrap.dedent(part) for part in parts))
        return path

    def start(self, *words: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def daemons(self) -> list[int]:
        try:
            with open(os.path.join(self.folder, "pids"), encoding="utf-8") as file:
                return [int(line) for line in file.read().split()]
        except FileNotFoundError:
            return []

    def end_daemons(self) -> None:
        for pid in self.daemons():
            if processes.command_line(pid)[:1] == ["sleep"]:
                processes.send(pid, signal.SIGKILL)

    def wait_for_cluster(self) -> None:
        wait_until(lambda: len(self.daemons()) == 3 and all(map(is_running, self.daemons())), WAIT_SECONDS_MAX,
                   lambda: f"daemons: {self.daemons()}")

    def assert_cluster_gone(self) -> None:
        wait_until(lambda: not any(map(is_running, self.daemons())), GONE_SECONDS_MAX,
                   lambda: f"left over: {[pid for pid in self.daemons() if is_running(pid)]}")

    def test_a_killed_test_leaves_no_process(self) -> None:
        launcher = self.start(sys.executable, SUPERVISE,
                              self.write_test(START_CLUSTER, "import time\ntime.sleep(300)\n"))
        self.wait_for_cluster()
        launcher.kill()
        self.assert_cluster_gone()

    def test_a_killed_test_runner_leaves_no_process(self) -> None:
        """ctest itself is killed: its launcher notices that its parent is gone."""
        test = self.write_test(START_CLUSTER, "import time\ntime.sleep(300)\n")
        runner = self.start(sys.executable, "-c", "import subprocess, sys\nsubprocess.run(sys.argv[1:])\n",
                            sys.executable, SUPERVISE, test)
        self.wait_for_cluster()
        runner.kill()
        self.assert_cluster_gone()

    def test_processes_of_others_are_spared(self) -> None:
        """Neither the same folder nor the same mark makes a process the test's own."""
        bystander = subprocess.Popen(["sleep", "300"], cwd=self.folder, start_new_session=True,
                                     env=os.environ | {"DRYDOCK_SCRATCH": self.folder})
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        launcher = self.start(sys.executable, SUPERVISE,
                              self.write_test(START_CLUSTER, "import time\ntime.sleep(300)\n"))
        self.wait_for_cluster()
        launcher.kill()
        self.assert_cluster_gone()
        self.assertIsNone(bystander.poll())

    def test_a_test_that_passes_is_told_what_it_left(self) -> None:
        launcher = self.start(sys.executable, SUPERVISE, self.write_test(START_CLUSTER))
        text, _ = launcher.communicate(timeout=WAIT_SECONDS_MAX)
        self.assertEqual(launcher.returncode, 0, text)
        for pid in self.daemons():
            self.assertIn(f"left running: {pid} sleep 300", text)
        self.assert_cluster_gone()

    def test_an_orphan_that_ends_is_no_zombie(self) -> None:
        """drydock asks whether a member's process exists: the watcher reaps as init does."""
        launcher = self.start(sys.executable, SUPERVISE,
                              self.write_test(START_CLUSTER, "import time\ntime.sleep(300)\n"))
        self.wait_for_cluster()
        first = self.daemons()[0]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{first}"), GONE_SECONDS_MAX, lambda: f"{first} is a zombie")
        launcher.kill()
        self.assert_cluster_gone()

    def test_the_end_of_the_test_is_passed_on(self) -> None:
        for end, code in (("raise SystemExit(0)", 0), ("raise SystemExit(7)", 7),
                          ("import os\nos.kill(os.getpid(), 9)", -signal.SIGKILL),
                          ("import os\nos.abort()", -signal.SIGABRT)):
            launcher = self.start(sys.executable, SUPERVISE, self.write_test(f"print('output')\n{end}\n"))
            text, _ = launcher.communicate(timeout=WAIT_SECONDS_MAX)
            self.assertEqual(launcher.returncode, code, text)

    def test_a_killed_test_takes_its_toy_cluster_with_it(self) -> None:
        """The same with members that drydock's tests use, and a run of drydock that starts them anew."""
        toy_member, drydock = os.environ.get("TOY_MEMBER", ""), os.environ.get("DRYDOCK", "")
        if not os.access(toy_member, os.X_OK) or not os.access(drydock, os.X_OK):
            self.skipTest("toy_member or drydock is not built")
        scratch = os.path.join(self.folder, "scratch")
        test = self.write_test(f"import sys\nsys.path += {[CORE, E2E]!r}\n", f"scratch = {scratch!r}\n", """
            import os, time, toy
            from program import run_drydock
            cluster = toy.Cluster(scratch)
            os.environ["DRYDOCK_PACKS"] = cluster.install_pack()
            file = cluster.write_cluster_file()
            cluster.start_all()
            plan = os.path.join(scratch, "plan.json")
            run_drydock(["plan", "--to", toy.NEW, "-o", plan, "-c", file], scratch)
            run_drydock(["apply", plan], scratch)
            open(os.path.join(scratch, "ready"), "w").close()
            time.sleep(300)
            """)
        launcher = self.start(sys.executable, SUPERVISE, test)
        wait_until(lambda: os.path.exists(os.path.join(scratch, "ready")) or launcher.poll() is not None,
                   6 * WAIT_SECONDS_MAX, lambda: "no cluster")
        if launcher.poll() is not None:
            self.fail(launcher.communicate()[0])
        self.assertGreaterEqual(len(processes.holding(os.path.join(scratch, "members"))), 3)
        launcher.kill()
        begun = time.monotonic()
        wait_until(lambda: not processes.of_scratch(scratch), GONE_SECONDS_MAX,
                   lambda: f"left over: {processes.of_scratch(scratch)}")
        self.assertLess(time.monotonic() - begun, GONE_SECONDS_MAX)


if __name__ == "__main__":
    unittest.main()
