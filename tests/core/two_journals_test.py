"""Two journals that know nothing of each other, on the same hosts and members; and a lost journal."""

import os
import shutil
import time

import harness
from harness import DONE, HALTED, NEW, NO, OLD
from program import scaled

REFUSAL_SECONDS_MAX = scaled(5)
SECONDS_MAX = scaled(60)
NEIGHBOUR_SECONDS = 4.5  # an action of another cluster


class TwoJournals(harness.Case):
    def begin_two(self, end_seconds: float = 0.5, own_hosts_state: bool = True) -> None:
        """Two cluster files of the same cluster, each with a state folder of its own, and a plan of
        each."""
        self.begin(end_seconds=end_seconds)
        if not own_hosts_state:
            self.cluster_file = self.cluster.write_cluster_file(own_hosts_state=False)
        self.other_file = self.cluster.write_cluster_file(
            "other", "other_state", own_hosts_state=own_hosts_state)
        self.plans = [self.make_plan(),
                      self.make_plan(cluster_file=self.other_file,
                                     plan=os.path.join(self.scratch, "other_plan.json"))]

    def test_at_once(self) -> None:
        """Two people begin at the same moment: one is obeyed, the other is told, and never do both
        stop members."""
        self.begin_two()
        both = [self.start_drydock("apply", plan) for plan in self.plans]
        done = [running.wait(SECONDS_MAX) for running in both]
        self.assert_at_least_up(2)
        text = "".join(run.text() for run in done)
        self.assertLessEqual(sum(run.code == DONE for run in done), 1, text)
        self.assertGreaterEqual(sum(run.code != DONE for run in done), 1, text)
        self.assert_told_who(next(run for run in done if run.code != DONE), text)

    def test_at_once_with_state_folders_of_their_own(self) -> None:
        """The hosts' state folders are those of each journal, as by default: no fence registry is
        shared, and all the same only one is obeyed."""
        self.begin_two(own_hosts_state=False)
        both = [self.start_drydock("apply", plan) for plan in self.plans]
        done = [running.wait(SECONDS_MAX) for running in both]
        self.assert_at_least_up(2)
        text = "".join(run.text() for run in done)
        self.assertLessEqual(sum(run.code == DONE for run in done), 1, text)
        self.assertLessEqual(max(self.cluster.stops(name) for name in ("m1", "m2", "m3")), 1, text)

    def test_second_while_first_runs(self) -> None:
        """The second is refused at once, told who holds the hosts and what to do, and the first
        does not notice."""
        self.begin_two()
        first = self.start_drydock("apply", self.plans[0])
        self.wait_for(lambda: self.cluster.stops("m1") == 1, "the first stop")
        second = self.drydock("apply", self.plans[1], expect=NO, timeout=SECONDS_MAX)
        self.assert_told_who(second)
        self.assertEqual(self.runs("other_state"), [])
        self.assertEqual(first.wait(SECONDS_MAX).code, DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)

    def test_second_after_first(self) -> None:
        """Also a journal whose run is over holds its hosts: another one asks for --take-over, and
        works with it."""
        self.begin_two(end_seconds=0)
        self.drydock("apply", self.plans[0], expect=DONE)
        back = self.make_plan(OLD, self.other_file, self.plans[1])
        self.assert_told_who(self.drydock("apply", back, expect=NO))
        self.drydock("apply", back, "--take-over", expect=DONE)
        self.assert_all_on(OLD)
        self.assert_at_least_up(2)
        forth = self.make_plan(NEW, self.cluster_file, self.plans[0])
        self.assert_told_who(self.drydock("apply", forth, expect=NO))

    def test_take_over_beside_a_live_conductor(self) -> None:
        """Somebody says --take-over too early: either the first is displaced and says so, or the
        second waits for its work and then sees that the world moved; they never both roll."""
        self.begin_two(end_seconds=1)
        first = self.start_drydock("apply", self.plans[0])
        self.wait_for(lambda: self.cluster.is_ending("m1"), "the first stop")
        second = self.start_drydock("apply", self.plans[1], "--take-over")
        held, taker = first.wait(SECONDS_MAX), second.wait(SECONDS_MAX)
        self.assert_at_least_up(2)
        if held.code == DONE:
            self.assertEqual(taker.code, harness.MOVED, taker.text())
            self.assertEqual(self.runs("other_state"), [])
            self.assert_all_on(NEW)
        else:
            self.assertRegex(self.words_of(held), "taken over|works here")

    def test_first_is_paused_while_second_takes_over(self) -> None:
        """A conductor that stood still (a paused machine) while its hosts were taken over sends
        nothing that is obeyed when it goes on."""
        for moment in ("before its first command", "in its first stop"):
            with self.subTest(moment):
                self.stop_first_and_take_over(moment)

    def stop_first_and_take_over(self, moment: str) -> None:
        self.begin_two(end_seconds=1)
        first = self.start_drydock("apply", self.plans[0])
        if moment == "in its first stop":
            self.wait_for(lambda: self.cluster.is_ending("m1"), "the first stop")
        else:
            self.wait_for(lambda: self.runs() != [], "the first run to begin")
        with self.stopped(first):
            self.cluster.wait_quiet()
            self.make_plan(NEW, self.other_file, self.plans[1])
            second = self.start_drydock("apply", self.plans[1], "--take-over")
            self.wait_for(lambda: self.cluster.stops("m2") == 1, "the second to stop m2")
        displaced, taker = first.wait(SECONDS_MAX), second.wait(SECONDS_MAX)
        self.assertIn(displaced.code, (NO, HALTED), self.words_of(displaced))
        self.assertEqual(taker.code, DONE, taker.text())
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)

    def test_first_is_stopped_for_a_moment(self) -> None:
        """Wherever the first stands still for a while beside a second one, that one is refused."""
        self.begin_two()
        first = self.start_drydock("apply", self.plans[0])
        for stop in ("m1", "m2"):
            self.wait_for(lambda: self.cluster.stops(stop) == 1, f"{stop} to be stopped")
            with self.stopped(first):
                self.assert_told_who(self.drydock("apply", self.plans[1], expect=NO))
        self.assertEqual(first.wait(SECONDS_MAX).code, DONE)
        self.assert_at_least_up(2)

    def assert_told_who(self, refused: harness.Run, why: str = "") -> None:
        self.assertIn("--take-over", self.words_of(refused), why)
        self.assertRegex(self.words_of(refused), "journal [0-9a-f]+", refused.text())
        self.assertRegex(self.words_of(refused), "host h[123]", refused.text())


class LostJournal(harness.Case):
    def test_lost_journal(self) -> None:
        """The conductor's disk is gone: the hosts remember it, a fresh journal is told so at once
        and in words that help, and goes on with --take-over."""
        self.begin()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        self.drydock("downgrade", expect=DONE)
        shutil.rmtree(os.path.join(self.scratch, "state"))
        self.make_plan()
        begun = time.monotonic()
        refused = self.drydock("apply", self.plan, expect=NO)
        self.assertLess(time.monotonic() - begun, REFUSAL_SECONDS_MAX)
        self.assertIn("--take-over", self.words_of(refused))
        self.assertNotIn("resume", self.words_of(refused))
        self.assertEqual(self.cluster.versions(), [OLD] * 3)
        self.drydock("apply", self.plan, "--take-over", expect=DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)
        self.drydock("downgrade", expect=DONE)  # from now on the hosts are its own
        self.assert_all_on(OLD)

    def test_lost_in_a_run(self) -> None:
        """The journal is lost with a run under way: a plan from where the cluster stands finishes
        it, after the takeover."""
        self.begin(end_seconds=1)
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: self.cluster.stops("m2") == 1, "m2 to be stopped")
        running.kill()
        shutil.rmtree(os.path.join(self.scratch, "state"))
        self.cluster.wait_quiet()
        self.make_plan()
        self.drydock("apply", self.plan, expect=NO)
        self.drydock("apply", self.plan, "--take-over", expect=DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)


class CopiedJournal(harness.Case):
    """A state folder that was copied, or put back from a backup: the same journal id, the same
    epochs, and only one of the two knows what happened since."""

    def copy_state(self, to: str) -> str:
        """Copies the state folder; returns a cluster file that uses the copy."""
        shutil.copytree(os.path.join(self.scratch, "state"), os.path.join(self.scratch, to))
        copied = os.path.join(self.scratch, f"{to}.yaml")
        with open(self.cluster_file) as file, open(copied, "w") as out:
            out.write(file.read().replace("/state\n", f"/{to}\n", 1))
        return copied

    def test_copied_in_a_run(self) -> None:
        """The copy goes on; the original is displaced, and refused ever after."""
        self.begin(end_seconds=1)
        self.make_plan()
        first = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: self.cluster.is_ending("m1"), "the first stop")
        with self.stopped(first):
            copy = self.copy_state("copied")
            self.drydock("resume", "-c", copy, expect=DONE)
        displaced = first.wait(SECONDS_MAX)
        self.assertIn(displaced.code, (NO, HALTED), self.words_of(displaced))
        stops = [self.cluster.stops(name) for name in self.cluster.members]
        for _ in range(2):
            refused = self.drydock("resume", expect=(NO, HALTED))
            self.assertIn("another copy of this journal", self.words_of(refused))
            self.assertIn("--take-over", self.words_of(refused))
        self.drydock("resume", "--take-over", expect=harness.MOVED)
        self.assertEqual([self.cluster.stops(name) for name in self.cluster.members], stops)
        self.assertIn("--take-over", self.words_of(self.drydock("downgrade", "-c", copy, expect=NO)))
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)

    def test_put_back(self) -> None:
        """A backup of the journal is told for what it is, before anything is begun."""
        self.begin()
        self.drydock("apply", self.make_plan(), expect=DONE)
        backup = self.copy_state("backup")
        self.drydock("downgrade", expect=DONE)
        plan = self.make_plan(NEW, backup)
        before = self.runs("backup")
        refused = self.drydock("apply", plan, expect=NO)
        self.assertIn("another copy of this journal", self.words_of(refused))
        self.assertEqual(self.runs("backup"), before)
        self.drydock("apply", plan, "--take-over", expect=DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)


class SilentHost(harness.Case):
    def test_no_run_begins(self) -> None:
        """A host that does not answer may obey somebody else by now."""
        self.begin(lines=("h3",))
        self.make_plan()
        self.cluster.cut("h3", "refused")
        refused = self.drydock("apply", self.plan, expect=harness.MOVED)
        self.assertIn("host h3", self.words_of(refused))
        self.assertEqual(self.runs(), [])
        self.cluster.mend("h3", "refused")
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_at_least_up(2)


class TwoClustersOnOneHost(harness.Case):
    def test_neighbours_work_is_not_waited_for(self) -> None:
        """What another cluster's conductor has under way on a host keeps nobody else there."""
        self.begin("once", members=6)
        for member in ("m4", "m5", "m6"):
            self.cluster.set_convert_seconds(member, NEIGHBOUR_SECONDS)
        plans = []
        for name, members in (("west", ("m4", "m5", "m6")), ("east", ("m1", "m2", "m3"))):
            file = self.cluster.write_cluster_file(
                name, f"{name}_state", members=members,
                host_of=lambda member: f"h{(int(member[1:]) - 1) % 3 + 1}")
            plans.append(self.make_plan(cluster_file=file, plan=file + ".json"))
        west = self.start_drydock("apply", plans[0])
        self.wait_for(lambda: self.runs("west_state") == ["running"], "the neighbour to begin")
        east = self.start_drydock("apply", plans[1])
        self.wait_for(lambda: self.cluster.stops("m1") == 1, "m1 to be stopped")
        self.assertEqual(self.cluster.stops("m4"), 0, "the neighbour's first actions go on")
        for running in (west, east):
            done = running.wait(SECONDS_MAX)
            self.assertEqual(done.code, DONE, done.text())

    def test_no_lockout(self) -> None:
        """Two clusters that share a host and its state folder, but no member, do not hinder each
        other: neither one after the other nor at once."""
        self.begin(members=6, end_seconds=0.3)
        files = [
            self.cluster.write_cluster_file(
                name, f"{name}_state", members=members,
                host_of=lambda member: f"h{(int(member[1:]) - 1) % 3 + 1}")
            for name, members in (("east", ("m1", "m2", "m3")), ("west", ("m4", "m5", "m6")))]
        plans = [self.make_plan(cluster_file=file, plan=file + ".json") for file in files]
        both = [self.start_drydock("apply", plan) for plan in plans]
        for running in both:
            done = running.wait(SECONDS_MAX)
            self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(self.cluster.versions(), [NEW] * 6)
        for file in files:
            self.drydock("downgrade", "-c", file, expect=DONE)
        self.assertEqual(self.cluster.versions(), [OLD] * 6)
        self.assert_at_least_up(4)


if __name__ == "__main__":
    harness.main()
