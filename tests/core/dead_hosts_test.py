"""Hosts that never answer: a survey takes about as long with thirty of them as with one."""

import time
from concurrent.futures import ThreadPoolExecutor

import harness

NUMBERS = (1, 10, 30)
SECONDS_MAX = 40
SPREAD_SECONDS = 10  # for the start of thirty processes on a busy machine


class DeadHosts(harness.Case):
    def test_survey(self) -> None:
        """Whatever is waited for at one dead host is waited for at all of them at once."""
        self.begin()
        with ThreadPoolExecutor() as pool:
            seconds = list(pool.map(self.survey, NUMBERS))
        self.assertLess(max(seconds), SECONDS_MAX, seconds)
        self.assertLess(seconds[-1] - seconds[0], SPREAD_SECONDS, seconds)

    def survey(self, count: int) -> float:
        """How long it takes with so many dead hosts beside the three; all is told all the same."""
        dead = range(4, 4 + count)
        file = self.cluster.write_cluster_file(
            f"dead{count}", members=self.cluster.members + [f"m{number}" for number in dead],
            dead=[f"h{number}" for number in dead])
        begun = time.monotonic()
        done = self.drydock("survey", "-c", file, timeout=120)
        seconds = time.monotonic() - begun
        self.assertIn(f"h{3 + count}", self.words_of(done))
        for member in self.cluster.members:
            self.assertRegex(done.stdout, f"{member} .*1.0", done.text())
        return seconds


if __name__ == "__main__":
    harness.main()
