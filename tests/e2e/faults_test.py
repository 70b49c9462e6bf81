"""Processes that die and disks that fill in the middle of an upgrade, and people who interrupt."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest
from typing import Callable, Iterator

import harness  # first: it knows where the others are
import cluster
import processes
from harness import DONE, HALTED, KILLED, MOVED, NO, WAITS
from program import scaled

AGENT_PLACES = ("after_mkdir", "before_effect", "after_effect", "before_result")
WRITES_PER_SECOND = 30  # of each writer


class Case(harness.Case):
    def start_upgrade(self, soak: str = "0s", **env: str) -> harness.Running:
        self.begin(write=True, rate=WRITES_PER_SECOND, soak=soak)
        self.make_plan()
        return self.start_drydock("apply", self.plan, env=env)

    def wait_for_event(self, running: harness.Running, kind: str, action: str,
                       within: float = scaled(60)) -> None:
        """Until the journal has an event of that type of that action."""
        def is_there() -> bool:
            ended = running.process.poll() is not None
            done = self.drydock("log", "--json")
            found = done.code == DONE and any(
                event["type"] == kind and event.get("action") == action
                for event in json.loads(done.stdout)["events"])
            if ended and not found:
                self.fail(f"it ended with no {kind} of {action}: {running.wait().text()}")
            return found
        cluster.wait_until(is_there, within, lambda: f"no {kind} of {action}")

    def agents(self) -> list[int]:
        """The pids of drydock's agents on this scratch folder."""
        hosts = os.path.join(self.scratch, "state", "hosts")
        return [pid for pid in processes.holding(hosts)
                if processes.command_line(pid)[1:3] == ["agent", "--state"]]

    def approve_and_finish(self) -> None:
        self.finish()
        self.assertEqual(self.versions(), [self.new] * 3)
        self.assertEqual({self.cluster.versions(name)[1] for name in self.cluster.members},
                         {self.level(self.new)})
        self.assert_nothing_lost()
        self.drydock("journal", "verify", expect=DONE)


class Processes(Case):
    def test_the_agent_dies_at_each_place_of_an_action(self) -> None:
        self.each(AGENT_PLACES, Processes.agent_dies_once)

    def agent_dies_once(self, place: str) -> None:
        """Wherever it dies, what may have happened is looked at, not assumed."""
        once = {"DRYDOCK_AGENT_CRASH": place}
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.make_plan()
        once["DRYDOCK_AGENT_CRASH_ONCE"] = os.path.join(self.scratch, "crashed")
        done = self.drydock("apply", self.plan, env=once)
        self.assertTrue(os.path.exists(once["DRYDOCK_AGENT_CRASH_ONCE"]), "nothing died")
        self.assertEqual(done.code, WAITS, done.text())
        self.finish()
        self.assert_upgraded()

    def test_the_agent_dies_at_each_place_of_every_action(self) -> None:
        """Not once, but in every first attempt: each action ends well or says who has to look."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.make_plan()
        once = os.path.join(self.scratch, "crashed")
        env = {"DRYDOCK_AGENT_CRASH": "after_effect", "DRYDOCK_AGENT_CRASH_ONCE": once}
        running = self.start_drydock("apply", self.plan, env=env)
        while running.process.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(once)
            time.sleep(0.05)
        self.assertIn(running.wait().code, (WAITS, HALTED))
        self.approve_and_finish()
        for name in self.cluster.members:
            self.assertEqual(self.cluster.starts(name), ["3.4", "3.5"], name)
            self.assertEqual(self.cluster.stops(name), 1, name)

    def test_the_agent_is_killed_in_the_middle(self) -> None:
        running = self.start_upgrade()
        killed, seen = 0, 0
        while running.process.poll() is None:
            now = self.records_so_far()
            if now >= seen + 4:  # it got on meanwhile: with fewer it might never
                seen = now
                for pid in self.agents():
                    processes.send(pid, signal.SIGKILL)
                    killed += 1
            time.sleep(0.01)
        done = running.wait()
        self.assertGreater(killed, 2, done.text())
        self.assertIn(done.code, (WAITS, HALTED), done.text())
        self.finish()
        self.assert_upgraded()

    def records_so_far(self) -> int:
        """Without drydock, which would start an agent of its own."""
        path = os.path.join(self.scratch, "state", "journal.db")
        with contextlib.suppress(sqlite3.OperationalError), \
                contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
            return journal.execute("SELECT count(*) FROM records").fetchone()[0]
        return 0

    def test_the_connection_breaks_in_the_middle(self) -> None:
        """`connect` is a command that hangs up after a while, again and again."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        breaks, broken = (os.path.join(self.scratch, name) for name in ("breaks", "broken"))
        script = (f'[ -e {breaks} ] || exec "$@"; timeout --signal=KILL 0.7 "$@"; '
                  f"echo once >> {broken}")
        connect = json.dumps(["sh", "-c", script, "connect"])
        state = os.path.join(self.scratch, "state", "hosts", "here")
        with open(self.cluster_file) as file:
            text = file.read()
        with open(self.cluster_file, "w") as file:
            file.write(text.replace("{connect: local}", f"{{connect: {connect}, agent: "
                                    f'"{harness.program()}", state: "{state}"}}'))
        self.make_plan()
        with open(breaks, "w"):
            running = self.start_drydock("apply", self.plan)
        done = running.wait()
        os.unlink(breaks)
        self.assertTrue(os.path.exists(broken), "nothing broke")
        if done.code == MOVED:  # under load not even the first look got through: nothing was begun
            self.drydock("apply", self.plan, expect=WAITS)
        else:
            self.assertIn(done.code, (WAITS, HALTED), done.text())
        self.finish()
        self.assert_upgraded()

    def test_a_member_is_killed_in_the_middle(self) -> None:
        """The next stop would lose the quorum: it waits, or halts, until the member is back."""
        running = self.start_upgrade()
        self.wait_for_event(running, "facts.read", "preflight/caught-up")
        self.cluster.kill("m3")
        done = running.wait()
        self.assertIn(done.code, (HALTED, WAITS), done.text())
        serving = sum(self.cluster.healthy(name) for name in self.cluster.members)
        self.assertGreaterEqual(serving, 2)
        if done.code == HALTED:
            self.assertIn("m3", done.stdout + done.stderr)
        if not self.cluster.pid("m3"):
            self.cluster.start("m3")
        self.cluster.wait_healthy()
        self.approve_and_finish()

    def test_a_member_that_does_not_come_up(self) -> None:
        """Told why and what to do; once it is cured the same run goes on."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.break_first_start()
        self.make_plan()
        done = self.drydock("apply", self.plan, expect=HALTED)
        text = done.stdout + done.stderr
        for word in ("HALTED", "start", "to do", "drydock resume"):
            self.assertIn(word, text)
        status = self.drydock("status", expect=HALTED)
        self.assertIn("FAILED: start", status.stdout)
        self.assertEqual(sum(self.cluster.healthy(name) for name in self.cluster.members), 2)
        self.cure_first_start()
        self.approve_and_finish()

    def break_first_start(self) -> None:
        """The new release's etcd ends at once, as if a library were missing."""
        series = self.cluster.release_folders["3.5"]
        broken = os.path.join(self.scratch, os.path.basename(series))
        shutil.copytree(series, broken)
        os.mkdir(os.path.join(broken, "good"))
        os.rename(os.path.join(broken, "etcd"), os.path.join(broken, "good", "etcd"))
        with open(os.path.join(broken, "etcd"), "w") as file:
            file.write(f"#!/bin/sh\n[ -e {broken}/cured ] || "
                       "{ echo 'etcd: no libz.so' >&2; exit 1; }\n"
                       f'exec {broken}/good/etcd "$@"\n')
        os.chmod(os.path.join(broken, "etcd"), 0o755)
        self.cured = os.path.join(broken, "cured")
        with open(self.cluster_file) as file:
            text = file.read()
        with open(self.cluster_file, "w") as file:
            file.write(text.replace(series, broken))

    def cure_first_start(self) -> None:
        with open(self.cured, "w"):
            pass


class Conductors(Case):
    def test_the_second_is_told_who_holds_the_run(self) -> None:
        running = self.start_upgrade(soak="2s")  # not over before all three have asked
        self.wait_for_event(running, "facts.read", "preflight/ready")
        for words in (("resume",), ("downgrade",)):  # abort is a request to the first
            done = self.drydock(*words)
            self.assertEqual(done.code, NO, done.text())
            self.assertIn(str(running.process.pid), done.stderr, words)
        self.assertIn("not over", self.drydock("apply", self.plan, expect=NO).stderr)
        self.assertEqual(running.wait().code, WAITS)
        self.finish()
        self.assert_upgraded()

    def test_many_at_once(self) -> None:
        """After a kill everybody resumes: one of them conducts, and nothing is done twice."""
        self.begin(write=True, rate=WRITES_PER_SECOND, soak="2s")
        self.make_plan()
        done = self.drydock("apply", self.plan, env={"DRYDOCK_CRASH": "17:after"})
        self.assertEqual(done.code, KILLED, done.text())
        several = [self.start_drydock("resume") for _ in range(5)]
        codes = sorted(each.wait().code for each in several)
        self.assertEqual(codes, [NO, NO, NO, NO, WAITS])
        self.finish()
        self.assert_upgraded()

    def test_a_conductor_that_was_frozen_does_nothing_more(self) -> None:
        """Stopped (not dead), so it holds its lease: nobody can take the run from it."""
        running = self.start_upgrade(soak="2s")  # not over before it is stopped
        self.wait_for_event(running, "facts.read", "preflight/ready")
        os.kill(running.process.pid, signal.SIGSTOP)
        try:
            done = self.drydock("resume")
            self.assertEqual(done.code, NO, done.text())
            self.assertIn(str(running.process.pid), done.stderr)
        finally:
            os.kill(running.process.pid, signal.SIGCONT)
        self.assertEqual(running.wait().code, WAITS)
        self.finish()
        self.assert_upgraded()


class People(Case):
    def test_interrupted(self) -> None:
        self.each([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], People.interrupted_by)

    def interrupted_by(self, number: signal.Signals) -> None:
        running = self.start_upgrade()
        self.wait_for_event(running, "facts.read", "preflight/ready")
        running.process.send_signal(number)
        running.wait()
        self.finish()
        self.assert_upgraded()

    def test_pause_and_resume(self) -> None:
        running = self.start_upgrade(soak="2s")  # not over before it is asked to pause
        self.wait_for_event(running, "facts.read", "preflight/ready")
        self.drydock("pause", expect=DONE)
        self.assertEqual(running.wait().code, WAITS)
        self.assertIn("paused", self.drydock("status", expect=WAITS).stdout)
        before = self.touched()
        time.sleep(0.5)
        self.assertEqual(self.touched(), before)
        self.finish()
        self.assert_upgraded()

    def test_abort_leaves_all_as_it_is(self) -> None:
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.to_the_gate()
        before, versions = self.touched(), self.versions()
        self.drydock("abort", "--dry-run", expect=DONE)
        self.drydock("status", expect=WAITS)
        self.drydock("abort", expect=DONE)
        self.assertEqual((self.touched(), self.versions()), (before, versions))
        self.assertIn("is over (aborted)", self.drydock("resume", expect=NO).stderr)
        # A new plan enters behind what is done.
        self.make_plan()
        self.drydock("apply", self.plan, expect=WAITS)
        self.finish()
        self.assert_upgraded()


@contextlib.contextmanager
def small_disk(folder: str, size: str) -> Iterator[None]:
    """A disk of its own at `folder`."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "drydock", folder],
                   check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def can_mount() -> bool:
    """Root may mount a tmpfs, but not in every container."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        folder = os.path.join("/tmp", f"drydock-mount-{os.getpid()}")
        with small_disk(folder, "1m"):
            pass
        os.rmdir(folder)
        return True
    return False


@contextlib.contextmanager
def filled(folder: str, spare: int) -> Iterator[Callable[[], None]]:
    """A folder's disk with only `spare` bytes left; call the result to make room again."""
    path = os.path.join(folder, "filler")
    free = os.statvfs(folder)
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_bsize - spare, 1))
    yield lambda: os.unlink(path)


@unittest.skipUnless(can_mount(), "mounting a small disk needs root")
class FullDisks(Case):
    def test_of_the_journal(self) -> None:
        """Nothing is sent that is not recorded; with room again the run goes on."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        state = os.path.join(self.scratch, "state")
        with small_disk(state, "200m"):
            self.make_plan()
            self.drydock("apply", self.plan, expect=WAITS)
            before = self.touched()
            with filled(state, spare=0) as make_room:
                self.assertNotEqual(self.drydock("approve", self.gate()).code, DONE)
                done = self.drydock("resume")
                self.assertIn(done.code, (NO, HALTED), done.text())
                self.assertIn("room", done.stderr + done.stdout)
                self.assertEqual(self.touched(), before)
                make_room()
            self.finish()
            self.assert_upgraded()

    def test_of_a_member(self) -> None:
        """Its preflight sees it coming: etcd needs room for its next log file."""
        self.begin()
        self.cluster.stop("m2")
        data = self.cluster.members["m2"].data
        os.rename(data, data + ".kept")
        with small_disk(data, "200m"):
            subprocess.run(["cp", "-a", "--sparse=always", data + ".kept/.", data], check=True)
            self.cluster.start("m2")
            self.cluster.wait_healthy()
            self.make_plan()
            with filled(data, spare=4 << 20) as make_room:
                before = self.touched()
                done = self.drydock("apply", self.plan, expect=HALTED)
                self.assertIn("free disk", done.stdout + done.stderr)
                self.assertIn("m2", done.stdout + done.stderr)
                self.assertEqual(self.touched(), before)
                make_room()
            self.finish()
            self.assertEqual(self.versions(), [self.new] * 3)
            self.cluster.stop("m2")


if __name__ == "__main__":
    harness.main()
