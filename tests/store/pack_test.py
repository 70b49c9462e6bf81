"""The pack backy2 on real stores: planned, checked, run, taken back."""

import json
import os
import unittest

import packs
import postgres
import stores
from packs import ENCRYPTED, GATE, NEWEST, WAITS

SLOW_S = 4  # a start of a program while others build


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

    def test_postgresql_there_and_back_by_the_copy(self) -> None:
        self.begin("2.10.5", self.start(postgres))
        self.configure()
        rows = self.server.rows_of(self.database)
        self.drydock("apply", self.plan("--to", "2.13.8"), "--approve", GATE)
        self.assert_release("2.13.8", NEWEST)
        (run,) = os.listdir(os.path.join(self.scratch, "backups"))
        copy = os.path.join(self.scratch, "backups", run, "metadata")
        self.drydock("apply", self.plan("--to", "2.10.5", "--restore", copy))
        self.assertEqual(self.server.rows_of(self.database), rows)
        self.assert_release("2.10.5", rows["alembic_version"][0].strip("()"))

    def test_taken_back_before_the_point_of_no_return(self) -> None:
        self.begin("2.10.5")
        self.configure()
        old = self.head()
        self.drydock("apply", self.plan("--to", "2.13.8"), code=WAITS)
        self.assertTrue(os.access(self.program, os.X_OK))  # nobody waits for a person while jobs rest
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

    def test_a_busy_host_is_not_an_absent_one(self) -> None:
        self.drydock_of_steps = self.slow(stores.program(), os.path.join(self.scratch, "slow"))
        self.begin_encryption()
        for folder in self.folders.values():
            python = os.path.join(folder, "bin", "python")
            os.rename(python, python + "-real")
            self.slow(python + "-real", python)
        self.plan("--to", ENCRYPTED)
        told = json.loads(self.drydock("survey", "-c", self.cluster, "--json").stdout)
        unknown = [fact["name"] for fact in told["facts"] if "did not answer" in json.dumps(fact)]
        self.assertEqual(unknown, [])

    def slow(self, program: str, path: str) -> str:
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nsleep {SLOW_S}\nexec {program} "$@"\n')
        os.chmod(path, 0o755)
        return path


if __name__ == "__main__":
    unittest.main()
