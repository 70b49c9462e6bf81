"""Backups: proved, named after their run, and no more kept than the policy says."""

import pathlib

import harness


class BackupTest(harness.Case):
    def test_only_the_newest_proved_copies_stay(self) -> None:
        self.begin()
        file = pathlib.Path(self.cluster_file)
        file.write_text(file.read_text().replace("soak: 0s", "soak: 0s\n  backups: {path: ./copies, keep: 2}"))
        copies = file.parent / "copies"
        proved = ("demo-20200101-000000-aaaa", "demo-20200102-000000-bbbb", "demo-2-20200101-000000-cccc")
        for name in proved:
            (copies / name).mkdir(parents=True)
            (copies / name / "snapshot.db.proved").write_text("{}")
        (copies / "demo-20200103-000000-dddd").mkdir()  # never proved: not ours to remove
        self.drydock("plan", "--to", self.new, "-o", self.plan, expect=0)
        self.drydock("apply", self.plan, expect=3)
        left = {path.name for path in copies.iterdir()}
        self.assertEqual(len(left), 4, left)
        self.assertNotIn("demo-20200101-000000-aaaa", left)
        for kept in ("demo-20200102-000000-bbbb", "demo-2-20200101-000000-cccc", "demo-20200103-000000-dddd"):
            self.assertIn(kept, left)


if __name__ == "__main__":
    harness.main()
