"""Time that passes between a judgement and its command: a slow commit, or a paused machine.

strace makes the N-th fdatasync of the conductor slow, or stops the process in it. N is counted on a
conductor that dies right before it.
"""

import os
import signal
import subprocess
import time
import unittest

import harness
import toy
from harness import DONE, KILLED, NEW
from program import scaled

SLOW_COMMIT_SECONDS = 20
STOPPED_SECONDS = 15
QUIET_SECONDS = 3  # so long nothing may happen on the old judgement
INTENT = "action.intended:before"


def can_trace() -> bool:
    try:
        return subprocess.run(["strace", "-qq", "-e", "trace=none", "true"],
                              capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@unittest.skipUnless(can_trace(), "strace is missing, or may not attach to a process here")
class Stall(harness.Case):
    def test_slow_commit(self) -> None:
        """A member dies while the commit before a stop hangs: the guard that let the stop begin has
        grown old, and the stop is judged anew."""
        self.begin()
        commit = self.count_commits(INTENT) + 1
        running = self.start_traced(
            f"inject=fdatasync:delay_enter={SLOW_COMMIT_SECONDS}s:when={commit}")
        self.wait_for_hang(running)
        self.cluster.kill("m2")
        self.wait_for(lambda: self.committed() > 2, "the commit to end", SLOW_COMMIT_SECONDS + scaled(10))
        self.bring_back_and_finish(running)

    def test_stopped_between_judgement_and_command(self) -> None:
        """The conductor stands still in the commit of the intent: what it sends when it goes on
        rests on facts that nobody saw for a while."""
        self.stop_at(1)

    def test_stopped_before_the_judgement_is_recorded(self) -> None:
        """The same, one commit earlier: the facts are read afterwards."""
        self.stop_at(0)

    def stop_at(self, offset: int) -> None:
        self.begin()
        commit = self.count_commits(INTENT) + offset
        running = self.start_traced(f"inject=fdatasync:signal=STOP:when={commit}")
        conductor = self.conductor_of(running)
        self.wait_for(lambda: is_stopped(conductor), "the conductor to be stopped", scaled(20))
        self.cluster.kill("m2")
        time.sleep(STOPPED_SECONDS)
        os.kill(conductor, signal.SIGCONT)
        self.bring_back_and_finish(running)

    # How it is done

    def traced(self, expression: str) -> list[str]:
        return ["strace", "-qq", "-o", os.path.join(self.scratch, "trace"),
                "-e", "trace=fdatasync", *(["-e", expression] if expression else []),
                harness.program(), "apply", self.plan]

    def start_traced(self, expression: str) -> "subprocess.Popen[str]":
        self.make_plan()
        running = subprocess.Popen(
            self.traced(expression), cwd=self.scratch, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | self.environment | {"DRYDOCK_SCRATCH": self.scratch})
        self.addCleanup(running.stdout.close)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        return running

    def count_commits(self, crash: str) -> int:
        """How many times an apply has written to the disk when it dies there. The first one makes
        the journal, and the second one is like any later one."""
        for _ in range(2):
            self.make_plan()
            self.environment["DRYDOCK_CRASH"] = crash
            run = subprocess.run(self.traced(""), cwd=self.scratch, capture_output=True,
                                 env=os.environ | self.environment)
            del self.environment["DRYDOCK_CRASH"]
            self.assertIn(run.returncode, (KILLED, 128 - KILLED), run.stdout + run.stderr)
            self.drydock("abort", expect=DONE)
        with open(os.path.join(self.scratch, "trace"), encoding="utf-8") as trace:
            return trace.read().count("fdatasync(")

    def conductor_of(self, running: "subprocess.Popen[str]") -> int:
        """The child of strace that is drydock; strace has others for a moment."""
        def find() -> list[int]:
            children = toy.read_bytes(f"/proc/{running.pid}/task/{running.pid}/children").split()
            return [int(child) for child in children if harness.program().encode()
                    == toy.read_bytes(f"/proc/{int(child)}/cmdline").split(b"\0")[0]]
        self.wait_for(lambda: find() != [], "the conductor")
        return find()[0]

    def committed(self) -> int:
        ((records,),) = self.rows("SELECT records FROM runs ORDER BY number DESC LIMIT 1")
        return records

    def wait_for_hang(self, running: "subprocess.Popen[str]") -> None:
        """The run has begun and a conductor has it; its third record does not come."""
        self.wait_for(lambda: len(self.runs()) == 3 and self.committed() == 2, "the run to begin")
        self.assert_stays(3, lambda: self.committed() == 2, "another commit hangs")
        self.assertIsNone(running.poll())

    def bring_back_and_finish(self, running: "subprocess.Popen[str]") -> None:
        """Nothing is stopped while a member is down; it comes back, and the run ends."""
        self.assert_stays(QUIET_SECONDS, lambda: len(self.cluster.up()) == 2, "a second one is down")
        self.assertEqual([self.cluster.stops(name) for name in ("m1", "m3")], [0, 0])
        self.cluster.start("m2")
        output, _ = running.communicate(timeout=scaled(60))
        self.assertEqual(running.returncode, DONE, output)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)


def is_stopped(pid: int) -> bool:
    """Whether the process stands still, and not just in a system call that is traced."""
    for _ in range(10):
        state = toy.read_bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1]
        if state not in ([b"T"], [b"t"]):
            return False
        time.sleep(0.05)
    return True


if __name__ == "__main__":
    harness.main()
