"""A journey of two hops, 1.0 -> 2.0 -> 3.0: there, killed anywhere, and back."""

import json
import os
from typing import Any

import harness
from harness import DONE, HALTED, KILLED, MOVED, NEW, NO, OLD, USAGE, WAITS

LAST = "3.0"
RELEASES = (OLD, NEW, LAST)
BETWEEN = {"DRYDOCK_CRASH": "run.finished:after"}  # dies behind one run, before the next one's birth
SPREAD = (1, 2, 4, 7, 11, 16, 22)  # records at which a conductor dies


class Journey(harness.Case):
    def begin_journey(self, variant: str = "journey", **how: Any) -> None:
        self.begin(variant, releases=RELEASES, **how)

    def journey(self, code: int = DONE) -> dict[str, Any]:
        """What `status` tells of the journey."""
        return json.loads(self.drydock("status", "--json", expect=code).stdout)["journey"]

    def stand_between_hops(self) -> None:
        self.drydock("upgrade", "--to", LAST, env=BETWEEN, expect=KILLED)
        self.assert_all_on(NEW)
        self.assertEqual(self.runs(), ["finished"])

    def assert_there(self) -> None:
        """Each member was stopped once a hop, never two at a time, and the journal is whole."""
        self.assert_all_on(LAST)
        self.assertEqual(self.runs(), ["finished", "finished"])
        self.assertEqual([self.cluster.starts(member) for member in self.cluster.members],
                         [list(RELEASES)] * 3)
        self.assert_at_least_up(2)
        self.drydock("journal", "verify", expect=DONE)


class Forward(Journey):
    def test_plan_names_all_hops_and_is_that_of_the_first(self) -> None:
        self.begin_journey()
        done = self.drydock("plan", "--to", LAST, "-o", self.plan, expect=DONE)
        self.assertIn("1.0 -> 2.0 -> 3.0; this is the plan of hop 1 of 2", self.words_of(done))
        with open(self.plan, encoding="utf-8") as file:
            plan = json.load(file)
        self.assertEqual((plan["from"], plan["to"], plan["route"]), (OLD, NEW, list(RELEASES)))
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_all_on(NEW)
        self.assertIsNone(self.journey())

    def test_both_hops(self) -> None:
        """Each run tells in its first event which hop it is."""
        self.begin_journey()
        self.drydock("upgrade", "--to", LAST, expect=DONE)
        self.assert_there()
        journey = self.journey()
        runs = [hop["run"] for hop in journey["hops"]]
        self.assertEqual([(hop["from"], hop["to"], hop["state"]) for hop in journey["hops"]],
                         [(OLD, NEW, "finished"), (NEW, LAST, "finished")])
        self.assertEqual((journey["id"], journey["hop"], journey["next"], journey["reaches"]),
                         (runs[0], 2, "none", OLD))
        for number, run in enumerate(runs):
            told = self.events(run=run)[0]["detail"]["journey"]
            self.assertEqual((told["id"], told["hop"], told["stops"], told["before"]),
                             (runs[0], number + 1, list(RELEASES), ["", runs[0]][number]))
        self.drydock("resume", expect=DONE)
        self.assertEqual(len(self.runs()), 2)
        self.assertIn("already", self.words_of(self.drydock("upgrade", "--to", LAST, expect=DONE)))

    def test_dry_run_changes_nothing(self) -> None:
        self.begin_journey()
        done = self.drydock("upgrade", "--to", LAST, "--dry-run", expect=DONE)
        self.assertIn("hop 1 of 2", self.words_of(done))
        self.assertEqual(self.runs(), [])
        self.stand_between_hops()
        self.drydock("resume", "--dry-run", expect=DONE)
        self.assertEqual(self.runs(), ["finished"])
        self.assert_all_on(NEW)

    def test_through_and_wrong_targets(self) -> None:
        self.begin_journey()
        self.drydock("upgrade", "--to", LAST, "--through", LAST, "--through", NEW, expect=USAGE)
        self.drydock("upgrade", "--to", "9.0", expect=NO)
        self.assertEqual(self.runs(), [])
        self.drydock("upgrade", "--to", LAST, "--through", NEW, expect=DONE)
        self.assert_there()
        done = self.drydock("upgrade", "--to", OLD, expect=NO)
        self.assertIn("lies behind", self.words_of(done))

    def test_gate_of_each_hop(self) -> None:
        """An approval without a version is for the hop that a person could read."""
        self.begin_journey("journey journey-gate")
        self.drydock("upgrade", "--to", LAST, "--approve", "go", expect=WAITS)
        self.assertEqual(self.runs(), ["finished", "running"])
        self.assertEqual(self.journey(WAITS)["hop"], 2)
        self.drydock("approve", "go", expect=DONE)
        self.drydock("resume", expect=DONE)
        self.assert_there()

    def test_approval_at_resume_is_for_that_hop(self) -> None:
        """The gate of the next hop has the same name, and words that nobody has read yet."""
        self.begin_journey("journey journey-gate")
        self.drydock("upgrade", "--to", LAST, expect=WAITS)
        self.drydock("resume", "--approve", "go", expect=WAITS)
        self.assert_all_on(NEW)
        self.assertEqual(self.runs(), ["finished", "running"])
        self.drydock("resume", "--approve", "go", expect=DONE)
        self.assert_there()

    def test_gates_approved_by_version(self) -> None:
        self.begin_journey("journey journey-gate")
        self.drydock("upgrade", "--to", LAST, expect=WAITS)
        self.assertEqual(self.runs(), ["running"])
        self.drydock("resume", "--approve", "3.0:go", expect=WAITS)
        self.drydock("resume", "--approve", "2.0:go", "--approve", "3.0:go", expect=DONE)
        self.assert_there()


class Killed(Journey):
    def test_between_hops(self) -> None:
        self.begin_journey()
        self.stand_between_hops()
        journey = self.journey(WAITS)
        self.assertEqual((journey["hop"], journey["next"]), (1, "forward"))
        self.assertIn("goes on with the journey", self.words_of(self.drydock("status")))
        self.drydock("resume", expect=DONE)
        self.assert_there()

    def test_upgrade_typed_again_goes_on(self) -> None:
        self.begin_journey()
        self.stand_between_hops()
        self.drydock("upgrade", "--to", LAST, expect=DONE)
        self.assert_there()
        self.assertEqual([hop["run"] != "" for hop in self.journey()["hops"]], [True, True])

    def test_at_records_of_either_hop(self) -> None:
        for record in SPREAD:
            for moment in ("before", "after"):
                crash = {"DRYDOCK_CRASH": f"{record}:{moment}"}
                with self.subTest(crash):
                    self.die_in_both_hops(crash)

    def die_in_both_hops(self, crash: dict[str, str]) -> None:
        self.begin_journey()
        self.drydock("upgrade", "--to", LAST, env=crash, expect=KILLED)
        if self.runs():
            self.drydock("resume", env=BETWEEN, expect=KILLED)
        else:
            self.stand_between_hops()
        self.drydock("resume", env=crash, expect=KILLED)
        self.drydock("resume", expect=DONE)
        self.assert_there()

    def test_two_people_go_on(self) -> None:
        """The hop is begun once: the other one is told of the newer run."""
        self.begin_journey()
        self.stand_between_hops()
        running = [self.start_drydock("resume") for _ in range(2)]
        done = [one.wait() for one in running]
        self.assertIn(DONE, [run.code for run in done], "".join(run.text() for run in done))
        self.assert_there()


class Between(Journey):
    """A conductor is at work between two hops: it plans the second, slowly."""

    def begin_slowly(self) -> None:
        self.begin_journey()
        self.slow_file = self.slow(2)
        self.conductor = self.start_drydock("upgrade", "--to", LAST, "-c", self.slow_file)
        self.wait_for(lambda: self.runs() == ["finished"], "the first hop ends")

    def test_pause_and_abort(self) -> None:
        """Nothing is under way; nothing more begins, until somebody says so."""
        for word in ("pause", "abort"):
            with self.subTest(word):
                self.begin_slowly()
                self.drydock(word, expect=DONE)
                self.assertEqual(self.conductor.wait().code, WAITS)
                self.assertEqual(self.runs(), ["finished"])
                self.assertEqual(self.journey(WAITS)["next"], "forward")
                self.drydock("resume", expect=DONE)
                self.assert_there()

    def test_second_way_back(self) -> None:
        """Planned before another one began: it is not begun behind that one's end."""
        for words in (["--to", NEW], []):
            with self.subTest(words):
                self.begin_journey()
                self.drydock("upgrade", "--to", LAST, expect=DONE)
                late = self.start_drydock("downgrade", *words, "-c", self.slow(4))
                self.wait_for(lambda: late.process.poll() is None, "it has begun")
                self.drydock("downgrade", "--to", NEW, expect=DONE)
                self.assertEqual(late.wait().code, NO)
                self.assert_all_on(NEW)
                self.assertEqual(self.runs(), ["finished"] * 3)

    def test_rehearsal_that_was_given_up(self) -> None:
        """The journey stands where it stood."""
        self.begin_journey("rehearsal journey journey-rehearsal")
        self.stand_between_hops()
        self.make_plan(LAST)
        self.drydock("rehearse", self.plan, env={"DRYDOCK_CRASH": "4:after"}, expect=KILLED)
        self.drydock("abort", expect=DONE)
        self.assertEqual(self.journey(WAITS)["next"], "forward")
        self.drydock("resume", expect=DONE)
        self.assert_all_on(LAST)
        self.assertEqual(self.runs(), ["finished", "aborted", "finished"])

    def slow(self, seconds: int) -> str:
        """The cluster file, with hosts that take their time to answer."""
        script = self.cluster.path("slow.sh")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nsleep {seconds}\nexec "$@"\n')
        os.chmod(script, 0o755)
        with open(self.cluster_file, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("connect: local", text)
        slow = self.cluster.path("slow.yaml")
        with open(slow, "w", encoding="utf-8") as file:
            file.write(text.replace("connect: local", f'connect: ["{script}"]'))
        return slow


class Stopped(Journey):
    def test_preflight_of_the_next_hop(self) -> None:
        """It halts before anything is changed and says what cures it; cured, the journey goes on."""
        self.begin_journey()
        self.stand_between_hops()
        held = self.cluster.path("members", "m2", "held")
        with open(held, "w", encoding="utf-8") as file:
            file.write("by a person\n")
        words = self.words_of(self.drydock("resume", expect=HALTED))
        self.assertIn("m2/held", words)
        self.assertIn("remove the file", words)
        self.assertEqual((self.journey(HALTED)["hop"], self.runs()), (2, ["finished", "halted"]))
        self.assert_all_on(NEW)
        os.unlink(held)
        self.drydock("resume", expect=DONE)
        self.assert_there()

    def test_release_that_is_not_there(self) -> None:
        self.begin_journey()
        self.stand_between_hops()
        self.cluster.releases.remove(LAST)
        self.cluster.write_cluster_file()
        words = self.words_of(self.drydock("resume", expect=NO))
        self.assertIn("stands at 2.0, before hop 2 of 2", words)
        self.assertIn("drydock resume", words)
        self.assertEqual(self.runs(), ["finished"])
        self.cluster.releases.append(LAST)
        self.cluster.write_cluster_file()
        self.drydock("resume", expect=DONE)
        self.assert_there()

    def test_hop_that_is_given_up(self) -> None:
        """An abort ends the journey; what is left is another one, from where the cluster stands."""
        self.begin_journey("journey journey-gate")
        self.drydock("upgrade", "--to", LAST, "--approve", "go", expect=WAITS)
        self.drydock("abort", expect=DONE)
        self.assertEqual(self.journey()["next"], "none")
        self.assertIn("is over", self.words_of(self.drydock("resume", expect=NO)))
        self.drydock("upgrade", "--to", LAST, "--approve", "go", expect=DONE)
        self.assert_all_on(LAST)
        self.assertEqual([hop["from"] for hop in self.journey()["hops"]], [NEW])

    def test_open_run(self) -> None:
        self.begin_journey("journey journey-gate")
        self.drydock("upgrade", "--to", LAST, expect=WAITS)
        self.assertIn("is not over", self.words_of(self.drydock("upgrade", "--to", LAST,
                                                                expect=NO)))

    def test_policy_that_asks_for_signed_plans(self) -> None:
        """Nobody could sign the plans that are made on the way."""
        self.begin_journey()
        self.use_policy("signatures: {allowed: signers}")
        words = self.words_of(self.drydock("upgrade", "--to", LAST, expect=NO))
        self.assertIn("asks for signed plans", words)
        self.assertEqual(self.runs(), [])

    def test_hop_that_fails_goes_back_by_itself(self) -> None:
        """The policy is one of a run: a finished hop stays."""
        self.begin_journey()
        self.use_policy("on_failure: return")
        self.stand_between_hops()
        os.chmod(self.cluster.path("releases", LAST, "toy_member"), 0o600)
        self.drydock("resume", expect=DONE)
        self.assert_all_on(NEW)
        self.assertEqual(self.runs(), ["finished", "returned", "finished"])
        self.drydock("resume", expect=DONE)
        self.assert_all_on(NEW)

    def use_policy(self, words: str) -> None:
        with open(self.cluster_file, encoding="utf-8") as file:
            text = file.read()
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text.replace("policy: {", f"policy: {{{words}, "))

    def test_cluster_that_was_moved_by_hand(self) -> None:
        """The journey knows where it stood, and does not go on from elsewhere."""
        self.begin_journey()
        self.stand_between_hops()
        for member in self.cluster.members:
            self.cluster.kill(member)
            link = self.cluster.path("members", member, "current")
            os.unlink(link)
            os.symlink(self.cluster.path("releases", OLD), link)
            self.cluster.start(member)
        self.assert_all_on(OLD)
        words = self.words_of(self.drydock("resume", expect=MOVED))
        self.assertIn("stood at 2.0, and the cluster is at 1.0 now", words)
        self.assertEqual(self.runs(), ["finished"])

    def test_another_run_ends_the_journey(self) -> None:
        self.begin_journey()
        self.stand_between_hops()
        self.make_plan(OLD)
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_all_on(OLD)
        self.drydock("resume", expect=DONE)
        self.assert_all_on(OLD)
        self.assertIsNone(self.journey())


class Back(Journey):
    def go_there(self) -> None:
        self.begin_journey()
        self.drydock("upgrade", "--to", LAST, expect=DONE)

    def test_dry_run_knows_the_stops(self) -> None:
        self.go_there()
        self.drydock("downgrade", "--to", NEW, expect=DONE)
        for words in (["--dry-run"], []):
            self.drydock("downgrade", "--to", NEW, *words, expect=USAGE)

    def assert_back(self, version: str = OLD) -> None:
        self.assert_all_on(version)
        self.assert_at_least_up(2)
        self.drydock("journal", "verify", expect=DONE)

    def test_over_finished_hops(self) -> None:
        self.go_there()
        done = self.drydock("downgrade", "--dry-run", expect=DONE)
        self.assertIn("back to 1.0", self.words_of(done))
        self.assertIn("back to 1.0", self.words_of(self.drydock("downgrade", expect=DONE)))
        self.assert_back()
        self.assertEqual(self.runs(), ["finished"] * 4)
        journey = self.journey()
        self.assertEqual([hop["back_state"] for hop in journey["hops"]], ["finished"] * 2)
        self.assertEqual(journey["next"], "none")
        self.drydock("downgrade", expect=NO)

    def test_no_further_than_was_asked(self) -> None:
        self.go_there()
        self.drydock("downgrade", "--to", "9.0", expect=USAGE)
        self.drydock("downgrade", "--to", NEW, expect=DONE)
        self.assert_back(NEW)
        self.drydock("resume", expect=DONE)
        self.assert_back(NEW)
        self.drydock("downgrade", expect=DONE)
        self.assert_back()

    def test_from_the_middle_of_the_second_hop(self) -> None:
        self.begin_journey()
        self.stand_between_hops()
        self.drydock("resume", env={"DRYDOCK_CRASH": "12:after"}, expect=KILLED)
        self.drydock("downgrade", expect=DONE)
        self.assert_back()
        self.assertEqual(self.runs(), ["finished", "returned", "finished", "finished"])

    def test_killed_on_the_way(self) -> None:
        for record in SPREAD:
            with self.subTest(record=record):
                self.go_there()
                self.drydock("downgrade", env={"DRYDOCK_CRASH": f"{record}:after"}, expect=KILLED)
                self.drydock("resume", expect=DONE)
                self.assert_back()

    def test_killed_between_the_ways_back(self) -> None:
        self.go_there()
        self.drydock("downgrade", env=BETWEEN, expect=KILLED)
        self.assert_all_on(NEW)
        self.assertEqual(self.journey(WAITS)["next"], "back")
        self.drydock("resume", expect=DONE)
        self.assert_back()
        self.assertEqual(self.runs(), ["finished"] * 4)


if __name__ == "__main__":
    harness.main()
