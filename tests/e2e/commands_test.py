"""What every command answers: JSON that parses, exit codes, dry runs that change nothing; and plans
for clusters that somebody has half-way changed by hand."""

import json
import os
import re
import subprocess
from typing import Any

import harness  # first: it knows where the others are
from harness import DONE, HALTED, NO, USAGE, WAITS


class Answers(harness.Case):
    def test_json_of_every_command(self) -> None:
        self.begin()
        survey = self.json("survey")
        self.assertEqual(survey["facts"]["m1/running"]["value"], self.old)
        route = self.json("route", "--to", self.new)
        self.assertEqual([hop["to"] for hop in route["hops"]], [self.new])
        plan = self.json("plan", "--to", self.new, "-o", self.plan)
        with open(self.plan) as file:
            self.assertEqual(json.load(file), plan)
        self.json("pack", "list")
        self.json("pack", "lint", "etcd")
        self.json("version")
        applied = self.json_lines("apply", self.plan, code=WAITS)
        self.assertEqual(applied[-1]["exit_code"], WAITS)
        self.assertEqual(applied[-1]["open_gate"], self.gate())
        waits = self.json("status", code=WAITS)
        self.assertEqual(waits["open_gate"], self.gate())
        self.assertLessEqual(waits["gate_since_ms"], waits["last_ms"])
        self.assertGreater(waits["gate_since_ms"], waits["created_ms"])
        self.json("watch", code=WAITS)
        self.assertEqual(self.json("approve", self.gate())["open_gate"], "")
        self.assertEqual(self.json_lines("resume")[-1]["phase"], "finished")
        status = self.json("status")
        verified = self.json("journal", "verify")["verified"]
        self.assertEqual([run["run"] for run in verified], [status["run"]])
        events = self.json("log")["events"]
        self.assertEqual(events[-1]["type"], "run.finished")
        refused = self.json("downgrade", code=NO)
        self.assertEqual(refused["exit_code"], NO)
        self.assertTrue(refused["errors"])
        self.assertEqual(self.json("resume")["phase"], "finished")  # nothing is left to do
        for words in (("pause",), ("abort",), ("approve", "x"), ("note", "x")):
            self.assertTrue(self.json(*words, code=NO)["errors"], words)

    def test_dry_runs_change_nothing(self) -> None:
        self.begin()
        self.make_plan()
        before = self.touched()
        self.drydock("apply", self.plan, "--dry-run", expect=DONE)
        self.assertEqual(self.touched(), before)
        self.assertFalse(os.path.exists(os.path.join(self.scratch, "state", "journal.db")))
        self.drydock("apply", self.plan, expect=WAITS)
        before, records = self.touched(), len(self.journal_events())
        for words in (("approve", self.gate()), ("abort",), ("downgrade",), ("resume",)):
            done = self.drydock(*words, "--dry-run")
            self.assertIn(done.code, (DONE, WAITS), f"{words}: {done.text()}")
            self.assertEqual(self.touched(), before, words)
            self.assertEqual(len(self.journal_events()), records, words)
        self.drydock("status", expect=WAITS)

    def test_exit_codes_of_wrong_use(self) -> None:
        self.begin()
        for words in (("plan",), ("pln",), ("survey", "--jsn"), ("apply", "/no/such/plan"),
                      ("plan", "--to"), ("survey", "-c", "/no/such/cluster.yaml"), (),
                      ("completion", "tcsh")):
            done = harness.run_drydock(list(words), self.scratch)
            self.assertEqual(done.code, USAGE, f"{words}: {done.text()}")
            self.assertTrue(done.stderr.strip(), words)
        self.assertIn("`plan`", harness.run_drydock(["pln"], self.scratch).stderr)
        for words in (("resume",), ("status",), ("log",), ("abort",), ("downgrade",)):
            self.assertIn("no run", self.drydock(*words, expect=NO).stderr)
        refused = self.drydock("plan", "--to", "9.9.9")
        self.assertIn(refused.code, (NO, USAGE), refused.text())

    def test_a_gate_that_is_not_open(self) -> None:
        self.begin()
        self.make_plan()
        self.drydock("apply", self.plan, expect=WAITS)
        done = self.drydock("approve", "no-such-gate", expect=NO)
        self.assertIn(self.gate(), done.stderr)

    def test_completions(self) -> None:
        self.begin()
        for shell in ("bash", "zsh", "fish"):
            text = harness.run_drydock(["completion", shell], self.scratch).stdout
            for word in ("survey", "downgrade", "journal", "cluster"):
                self.assertIn(word, text)
        script = harness.run_drydock(["completion", "bash"], self.scratch).stdout
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)

    def test_colour_only_where_wanted(self) -> None:
        self.begin()
        self.assertNotIn("\x1b", self.drydock("survey").stdout)
        self.assertNotIn("\x1b", self.drydock("plan", "--to", self.new).stdout)
        self.assertIn("\x1b", self.drydock("plan", "--to", self.new, "--color", "always").stdout)
        on_terminal = ["script", "-qec", f"{harness.program()} survey -c {self.cluster_file}",
                       "/dev/null"]
        plain = subprocess.run(on_terminal, capture_output=True, text=True, check=True,
                               env=os.environ | {"NO_COLOR": "1", "TERM": "xterm"}).stdout
        self.assertNotIn("\x1b[3", plain)

    def test_guide(self) -> None:
        self.begin()
        self.make_plan()
        text = self.drydock("guide", self.plan, expect=DONE).stdout
        for word in ("# ", self.old, self.new, "m1", "m2", "m3", self.gate()):
            self.assertIn(word, text)

    def json(self, *words: str, code: int = DONE) -> Any:
        return json.loads(self.drydock(*words, "--json", expect=code).stdout)

    def json_lines(self, *words: str, code: int = DONE) -> list[Any]:
        text = self.drydock(*words, "--json", expect=code).stdout
        return [json.loads(line) for line in text.splitlines()]


class Routes(harness.Case):
    def offer(self, version: str) -> None:
        """Gives the cluster file a folder for a release: that of the newer one."""
        with open(self.cluster_file, encoding="utf-8") as file:
            text = file.read()
        own = re.search(f'"{self.new}": ("[^"]+")', text)
        assert own is not None
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text.replace(own[0], f'{own[0]}, "{version}": {own[1]}'))

    def test_two_hops(self) -> None:
        """3.6 is left to from 3.5.32 on; the installed 3.5 stands in for it, since nothing is run."""
        self.begin()
        self.offer("3.5.32")
        route = json.loads(self.drydock("route", "--to", "3.6.1", "--json", expect=DONE).stdout)
        hops = [(hop["from"].rsplit(".", 1)[0], hop["to"].rsplit(".", 1)[0])
                for hop in route["hops"]]
        self.assertEqual(hops, [("3.4", "3.5"), ("3.5", "3.6")])
        done = self.drydock("plan", "--to", "3.6.1", "-o", self.plan, expect=DONE)
        self.assertIn("hop 1 of 2", " ".join(done.stdout.split()))
        self.assertIn("drydock upgrade", done.stdout)
        with open(self.plan, encoding="utf-8") as file:
            plan = json.load(file)
        self.assertEqual(plan["route"], [self.old, "3.5.32", "3.6.1"])

    def test_already_there(self) -> None:
        self.begin()
        self.to_the_gate()
        self.finish()
        done = self.drydock("plan", "--to", self.new, expect=DONE)
        self.assertIn("already", done.stdout + done.stderr)


class HalfWay(harness.Case):
    """What somebody has begun by hand is where the plan enters."""

    def test_one_member_was_upgraded_by_hand(self) -> None:
        self.begin(write=True, rate=20)
        self.cluster.stop("m2")
        self.cluster.install("3.5", "m2")
        self.cluster.start("m2")
        self.cluster.wait_healthy()
        self.to_the_gate()
        self.finish()
        self.assert_upgraded()

    def test_all_members_but_not_the_level(self) -> None:
        """Followers first, as a person does it; what is left is the wait for the level."""
        self.begin()
        leader = self.cluster.leader()
        for name in [*(name for name in self.cluster.members if name != leader), leader]:
            self.cluster.stop(name)
            self.cluster.install("3.5", name)
            self.cluster.start(name)
            self.cluster.wait_healthy()
        done = self.drydock("plan", "--to", self.new, "-o", self.plan, expect=DONE)
        if os.path.exists(self.plan):
            done = self.drydock("apply", self.plan)
            if done.code == WAITS:
                self.finish()
        self.assert_upgraded()

    def test_a_member_is_down(self) -> None:
        """Not by drydock's doing: it is brought up first, by its owner or by the plan."""
        self.begin(write=True, rate=20)
        self.cluster.stop("m2")
        self.assert_enters_or_refuses("m2")

    def test_a_member_is_down_and_swapped(self) -> None:
        self.begin(write=True, rate=20)
        self.cluster.stop("m2")
        self.cluster.install("3.5", "m2")
        self.assert_enters_or_refuses("m2")

    def assert_enters_or_refuses(self, down: str) -> None:
        """A plan that enters behind what is done finishes; one that cannot names the member."""
        done = self.drydock("plan", "--to", self.new, "-o", self.plan)
        if done.code == DONE:
            done = self.drydock("apply", self.plan)
            if done.code == WAITS:
                self.finish()
                self.assertEqual(self.versions(), [self.new] * 3)
                self.assert_nothing_lost()
                return
        self.assertIn(done.code, (NO, HALTED), done.text())
        self.assertIn(down, done.stdout + done.stderr)
        self.assertEqual(sum(self.cluster.healthy(name) for name in self.cluster.members), 2)
        self.fail(f"a plan should enter behind it: {done.text()}")


if __name__ == "__main__":
    harness.main()
