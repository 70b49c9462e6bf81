"""Abort, a plan and an apply while work of a dead conductor is under way on a host."""

import harness
from harness import DONE, MOVED, NEW, NO, OLD

STOP_SECONDS = 3


class Abort(harness.Case):
    def begin_killed_in_stop(self, member: str) -> None:
        self.begin(lines=["h1", "h2", "h3"])
        self.make_plan()
        self.kill_in_stop(member, STOP_SECONDS)

    def test_waits_for_the_stop(self) -> None:
        """An abort that leaves a stop under way would let the next run count that member as up: it
        waits, and the next plan begins from the truth."""
        self.begin_killed_in_stop("m2")
        self.drydock("abort", expect=DONE)
        self.assertFalse(self.cluster.is_ending("m2"), "the abort did not wait")
        self.assertEqual(self.runs(), ["aborted"])
        self.make_plan(OLD)
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_all_on(OLD)
        self.assert_at_least_up(2)

    def test_refused_where_the_host_does_not_tell(self) -> None:
        """A host that cannot be asked may still be at work: the abort says so and which host, and
        leaves the run open."""
        self.begin_killed_in_stop("m1")
        self.cluster.cut("h1", "refused")
        done = self.drydock("abort", expect=MOVED)
        self.assertIn("h1", self.words_of(done))
        self.assertEqual(len(self.open_runs()), 1)
        self.cluster.mend("h1", "refused")
        self.drydock("abort", expect=DONE)
        self.assertEqual(self.runs(), ["aborted"])

    def test_plan_during_a_stop(self) -> None:
        """A plan is made from what was seen, and a member that is about to end is seen as running:
        it waits for the end of what is under way, or says that something is."""
        self.begin_killed_in_stop("m2")
        done = self.drydock("plan", "--to", OLD, "-o", self.plan)
        if done.code == DONE:
            self.assertFalse(self.cluster.is_ending("m2"), "planned while m2 was ending")
        else:
            self.assertIn("under way", self.words_of(done))

    def test_plan_with_a_member_down(self) -> None:
        """The member that an aborted run left down does not run the release that the others do:
        a plan to that release starts it, or says that it is down."""
        self.begin_killed_in_stop("m1")
        self.drydock("abort", expect=DONE)
        done = self.drydock("plan", "--to", OLD, "-o", self.plan)
        self.assertNotIn("every member runs", self.words_of(done))
        if done.code == DONE:
            self.drydock("apply", self.plan, expect=DONE)
            self.assert_all_on(OLD)
        else:
            self.assertIn("m1", self.words_of(done))

    def test_apply_during_a_stop_of_another_journal(self) -> None:
        """Whoever takes hosts over lets the stop of the one before end, and then sees that the
        world is no longer as it was planned."""
        self.begin()
        other = self.cluster.write_cluster_file("other", "other_state")
        others_plan = self.make_plan(cluster_file=other, plan=self.plan + ".other")
        self.make_plan()
        self.kill_in_stop("m2", STOP_SECONDS)
        done = self.drydock("apply", others_plan, "--take-over")
        self.assertFalse(self.cluster.is_ending("m2"), "it did not wait: " + done.text())
        self.assertEqual(done.code, MOVED, done.text())
        self.assertEqual(self.runs("other_state"), [])
        self.assertEqual(self.cluster.up(), ["m1", "m3"])
        self.make_plan(cluster_file=other)
        self.drydock("apply", self.plan, "--take-over", expect=DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)

    def test_second_apply_while_a_run_is_open(self) -> None:
        """A run that nobody conducts is still open: another apply is refused and told the ways on."""
        self.begin()
        self.make_plan()
        second = self.make_plan(plan=self.plan + ".second")
        self.kill_in_stop("m1", STOP_SECONDS)
        done = self.drydock("apply", second, expect=NO)
        for word in ("resume", "downgrade", "abort"):
            self.assertIn(f"drydock {word}", self.words_of(done))
        self.drydock("resume", expect=DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)


if __name__ == "__main__":
    harness.main()
