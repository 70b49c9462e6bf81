"""The leg of encryption in the pack backy2: there, back and for good, on SQLite and PostgreSQL; killed at records of the
run and of the store's own journal; paused in the middle.

CI kills at records that are spread over the leg; in store-full it is every record.
"""

import json
import os
import signal
import subprocess
import time
import unittest

import packs
import postgres
import s3
import stores
from packs import ENCRYPTED, GATE, NEWEST, WAITS
from stores import scaled

KILLED = -signal.SIGKILL
MOMENTS = ("before", "after", "sent")
KILLS = 5  # of the run, when not all are asked for
BATCH = 3


class Leg(packs.PackCase):
    bucket: s3.Server | None = None

    def blobs(self) -> dict[str, str]:
        return self.bucket.keys() if self.bucket else stores.files_of(self.copy)

    def assert_there_and_back_and_for_good(self) -> None:
        rows, files = self.plain_rows(), self.blobs()
        self.assertGreater(rows, 10)
        self.drydock("apply", self.plan("--to", ENCRYPTED), code=WAITS)
        self.assertEqual(self.plain_rows(), 0)
        self.assert_release("2.13.8", NEWEST)
        self.assertLessEqual(files.items(), self.blobs().items())
        self.drydock("downgrade", "-c", self.cluster)
        self.assertEqual((self.plain_rows(), self.blobs()), (rows, files))
        self.assert_release("2.13.8", NEWEST)
        self.drydock("apply", self.plan("--to", ENCRYPTED), "--approve", GATE)
        self.assertEqual(self.plain_rows(), 0)
        self.assertFalse(files.items() <= self.blobs().items())
        self.assert_release("2.13.8", NEWEST)
        told = self.drydock("plan", "-c", self.cluster, "--to", "2.13.8", "-o", "no.json", code=1)
        self.assertIn("the way back closed when free/store1/old was begun", told.stdout + told.stderr)

    def test_sqlite(self) -> None:
        self.begin_encryption()
        self.assert_there_and_back_and_for_good()

    def test_postgresql(self) -> None:
        self.begin_encryption(self.start(postgres))
        self.assert_there_and_back_and_for_good()

    def test_bucket(self) -> None:
        self.bucket = self.start(s3)
        self.begin_encryption()
        self.bucket.take_blobs(self.copy)
        self.assert_there_and_back_and_for_good()

    def test_without_a_key_nothing_is_changed(self) -> None:
        self.begin_encryption()
        with open(self.copy.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.copy.config, "w", encoding="utf-8") as file:
            file.write(text.replace("encryption_key", "#encryption_key"))
        told = self.drydock("apply", self.plan("--to", ENCRYPTED), code=4)
        self.assertIn("add `encryption_key: `", told.stdout + told.stderr)
        self.assertTrue(os.access(self.program, os.X_OK))

    def records(self) -> int:
        told = self.drydock("log", "-c", self.cluster, "--json").stdout
        return len(json.loads(told)["events"])

    def finish(self, plan: str) -> None:
        """After a kill: whatever is left to do, with the gate approved."""
        done = self.drydock("resume", "-c", self.cluster, code=None)
        if done.returncode == 1 and "there is no run" in done.stdout + done.stderr:
            done = self.drydock("apply", plan, code=None)
        if done.returncode == WAITS:
            done = self.drydock("approve", "-c", self.cluster, GATE, code=None)
            if done.returncode == 0:
                done = self.drydock("resume", "-c", self.cluster, code=None)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_killed_at_records_of_the_run(self) -> None:
        self.begin_encryption()
        self.drydock("apply", self.plan("--to", ENCRYPTED), "--approve", GATE)
        count = self.records()
        self.assertGreater(count, 20)
        cases = [(record, moment) for record in range(1, count + 1) for moment in MOMENTS]
        killed = 0
        for record, moment in cases if stores.FULL else cases[1::max(1, len(cases) // KILLS)]:
            with self.subTest(record=record, moment=moment):
                self.setUp()
                self.begin_encryption()
                plan = self.plan("--to", ENCRYPTED)
                ended = self.drydock("apply", plan, "--approve", GATE, code=None,
                                     env={"DRYDOCK_CRASH": f"{record}:{moment}"})
                killed += ended.returncode == KILLED
                if ended.returncode == KILLED:
                    self.assert_images()
                    self.finish(plan)
                self.assertEqual(self.plain_rows(), 0)
                self.assert_release("2.13.8", NEWEST)
        self.assertGreater(killed, 0)

    def assert_images(self) -> None:
        for name in stores.WHOLE:
            self.assertEqual(stores.restored_sha256(self, self.copy.config, self.copy.uid(name)),
                             self.copy.image_sha256(name))

    def wrap(self, once: str) -> None:
        """Steps call drydock through a script, which does `once` where it encrypts, the first time."""
        self.drydock_of_steps = os.path.join(self.scratch, "wrapped")
        with open(self.drydock_of_steps, "w", encoding="utf-8") as file:
            file.write(f"""#!/bin/sh
case "$2 $*" in
*--dry-run*|*--free-old*|*--back*) ;;
encrypt*) set -- "$@" --batch {BATCH}
    if [ ! -e {self.scratch}/once ]; then
        touch {self.scratch}/once
        {once}
    fi ;;
esac
exec {stores.program()} "$@"
""")
        os.chmod(self.drydock_of_steps, 0o755)

    def test_killed_at_records_of_the_journal(self) -> None:
        record, killed = 1, True
        while killed:
            self.setUp()
            self.wrap(f"export DRYDOCK_STORE_CRASH={record}:after")
            self.begin_encryption()
            done = self.drydock("apply", self.plan("--to", ENCRYPTED), code=None)
            told = done.stdout + done.stderr
            killed = "signal" in told
            self.assertIn(done.returncode, (WAITS, 4), told)
            if done.returncode == 4:
                self.assert_images()
                self.drydock("resume", "-c", self.cluster, code=WAITS)
            self.assertEqual(self.plain_rows(), 0)
            self.assert_release("2.13.8", NEWEST)
            record += 1 if stores.FULL else 6
        self.assertGreater(record, 8)

    def test_paused_in_the_middle_jobs_can_work(self) -> None:
        self.wrap("exec sleep 100")
        self.begin_encryption()
        plan = self.plan("--to", ENCRYPTED)
        with subprocess.Popen([stores.program(), "apply", plan], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, cwd=self.scratch, env=self.environment(),
                              ) as run:
            end = time.monotonic() + scaled(60)
            while not os.path.exists(os.path.join(self.scratch, "once")):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            self.drydock("pause", "-c", self.cluster, code=None)
            run.wait(scaled(60))
        self.assertTrue(os.access(self.program, os.X_OK))
        self.assert_images()
        self.drydock("resume", "-c", self.cluster, code=WAITS)
        self.assertEqual(self.plain_rows(), 0)
        self.assert_release("2.13.8", NEWEST)


if __name__ == "__main__":
    unittest.main()
