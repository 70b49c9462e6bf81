"""What people ask of a live conductor goes through the journal, and is answered by it."""

import harness
from harness import DONE, HALTED, KILLED, NEW, NO, WAITS, Running
from program import scaled

SECONDS_MAX = scaled(60)


class Requests(harness.Case):
    def apply_until_stop(self, member: str = "m1", end_seconds: float = 2) -> Running:
        self.begin()
        self.cluster.set_end_seconds(member, end_seconds)
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: self.cluster.is_ending(member), f"the stop of {member}")
        return running

    def requests(self) -> list[tuple[str, str]]:
        """Kind and answer of every request in the journal, oldest first."""
        return self.rows("SELECT kind, answer FROM requests ORDER BY number")

    def test_pause(self) -> None:
        """A pause lets the stop that is under way end, begins nothing more, and a resume goes on."""
        running = self.apply_until_stop()
        self.drydock("pause", expect=DONE)
        self.assertFalse(self.cluster.is_ending("m1"), "the pause did not wait")
        self.assertEqual(running.wait(SECONDS_MAX).code, WAITS)
        self.assertEqual(self.requests(), [("pause", "paused")])
        self.assertEqual(self.runs(), ["paused"])
        self.assert_stays(0.5, lambda: self.cluster.stops("m2") == 0, "the run went on")
        self.drydock("resume", expect=DONE)
        self.assertEqual(self.types().count("run.resumed"), 1)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)

    def test_note(self) -> None:
        """Words of a person stand in the run's record while it rolls, with who said them."""
        running = self.apply_until_stop()
        self.drydock("note", "the pager is with Ada", expect=DONE)
        self.assertEqual(running.wait(SECONDS_MAX).code, DONE)
        self.assertEqual(self.requests(), [("note", "noted")])
        noted = [event for event in self.events() if event["type"] == "run.noted"]
        self.assertEqual([event["detail"]["text"] for event in noted], ["the pager is with Ada"])
        self.assertTrue(noted[0]["detail"]["who"])
        self.assert_all_on(NEW)

    def test_abort_in_a_stop(self) -> None:
        """An abort waits for the stop that is under way, and only then the run is over."""
        running = self.apply_until_stop()
        self.drydock("abort", expect=DONE)
        self.assertFalse(self.cluster.is_ending("m1"), "the abort did not wait")
        self.assertEqual(self.runs(), ["aborted"])
        self.assertEqual([kind for kind, answer in self.requests() if answer], ["abort"])
        running.wait(SECONDS_MAX)
        self.assertEqual(self.cluster.up(), ["m2", "m3"])
        self.assert_stays(0.5, lambda: self.cluster.stops("m2") == 0, "the run went on")
        self.assert_at_least_up(2)

    def test_approve(self) -> None:
        """A gate that opens beside other work is approved while the conductor lives."""
        self.begin(variant="gate")
        for member in self.cluster.members:
            self.cluster.set_convert_seconds(member, 3)
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: bool(self.rows("SELECT 1 FROM runs WHERE records > 2")),
                      "the gate to open")
        self.assertIsNone(running.process.poll(), "it left while work was under way")
        self.assertIn("`nonsense`", self.words_of(self.drydock("approve", "nonsense", expect=NO)))
        self.drydock("approve", "go", expect=DONE)
        self.assertEqual([self.cluster.conversions(member) for member in self.cluster.members],
                         [0, 0, 0], "the approval came too late to test anything")
        self.assertEqual(running.wait(SECONDS_MAX).code, DONE)
        self.assertEqual(self.requests()[-1], ("approve", "approved"))
        approved = [event for event in self.events() if event["type"] == "gate.approved"]
        self.assertEqual(len(approved), 1)
        self.assert_all_on(NEW)

    def test_conductor_that_dies(self) -> None:
        """A request whose conductor was killed is void: whoever asked is told, and the next
        conductor does not obey words that were meant for another moment."""
        for kind in ("pause", "abort"):
            with self.subTest(kind):
                self.kill_behind_request(kind)

    def kill_behind_request(self, kind: str) -> None:
        running = self.apply_until_stop(end_seconds=1)
        with self.stopped(running):
            request = self.start_drydock(kind)
            self.wait_for(lambda: len(self.requests()) == 1, "the request to be posted")
            self.assertEqual(running.kill().code, KILLED)
        done = request.wait(SECONDS_MAX)
        self.assertEqual(done.code, HALTED, done.text())
        self.assertIn("void", self.words_of(done))
        self.drydock("resume", expect=DONE)
        ((asked, answer),) = self.requests()
        self.assertEqual(asked, kind)
        self.assertIn("refused", answer)
        self.assertEqual(self.runs(), ["finished"])
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)

    def test_nobody_conducts(self) -> None:
        """There is nothing to pause where nobody conducts, and a note is recorded by hand."""
        running = self.apply_until_stop(end_seconds=1)
        running.kill()
        self.drydock("pause", expect=NO)
        self.drydock("note", "it was the cable", expect=DONE)
        self.assertEqual(self.requests(), [])
        self.assertIn("run.noted", self.types())
        self.drydock("resume", expect=DONE)
        self.assert_all_on(NEW)


if __name__ == "__main__":
    harness.main()
