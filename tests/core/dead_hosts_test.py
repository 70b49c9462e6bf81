"""Hosts that never answer: a survey takes about as long with thirty of them as with one."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import harness
from program import program, scaled

HARD_MAX = 1024  # open files
NUMBERS = (1, 10, 30)
SECONDS_MAX = scaled(40)
SPREAD_SECONDS = scaled(10)  # for the start of thirty processes


class DeadHosts(harness.Case):
    def test_survey(self) -> None:
        """Whatever is waited for at one dead host is waited for at all of them at once."""
        self.begin()
        with ThreadPoolExecutor() as pool:
            seconds = list(pool.map(self.survey, NUMBERS))
        self.assertLess(max(seconds), SECONDS_MAX, seconds)
        self.assertLess(seconds[-1] - seconds[0], SPREAD_SECONDS, seconds)

    def test_few_open_files(self) -> None:
        """The limit of open files is raised as far as is allowed, and else the error says what is
        needed, before any host is asked."""
        self.begin()
        others = [f"m{number}" for number in range(4, 44)]
        file = self.cluster.write_cluster_file("many", members=self.cluster.members + others,
                                               host_of=self.cluster.host)
        done = self.survey_with(f"128:{HARD_MAX}", file)
        self.assertNotIn("open files", done)
        self.assertIn("m43", done)
        refused = self.survey_with("128:128", file)
        self.assertRegex(refused, "needs [0-9]+ open files at once, and 128 are")
        self.assertIn("ulimit -n", refused)

    def survey_with(self, open_files: str, file: str) -> str:
        """What is printed with these limits (soft:hard)."""
        done = subprocess.run(["prlimit", f"--nofile={open_files}", program(), "survey", "-c", file],
                              env=os.environ | self.environment, text=True, capture_output=True,
                              timeout=harness.RUN_SECONDS_MAX)
        return done.stdout + done.stderr

    def survey(self, count: int) -> float:
        """How long it takes with so many dead hosts beside the three; all is told all the same."""
        dead = range(4, 4 + count)
        file = self.cluster.write_cluster_file(
            f"dead{count}", members=self.cluster.members + [f"m{number}" for number in dead],
            dead=[f"h{number}" for number in dead])
        begun = time.monotonic()
        done = self.drydock("survey", "-c", file, timeout=scaled(120))
        seconds = time.monotonic() - begun
        self.assertIn(f"h{3 + count}", self.words_of(done))
        for member in self.cluster.members:
            self.assertRegex(done.stdout, f"{member} .*1.0", done.text())
        return seconds


if __name__ == "__main__":
    harness.main()
