"""The pack backy2 on real stores: planned, checked, run, taken back."""

import os
import unittest

import packs
import stores
from packs import GATE, NEWEST, WAITS


class Pack(packs.PackCase):
    def test_there_and_back(self) -> None:
        for release in ("2.9.17", "2.10.5", "2.11.13"):
            with self.subTest(release):
                self.setUp()
                self.begin(release)
                self.configure()
                old = self.head()
                self.drydock("apply", self.plan("--to", "2.13.8"), "--approve", GATE)
                self.assert_release("2.13.8", NEWEST)
                (run,) = os.listdir(os.path.join(self.scratch, "backups"))
                copy = os.path.join(self.scratch, "backups", run, "metadata")
                self.drydock("apply", self.plan("--to", release, "--restore", copy))
                self.assert_release(release, old)

    def test_taken_back_before_the_point_of_no_return(self) -> None:
        self.begin("2.10.5")
        self.configure()
        old = self.head()
        self.drydock("apply", self.plan("--to", "2.13.8"), code=WAITS)
        self.assertFalse(os.path.exists(self.program))  # jobs rest
        self.drydock("downgrade", "-c", self.cluster)
        self.assert_release("2.10.5", old)

    def test_a_half_done_store_and_an_old_configuration_are_refused(self) -> None:
        self.begin("2.10.5")
        told = self.drydock("apply", self.plan("--to", "2.13.8"), code=4)
        self.assertIn("encryption_version", told.stdout + told.stderr)
        self.assertTrue(os.access(self.program, os.X_OK))
        self.drydock("abort", "-c", self.cluster)
        self.configure()
        os.replace(os.path.join(self.copy.folder, "meta-after-failed-upgrade.sqlite"),
                   self.copy.metadata)
        told = self.drydock("apply", self.plan("--to", "2.13.8"), code=4)
        self.assertIn("store upgrade --undo", told.stdout + told.stderr)


if __name__ == "__main__":
    unittest.main()
