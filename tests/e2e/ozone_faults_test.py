"""Servers, commands and people that do the wrong thing in the middle of an Ozone upgrade."""

import contextlib
import os
import signal
import subprocess
import threading
import time
import unittest
from typing import Callable, Iterator

import ozone_harness  # first: it knows where the others are
import keys
import processes
from ozone_harness import DONE, HALTED, MOVED, NEW, NO, OLD, in_full


class Finalizing(ozone_harness.Case):
    """From the saved state in which the new release runs on the old layouts."""

    def to_finalize(self) -> None:
        """A run that waits at its gate."""
        self.begin("pre-finalized")
        self.to_the_gate()

    def begin_finalize(self) -> ozone_harness.Running:
        self.approve()
        return self.start_drydock("resume")

    def assert_done(self) -> None:
        self.assert_finalized()
        self.assert_keys("golden", "golden-new")

    def test_somebody_finalizes_by_hand_while_the_run_waits(self) -> None:
        """It is noticed and named, there is no way back, and a new plan goes on from there."""
        self.to_finalize()
        self.assertIn("Finalization of Storage Container Manager's metadata upgrade finished",
                      self.cluster.finalize("scm").stdout)
        self.approve()
        moved = self.drydock("resume", expect=MOVED)
        self.assertIn("hdds_level", moved.text())
        refused = self.drydock("downgrade", expect=NO)
        self.assertIn("hdds_level is 10, expected at most 4", refused.text())
        self.assertIn("restore", refused.text())
        self.drydock("abort", expect=DONE)
        self.to_the_gate()
        self.finish()
        self.assert_done()

    @in_full
    def test_a_datanode_is_down_before_finalize(self) -> None:
        """Nothing is sent; it is named; started again, the same run goes on."""
        self.to_finalize()
        self.cluster.kill("dn3")
        self.approve()
        refused = self.drydock("resume")
        self.assertIn(refused.code, (MOVED, HALTED), refused.text())
        self.assertIn("dn3", refused.text())
        self.assertEqual(set(self.layouts_on_disk().values()), {3, 4})
        self.cluster.start("dn3")
        self.wait(lambda: self.registered("dn3"), "dn3 is back")
        self.drydock("resume", expect=DONE)
        self.assert_done()

    @in_full
    def test_scm_died_while_somebody_finalized_with_an_open_container(self) -> None:
        """The trap: in safe mode nothing closes the container that the datanodes wait for."""
        self.begin("pre-finalized")
        self.give("scm", "safe_mode_grace", "10")
        keys.put(self.cluster, "open")  # so that a container is open
        self.in_background("admin", "scm", "finalizeupgrade")
        self.wait(lambda: self.cluster.layout_on_disk("scm1") == 10, "SCM has raised its layout")
        self.cluster.kill("scm1")
        for pid in self.command_pids("finalizeupgrade"):
            processes.send(pid, signal.SIGKILL)
        on_disk = {self.cluster.layout_on_disk(f"dn{number}") for number in (1, 2, 3)}
        self.cluster.start("scm1")
        self.wait(lambda: self.cluster.safe_mode() is not None, "SCM is back")
        self.assertEqual(on_disk, {4}, "a datanode was too quick: this run does not show the trap")
        self.to_the_gate()  # the plan goes on, and does not wait for the end of that safe mode
        self.finish()
        self.assert_done()
        self.assert_keys("open")

    @in_full
    def test_scm_dies_while_the_run_finalizes(self) -> None:
        """All containers are closed, so it goes on by itself when it is back."""
        self.to_finalize()
        running = self.begin_finalize()
        self.wait(lambda: self.cluster.layout_on_disk("scm1") == 10, "SCM has raised its layout")
        self.cluster.kill("scm1")
        time.sleep(3)
        self.cluster.start("scm1")
        done = running.wait(ozone_harness.RUN_SECONDS_MAX)
        self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(self.sent("scm"), 1)
        self.assert_done()

    @in_full
    def test_the_command_that_finalizes_is_killed_after_it_was_sent(self) -> None:
        self.to_finalize()
        running = self.begin_finalize()
        self.wait(lambda: self.command_pids("scm", "finalizeupgrade"), "the command runs")
        self.wait(lambda: self.cluster.layout_on_disk("scm1") == 10, "SCM has raised its layout")
        for pid in self.command_pids("scm", "finalizeupgrade"):
            processes.send(pid, signal.SIGKILL)
        done = running.wait(ozone_harness.RUN_SECONDS_MAX)
        self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(self.sent("scm"), 1)
        self.assert_done()

    @in_full
    def test_om_dies_while_it_finalizes(self) -> None:
        self.to_finalize()
        running = self.begin_finalize()
        self.wait(lambda: self.command_pids("om", "finalizeupgrade"), "the command runs")
        self.cluster.kill("om1")
        time.sleep(3)
        self.cluster.start("om1")
        done = running.wait(ozone_harness.RUN_SECONDS_MAX)
        self.assertEqual(done.code, DONE, done.text())
        self.assert_done()

    @in_full
    def test_a_datanode_dies_in_the_middle(self) -> None:
        """SCM waits for the third one; the run does so too, and ends when it is back."""
        self.to_finalize()
        running = self.begin_finalize()
        self.wait(lambda: self.command_pids("scm", "finalizeupgrade"), "the command runs")
        self.cluster.kill("dn3")
        self.wait(lambda: self.cluster.layout_on_disk("dn1") == 10, "the others finalize")
        time.sleep(5)
        self.assertIsNone(running.process.poll(), "it waits")
        self.cluster.start("dn3")
        done = running.wait(ozone_harness.RUN_SECONDS_MAX)
        self.assertEqual(done.code, DONE, done.text())
        self.assert_done()

    @in_full
    def test_the_disk_of_a_datanode_is_full(self) -> None:
        """It cannot write its new layout; with room again it does, and the run ends."""
        self.to_finalize()
        folder = os.path.dirname(self.cluster.version_file("dn3"))
        with full_disk(folder, lambda: self.cluster.stop("dn3"),
                       lambda: self.cluster.start("dn3")) as disk:
            self.wait(lambda: self.registered("dn3"), "dn3 is back")
            disk.fill()
            running = self.begin_finalize()
            self.wait(lambda: self.cluster.layout_on_disk("dn1") == 10, "the others finalize")
            time.sleep(5)
            layouts = self.cluster.layouts("dn3")
            assert layouts
            self.assertLess(layouts[0], 10)
            self.assertIsNone(running.process.poll(), "it waits")
            disk.clear()
            done = running.wait(ozone_harness.RUN_SECONDS_MAX)
            self.assertEqual(done.code, DONE, done.text())
            self.assert_done()


class Preparing(ozone_harness.Case):
    @in_full
    def test_prepare_times_out(self) -> None:
        """An OM that hangs is not prepared: the run halts before anything is stopped, and goes on
        when the OM does."""
        self.begin()
        self.give("om", "prepare_seconds", "5")
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait_for_event("action.intended", "prepare/om1/prepare")
        pid = self.cluster.pid("om1")
        assert pid
        processes.send(pid, signal.SIGSTOP)
        try:
            done = running.wait(ozone_harness.RUN_SECONDS_MAX)
        finally:
            processes.send(pid, signal.SIGCONT)
        self.assertEqual(done.code, HALTED, done.text())
        self.assertIn("prepare", done.text())
        self.assertEqual(self.versions(), {OLD})
        self.cluster.wait_ready()
        back = self.drydock("downgrade", expect=DONE)
        self.assertNotIn("stop: begun", back.text())
        self.assertFalse(self.cluster.prepared("om1"))
        self.assert_keys("golden")

    def test_an_om_was_started_without_the_flag(self) -> None:
        """By hand, up to there: it refuses writes, and would refuse to finalize."""
        self.begin("prepared", start=False)
        self.cluster.install(NEW)
        self.cluster.start()
        self.cluster.wait_ready()
        for name in ("dn1", "dn2", "dn3"):
            self.wait(lambda: self.registered(name), f"{name} is back")
        self.assertTrue(self.cluster.prepared("om1"))
        self.to_the_gate()
        self.assertFalse(self.cluster.prepared("om1"))
        self.assert_keys("golden")
        self.assertEqual(self.versions(), {NEW})

    @in_full
    def test_given_up_while_prepared(self) -> None:
        """Somebody has prepared the OMs and gone away: the way back is to cancel it, no more."""
        self.begin()
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait(lambda: self.cluster.prepared("om1"), "the OM is prepared")
        running.kill()
        self.drydock("downgrade", expect=DONE)
        self.assertEqual(self.versions(), {OLD})
        self.assert_keys("golden")


class GivenUp(ozone_harness.Case):
    """The conductor is killed on its way to the gate, and somebody wants everything back."""

    def begun_until(self, action: str) -> None:
        """A run that is dead since this action was over, or soon after."""
        self.begin()
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait_for_event("action.ended", action)
        running.kill()

    def assert_back(self) -> None:
        self.drydock("downgrade", expect=DONE)
        self.assertEqual(self.versions(), {OLD})
        self.assertEqual(set(self.layouts_on_disk().values()), {3, 4})
        self.assert_keys("golden")

    @in_full
    def test_half_stopped(self) -> None:
        self.begun_until("stop/om1/stop-om")
        self.assertIsNone(self.cluster.pid("om1"))
        self.assert_back()

    @in_full
    def test_half_swapped(self) -> None:
        self.begun_until("stop/om1/stop-om")
        self.cluster.stop()
        self.cluster.install(NEW, "scm1", "dn2")
        self.assert_back()

    @in_full
    def test_half_started(self) -> None:
        self.begun_until("stop/om1/stop-om")
        self.cluster.stop()
        self.cluster.install(NEW, "scm1", "dn1", "dn2", "dn3")
        self.cluster.start("scm1", "dn1")
        self.wait(lambda: self.registered("dn1"), "dn1 is up")
        self.assert_back()


class Copies(ozone_harness.Case):
    @in_full
    def test_the_cold_copy_brings_the_old_release_back_after_finalization(self) -> None:
        self.begin()
        self.to_the_gate()
        self.finish()
        self.assert_finalized()
        keys.put(self.cluster, "lost")
        self.drydock("downgrade", expect=NO)
        copy = newest(os.path.join(self.base, "backups"))
        self.drydock("plan", "--to", OLD, "--restore", copy, "-o", self.plan)
        self.drydock("apply", self.plan, "--allow-unchecked", "a restore", expect=DONE)
        self.assertEqual(self.versions(), {OLD})
        self.assert_keys("golden")
        self.assertEqual(len(keys.wrong(self.cluster, "lost")), keys.COUNT)

    @in_full
    def test_what_was_upgraded_by_hand_gets_a_copy_by_going_back_and_there_again(self) -> None:
        """Finalizing without one is refused; the way back in place is open, and makes one possible."""
        self.begin("pre-finalized")
        refused = self.drydock("plan", "--to", NEW, "-o", self.plan, expect=NO)
        self.assertIn("unverified-destroy", refused.text())
        self.drydock("plan", "--to", OLD, "-o", self.plan, expect=DONE)
        self.drydock("apply", self.plan, expect=DONE)
        self.assertEqual(self.versions(), {OLD})
        self.allow_unchecked = []
        self.to_the_gate()
        self.finish()
        self.assert_finalized()
        self.assert_keys("golden", "golden-new")

    def damage_the_copy(self) -> str:
        """One byte of it; where it lies."""
        copy = newest(os.path.join(self.base, "backups"))
        victim = subprocess.run(["find", os.path.join(copy, "om1"), "-name", "*.sst"], check=True,
                                capture_output=True, text=True).stdout.splitlines()[0]
        with open(victim, "r+b") as file:
            file.write(b"\xff")
        return copy

    @in_full
    def test_nothing_is_finalized_while_a_copy_is_damaged(self) -> None:
        """The other way back is still open."""
        self.begin()
        self.to_the_gate()
        self.damage_the_copy()
        self.approve()
        halted = self.drydock("resume", expect=HALTED)
        self.assertIn("om1 is whole, still", halted.text())
        self.assertEqual(self.sent("scm"), 0)
        self.assertFalse(self.cluster.prepared("om1"))
        self.drydock("downgrade", expect=DONE)
        self.assertEqual(self.versions(), {OLD})
        self.assert_keys("golden")

    @in_full
    def test_a_copy_with_one_wrong_byte_is_not_put_back(self) -> None:
        self.begin()
        self.to_the_gate()
        copy = self.damage_the_copy()
        self.drydock("abort", expect=DONE)
        self.drydock("plan", "--to", OLD, "--restore", copy, "-o", self.plan)
        refused = self.drydock("apply", self.plan, "--allow-unchecked", "a restore", expect=HALTED)
        self.assertIn("om1", refused.text())
        self.assertEqual(self.versions(), {NEW})


def newest(folder: str) -> str:
    """The copy that a run has made: the folder whose name is the latest."""
    return os.path.join(folder, max(os.listdir(folder)))


class Disk:
    """A small one that is kept full. Ratis' AtomicFileOutputStream puts an empty file in the place
    of the old one when it cannot write, which makes room for the next try: it is taken at once."""

    def __init__(self, folder: str):
        self.ballast = os.path.join(folder, "ballast")
        self.filling = threading.Event()
        self.filler = threading.Thread(target=self._fill, daemon=True)

    def fill(self) -> None:
        self.filling.set()
        self.filler.start()

    def _fill(self) -> None:
        with open(self.ballast, "ab", buffering=0) as file:
            while self.filling.is_set():
                try:
                    file.write(b"\0" * 4096)
                except OSError:
                    time.sleep(0.001)

    def clear(self) -> None:
        self.filling.clear()
        self.filler.join()
        os.unlink(self.ballast)


@contextlib.contextmanager
def full_disk(folder: str, before: Callable[[], None], after: Callable[[], None]) \
        -> Iterator[Disk]:
    """A disk of its own for a folder, with what is in it."""
    kept = folder + ".kept"
    before()
    os.rename(folder, kept)
    os.mkdir(folder)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={64 << 10},mode=700", "drydock", folder]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode != 0:
        os.rmdir(folder)
        os.rename(kept, folder)
        raise unittest.SkipTest(f"mounting a small disk needs root: {done.stderr.strip()}")
    disk = Disk(folder)
    try:
        subprocess.run(["cp", "-a", kept + "/.", folder], check=True)
        after()
        yield disk
    finally:
        disk.filling.clear()
        subprocess.run(["umount", "--lazy", folder], check=True)


if __name__ == "__main__":
    ozone_harness.main()
