"""A journal that was written anew, chain and all: the hosts noted its heads, and tell."""

import json
import os
import re
import shutil
import socket
from typing import Any, Iterable

import hostile
from forge import Forger
from hostile import DONE, NEW, NO, REFUSED
from program import scaled

SECONDS_MAX = scaled(60)


def forged(event: dict[str, Any]) -> dict[str, Any]:
    """The approval, by somebody else."""
    if event["type"] != "gate.approved":
        return event
    return event | {"detail": event["detail"] | {"who": "alice"}}


class Anchors(hostile.Case):
    def stop_behind_approval(self, lines: Iterable[str] = ()) -> None:
        """A run whose gate was approved, and whose conductor was killed in the stop of m2."""
        self.begin(variant="gate", lines=lines)
        self.make_plan()
        self.drydock("apply", self.plan, expect=hostile.WAITS)
        self.drydock("approve", "go", expect=DONE)
        self.cluster.set_end_seconds("m2", 1)
        running = self.start_drydock("resume")
        self.wait_for(lambda: self.cluster.is_ending("m2"), "m2 to be told to end")
        running.kill()
        self.cluster.set_end_seconds("m2", 0)

    def forger(self) -> Forger:
        run, = self.open_runs()
        return Forger(os.path.join(self.scratch, "state"), self.events(run=run), run)

    def verify(self, *words: str, expect: int) -> str:
        return self.words_of(self.drydock("journal", "verify", *words, expect=expect))

    def test_forged_approval(self) -> None:
        """The chain is whole, but `journal verify --hosts` and `resume` name a host that knows
        better, and nothing is sent; with --take-over a person goes on all the same."""
        self.stop_behind_approval()
        self.assertEqual(self.forger().rewrite(lambda event: event), 0)
        self.verify("--hosts", expect=DONE)
        first = self.forger().rewrite(forged)
        self.assertGreater(first, 0)
        self.verify(expect=DONE)
        self.assertRegex(self.verify("--hosts", expect=NO), "host h[12].* written anew")
        for command in ("resume", "downgrade", "abort"):
            with self.subTest(command):
                done = self.drydock(command, expect=REFUSED)
                self.assertRegex(self.words_of(done), "host h[12].* written anew")
        self.assertIn("written anew", self.words_of(self.drydock("resume", "--dry-run",
                                                                 expect=REFUSED)))
        self.assertEqual(self.cluster.stops("m3"), 0)
        self.drydock("resume", "--take-over", expect=DONE)
        self.assert_all_on(NEW)
        self.assertIn("other journal", self.verify("--hosts", expect=DONE))

    def test_records_cut_off(self) -> None:
        """Also a journal whose last records are gone: the hosts obeyed what it does not know."""
        self.stop_behind_approval()
        events = self.events()
        kept = min(event["sequence"] for event in events if event["type"] == "gate.approved")
        self.assertEqual(self.forger().rewrite(lambda event: event, kept), kept + 1)
        self.verify(expect=DONE)
        self.assertIn("written anew", self.verify("--hosts", expect=NO))
        self.assertIn("written anew", self.words_of(self.drydock("resume", expect=REFUSED)))

    def test_what_hosts_note(self) -> None:
        """Each action's folder has a head of the journal, most of them another one, and the fence
        has one; `journal verify --hosts` counts them."""
        self.begin()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        for host in ("h1", "h2", "h3"):
            noted = self.heads_noted(host)
            self.assertGreaterEqual(len(noted), 3)
            self.assertLessEqual(noted, self.heads_of_journal())
            with open(os.path.join(self.scratch, "hosts", host, ".fence"),
                      encoding="utf-8") as file:
                head = json.load(file)["owners"][0]["head"]
            self.assertIn((head["sequence"], head["hash"]), noted)
        answer = json.loads(self.drydock("journal", "verify", "--hosts", "--json",
                                         expect=DONE).stdout)
        self.assertEqual([(host["heads"], host["others"]) for host in answer["hosts"]],
                         [(len(self.heads_noted(host)), 0) for host in ("h1", "h2", "h3")])

    def test_host_that_comes_back(self) -> None:
        """A host that was away at the beginning of a resume is compared when it is there again."""
        self.stop_behind_approval(lines=["h1", "h2"])
        self.forger().rewrite(forged)
        for host in ("h1", "h2"):
            self.cluster.cut(host, "refused")
        running = self.start_drydock("resume")
        self.wait_for(lambda: self.types().count("conductor.started") == 3, "the resume to begin")
        for host in ("h1", "h2"):
            self.cluster.mend(host, "refused")
        done = running.wait(SECONDS_MAX)
        self.assertIn(done.code, REFUSED, done.text())
        self.assertRegex(self.words_of(done), "host h[12].* written anew")
        self.assertEqual(self.cluster.stops("m3"), 0)

    def heads_noted(self, host: str) -> set[tuple[int, str]]:
        """What is in the folders of actions there."""
        found = set()
        for folder, _, files in os.walk(os.path.join(self.scratch, "hosts", host)):
            if "request.json" in files:
                with open(os.path.join(folder, "request.json"), encoding="utf-8") as file:
                    head = json.load(file)["head"]
                found.add((head["sequence"], head["hash"]))
        return found

    def heads_of_journal(self) -> set[tuple[int, str]]:
        rows = self.rows("SELECT place & 0xffffffff, lower(hex(hash)) FROM records")
        return {(sequence, digest) for sequence, digest in rows}

    def test_other_journal(self) -> None:
        """A journal that was made anew has no heads to compare: the hosts say whom they obey."""
        self.begin()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        state = os.path.join(self.scratch, "state")
        shutil.move(state, state + ".true")
        self.make_plan(hostile.OLD)
        self.drydock("apply", self.plan, "--take-over", expect=DONE)
        self.verify("--hosts", expect=DONE)
        shutil.rmtree(state)
        shutil.move(state + ".true", state)
        self.assertRegex(self.verify("--hosts", expect=NO), "host h1.* another journal")

    def test_hosts_that_do_not_tell(self) -> None:
        """Nothing is called compared that was not: a silent host is named, and the answer is no."""
        self.begin(lines=["h1"])
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        self.verify("--hosts", expect=DONE)
        self.cluster.cut("h1", "refused")
        self.assertRegex(self.verify("--hosts", expect=NO), "host h1.* timed out")


class Syslog(hostile.Case):
    def test_lines(self) -> None:
        """Each run that begins and each gate that is approved is told to syslog, with the head."""
        self.begin(variant="gate")
        path = os.path.join(self.scratch, "log.socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(path)
            log.settimeout(5)
            self.environment["DRYDOCK_SYSLOG"] = path
            self.make_plan()
            self.drydock("apply", self.plan, expect=hostile.WAITS)
            begun = log.recv(4096).decode()
            self.drydock("approve", "go", expect=DONE)
            approved = log.recv(4096).decode()
        heads = {digest for _, digest in self.heads()}
        for line, words in ((begun, ", begun by "), (approved, ", approved by ")):
            told = re.match(r"<85>drydock\[[0-9]+\]: record [0-9]+ ([0-9a-f]{64})(.*)", line)
            assert told, line
            self.assertIn(told[1], heads)
            self.assertTrue(told[2].startswith(words), line)
        self.assertIn("gate `go`", approved)

    def heads(self) -> list[tuple[int, str]]:
        return self.rows("SELECT place, lower(hex(hash)) FROM records")

    def test_nobody_listens(self) -> None:
        """A socket that is away, or full, holds nothing up."""
        self.begin()
        path = os.path.join(self.scratch, "log.socket")
        self.environment["DRYDOCK_SYSLOG"] = path
        self.make_plan()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(path)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as noise:
                noise.setblocking(False)
                try:
                    while True:
                        noise.sendto(b"noise", path)
                except BlockingIOError:
                    pass
            self.drydock("apply", self.plan, expect=DONE)
        self.drydock("downgrade", expect=DONE)


if __name__ == "__main__":
    hostile.main()
