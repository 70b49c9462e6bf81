"""What one host may say: only of what it was asked, and in the type that was asked for."""

import hostile
from hostile import REFUSED, ESCAPE, fact
from program import scaled

SURVEY_SECONDS_MAX = scaled(60)


class OneHostSpeaksForAll(hostile.Case):
    def test_facts_of_another_member(self) -> None:
        """A host that tells, later than the true host, that the dead m3 is well changes nothing:
        m3 counts as down, and no other member is stopped."""
        self.begin(lines=["h1", "h2"])
        self.make_plan()
        for host in ("h1", "h2"):
            self.rogue(host, "late", 0.3)
            self.rogue(host, "extra_facts", [
                fact("m3/service", "running"), fact("m3/ready", True),
                fact("m3/running", "1.0"), fact("m3/installed", "1.0")])
        self.cluster.kill("m3")
        done = self.drydock("apply", self.plan)
        self.assertIn(done.code, REFUSED, done.text())
        self.assert_at_least_up(2)
        self.assertEqual([self.cluster.stops(name) for name in ("m1", "m2")], [0, 0])

    def test_survey(self) -> None:
        """Neither facts of others, nor facts that nobody knows, are in a survey."""
        self.begin(lines=["h1"])
        self.rogue("h1", "late", 0.3)
        self.rogue("h1", "extra_facts", [fact("m3/ready", False), fact("m9/ready", True)])
        facts = self.facts()
        self.assertTrue(facts["m3/ready"]["value"])
        self.assertNotIn("m9/ready", facts)

    def test_told_twice_or_not_at_all(self) -> None:
        """Asked and not answered is unknown; so is what is answered twice."""
        self.begin(lines=["h1"])
        self.rogue("h1", "dropped", ["m1/ready"])
        self.rogue("h1", "extra_facts", [fact("m1/installed", "2.0")])
        facts = self.facts()
        self.assertEqual(facts["m1/ready"]["status"], "unknown")
        self.rogue("h1", "dropped", [])
        self.rogue("h1", "extra_facts", [fact("m1/ready", False)])
        facts = self.facts()
        self.assertTrue(facts["m1/ready"]["value"])  # the first stands where it was asked for
        self.assertEqual(facts["m1/ready"]["status"], "known")

    def test_values_of_another_type(self) -> None:
        """A value that is none of its type is unknown, whatever it is."""
        self.begin(lines=["h1"])
        for value in ("yes", 1, None, [], {}, 1.5):
            self.rogue("h1", "replaced", {"m1/ready": {"value": value}})
            self.assertEqual(self.facts()["m1/ready"]["status"], "unknown", value)
        self.rogue("h1", "replaced", {"m1/running": {"value": "x" * 70_000}})
        self.assertEqual(self.facts()["m1/running"]["status"], "unknown")

    def test_far_future(self) -> None:
        """A fact is not fresh for ever because its host says that it took for ever to read."""
        self.begin(lines=["h1"])
        self.make_plan()
        self.rogue("h1", "replaced", {f"m1/{name}": {"after_ms": 10**15}
                                      for name in ("ready", "service", "running", "installed")})
        self.drydock("apply", self.plan, expect=hostile.DONE)
        self.assert_all_on(hostile.NEW)


class ByteBySecond(hostile.Case):
    def test_survey(self) -> None:
        """An agent that sends its answer byte by byte holds nobody up for ever."""
        self.begin(lines=["h1"])
        self.rogue("h1", "trickle", 1)
        done = self.drydock("survey", "--json", timeout=SURVEY_SECONDS_MAX)
        self.assertIn("no answer in time", done.text())

    def test_apply(self) -> None:
        """A run does not begin on facts that never come."""
        self.begin(lines=["h1"])
        self.make_plan()
        self.rogue("h1", "trickle", 1)
        done = self.drydock("apply", self.plan, timeout=SURVEY_SECONDS_MAX)
        self.assertIn(done.code, REFUSED, done.text())
        self.assert_at_least_up(3)


class Escapes(hostile.Case):
    def assert_plain(self, text: str) -> None:
        bad = {c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160
               or ord(c) in (0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068,
                             0x2069, 0x200e, 0x200f, 0x61c)}
        self.assertEqual(bad, set(), repr(text))
        self.assertNotIn("\nOK  all is well", text)

    def test_facts(self) -> None:
        """What a host tells as value and as evidence is shown without its control characters."""
        self.begin(lines=["h1"])
        self.rogue("h1", "replaced", {
            "m1/running": {"value": hostile.ESCAPE},
            "m1/ready": {"status": "unknown", "evidence": {"source": "x", "problem": ESCAPE}}})
        for words in (["survey"], ["survey", "--json"], ["plan", "--to", "2.0", "-o", self.plan]):
            done = self.drydock(*words)
            self.assert_plain(done.stdout)
            self.assert_plain(done.stderr)

    def test_refusals(self) -> None:
        """The same of errors, in apply, status and log."""
        self.begin(lines=["h1"])
        self.make_plan()
        self.rogue("h1", "errors", ESCAPE)
        for words in (["survey"], ["apply", self.plan], ["status"], ["log"]):
            done = self.drydock(*words)
            self.assert_plain(done.stdout)
            self.assert_plain(done.stderr)

    def test_banner(self) -> None:
        """The same of what a host prints before its agent."""
        self.begin(lines=["h1"])
        self.rogue("h1", "greeting", ESCAPE + "\n" + "drydock-agent 7\n")
        done = self.drydock("survey")
        self.assert_plain(done.stdout)
        self.assert_plain(done.stderr)


if __name__ == "__main__":
    hostile.main()
