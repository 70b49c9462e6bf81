#!/usr/bin/env python3
"""Tests the test tools themselves, on real Ozone: what they say must be true before others rely on
it. It is also the upgrade without drydock: what the releases do by themselves."""

import os
import subprocess
import time
import unittest
from typing import Any

import cluster
import golden
import keys
import releases
from client import Refused
from limits import scaled


def setUpModule() -> None:
    try:
        releases.ensure()
    except releases.Unavailable as error:
        raise unittest.SkipTest(f"no Ozone releases: {error}")


class FieldTest(unittest.TestCase):
    def restored(self, moment: str, **more: Any) -> cluster.Cluster:
        made = golden.golden(moment, **more)
        self.addCleanup(made.close)
        return made

    def assert_runs(self, made: cluster.Cluster, release: str, disk: tuple[int, int]) -> None:
        """All of SCM, datanodes and OM run a release; the layouts on disk are (HDDS, OM)."""
        software = releases.layouts(release)
        for role, number in (("scm", 0), ("datanode", 0), ("om", 1)):
            for member in made.of(role):
                self.assertEqual(
                    (made.version(member.name), made.layouts(member.name),
                     made.layout_on_disk(member.name)),
                    (release, (disk[number], software[number]), disk[number]), member.name)

    def assert_keys(self, made: cluster.Cluster, *names: str) -> None:
        self.assertEqual([wrong for name in names for wrong in keys.wrong(made, name)], [])

    def assert_refused(self, code: str, call: Any, *arguments: str) -> None:
        with self.assertRaises(Refused) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.code, code, str(caught.exception))

    def test_there_and_back(self) -> None:
        old, new = releases.layouts(releases.OLD), releases.layouts(releases.NEW)
        began = time.monotonic()
        made = self.restored("initialised")
        print(f"restored and ready in {time.monotonic() - began:.1f} s", flush=True)
        self.assert_runs(made, releases.OLD, old)
        self.assert_keys(made, "golden")

        done = made.prepare()
        self.assertEqual((done.returncode, made.prepared("om1")), (0, True), done.stderr)
        self.assertIn("All OMs are prepared", done.stdout)
        self.assert_refused("NOT_SUPPORTED_OPERATION_WHEN_PREPARED", made.client.volume, "vol2")
        made.stop()
        self.assertEqual([made.pid(name) for name in made.members], [None] * 5)

        made.install(releases.NEW)
        made.start(upgrade=True)
        made.wait_ready()
        self.assertFalse(made.prepared("om1"))
        self.assert_runs(made, releases.NEW, old)
        self.assertEqual(made.status("om"), "FINALIZATION_REQUIRED")
        keys.put(made, "new")
        self.assert_keys(made, "golden", "new")
        self.assert_refused("NOT_SUPPORTED_OPERATION_PRIOR_FINALIZATION", made.client.snapshot,
                            keys.VOLUME, keys.BUCKET, "snap1")

        self.assertIn("All OMs are prepared", made.prepare().stdout)
        made.stop()
        made.install(releases.OLD)
        made.start(downgrade=True)
        made.wait_ready()
        self.assert_runs(made, releases.OLD, old)
        self.assert_keys(made, "golden", "new")
        self.assertNotEqual(old, new)

    def test_finalized_and_no_way_back(self) -> None:
        made = self.restored("pre-finalized")
        self.assert_runs(made, releases.NEW, releases.layouts(releases.OLD))
        self.assert_keys(made, "golden", "golden-new")
        for role in ("scm", "om"):
            done = made.finalize(role)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        made.wait_nodes(HEALTHY=3)
        self.assert_runs(made, releases.NEW, releases.layouts(releases.NEW))
        made.client.snapshot(keys.VOLUME, keys.BUCKET, "snap1")
        self.assert_keys(made, "golden", "golden-new")

        made.stop()
        made.install(releases.OLD)
        for name, text in (("scm1", "(10) > software layout version (4)"),
                           ("om1", "(9) > software layout version (3)"),
                           ("dn1", "(10) > software layout version (4)")):
            self.assertEqual(made.once(name, *(["--downgrade"] if name == "om1" else [])), 255)
            self.assertIn("Cannot initialize VersionManager. Metadata layout version " + text,
                          made.log_end(name, 200))

    def test_the_distributions_script(self) -> None:
        made = self.restored("initialised", start=False)
        member = made.members["scm1"]

        def daemon(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run([os.path.join(member.current, "bin", "ozone"), "--config",
                                   member.below("conf"), "--daemon", *words], timeout=scaled(60),
                                  capture_output=True, text=True)
        self.assertEqual(daemon("status", "scm").returncode, 3)
        self.assertEqual(daemon("start", "scm").returncode, 0)
        self.assertEqual(daemon("status", "scm").returncode, 0)
        again = daemon("start", "scm")
        self.assertEqual(again.returncode, 1)
        self.assertRegex(again.stderr, r"scm is running as process \d+\.  Stop it first\.")
        cluster.wait_until(lambda: made.scm_ready(member), 60, lambda: made.log_end("scm1"))
        self.assertEqual(made.version("scm1"), releases.OLD)
        self.assertEqual(daemon("stop", "scm").returncode, 0)
        self.assertIsNone(made.pid("scm1"))
        self.assertIn("--daemon must be followed by", daemon("scm", "start").stderr)

    def test_releases_are_held_to_the_layouts_that_they_name(self) -> None:
        self.assertEqual(releases.layouts(releases.OLD), (4, 3))
        self.assertEqual(releases.layouts(releases.BETWEEN), (7, 6))
        self.assertEqual(releases.layouts("2.2.0"), (10, 9))
        for wrong in ("1.4.1", "2.2.1+h4", "current"):
            with self.assertRaises(releases.Unavailable):
                releases.layouts(wrong)


if __name__ == "__main__":
    unittest.main()
