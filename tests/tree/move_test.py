"""A step that moves a folder: `do: {copy: ...}` and `do: {verify: ...}`, by a run on a real agent."""

import json
import os
import random
import time
import unittest
from typing import Any, Callable

import trees  # first: it knows where the others are
from program import DONE, Run, Running, program, run_drydock, scaled

FILES, FILE_BYTES = 120, 100_000
RATE = "1M"  # twelve seconds in all
WAIT_SECONDS_MAX = scaled(60)
WAITS, PAUSED = 3, 75  # of drydock, and of its mover

PACK = """\
pack: mover
title: Mover
roles:
  node: {quorum: none, stores: [data]}
settings:
  node:
    home: {type: path, help: "the files of the test"}
facts:
  node:
    installed: {binds: installed, type: release, probe: {link: release}}
    running: {binds: running, type: release, probe: {link: release}}
    copied: {type: bool, probe: {file: {path: "${home}/data.manifest", as: exists}}}
"""

RELEASES = """\
stores:
  data: {role: node, formats: ["1"]}
series:
  "1": {data: {reads: ["1"], writes: "1"}}
  "2": {data: {reads: ["1"], writes: "1"}}
releases:
  "1.0": {series: "1"}
  "2.0": {series: "2"}
"""

UPGRADE = """\
procedure: upgrade
kind: offline
title: "copy the folder, and prove it"
phases:
  - phase: roll
    each: {role: node, order: serial}
    steps:
      - move: "copy the data of ${member}"
        id: copy
        do:
          copy:
            from: "${home}/data"
            to: "${home}/copy"
            manifest: "${home}/data.manifest"
            exclude: ["LOCK"]
            mirror: true
            rate: @RATE@
            journal: "${home}/journal"
        then: [{fact: copied, is: true}]
        effect: [{becomes: {fact: copied, value: true}}]
        remedy: "see its log"
        repeatable: yes
        attempts: 5
        pausable: 1m
        stall: 30s
      - run: "read the copy of ${member} from the disk"
        id: prove
        do: {verify: {from: "${home}/data.manifest", to: "${home}/copy", from_disk: true}}
        remedy: "see its log"
        repeatable: yes
        stall: 30s
      - install: "${to}"
        effect: [{becomes: {fact: running, value: "${to}"}}]
"""


class MoveTest(trees.TreeCase):
    def setUp(self) -> None:
        super().setUp()
        for folder in ("releases/1.0", "releases/2.0", "m1/data/deep"):
            os.makedirs(self.path(folder))
        os.makedirs(self.path("host"), mode=0o700)
        os.symlink(self.path("releases", "1.0"), self.path("m1", "current"))
        draw = random.Random(1)
        for number in range(FILES):
            trees.write(self.path("m1", "data", "deep" if number % 2 else "", f"f{number}"), draw.randbytes(FILE_BYTES))
        trees.write(self.path("m1", "data", "LOCK"), b"held")
        self.write_pack()
        self.write_cluster()
        self.drydock_here("plan", "--to", "2.0", "-o", self.path("plan.json"), expect=DONE)

    def path(self, *parts: str) -> str:
        return os.path.join(self.scratch, *parts)

    def write_pack(self) -> None:
        os.makedirs(self.path("packs", "mover", "procedures"))
        for name, text in (("pack.yaml", PACK), ("releases.yaml", RELEASES), ("procedures/upgrade.yaml", UPGRADE)):
            trees.write(self.path("packs", "mover", name), text.replace("@RATE@", RATE).encode())

    def write_cluster(self) -> None:
        trees.write(self.path("demo.yaml"), f"""\
cluster: demo
system: mover
state: "{self.path('state')}"
hosts:
  a: {{connect: local, agent: "{program()}", state: "{self.path('host')}"}}
roles:
  node:
    service: {{command: {{start: ["true"], stop: ["true"], status: ["true"]}}}}
    release:
      link: "{self.path('m1', 'current')}"
      versions: {{"1.0": "{self.path('releases', '1.0')}", "2.0": "{self.path('releases', '2.0')}"}}
    settings: {{home: "{self.path('m1')}"}}
members:
  - {{role: node, name: m1, host: a}}
policy: {{soak: 0s}}
""".encode())

    def words(self, *args: str) -> list[str]:
        return list(args) if args[0] in ("apply", "guide") else [*args, "-c", self.path("demo.yaml")]

    def drydock_here(self, *args: str, expect: int | None = None) -> Run:
        done = run_drydock(self.words(*args), self.scratch, {"DRYDOCK_PACKS": self.path("packs")})
        if expect is not None:
            self.assertEqual(done.code, expect, f"drydock {' '.join(args)}: {done.text()}")
        return done

    def start(self, *args: str) -> Running:
        return Running(self.words(*args), self.scratch, {"DRYDOCK_PACKS": self.path("packs")})

    def wait_for(self, condition: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{name}: not in time")
            time.sleep(0.05)

    def copied(self) -> int:
        """The files that have their names in the copy."""
        return sum(len(files) for _, _, files in os.walk(self.path("m1", "copy")))

    def endings(self, action: str) -> list[dict[str, Any]]:
        events = json.loads(self.drydock_here("log", "--json", expect=DONE).stdout)["events"]
        return [event for event in events if event["type"] == "action.ended" and event["action"] == action]

    def assert_copied(self) -> None:
        wanted = trees.facts(self.path("m1", "data"))
        self.assertIsNotNone(wanted.pop(b"/LOCK"))
        self.assertEqual(trees.facts(self.path("m1", "copy")), wanted)
        self.assertTrue(os.path.realpath(self.path("m1", "current")).endswith("2.0"))
        self.assertEqual(self.endings("roll/m1/prove")[-1]["outcome"], "done")

    def test_is_seen_paused_and_goes_on(self) -> None:
        running = self.start("apply", self.path("plan.json"), "--json")
        self.wait_for(lambda: self.copied() > 20, "the first files")
        self.drydock_here("pause", expect=DONE)
        paused = running.wait()
        self.assertEqual(paused.code, WAITS, paused.text())
        self.assertLess(self.copied(), FILES)
        self.assertEqual(self.endings("roll/m1/copy")[-1]["detail"]["evidence"]["exit"], PAUSED)
        told = [line for line in map(json.loads, paused.stdout.splitlines()) if line.get("type") == "progress"]
        self.assertEqual(told[-1]["action"], "roll/m1/copy")
        self.assertGreater(told[-1]["bytes"], 0)
        self.assertEqual(self.start("resume").wait().code, DONE)
        self.assert_copied()

    def test_survives_a_kill(self) -> None:
        running = self.start("apply", self.path("plan.json"))
        self.wait_for(lambda: self.copied() > 5, "the first files")
        running.kill()
        ended = self.start("resume").wait()
        self.assertEqual(ended.code, DONE, ended.text())
        self.assert_copied()

    def test_is_read_as_it_is_typed(self) -> None:
        guide = self.drydock_here("guide", self.path("plan.json"), expect=DONE).stdout
        home = self.path("m1")
        self.assertIn(f"drydock copy {home}/data {home}/copy --manifest={home}/data.manifest --exclude=LOCK "
                      f"--bwlimit={RATE} --journal={home}/journal --delete --yes", guide)
        self.assertIn(f"drydock verify {home}/data.manifest {home}/copy --from-disk", guide)


if __name__ == "__main__":
    unittest.main()
