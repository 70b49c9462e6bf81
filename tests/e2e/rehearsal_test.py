"""A rehearsal of etcd 3.4 -> 3.5 beside a real cluster with writers on it."""

import glob
import json
import os

import harness
from harness import DONE, KILLED, WAITS

WRITES_PER_SECOND = 30  # of each writer
SPREAD = (2, 5, 8, 11, 14)  # records at which its conductor dies


class RehearsalTest(harness.Case):
    def rehearse(self, expect: int = DONE, crash: str = "") -> None:
        self.drydock("rehearse", self.plan, expect=expect,
                     env={"DRYDOCK_CRASH": crash} if crash else None)

    def assert_untouched(self) -> None:
        """No member was stopped, the level is the old one, and nothing of the copy is left."""
        self.assertEqual(self.versions(), [self.old] * 3)
        self.assertEqual({self.cluster.versions(name)[1] for name in self.cluster.members},
                         {self.level(self.old)})
        self.assertEqual([self.cluster.stops(name) for name in self.cluster.members], [0, 0, 0])
        backups = os.path.join(self.scratch, "state", "backups")
        self.assertEqual(glob.glob(os.path.join(backups, "*.scratch")), [])
        self.assertEqual([pid for pid in cluster_processes(self.scratch) if ".scratch" in pid], [])

    def test_what_it_finds(self) -> None:
        """3.5 holds the same data; behind it, 3.4 does not start again."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.make_plan()
        self.rehearse()
        self.assert_untouched()
        found = glob.glob(os.path.join(self.scratch, "state", "backups", "*-rehearsed", "*",
                                       "result.json"))
        self.assertEqual(len(found), 1)
        with open(found[0], encoding="utf-8") as file:
            result = json.load(file)
        self.assertEqual((result["forward"], result["same_data"], result["way_back"]),
                         (True, True, "closed"))
        self.assertGreater(result["forward_ms"], 0)
        words = " ".join(self.drydock("plan", "--to", self.new, "-o", self.plan,
                                      expect=DONE).stdout.split())
        self.assertIn("rehearsed on a copy", words)
        self.assertIn("way back behind the last step: closed", words)
        self.drydock("apply", self.plan, expect=WAITS)
        self.drydock("approve", self.gate(), expect=DONE)
        self.drydock("resume", expect=DONE)
        self.assert_upgraded()

    def test_killed(self) -> None:
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.make_plan()
        for record in SPREAD:
            with self.subTest(record=record):
                self.rehearse(KILLED, f"{record}:after")
                self.drydock("resume", expect=DONE)
                self.assert_untouched()
        self.assert_nothing_lost()


def cluster_processes(scratch: str) -> list[str]:
    """The folders that processes of this scratch folder work in."""
    folders = []
    for link in glob.glob("/proc/[0-9]*/cwd"):
        try:
            folder = os.readlink(link)
        except OSError:
            continue
        if folder.startswith(scratch):
            folders.append(folder)
    return folders


if __name__ == "__main__":
    harness.main()
