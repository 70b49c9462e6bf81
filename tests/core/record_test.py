"""What a person noted outside of the journal, and who the journal says was there."""

import json
import os
import unittest

import harness
from harness import DONE, NEW, NO

NOBODY = 4_294_967_295  # loginuid of who did not log in


def login_uid() -> int:
    try:
        with open("/proc/self/loginuid", encoding="utf-8") as file:
            return int(file.read())
    except OSError:
        return NOBODY


class Record(harness.Case):
    def run_once(self, **environment: str) -> None:
        self.begin()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE, env=environment)
        self.assert_all_on(NEW)

    def head(self) -> str:
        return json.loads(self.drydock("journal", "verify", "--json", expect=DONE).stdout)[
            "verified"][0]["head"]

    def test_noted_heads(self) -> None:
        """A head of the journal is found by 16 digits of it; another one, or a shorter, is not."""
        self.run_once()
        head = self.head()
        for noted in (head, head[:16]):
            self.drydock("journal", "verify", "--head", noted, expect=DONE)
        other = ("0" if head[0] != "0" else "1") + head[1:]
        done = self.drydock("journal", "verify", "--head", other, expect=NO)
        self.assertIn("written anew", self.words_of(done))
        done = self.drydock("journal", "verify", "--head", head[:15], expect=NO)
        self.assertIn("too short", self.words_of(done))

    @unittest.skipUnless(os.getuid() == 0 and login_uid() == NOBODY,
                         "needs root that did not log in")
    def test_who_behind_sudo(self) -> None:
        """The journal names the person that sudo led to root, in its first record and later."""
        self.run_once(SUDO_USER="alice")
        events = json.loads(self.drydock("log", "--json", expect=DONE).stdout)["events"]
        named = [event["detail"]["who"] for event in events
                 if "who" in (event.get("detail") or {})]
        self.assertGreaterEqual(len(named), 2)
        self.assertEqual(set(named), {"alice as root"})


if __name__ == "__main__":
    harness.main()
