"""kill -9 of the conductor at some records of a toy apply and downgrade; kill_full_test.py takes all."""

import harness
import kills

STRIDE = 5  # shares no divisor with the number of moments: all of them have their turn


class KillSomeRecords(kills.Kills):
    def test_some(self) -> None:
        """Whatever a conductor leaves behind, the next one ends the run, and two serve throughout."""
        cases = self.cases()
        self.roll(cases[:2] + cases[2:-2:STRIDE] + cases[-2:])


if __name__ == "__main__":
    harness.main()
