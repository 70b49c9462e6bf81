#!/usr/bin/env python3
"""A restore that breaks off, is repeated once a person has approved, and breaks off again: what that person types then."""

import os
import subprocess
import unittest

import double
import migration
from migrate_case import WAITS, Case, full_only, scaled


@full_only
class Restores(Case):
    def test_one_that_breaks_off_twice(self) -> None:
        """Each half is found. The second one is deleted by the person's own `pachctl delete all`, as the refusal says."""
        self.make_plan()
        self.break_off()
        run = self.begin("apply", self.plan)
        migration.wait_until(lambda: os.path.exists(self.half + "-wanted"), scaled(300), lambda: "nothing is restored")
        self.cut_the_dump()
        done = run.wait(scaled(300))
        self.assertEqual(done.code, WAITS, done.text())
        self.assertIn("drydock approve clean", done.text())
        held = self.repos()
        self.assertGreater(held, set())
        self.break_off()
        self.drydock("approve", "clean")
        self.halted("resume", told="restore.log")
        self.assertEqual(self.repos(), held)
        done = self.drydock("resume", expect=None)  # nothing is restored on top of it
        self.assertNotEqual(done.code, WAITS, done.text())
        self.assertIn("pachctl delete all", " ".join(done.text().split()))
        self.assert_old_serves()
        line = self.world.inside_line(self.world.new, "delete", "all")
        subprocess.run(line, shell=True, check=True, input=b"y\n", stdout=subprocess.DEVNULL, timeout=scaled(60))
        self.assertEqual(self.repos(), set())
        done = self.drydock("resume", expect=WAITS)
        self.assertIn("drydock approve replay", done.text())
        self.go_back()

    # Parts

    @property
    def half(self) -> str:
        return os.path.join(self.scratch, "half")

    def break_off(self) -> None:
        """The next restore reads half of the dump, and fails."""
        self.hooks.once("during-restore", f"touch {self.half}-wanted", f"until [ -e {self.half} ]; do sleep 0.1; done",
                        f"$1 restore < {self.half}", "exit 1")

    def cut_the_dump(self) -> None:
        dump = self.run_folder() + "/metadata"
        count, = double.pachyderm.batch(["count", dump])
        double.pachyderm.batch(["cut", dump, str(count["ops"] // 2), self.half + "-made"])
        os.rename(self.half + "-made", self.half)

    def repos(self) -> set[str]:
        return {one["repo"]["name"] for one in self.listed(self.world.new, "list", "repo")}


if __name__ == "__main__":
    unittest.main()
