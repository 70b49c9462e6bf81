"""A step that moves data: `drydock copy` between two buckets, on a real agent and an S3 server in memory.

The server takes a while for each copy and notes its key. So a test has time to pause the run, to kill any process in
the middle, and to count afterwards what was copied twice.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from typing import Any, Callable

import harness  # noqa: F401  (it finds the module below)
from harness import DONE, Run, Running, program, run_drydock, scaled

OBJECTS = 3000
COPY_MS = 20  # a minute in all, unless a test makes the server fast
IN_FLIGHT = 4
AT_WORK_MAX = 2 * IN_FLIGHT  # copies that are begun at a time
WAIT_SECONDS_MAX = scaled(90)
PAUSED = 3
FOLDER = os.path.dirname(os.path.abspath(__file__))

PACK = """\
pack: mover
title: Mover
roles:
  node: {quorum: none, stores: [data]}
settings:
  node:
    home: {type: path, help: "the files of the test"}
    drydock: {type: path, help: "the program that copies"}
    endpoint: {type: text, help: "the S3 server"}
facts:
  node:
    installed: {binds: installed, type: release, probe: {link: release}}
    running: {binds: running, type: release, probe: {link: release}}
    target:
      type: text
      probe: {command: {script: target.sh, argv: ["${script}", "${home}", "@OBJECTS@"], regex: "(empty|partial|whole)"}}
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
title: "copy the bucket"
phases:
  - phase: roll
    each: {role: node, order: serial}
    steps:
      - run: "copy the bucket of ${member}"
        id: copy
        do:
          command:
            argv: ["${drydock}", copy, "s3://from", "s3://to", --count, --in-flight, "@IN_FLIGHT@", --journal,
                   "${home}/journal", --endpoint, "${endpoint}"]
            env: {AWS_ACCESS_KEY_ID: FAKEACCESSKEY, AWS_SECRET_ACCESS_KEY: "fake/secret+key="}
        happened: [{fact: target, is: whole}]
        then: [{fact: target, is: whole}]
        while: [{becomes: {fact: target, value: partial}}]
        effect: [{becomes: {fact: target, value: whole}}]
        remedy: "see its log"
        pausable: 1m
        stall: 5s
      - install: "${to}"
        effect: [{becomes: {fact: running, value: "${to}"}}]
"""

TARGET = """\
#!/bin/sh
# target.sh FOLDER OBJECTS: how much of the bucket the server has copied.
copied=$(sort -u "$1/copied" 2>/dev/null | wc -l)
if [ "$copied" -eq 0 ]; then echo empty; elif [ "$copied" -lt "$2" ]; then echo partial; else echo whole; fi
"""


def server_program() -> str:
    return os.environ.get("FAKE_S3_SERVER") or os.path.join(
        FOLDER, "..", "..", "build", "dev", "tests", "fake_s3", "fake_s3_server")


def children_of(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def words_of(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")
    except OSError:
        return []


class Mover(unittest.TestCase):
    def setUp(self) -> None:
        for needed in (program(), server_program()):
            if not os.access(needed, os.X_OK):
                self.skipTest(f"{needed} is not built; ./dev build makes it")
        self.scratch = tempfile.mkdtemp(prefix=f"drydock-{self._testMethodName}-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        for folder in ("releases/1.0", "releases/2.0", "m1"):
            os.makedirs(self.path(folder))
        os.makedirs(self.path("host"), mode=0o700)
        os.symlink(self.path("releases", "1.0"), self.path("m1", "current"))
        self.start_server()
        self.write_pack()
        self.write_cluster()
        self.drydock("plan", "--to", "2.0", "-o", self.path("plan.json"), expect=DONE)
        self.run_id = json.loads(self.read("plan.json"))["run"]

    def start_server(self) -> None:
        server = subprocess.Popen([server_program(), self.path("m1"), str(OBJECTS), str(COPY_MS)],
                                  stdin=subprocess.PIPE)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.addCleanup(server.stdin.close)
        self.wait_for(lambda: os.path.exists(self.path("m1", "endpoint")), "the server")

    def write_pack(self) -> None:
        for name, text in (("pack.yaml", PACK), ("releases.yaml", RELEASES),
                           ("procedures/upgrade.yaml", UPGRADE), ("scripts/target.sh", TARGET)):
            self.write(text.replace("@OBJECTS@", str(OBJECTS)).replace("@IN_FLIGHT@", str(IN_FLIGHT)),
                       "packs", "mover", name)

    def write_cluster(self) -> None:
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
    settings:
      home: "{self.path('m1')}"
      drydock: "{os.path.abspath(program())}"
      endpoint: "{self.read('m1', 'endpoint')}"
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

    def words(self, *args: str) -> list[str]:
        return list(args) if args[0] == "apply" else [*args, "-c", self.path("demo.yaml")]

    def drydock(self, *args: str, expect: int | None = None) -> Run:
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

    # What the test sees

    def copied(self) -> list[str]:
        return self.read("m1", "copied").split()

    def wait_until_copied(self, count: int) -> None:
        self.wait_for(lambda: len(self.copied()) >= count, f"{count} copies")

    def attempt_folder(self, attempt: int) -> str:
        return self.path("host", self.run_id, f"roll+m1+copy.{attempt}")

    def supervisor(self, attempt: int) -> int:
        """The process that holds the attempt; it writes its number into the lock."""
        lock = os.path.join(self.attempt_folder(attempt), "lock")
        self.wait_for(lambda: len(self.read(lock).split()) == 2, f"attempt {attempt}")
        return int(self.read(lock).split()[0])

    def mover(self, attempt: int) -> int:
        parent = self.supervisor(attempt)

        def find() -> list[int]:
            return [pid for pid in children_of(parent) if "copy" in words_of(pid)]
        self.wait_for(lambda: find() != [], f"the mover of attempt {attempt}")
        return find()[0]

    def status(self) -> dict[str, Any]:
        return json.loads(self.drydock("status", "--json").stdout)

    def events(self, kind: str) -> list[dict[str, Any]]:
        events = json.loads(self.drydock("log", "--json", expect=DONE).stdout)["events"]
        return [event for event in events if event["type"] == kind]

    def make_fast(self) -> None:
        self.write("", "m1", "fast")

    def assert_finished(self, running: Running, twice_max: int) -> None:
        """All is copied, and no more than that was copied twice."""
        self.make_fast()
        ended = running.wait()
        self.assertEqual(ended.code, DONE, ended.text())
        copied = self.copied()
        self.assertEqual(len(set(copied)), OBJECTS)
        self.assertLessEqual(len(copied) - OBJECTS, twice_max)
        self.assertTrue(os.path.realpath(self.path("m1", "current")).endswith("2.0"))

    # The tests

    def test_is_seen_paused_and_resumed(self) -> None:
        """People and machines see how far it is; a pause stops it at once and loses nothing."""
        running = self.start("apply", self.path("plan.json"), "--json")
        self.wait_for(lambda: bool(self.status().get("progress")), "a record of progress")
        entry = self.status()["progress"][0]
        self.assertEqual((entry["action"], entry["of"], entry["unit"]), ("roll/m1/copy", OBJECTS, "objects"))
        self.assertEqual(entry["percent"], 100 * entry["done"] // OBJECTS)
        self.assertGreater(entry["rate"], 0)
        self.assertAlmostEqual(entry["left_ms"], (OBJECTS - entry["done"]) / entry["rate"] * 1000, delta=1)
        self.assertGreater(entry["bytes"], 0)
        screen = " ".join(self.drydock("status").stdout.split())  # lines are wrapped
        self.assertRegex(screen, r"\d+ of 3000 objects \(\d+ %\), .*, about .* left")
        self.drydock("pause", expect=DONE)
        paused = running.wait()
        self.assertEqual(paused.code, PAUSED, paused.text())
        self.assertLess(len(self.copied()), OBJECTS)
        lines = [json.loads(line) for line in paused.stdout.splitlines()]
        told = [line for line in lines if line.get("type") == "progress"]
        self.assertGreater(len(told), 3)
        self.assertEqual(told[-1]["percent"], 100 * told[-1]["done"] // OBJECTS)
        self.assertLess(len([line for line in lines if line.get("type") == "action.progress"]), 4)
        ended = self.events("action.ended")[-1]
        self.assertEqual(ended["outcome"], "paused")
        self.assertEqual(ended["detail"]["evidence"]["exit"], 75)
        screen = " ".join(self.drydock("status").stdout.split())
        self.assertRegex(screen, r"paused at \d+ of 3000 objects .*; goes on from there")
        before = len(self.copied())
        time.sleep(1)
        self.assertEqual(len(self.copied()), before, "nothing works while the run is paused")
        self.assert_finished(self.start("resume"), 0)
        self.assertEqual(self.events("action.ended")[-2]["attempt"], 2)

    def test_survives_the_death_of_each_process(self) -> None:
        """drydock, the agent, the mover, its supervisor: what was copied stays copied."""
        running = self.start("apply", self.path("plan.json"))
        self.wait_until_copied(100)
        running.kill()
        before = len(self.copied())
        self.wait_until_copied(before + 50)  # the copy goes on without drydock and its agent
        running = self.start("resume")
        self.wait_for(lambda: len(self.events("conductor.started")) == 2, "the second conductor")
        agents = [pid for pid in children_of(running.process.pid) if "agent" in words_of(pid)]
        self.assertEqual(len(agents), 1)
        os.kill(agents[0], signal.SIGKILL)
        before = len(self.copied())
        self.wait_until_copied(before + 50)
        self.assertFalse(os.path.exists(self.attempt_folder(2)), "the first attempt is still the only one")
        os.kill(self.mover(1), signal.SIGKILL)
        before = len(self.copied())
        os.kill(self.supervisor(2), signal.SIGKILL)
        self.mover(3)
        self.wait_until_copied(before + 100)
        self.assert_finished(running, 2 * AT_WORK_MAX)

    def test_is_ended_when_it_stalls(self) -> None:
        """A server that answers nobody: no total time ends the copy, but a time without progress."""
        running = self.start("apply", self.path("plan.json"))
        self.wait_until_copied(100)
        self.write("", "m1", "hang")
        self.mover(2)  # the first was ended, and the target is not whole
        os.remove(self.path("m1", "hang"))
        self.assert_finished(running, AT_WORK_MAX)
        first = self.events("action.ended")[0]
        self.assertEqual(first["outcome"], "unknown")
        self.assertIn("made no progress for 5.0 s", first["detail"]["because"])

    def test_goes_on_after_a_pause_by_hand(self) -> None:
        """Ctrl-C at a terminal: the command says so, and typed again it goes on."""
        words = ["copy", "s3://from", "s3://to", "--in-flight", str(IN_FLIGHT), "--journal",
                 self.path("m1", "journal"), "--endpoint", self.read("m1", "endpoint")]
        keys = {"AWS_ACCESS_KEY_ID": "FAKEACCESSKEY", "AWS_SECRET_ACCESS_KEY": "fake/secret+key="}
        running = Running(words, self.scratch, keys)
        self.wait_until_copied(50)
        running.process.send_signal(signal.SIGINT)
        paused = running.wait()
        self.assertEqual(paused.code, 75, paused.text())
        self.assertIn("the same command goes on from there", paused.text())
        self.make_fast()
        self.assertEqual(run_drydock(words, self.scratch, keys).code, DONE)
        self.assertEqual(len(self.copied()), OBJECTS)


if __name__ == "__main__":
    unittest.main()
