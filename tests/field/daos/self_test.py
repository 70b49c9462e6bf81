#!/usr/bin/env python3
"""Tests the double of DAOS: what its commands print, how a pool is upgraded, and what its FUSE file system holds."""

import errno
import json
import os
import struct
import subprocess
import sys
import unittest

import install
from place import Place

NOBODY = 0xFFFFFFFF  # of an entry that names nobody
# An ACL that modes alone cannot say: user 1 reads too. Version, then tag, permissions and id of each entry.
ACL = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in (
    (1, 6, NOBODY), (2, 4, 1), (4, 4, NOBODY), (0x10, 4, NOBODY), (0x20, 4, NOBODY)))
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))
from limits import scaled  # noqa: E402
from machine import wait_until  # noqa: E402


class Commands(unittest.TestCase):
    def setUp(self) -> None:
        self.place = Place(ranks=3)
        self.addCleanup(self.place.__exit__)

    def begin(self, release: str) -> None:
        self.place.start(release)
        self.place.dmg("storage", "format")

    def test_states_of_ranks(self) -> None:
        self.place.start("2.0.3")
        self.assertEqual(self.place.dmg("system", "query").split("\n")[2].split(), ["[0-2]", "AwaitFormat"])
        self.place.dmg("storage", "format")
        head, rule, *rows = self.place.dmg("system", "query", "-v").splitlines()
        self.assertEqual(" ".join(head.split()), "Rank UUID Control Address Fault Domain State Reason")
        self.assertRegex(rule, "^---- ---- ")
        self.assertEqual([row.split()[4] for row in rows], ["Joined"] * 3)
        self.assertEqual(self.place.dmg("system", "stop").splitlines()[2].split(), ["[0-2]", "stop", "OK"])
        self.assertEqual(self.place.dmg("system", "query").splitlines()[2].split(), ["[0-2]", "Stopped"])
        self.assertIn("DER_UNREACH", self.place.refused("dmg", "pool", "list"))

    def test_the_envelope(self) -> None:
        self.begin("2.0.3")
        told = json.loads(self.place.dmg("-j", "system", "query"))
        self.assertEqual((told["error"], told["status"]), (None, 0))
        self.assertEqual([one["state"] for one in told["response"]["members"]], ["joined"] * 3)
        done = self.place.run("dmg", "-o", self.place.path("control.yml"), "-j", "pool", "query", "nobody")
        self.assertEqual((done.returncode, json.loads(done.stdout)["status"]), (1, -1005))

    def test_1_x_names_pools_by_an_option(self) -> None:
        self.begin("1.2.0")
        self.place.dmg("pool", "create", "--label", "tank")
        pool = self.place.dmg("pool", "list").splitlines()[2].split()[0]
        self.assertRegex(self.place.dmg("pool", "query", f"--pool={pool}"), r"^Pool [0-9a-f-]{36}, ntarget=8, disabled=0, leader=0, version=1, state=Ready\n")
        self.assertIn("--pool", self.place.refused("dmg", "pool", "query", pool))
        self.assertIn("unknown command", self.place.refused("daos", "pool", "list"))

    def test_other_storage_ends_the_engine_not_the_server(self) -> None:
        self.begin("1.2.0")
        self.place.start("2.0.3")
        self.assertEqual(set(self.place.states()), {"Errored"})
        self.assertIn("formatted already", self.place.refused("dmg", "storage", "format"))
        self.place.dmg("storage", "format", "--force")
        self.assertEqual(set(self.place.states()), {"Joined"})

    def test_acls_and_attributes(self) -> None:
        self.begin("2.0.3")
        self.place.dmg("pool", "create", "tank", "-u", "alice@")
        self.place.dmg("pool", "overwrite-acl", "tank", "-a", self.place.write("acl", "A::OWNER@:r\n"))
        self.assertEqual(self.place.dmg("pool", "get-acl", "tank"), "# Owner: alice@\n# Owner Group: root@\n# Entries:\nA::OWNER@:r\n")
        self.place.daos("container", "create", "tank", "home", "--type", "POSIX", "--properties", "rf:1")
        self.place.daos("container", "set-attr", "tank", "home", "project", "x y")
        self.assertEqual(json.loads(self.place.daos("container", "get-attr", "tank", "home", "project", "-j"))["response"]["value"], "x y")
        names = {one["name"]: one["value"] for one in json.loads(self.place.daos("container", "get-prop", "tank", "home", "-j"))["response"]}
        self.assertEqual(names, {"label": "home", "layout_type": "POSIX", "rf": "1"})


class Upgrades(unittest.TestCase):
    """`dmg pool upgrade`: asked for, then waited for."""

    def setUp(self) -> None:
        self.place = Place(upgrade_seconds=1_000_000)  # until completed() says so
        self.addCleanup(self.place.__exit__)
        self.place.start("2.0.3")
        self.place.dmg("storage", "format")
        self.place.dmg("pool", "create", "tank")

    def status(self) -> str:
        return self.place.dmg("pool", "get-prop", "tank", "upgrade_status").splitlines()[-1].split(maxsplit=1)[1]

    def completed(self, status: str) -> None:
        with self.place.system.change() as state:
            state["pools"][0]["ready_at"] = 0
        wait_until(lambda: self.status() == status, scaled(20), f"the pool upgrade does not become {status}")

    def test_not_started_in_progress_completed(self) -> None:
        self.place.start("2.2.0")
        self.assertEqual(self.status(), "not started")
        self.assertTrue(self.place.dmg("pool", "list", "-v").splitlines()[2].rstrip().endswith("0->1"))
        self.assertEqual(self.place.dmg("pool", "upgrade", "tank"), "Pool-upgrade command succeeded\n")
        self.assertEqual(self.status(), "in progress")
        self.assertIn("DER_INPROGRESS", self.place.refused("dmg", "pool", "upgrade", "tank"))
        self.assertIn("DER_BUSY", self.place.refused("daos", "container", "list", "tank"))
        self.completed("completed")
        self.assertTrue(self.place.dmg("pool", "list", "-v").splitlines()[2].rstrip().endswith("None"))
        self.place.dmg("pool", "upgrade", "tank")
        self.assertEqual(self.status(), "completed")

    def test_a_restart_resumes_it(self) -> None:
        self.place.start("2.2.0")
        self.place.dmg("pool", "upgrade", "tank")
        self.place.stop()
        self.place.start("2.2.0")
        self.completed("completed")

    def test_one_that_failed_is_an_outage_until_a_retry_succeeds(self) -> None:
        with self.place.system.change() as state:
            state["fail_upgrades"] = 1
        self.place.start("2.2.0")
        self.place.dmg("pool", "upgrade", "tank")
        self.completed("failed")
        self.assertIn("DER_BUSY", self.place.refused("daos", "container", "list", "tank"))
        self.place.dmg("pool", "upgrade", "tank")
        self.completed("completed")

    def test_jumps_and_steps_back_are_refused(self) -> None:
        self.place.start("2.4.1")
        self.assertRegex(self.place.refused("dmg", "pool", "upgrade", "tank"), "upgrading pool 0 -> 2 is unsupported, upgrade to 1 first")
        self.place.start("2.2.0")
        self.place.dmg("pool", "upgrade", "tank")
        self.completed("completed")
        self.place.start("2.0.3")
        self.assertIn("downgrading pool is unsupported", self.place.refused("dmg", "pool", "upgrade", "tank"))
        self.assertIn("try to upgrade client firstly", self.place.refused("daos", "container", "list", "tank"))


@unittest.skipIf(install.why_unable(), install.why_unable())
class Mounted(unittest.TestCase):
    """What DFS holds, seen through a mount of the kernel."""

    def mounted(self, release: str, kind: str = "POSIX") -> str:
        place = Place()
        self.addCleanup(place.__exit__)
        place.start(release)
        place.dmg("storage", "format")
        place.dmg("pool", "create", "tank")
        place.daos("container", "create", "tank", "home", "--type", kind)
        return place.mount("tank", "home")

    def test_2_0_holds_whole_seconds_and_one_owner(self) -> None:
        folder = self.mounted("2.0.3")
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            self.assertTrue(any(f" {folder} " in line and " - fuse.daos " in line for line in file))
        path = self.file(folder, b"x" * 1000)
        os.utime(path, ns=(1_500_000_001, 1_500_000_001))
        found = os.stat(path)
        self.assertEqual((found.st_mtime_ns, found.st_nlink, found.st_blocks), (1_000_000_000, 1, 2))
        self.assertEqual(os.stat(folder).st_nlink, 1)
        self.refuses(errno.ENOTSUP, os.chown, path, 1, 1)

    def test_2_2_holds_nanoseconds_and_owners(self) -> None:
        path = self.file(self.mounted("2.2.0"), b"x")
        os.utime(path, ns=(1_500_000_001, 1_500_000_001))
        os.chown(path, 1, 2)
        found = os.stat(path)
        self.assertEqual((found.st_mtime_ns, found.st_uid, found.st_gid), (1_500_000_001, 1, 2))

    def test_what_no_release_holds(self) -> None:
        folder = self.mounted("2.4.1")
        path = self.file(folder, b"")
        os.truncate(path, 1 << 20)
        self.refuses(errno.ENOTSUP, os.link, path, path + "2")
        self.refuses(errno.ENOTSUP, os.mkfifo, path + "3")
        self.refuses(errno.ENOTSUP, os.setxattr, path, "system.posix_acl_access", ACL)
        with open(path, "rb") as file:
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_HOLE), 1 << 20)
        self.assertEqual(os.stat(path).st_blocks, 2048)
        os.setxattr(path, "user.note", b"kept")
        self.assertEqual((os.listxattr(path), os.getxattr(path, "user.note")), (["user.note"], b"kept"))

    def test_names_move_with_what_is_below(self) -> None:
        folder = self.mounted("2.0.3")
        os.makedirs(os.path.join(folder, "a", "b"))
        path = self.file(os.path.join(folder, "a", "b"), b"content")
        os.symlink("b/file", os.path.join(folder, "a", "link"))
        with open(path, "rb") as file:
            os.rename(os.path.join(folder, "a"), os.path.join(folder, "c"))
            self.assertEqual(file.read(), b"content")
        with open(os.path.join(folder, "c", "link"), "rb") as file:
            self.assertEqual(file.read(), b"content")
        self.assertEqual(sorted(os.listdir(os.path.join(folder, "c"))), ["b", "link"])

    def test_only_posix_containers_are_mounted(self) -> None:
        with self.assertRaises((AssertionError, subprocess.SubprocessError)):
            self.mounted("2.0.3", "HDF5")

    @staticmethod
    def file(folder: str, content: bytes) -> str:
        path = os.path.join(folder, "file")
        with open(path, "wb") as file:
            file.write(content)
        return path

    def refuses(self, number: int, function: object, *arguments: object) -> None:
        with self.assertRaises(OSError) as raised:
            function(*arguments)  # type: ignore[operator]
        self.assertEqual(raised.exception.errno, number)


if __name__ == "__main__":
    unittest.main()
