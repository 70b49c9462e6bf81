#!/usr/bin/env python3
"""Tests the test tools themselves, on real etcd: what they say must be true before others rely on it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import cluster
import golden
import load
import processes
import releases
from limits import scaled



def setUpModule() -> None:
    try:
        releases.ensure()
    except releases.Unavailable as error:
        raise unittest.SkipTest(f"no etcd releases: {error}")


class FieldTest(unittest.TestCase):
    def setUp(self) -> None:
        self.base = tempfile.mkdtemp(prefix="drydock-field-")
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)

    def restored(self) -> cluster.Cluster:
        made = golden.golden(self.base)
        self.addCleanup(made.close)
        return made

    def test_a_golden_cluster_is_restored_whole(self) -> None:
        golden.golden(self.base).close()  # makes the copy, if there is none yet
        shutil.rmtree(self.base)
        made = self.restored()
        self.assertEqual(made.get("g/0199", "m3"), "golden value 199")
        self.assertEqual(len(made.hashes()), 1)

    def test_two_golden_clusters_at_once_have_their_own_ports(self) -> None:
        first = self.restored()
        second = golden.golden(os.path.join(self.base, "second"))
        self.addCleanup(second.close)
        self.assertNotEqual(first.endpoints, second.endpoints)
        first.put("only", "in the first")
        self.assertIsNone(second.get("only"))

    def test_an_upgrade_under_load_loses_no_write(self) -> None:
        made = self.restored()
        writers = load.Load(made)
        for name in made.members:
            writers.wait_for(50)
            made.stop(name)
            made.install("3.5", name)
            made.start(name)
            made.wait_healthy(name)
        writers.wait_for(50)
        print("writers:", summary := writers.stop(), flush=True)
        for name in made.members:
            found = writers.verify(made, name)
            self.assertEqual((found["acknowledged"], found["lost"], found["moved"]),
                             (summary["acknowledged"], 0, 0))
            self.assertTrue(made.versions(name)[0].startswith("3.5."))
            self.assertEqual((made.starts(name), made.stops(name)), (["3.4", "3.5"], 1))
        self.assertEqual(len(made.hashes()), 1)

    def test_verify_names_what_is_lost_or_moved(self) -> None:
        made = self.restored()
        writers = load.Load(made, writers=1)
        writers.wait_for(10)
        acknowledged = writers.stop()["acknowledged"]
        with open(writers.file, "a") as file:
            file.write("ok w/0/never 7\nok w/0/1 7\nunknown w/0/2\nok w/0/killed")  # no line end
        self.assertEqual(writers.verify(made), {"acknowledged": acknowledged + 2, "lost": 1,
                                                "moved": 1, "unknown_landed": 1})
        with open(writers.file + ".lost") as file:
            self.assertEqual(file.read(), "w/0/never\n")

    def test_a_start_that_fails_is_counted_too(self) -> None:
        made = self.restored()
        for series in ("3.4", "3.5"):  # its ports are taken: by the member that runs
            made.install(series, "m1")
            with open(made.members["m1"].log, "ab") as log:
                words = made.command(made.members["m1"])
                words[words.index("--data-dir") + 1] += "-other"
                failed = subprocess.run(words, stdout=log, stderr=log, timeout=scaled(20))
            self.assertEqual(failed.returncode, 1)
        self.assertEqual(made.starts("m1"), ["3.4", "3.4", "3.5"])
        made.kill("m1")
        self.assertEqual(made.stops("m1"), 0)

    def test_reap_ends_whatever_names_the_folder_and_nothing_else(self) -> None:
        made = self.restored()
        marked = subprocess.Popen(["sleep", "60"], start_new_session=True,
                                  env=os.environ | {"DRYDOCK_SCRATCH": made.base})
        named = subprocess.Popen(["sh", "-c", "sleep 60; :", made.base + "/x"],
                                 start_new_session=True)
        other = subprocess.Popen(["tail", "-f", "/dev/null", made.base + "-other"],
                                 start_new_session=True, stderr=subprocess.DEVNULL)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        members = {made.pid(name) for name in made.members}
        cluster.wait_until(lambda: processes.descendants(named.pid), scaled(5), lambda: "the shell starts nothing")
        ended = set(made.reap())
        self.assertLessEqual(members | {marked.pid, named.pid}, ended)
        self.assertEqual(len(ended), 6)  # and the sleep below the shell
        self.assertEqual((marked.wait(scaled(5)), named.wait(scaled(5)), other.poll()),
                         (-signal.SIGKILL, -signal.SIGKILL, None))
        self.assertEqual(processes.of_scratch(made.base), [])

    def test_a_killed_test_leaves_no_process(self) -> None:
        script = f"import golden, os; golden.golden({self.base!r}); os.kill(os.getpid(), 9)"
        subprocess.run([sys.executable, "-c", script], cwd=os.path.dirname(__file__), timeout=scaled(60))
        cluster.wait_until(lambda: not processes.holding(self.base), scaled(10),
                           lambda: f"left over: {processes.holding(self.base)}")


if __name__ == "__main__":
    unittest.main()
