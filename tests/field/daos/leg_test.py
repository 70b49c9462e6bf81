#!/usr/bin/env python3
"""Tests the legs of the pack on the double, by drydock itself from `plan` to the end: formatted and rebuilt, and changed in place."""

import json
import os
import subprocess
import sys
import unittest

import cluster
import install
from place import Place

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "e2e"))
from program import DONE, NO, WAITS, Run, program, require_program, run_drydock  # noqa: E402

sys.path.insert(0, os.path.join(HERE, "..", "common"))
from limits import scaled  # noqa: E402

RUN_SECONDS_MAX = scaled(150)
TIME_NS = 1_600_000_000_000_000_000  # a whole second: 1.x holds no more
OWNER = "daemon@"


def setUpModule() -> None:
    require_program()


class Case(unittest.TestCase):
    release = ""  # the one that runs at first
    releases: list[str] = []

    def setUp(self) -> None:
        self.place = Place(ranks=2)
        self.addCleanup(self.place.__exit__)

    def begin(self, release: str, *more: str, os_next: str = "none") -> None:
        self.config = cluster.write(self.place, os.path.abspath(program()), release, [release, *more], os_next)
        self.place.start_linked(release)
        self.place.dmg("storage", "format")

    def drydock(self, *words: str, expect: int = DONE) -> Run:
        done = run_drydock(list(words), self.place.base, timeout=RUN_SECONDS_MAX)
        self.assertEqual(done.code, expect, f"drydock {' '.join(words)}: {done.text()}")
        return done

    def apply(self, to: str, gate: str) -> None:
        """A plan that holds, as far as its gate; a person approves, and it goes on."""
        self.drydock("apply", self.plan(to), expect=WAITS)
        self.drydock("approve", gate, "-c", self.config)
        self.drydock("resume", "-c", self.config)

    def plan(self, to: str) -> str:
        path = self.place.path("plan.json")
        self.drydock("plan", "-c", self.config, "--to", to, "-o", path)
        self.place.release = to
        return path


@unittest.skipIf(install.why_unable(), install.why_unable())
class Rebuilt(Case):
    """1.2 to 2.0: all content goes out of a mount and comes back into another one."""

    def test_from_plan_to_compare(self) -> None:
        cluster.set_os(self.place, "centos", "7.9")
        self.begin("1.2.0", "2.0.3")
        pool = self.make_pool()
        container = self.make_container(pool)
        self.fill(self.place.mount(pool, container))
        before = self.seen("mount0")
        self.place.unmount(self.place.path("mount0"))
        self.apply("2.0.3", "point-of-no-return")
        label = f"pool-{pool[:8]}"
        self.assertEqual(self.place.dmg("pool", "get-acl", label), f"# Owner: {OWNER}\n# Owner Group: root@\n# Entries:\nA::OWNER@:rw\nA:G:GROUP@:r\n")
        [made] = json.loads(self.place.daos("container", "list", label, "-j"))["response"]
        self.assertEqual(json.loads(self.place.daos("container", "get-attr", label, made["label"], "project", "-j"))["response"]["value"], "x y")
        self.place.mount(label, made["label"])
        self.assertEqual(self.seen("mount1"), before)

    def test_other_kinds_of_containers_refuse_it(self) -> None:
        cluster.set_os(self.place, "centos", "7.9")
        self.begin("1.2.0", "2.0.3")
        self.place.daos("container", "create", f"--pool={self.make_pool()}", "--type=HDF5")
        told = self.drydock("plan", "-c", self.config, "--to", "2.0.3", expect=NO).text()
        self.assertIn("not-posix", told)

    def make_pool(self) -> str:
        self.place.dmg("pool", "create", "-u", OWNER, "-a", self.place.write("acl", "A::OWNER@:rw\nA:G:GROUP@:r\n"))
        return self.place.dmg("pool", "list").splitlines()[2].split()[0]

    def make_container(self, pool: str) -> str:
        self.place.daos("container", "create", f"--pool={pool}", "--type=POSIX", "--properties=rf:1")
        container = self.place.daos("pool", "list-cont", f"--pool={pool}").strip()
        self.place.daos("container", "set-attr", f"--pool={pool}", f"--cont={container}", "--attr=project", "--value=x y")
        return container

    @staticmethod
    def fill(folder: str) -> None:
        os.makedirs(os.path.join(folder, "a", "empty"))
        for number in range(40):
            path = os.path.join(folder, "a", f"file-{number}")
            with open(path, "wb") as file:
                file.write(os.urandom(1 << 10 if number else 3 << 20))
            os.setxattr(path, "user.note", b"%d" % number)
            os.chmod(path, 0o640)
            os.utime(path, ns=(TIME_NS, TIME_NS + number * 1_000_000_000))
        os.symlink("a/file-1", os.path.join(folder, "link"))

    def seen(self, name: str) -> str:
        """What a mount holds, as drydock's own manifest has it, without the root's entry of a header."""
        path = self.place.path(f"{name}.jsonl")
        self.drydock("manifest", self.place.path(name), "-o", path)
        listed = subprocess.run(["find", self.place.path(name), "-printf", "%P %y %s %m %U %l %T@\n"], capture_output=True, text=True, check=True)
        hashes = subprocess.run("find . -type f -print0 | sort -z | xargs -0 sha256sum", shell=True, cwd=self.place.path(name), capture_output=True,
                                text=True, check=True)
        return "\n".join(sorted(listed.stdout.splitlines())) + hashes.stdout


class InPlace(Case):
    def test_two_legs_and_the_pools_are_upgraded(self) -> None:
        cluster.set_os(self.place, "sles", "15.3")
        self.begin("2.0.3", "2.2.0")
        self.place.dmg("pool", "create", "tank")
        self.place.dmg("pool", "create", "lake")
        with self.place.system.change() as state:
            state["fail_upgrades"] = 1
        self.apply("2.2.0", "clients")
        rows = self.place.dmg("pool", "list", "-v").splitlines()[2:]
        self.assertEqual([row.split()[-1] for row in rows], ["None", "None"])

    def test_an_os_that_the_new_release_does_not_know_refuses_it(self) -> None:
        cluster.set_os(self.place, "rocky", "9.4")
        self.begin("2.6.5", "2.8.0")
        self.place.dmg("pool", "create", "tank")
        told = self.drydock("plan", "-c", self.config, "--to", "2.8.0", expect=NO).text()
        self.assertIn("os_next", told)
        self.config = cluster.write(self.place, os.path.abspath(program()), "2.6.5", ["2.6.5", "2.8.0"], "el9.6")
        self.plan("2.8.0")


if __name__ == "__main__":
    unittest.main()
