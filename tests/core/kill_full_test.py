"""kill -9 of the conductor at every record of a toy apply and downgrade."""

import harness
import kills


class KillEveryRecord(kills.Kills):
    def test_all(self) -> None:
        """Whatever a conductor leaves behind, the next one ends the run, and two serve throughout."""
        self.roll(self.cases())


if __name__ == "__main__":
    harness.main()
