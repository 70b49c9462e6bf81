"""kill -9 of the conductor at records of its journal: on the way to the gate, back, finalizing.

After each kill `resume` goes on, and is killed in its turn some records later. In CI that is a
spread; in ozone-full it is every record, before its commit, after it, and after its commands were
sent. Whatever is killed, the layouts on disk stay as they are until somebody has approved.
"""

import itertools
from typing import Callable

import ozone_harness  # first: it knows where the others are
import keys
from ozone_harness import DONE, FULL, KILLED, NEW, OLD, WAITS, in_full

OPENING = 1  # record of a resumed run before its first own one: conductor.started
STRIDE, BACK_STRIDE, FINALIZE_STRIDE = 10, 6, 4  # in CI: own records from one kill to the next
KILLS_MAX = 1000


class Kills(ozone_harness.Case):
    def test_to_the_gate_and_back(self) -> None:
        self.to_the_gate_and_back("after")

    @in_full
    def test_to_the_gate_and_back_when_commands_were_sent(self) -> None:
        self.to_the_gate_and_back("sent")

    def to_the_gate_and_back(self, late: str) -> None:
        self.stride = 1 if FULL else STRIDE
        self.begin()
        old = self.layouts_on_disk()

        def nothing_finalized() -> None:
            self.assertEqual((self.layouts_on_disk(), self.sent("scm")), (old, 0))
        self.make_plan()
        self.killed_until(WAITS, nothing_finalized, late, "apply", self.plan)
        self.assertEqual(self.versions(), {NEW})
        self.assert_keys("golden")
        keys.put(self.cluster, "new")

        self.stride = 1 if FULL else BACK_STRIDE
        self.killed_until(DONE, nothing_finalized, late, "downgrade")
        self.assertEqual(self.versions(), {OLD})
        self.assert_keys("golden", "new")
        self.assert_started(3)  # by the test, there, and back
        self.drydock("journal", "verify", expect=DONE)

    def test_while_it_finalizes(self) -> None:
        self.finalize("after")

    @in_full
    def test_while_it_finalizes_when_commands_were_sent(self) -> None:
        self.finalize("sent")

    def finalize(self, late: str) -> None:
        self.stride = 1 if FULL else FINALIZE_STRIDE
        self.begin("pre-finalized")
        old = self.layouts_on_disk()
        self.to_the_gate()
        self.dies("1:before", "approve", "finalize")
        self.drydock("resume", expect=WAITS)  # nothing was approved
        self.assertEqual((self.layouts_on_disk(), self.sent("scm")), (old, 0))
        self.dies("1:after", "approve", "finalize")
        self.killed_until(DONE, lambda: None, late, "resume")
        self.assertEqual((self.sent("scm"), self.sent("om")), (1, 1))
        self.assert_finalized()
        self.assert_keys("golden", "golden-new")
        self.assert_started(1)

    def killed_until(self, code: int, check: Callable[[], None], late: str,
                     *words: str) -> None:
        """Runs a command, which is killed, and `resume`, which is killed again and again, until it
        ends with this code; checks something after each kill."""
        begun = words[0]
        for at in ([f"{record}:{moment}" for record in (1, 2) for moment in ("before", "after")]
                   if FULL else ["1:after"]):
            self.dies(at, *words)
            check()
            words = self.what_to_type(words)
        for number in itertools.count():
            self.assertLess(number, KILLS_MAX)
            done = self.drydock(*words, env=self.kill(number, late))
            if done.code != KILLED:
                break
            check()
            words = self.what_to_type(words)
        self.assertEqual(done.code, code, done.text())
        print(f"{begun}: killed {number} times on its way", flush=True)
        self.assertGreater(number, 2)

    def what_to_type(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """`resume`, or the same once more when it was killed before its run was born."""
        told = self.drydock("status").text()
        born = {"apply": "there is no run" not in told, "downgrade": f"{NEW} -> {OLD}" in told}
        return ("resume",) if born.get(words[0], True) else words

    def kill(self, number: int, late: str) -> dict[str, str]:
        """Where the next conductor dies. In full, each record before it is written, and then once
        it is: what was intended and never sent is sent when it is tried again."""
        record = OPENING + self.stride
        if not FULL:
            return {"DRYDOCK_CRASH": f"{record}:{('after', 'sent', 'before')[number % 3]}"}
        events = self.events()
        if any(event["type"] == "run.finished" for event in events):
            return {}  # nothing comes behind it
        again = [event["attempt"] > 1 for event in events if event["type"] == "action.intended"]
        moment = "before" if number % 2 == 0 else "sent" if again and again[-1] else late
        return {"DRYDOCK_CRASH": f"{record}:{moment}"}

    def dies(self, at: str, *words: str) -> None:
        done = self.drydock(*words, env={"DRYDOCK_CRASH": at})
        self.assertEqual(done.code, KILLED, done.text())

    def assert_started(self, times: int) -> None:
        """Every server was started so often, by its own log."""
        for name, member in self.cluster.members.items():
            with open(member.log) as file:
                self.assertEqual(sum("STARTUP_MSG: Starting" in line for line in file), times, name)


if __name__ == "__main__":
    ozone_harness.main()
