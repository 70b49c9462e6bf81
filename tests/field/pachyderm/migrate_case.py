"""What the tests of a whole migration share: one world, drydock in it, and hooks in the middle of its steps."""

import json
import os
import shutil
import sys
import tempfile
import threading
import unittest
from typing import Any

import double  # first: it knows where the others are
import installation
import migration
import radosgw

sys.path.insert(0, os.path.join(migration.ROOT, "tests", "e2e"))  # tests/extract has a program.py, too

from limits import scaled  # noqa: E402
from program import DONE, HALTED, KILLED, MOVED, NO, WAITS, Run, Running, program, require_program  # noqa: E402,F401

RUN_SECONDS_MAX = scaled(300)
FILES, PIPELINES = 60, 1
PAUSE_SECONDS = 0.5  # between two looks of the loader
DUMPED = "copy/pach-old/dump  *then yes"  # in the log
IS_FULL = "DRYDOCK_PACHYDERM_FULL" in os.environ  # builds the API server if it is missing, and runs all of the tests
full_only = unittest.skipUnless(IS_FULL, "takes minutes: ./dev test pachyderm-full")


class Case(unittest.TestCase):
    """Tests in one world, in the order of their names: its two servers take most of a minute to start."""

    world: Any
    server: Any  # of S3
    hooks: "Hooks"
    scratch: str
    plan: str  # the file

    @classmethod
    def setUpClass(cls) -> None:
        require_program()
        try:
            installation.ensure(may_build=IS_FULL)
            cls.server = radosgw.Server()
        except (installation.Unavailable, radosgw.Unavailable) as error:
            raise unittest.SkipTest(str(error)) from None
        cls.addClassCleanup(cls.server.close)
        cls.scratch = tempfile.mkdtemp(prefix="drydock-migrate-")
        cls.addClassCleanup(shutil.rmtree, cls.scratch, ignore_errors=True)
        cls.hooks = Hooks(cls.scratch)
        cls.world = migration.World(cls.scratch, cls.server.endpoint, radosgw.ACCESS_KEY, radosgw.SECRET_KEY)
        cls.addClassCleanup(cls.world.close)
        cls.world.file.drydock = cls.hooks.drydock()
        cls.world.bring_up(FILES, PIPELINES)
        cls.hooks.wrap_pachctl(cls.world.file.pachctl(cls.world.new))
        cls.world.start_writer()
        cls.plan = os.path.join(cls.scratch, "plan.json")

    def drydock(self, *words: str, expect: int | None = DONE, env: dict[str, str] | None = None) -> Run:
        done = self.begin(*words, env=env).wait(RUN_SECONDS_MAX)
        if expect is not None:
            self.assertEqual(done.code, expect, f"drydock {' '.join(words)}: {done.text()}")
        return done

    def begin(self, *words: str, env: dict[str, str] | None = None) -> Running:
        args = list(words) if words[0] in ("apply", "check") else [*words, "-c", self.world.file.path]
        return Running(args, self.scratch, env)

    def make_plan(self) -> None:
        self.drydock("plan", "--to", migration.NEW, "-o", self.plan)

    def halted(self, *words: str, told: str) -> None:
        """A run that halts and says why."""
        done = self.drydock(*words, expect=HALTED)
        self.assertIn(told, " ".join(done.text().split()))

    def go_back(self) -> None:
        """The way back before the cut-over: the old one serves with everything, and the new one is removed."""
        self.drydock("downgrade")
        self.assert_old_serves()
        self.world.remove_new()

    def assert_old_serves(self) -> None:
        self.assertEqual(self.world.ports(self.world.old)[0], migration.installation.PACHD_PORT)
        self.assertEqual((self.world.serving(), self.world.site.binding()), ("blue", [self.world.old.namespace]))
        self.world.wait_written(2)
        self.assert_nothing_lost(self.world.old)
        stopped = [one["pipeline"]["name"] for one in self.listed(self.world.old, "list", "pipeline") if one.get("stopped")]
        self.assertEqual(stopped, [])

    def assert_nothing_lost(self, side: Any) -> None:
        found = self.world.verify(side)
        self.assertEqual((found["missing"], found["different"]), ([], []))
        self.assertGreater(found["acknowledged"], 0)

    def replay_until(self, ends: threading.Event) -> None:
        """The loader plays back again and again what the new one lacks."""
        while not ends.wait(PAUSE_SECONDS):
            try:
                self.world.replay()
            except RuntimeError as error:
                print(f"the loader tries again: {error}", flush=True)

    def until_dumped(self) -> str:
        """A line of shell that waits until the dump was found whole: the dump and the clone go on at the same time."""
        log = f"DRYDOCK_TRUST=1 {os.path.abspath(program())} log -c {self.world.file.path}"
        return f"until {log} | grep -q '{DUMPED}'; do sleep 0.3; done"

    def listed(self, side: Any, *words: str) -> list[Any]:
        return double.json_values(self.pachctl(side, *words, "--raw"))

    def pachctl(self, side: Any, *words: str) -> str:
        """A command of a person who reaches pachd from inside of Kubernetes, past the node ports."""
        return self.world.inside(side, *words)

    def rival(self, port: int) -> None:
        """Somebody else's Service takes a node port."""
        self.world.site.server.ask("POST", "/api/v1/namespaces/default/services", {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "rival"},
            "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}], "selector": {"app": "rival"}}})

    def remove_rival(self) -> None:
        self.world.site.server.ask("DELETE", "/api/v1/namespaces/default/services/rival")

    def records(self) -> int:
        return len([line for line in self.drydock("log", "--json").stdout.splitlines() if line.strip()])

    def run_folder(self) -> str:
        """The folder of this plan's run."""
        with open(self.plan, encoding="utf-8") as file:
            return os.path.join(self.scratch, "backups", f"demo-{json.load(file)['run']}")


class Hooks:
    """Programs in the middle of a step: `drydock copy` and `pachctl restore` run files of the scratch folder that are there."""

    def __init__(self, scratch: str):
        self.scratch = scratch

    def drydock(self) -> str:
        """A drydock for the pack's scripts; it runs `during-clone` before it copies, and `after-clone` behind it."""
        during, after = self._path("during-clone"), self._path("after-clone")
        real = os.path.abspath(program())
        return self._write(self._path("drydock-with-hook"), "\n".join([
            f'[ "$1" = copy ] || exec {real} "$@"', f"[ ! -x {during} ] || {during}", f'{real} "$@" || exit', f"[ ! -x {after} ] || {after}", ""]))

    def wrap_pachctl(self, path: str) -> None:
        """A pachctl that restores by `during-restore`."""
        os.rename(path, path + ".real")
        own = self._path("during-restore")
        self._write(path, f'[ "$1" = restore ] && [ -x {own} ] && exec {own} {path}.real\nexec {path}.real "$@"\n')

    def once(self, moment: str, *lines: str) -> None:
        """Runs lines of shell once: `during-clone`, `after-clone`, or `during-restore` in its place, where $1 is pachctl."""
        own = self._path(moment)
        self._write(own, "\n".join([f"mv {own} {own}-done", *lines, ""]))

    def _path(self, name: str) -> str:
        return os.path.join(self.scratch, name)

    @staticmethod
    def _write(path: str, text: str) -> str:
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path
