"""An upgrade on a real Ozone, the whole of it: there, back, there again, finalized, no way back.

What Ozone must say and do at each moment is what it was found to do without drydock.
"""

import os
import shutil
import subprocess

import ozone_harness  # first: it knows where the others are
import keys
import releases
from client import Refused
from ozone_harness import DONE, NEW, NO, OLD

OLDER_KEY, BY_OLD, BY_NEW = "written-twice", b"by the old release", b"by the new release"
REFUSED = ("Cannot initialize VersionManager. "
           "Metadata layout version ({}) > software layout version ({})")


class Cycle(ozone_harness.Case):
    def test_there_and_back_and_there_and_finalized(self) -> None:
        self.begin()
        self.assert_stands_on(OLD, OLD)
        self.put(BY_OLD)

        self.to_the_gate()
        self.assert_pre_finalized()
        self.put(BY_NEW)
        keys.put(self.cluster, "new1")

        self.drydock("downgrade", expect=DONE)
        self.assert_stands_on(OLD, OLD)
        self.assert_all("golden", "new1")
        keys.put(self.cluster, "old2")

        self.to_the_gate()
        self.assert_pre_finalized()
        self.assert_all("golden", "new1", "old2")

        self.finish()
        self.assert_finalized()
        self.assert_stands_on(NEW, NEW)
        self.cluster.client.snapshot(keys.VOLUME, keys.BUCKET, "snap-late")
        self.assert_all("golden", "new1", "old2")
        self.assert_said_again()
        self.assert_no_way_back()

        self.assert_old_release_refuses_a_copy()
        self.cluster.start()
        self.cluster.wait_ready()
        self.assert_all("golden", "new1", "old2")

    def put(self, content: bytes) -> None:
        self.cluster.client.put(keys.VOLUME, keys.BUCKET, OLDER_KEY, content)

    def assert_all(self, *names: str) -> None:
        """These keys, the one that both releases wrote, and room for more."""
        self.assert_keys(*names)
        self.assertEqual(self.cluster.client.get(keys.VOLUME, keys.BUCKET, OLDER_KEY), BY_NEW)

    def assert_stands_on(self, release: str, layouts: str) -> None:
        """Every server runs a release, on the layouts of another (or the same), and serves."""
        software, disk = releases.layouts(release), releases.layouts(layouts)
        self.cluster.wait_nodes(HEALTHY=3)
        self.assertEqual(self.versions(), {release})
        for name, layout in self.layouts_on_disk().items():
            of = 1 if self.cluster.members[name].role == "om" else 0
            self.assertEqual((layout, self.cluster.layouts(name)),
                             (disk[of], (disk[of], software[of])), name)
        self.assertFalse(self.cluster.prepared("om1"))

    def assert_pre_finalized(self) -> None:
        """New software on the old layouts: all but what needs the new ones works."""
        self.assert_stands_on(NEW, OLD)
        for role in ("scm", "om"):
            self.assertEqual(self.cluster.status(role), "FINALIZATION_REQUIRED")
        self.assert_keys("golden")
        with self.assertRaises(Refused) as caught:
            self.cluster.client.snapshot(keys.VOLUME, keys.BUCKET, "snap-early")
        self.assertEqual(caught.exception.code, "NOT_SUPPORTED_OPERATION_PRIOR_FINALIZATION")
        status = self.drydock("status", expect=ozone_harness.WAITS).stdout
        self.assertIn("drydock approve finalize", status)
        self.assertIn("drydock downgrade", status)

    def assert_said_again(self) -> None:
        """Finalizing what is finalized does nothing, and says so."""
        for role in ("scm", "om"):
            done = self.cluster.finalize(role)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("Upgrade has already been finalized.", done.stdout)

    def assert_no_way_back(self) -> None:
        refused = self.drydock("downgrade", expect=NO).text()
        for words in (f"this step raises hdds to 10; {OLD} cannot read that", "restore"):
            self.assertIn(words, refused)

    def assert_old_release_refuses_a_copy(self) -> None:
        """Leaves the cluster stopped, and as it was."""
        self.cluster.client.close()
        self.cluster.stop()
        members = [self.cluster.members[name] for name in ("scm1", "om1", "dn1")]
        for member in members:
            os.rename(member.below("data"), member.below("kept"))
            subprocess.run(["cp", "-a", member.below("kept"), member.below("data")], check=True)
        self.cluster.install(OLD)
        before = self.layouts_on_disk()
        for member, layouts in zip(members, ((10, 4), (9, 3), (10, 4))):
            words = ["--downgrade"] if member.role == "om" else []
            self.assertEqual(self.cluster.once(member.name, *words), 255, member.name)
            self.assertIn(REFUSED.format(*layouts), self.cluster.log_end(member.name, 200))
        self.assertEqual(self.layouts_on_disk(), before)
        for member in members:
            shutil.rmtree(member.below("data"))
            os.rename(member.below("kept"), member.below("data"))
        self.cluster.install(NEW)


if __name__ == "__main__":
    ozone_harness.main()
