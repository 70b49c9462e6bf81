"""What the tests of whole legs share: a place of the double, drydock in it, and containers with something of everything."""

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
from program import DONE, HALTED, KILLED, NO, WAITS, Run, Running, program, require_program, run_drydock  # noqa: E402,F401

sys.path.insert(0, os.path.join(HERE, "..", "common"))
from limits import scaled  # noqa: E402

RUN_SECONDS_MAX = scaled(150)
TIME_NS = 1_600_000_000_000_000_000  # a whole second: 1.x holds no more
OWNER = "daemon@"
FILES = 40
IS_FULL = "DRYDOCK_DAOS_FULL" in os.environ
full_only = unittest.skipUnless(IS_FULL, "takes long: ./dev test daos-full")
with_mounts = unittest.skipIf(install.why_unable(), install.why_unable())


class Case(unittest.TestCase):
    place: Place
    config: str  # the cluster file

    def setUp(self) -> None:
        require_program()
        self.place = Place(ranks=2)
        self.addCleanup(self.place.__exit__)

    def begin(self, release: str, *more: str, os_next: str = "none") -> None:
        self.write_config(release, *more, os_next=os_next)
        self.place.start_linked(release)
        self.place.dmg("storage", "format")

    def write_config(self, release: str, *more: str, os_next: str = "none") -> None:
        self.config = cluster.write(self.place, os.path.abspath(program()), release, list(dict.fromkeys([release, *more])), os_next)

    def drydock(self, *words: str, expect: int | None = DONE, env: dict[str, str] | None = None) -> Run:
        done = run_drydock(list(words), self.place.base, env, RUN_SECONDS_MAX)
        if expect is not None:
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


class RebuiltCase(Case):
    """A system of 1.2 with one container, that becomes one of 2.0."""

    OLD, NEW, GATE = "1.2.0", "2.0.3", "point-of-no-return"

    def begin_old(self) -> None:
        cluster.set_os(self.place, "centos", "7.9")
        self.begin(self.OLD, self.NEW)
        self.pool = self.make_pool()
        self.container = self.make_container(self.pool)
        self.fill(self.place.mount(self.pool, self.container))
        self.before = self.seen("mount0")
        self.place.unmount(self.place.path("mount0"))

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
        for number in range(FILES):
            path = os.path.join(folder, "a", f"file-{number}")
            with open(path, "wb") as file:
                file.write(os.urandom(1 << 10 if number else 3 << 20))
            os.setxattr(path, "user.note", b"%d" % number)
            os.chmod(path, 0o640)
            os.utime(path, ns=(TIME_NS, TIME_NS + number * 1_000_000_000))
        os.symlink("a/file-1", os.path.join(folder, "link"))

    def seen(self, name: str) -> str:
        """What a mount holds, as find and sha256sum see it."""
        listed = subprocess.run(["find", self.place.path(name), "-printf", "%P %y %s %m %U %l %T@\n"], capture_output=True, text=True, check=True)
        hashes = subprocess.run("find . -type f -print0 | sort -z | xargs -0 sha256sum", shell=True, cwd=self.place.path(name), capture_output=True,
                                text=True, check=True)
        return "\n".join(sorted(listed.stdout.splitlines())) + hashes.stdout

    def assert_rebuilt(self) -> None:
        """Pool and container are there again, with all that they had and all that was in them."""
        label = f"pool-{self.pool[:8]}"
        self.assertEqual(self.place.dmg("pool", "get-acl", label), f"# Owner: {OWNER}\n# Owner Group: root@\n# Entries:\nA::OWNER@:rw\nA:G:GROUP@:r\n")
        [made] = json.loads(self.place.daos("container", "list", label, "-j"))["response"]
        told = self.place.daos("container", "get-attr", label, made["label"], "project", "-j")
        self.assertEqual(json.loads(told)["response"]["value"], "x y")
        self.place.mount(label, made["label"])
        self.assertEqual(self.seen("mount1"), self.before)

    def assert_old_is_whole(self) -> None:
        """Nothing was formatted: the storage, the pool and the container are those of before."""
        with self.place.system.change() as state:
            self.assertEqual(state["format"], "1.2")
            self.assertEqual([pool["uuid"] for pool in state["pools"]], [self.pool])
            self.assertEqual([one["uuid"] for one in state["pools"][0]["containers"]], [self.container])
