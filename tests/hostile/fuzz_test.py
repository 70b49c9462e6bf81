"""A rogue agent with dice: whatever it says, drydock ends, and believes it of its own member only.

$DRYDOCK_FUZZ_SECONDS says how long (20 if not set), $DRYDOCK_FUZZ_SEED where the dice begin.
"""

import os
import random
import time

import hostile
from hostile import ESCAPE
from program import scaled

SECONDS = float(os.environ.get("DRYDOCK_FUZZ_SECONDS", "20"))
SEED = int(os.environ.get("DRYDOCK_FUZZ_SEED", "1"))
# An answer that is lost on a line that lives costs the limit of its action, 140 s for a link; the
# dice may lose several in one command.
ONE_COMMAND_SECONDS_MAX = scaled(200)
PLANS_MAX = 6
CODES = range(6)
ACTS = {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202e)}


class Fuzz(hostile.Case):
    def test_rogue_with_dice(self) -> None:
        """No command hangs or dies, m2 and m3 are never down together, and no text acts."""
        seed, commands, begun = SEED, 0, time.monotonic()
        while time.monotonic() - begun < SECONDS:
            with self.subTest(seed=seed):
                commands += self.run_once(seed)
            seed += 1
        print(f"{seed - SEED} clusters, {commands} commands in "
              f"{time.monotonic() - begun:.0f} s", flush=True)

    def run_once(self, seed: int) -> int:
        dice = random.Random(seed)
        self.begin(end_seconds=0.1, lines=["h1"])
        self.plan_before_the_rogue()
        others = {"m2", "m3"}
        self.rogue("h1", "fuzz", seed)
        words = [["survey"], ["apply", self.plan], ["status"], ["resume"], ["log"], ["downgrade"],
                 ["survey", "--json"], ["abort"]]
        chosen = [dice.choice(words) for _ in range(4)]
        for command in [["apply", self.plan], *chosen]:
            self.check(command, seed)
        for up in self.watcher.sets:
            self.assertTrue(others & set(up), f"seed {seed}: neither m2 nor m3 served")
        return 5

    def plan_before_the_rogue(self) -> None:
        """On a machine under load the probes of an honest host may be late, too."""
        words = ["plan", "--to", hostile.NEW, "-o", self.plan]
        if all(self.drydock(*words).code != hostile.DONE for _ in range(PLANS_MAX - 1)):
            self.drydock(*words, expect=hostile.DONE)

    def check(self, command: list[str], seed: int) -> None:
        done = self.drydock(*command, timeout=ONE_COMMAND_SECONDS_MAX)
        self.assertIn(done.code, CODES, f"seed {seed}: {done.text()}")
        self.assertEqual(ACTS & set(done.text()), set(), f"seed {seed}: {done.text()!r}")
        self.assertNotIn(ESCAPE, done.text())


if __name__ == "__main__":
    hostile.main()
