"""Long actions on a real agent: they go on where they were, after a cancellation and after a crash.

The cluster is one member whose data a script "moves": it counts to 100 and keeps the number in its
cursor. It waits at the number in the file `limit`, so that nothing depends on how fast a machine is.
"""

import json
import os
import shutil
import signal
import tempfile
import time
import unittest
from typing import Any, Callable

from program import DONE, Run, Running, program, run_drydock, scaled

WAIT_SECONDS_MAX = scaled(60)

PACK = """\
pack: mover
title: Mover
roles:
  node: {quorum: none, stores: [data]}
settings:
  node:
    home: {type: path, help: "the member's files"}
facts:
  node:
    installed: {binds: installed, type: release, probe: {link: release}}
    running: {binds: running, type: release, probe: {link: release}}
    moved: {type: bool, probe: {file: {path: "${home}/moved", as: exists}}}
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
title: "move the data"
phases:
  - phase: roll
    each: {role: node, order: serial}
    steps:
      - run: "move the data of ${member}"
        id: move
        script: mover.py
        do: {command: {argv: ["${script}", "${home}"]}}
        stall: 1m
        cancellable: true
        happened: [{fact: moved, is: true}]
        then: [{fact: moved, is: true}]
        effect: [{becomes: {fact: moved, value: true}}]
        remedy: "see its log"
      - install: "${to}"
        effect: [{becomes: {fact: running, value: "${to}"}}]
"""

MOVER = """\
#!/usr/bin/env python3
import json, os, sys, time

home = sys.argv[1]
cursor, progress = os.environ["DRYDOCK_CURSOR"], os.environ["DRYDOCK_PROGRESS"]


def read(path, otherwise):
    try:
        with open(path) as file:
            return file.read().strip() or otherwise
    except FileNotFoundError:
        return otherwise


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


done = int(read(cursor, "0"))
with open(os.path.join(home, "begun"), "a") as file:
    file.write(f"{done}\\n")
while done < 100:
    if done < int(read(os.path.join(home, "limit"), "0")):
        done += 10
        write(cursor, str(done))
    write(progress, json.dumps({"done": done, "of": 100, "rate": 10, "unit": "rows"}))
    time.sleep(0.02)
write(os.path.join(home, "moved"), "")
"""


class Long(unittest.TestCase):
    def setUp(self) -> None:
        if not os.access(program(), os.X_OK):
            self.skipTest(f"{program()} is not built; ./dev build makes it")
        self.scratch = tempfile.mkdtemp(prefix=f"drydock-{self._testMethodName}-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        for version in ("1.0", "2.0"):
            os.makedirs(self.path("releases", version))
        os.makedirs(self.path("m1"))
        os.makedirs(self.path("host"), mode=0o700)
        os.symlink(self.path("releases", "1.0"), self.path("m1", "current"))
        self.write(PACK, "packs", "mover", "pack.yaml")
        self.write(RELEASES, "packs", "mover", "releases.yaml")
        self.write(UPGRADE, "packs", "mover", "procedures", "upgrade.yaml")
        self.write(MOVER, "packs", "mover", "scripts", "mover.py")
        self.write(f"""\
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
""", "demo.yaml")

    def path(self, *parts: str) -> str:
        return os.path.join(self.scratch, *parts)

    def write(self, text: str, *parts: str) -> None:
        os.makedirs(os.path.dirname(self.path(*parts)), exist_ok=True)
        with open(self.path(*parts), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, *parts: str) -> str:
        try:
            with open(self.path(*parts), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def allow(self, limit: int) -> None:
        """The script counts up to that, and waits there."""
        self.write(str(limit), "m1", "limit.new")
        os.rename(self.path("m1", "limit.new"), self.path("m1", "limit"))

    def words(self, *args: str) -> list[str]:
        return list(args) if args[0] in ("apply", "check") else [*args, "-c", self.path("demo.yaml")]

    def environment(self) -> dict[str, str]:
        return {"DRYDOCK_PACKS": self.path("packs")}

    def drydock(self, *args: str, expect: int | None = None) -> Run:
        done = run_drydock(self.words(*args), self.scratch, self.environment())
        if expect is not None:
            self.assertEqual(done.code, expect, f"drydock {' '.join(args)}: {done.text()}")
        return done

    def start(self, *args: str) -> Running:
        return Running(self.words(*args), self.scratch, self.environment())

    def wait_for(self, what: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not what():
            self.assertLess(time.monotonic(), deadline, f"{name}: not in time")
            time.sleep(0.05)

    def wait_at(self, number: int, attempt: int) -> None:
        """Until that attempt has come so far, and says so."""
        def told() -> bool:
            text = self.read("host", self.run_id(), f"roll+m1+move.{attempt}", "progress.json")
            return text != "" and json.loads(text)["done"] == number
        self.wait_for(told, f"attempt {attempt} at {number}")

    def run_id(self) -> str:
        return json.loads(self.read("plan.json"))["run"]

    def begin(self, limit: int) -> Running:
        self.allow(limit)
        self.drydock("plan", "--to", "2.0", "-o", self.path("plan.json"), expect=DONE)
        return self.start("apply", self.path("plan.json"))

    def begun(self) -> list[str]:
        """The numbers at which attempts began."""
        return self.read("m1", "begun").split()

    def events(self) -> list[dict[str, Any]]:
        text = self.drydock("log", "--json", expect=DONE).stdout
        try:
            answer = json.loads(text)
        except json.JSONDecodeError:  # one record a line
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return answer if isinstance(answer, list) else answer.get("events", [answer])

    def test_goes_on_where_it_was(self) -> None:
        """After a cancellation and after a dead supervisor, a second attempt begins at the cursor."""
        running = self.begin(limit=30)
        self.wait_at(30, attempt=1)
        self.drydock("pause")
        paused = running.wait()
        self.assertIn("cancelled at 30 of 100 rows (30 %); goes on from there on resume", paused.text())
        self.assertIn("cancelled at 30 of 100 rows (30 %)", self.drydock("status").stdout)
        ended = [event for event in self.events() if event["type"] == "action.ended"]
        self.assertEqual((len(ended), ended[0]["outcome"]), (1, "unknown"))
        self.assertTrue(ended[0]["detail"]["cancelled"])
        self.assertEqual(ended[0]["detail"]["evidence"]["progress"]["done"], 30)
        self.assertEqual(self.begun(), ["0"])

        self.allow(60)
        running = self.start("resume")
        self.wait_at(60, attempt=2)
        lock = self.read("host", self.run_id(), "roll+m1+move.2", "lock")
        os.kill(int(lock.split()[0]), signal.SIGKILL)
        self.wait_at(60, attempt=3)
        self.allow(100)
        self.assertEqual(running.wait().code, DONE)
        self.assertEqual(self.begun(), ["0", "30", "60"])
        self.assertTrue(os.path.realpath(self.path("m1", "current")).endswith("2.0"))

    def test_is_cancelled_by_an_abort_after_its_conductor_died(self) -> None:
        """Who ends a run for a dead conductor does not wait for hours either."""
        running = self.begin(limit=50)
        self.wait_at(50, attempt=1)
        running.kill()
        self.drydock("abort")
        torn = [event for event in self.events() if event["type"] == "action.attached"]
        self.assertEqual(torn[-1]["detail"]["because"], "cancelled at 50 of 100 rows (50 %)")
        self.assertEqual(self.events()[-1]["type"], "run.aborted")
        self.assertEqual(self.begun(), ["0"])


if __name__ == "__main__":
    unittest.main()
