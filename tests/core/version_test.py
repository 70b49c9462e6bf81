"""An agent of another version of drydock."""

import harness
from harness import DONE, HALTED, MOVED, NO, OLD

OTHER = "0.0.7"


class OtherVersion(harness.Case):
    def test_refused(self) -> None:
        """Two versions that half understand each other are worse than none: the host is refused,
        with both versions, its name and the cure, and nothing is changed."""
        self.begin(lines=["h2"])
        self.make_plan()
        self.cluster.cut("h2", "version", OTHER)
        for words in (("survey",), ("plan", "--to", "2.0"), ("apply", self.plan)):
            with self.subTest(words[0]):
                done = self.drydock(*words)
                if words[0] != "survey":
                    self.assertIn(done.code, (NO, HALTED, MOVED), self.words_of(done))
                self.assertIn(OTHER, self.words_of(done))
                self.assertIn("h2", self.words_of(done))
                self.assertIn("same drydock", self.words_of(done))
        self.assertEqual(self.cluster.versions(), [OLD] * 3)
        self.assertEqual(self.open_runs(), [])
        self.assert_at_least_up(3)
        self.cluster.mend("h2", "version")
        self.drydock("apply", self.plan, expect=DONE)


if __name__ == "__main__":
    harness.main()
