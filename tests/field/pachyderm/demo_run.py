"""The demo: Pachyderm 1.9.12 is migrated to 1.10.5, side by side, taken back once, and migrated for good.

No real pachd can be had: both installations are the double that README.md describes. Real are the Kubernetes
API server with its etcd, kubectl, the S3 server (Ceph's radosgw) with every object in it, Pachyderm's own
protocol, and Pachyderm's own Python client, which writes all the time. The first run is taken back from its
gate; the second one goes on to the end. Then every write that was acknowledged is read and compared. At last
the guide's own commands are run on a copy. Each command is printed before it is run.
"""

import argparse
import os
import subprocess
import threading
import time
from typing import Any

import installation  # first: it knows where the others are
import by_hand
import migration
import radosgw
import stage
from migration import World
from stage import REFUSED, WAITS_FOR_A_PERSON, Stopped, clear, say, short, tell

FILES = 2000
REPLAY_PAUSE_SECONDS = 0.5


class Demo(stage.Stage):
    def __init__(self, scratch: str):
        super().__init__(scratch)
        installation.ensure()
        self.server = radosgw.Server()
        self.world = World(scratch, self.server.endpoint, radosgw.ACCESS_KEY, radosgw.SECRET_KEY)
        self.plan = short(os.path.join(scratch, "plan.json"))
        self.file = short(self.world.file.path)
        self.old, self.new = self.world.old, self.world.new

    def bring_up(self, files: int) -> None:
        say(f"Pachyderm {self.old.release} (a double: no real pachd can be had) in namespace {self.old.namespace} of a real "
            f"Kubernetes\nAPI server, its objects in bucket {self.old.store.bucket} of a real radosgw, in {short(self.scratch)}")
        self.world.bring_up(files)
        self.show()
        self.drydock("survey", "-c", self.file, "--trust")

    def to_the_gate(self) -> None:
        """Plans, checks, and applies until the old one serves again and the new one has its dump."""
        self.drydock("plan", "-c", self.file, "--to", self.new.release, "-o", self.plan)
        self.drydock("check", self.plan)
        self.drydock("apply", self.plan, expect=WAITS_FOR_A_PERSON)
        self.show()

    def back(self) -> None:
        say("It waits at its gate `replay`. Clients still write to the old installation. First, the way back:")
        self.drydock("downgrade", "-c", self.file)
        self.show()
        self.tell_lost(self.old)
        say("The new installation is left to you. The demo removes it, and empties its bucket, before it begins again:")
        self.world.remove_new()
        self.show()

    def cut_over(self) -> None:
        say(f"The loader plays back what came since the checkpoint: {self.world.replay()} writes.")
        self.go_on("replay")
        say("Behind the next gate the old installation takes no more writes. The loader goes on to play back until the "
            "files are equal.")
        ends = threading.Event()
        loader = threading.Thread(target=self._replay_until, args=(ends,), daemon=True)
        loader.start()
        try:
            self.go_on("cut-over")
        finally:
            ends.set()
            loader.join()
        self.world.wait_written(5)
        self.show()
        self.tell_lost(self.new)
        say("Clients write to the new one. The way back is over, and drydock says what would be lost:")
        self.drydock("downgrade", "-c", self.file, expect=REFUSED)

    def _replay_until(self, ends: threading.Event) -> None:
        while not ends.wait(REPLAY_PAUSE_SECONDS):
            try:
                self.world.replay()
            except RuntimeError as error:
                say(f"The loader tries again: {error}")

    def go_on(self, gate: str, expect: int = WAITS_FOR_A_PERSON) -> None:
        self.drydock("approve", gate, "-c", self.file)
        self.drydock("resume", "-c", self.file, expect=expect)

    def undeploy(self) -> None:
        self.go_on("undeploy", expect=0)
        self.show()

    # Looking

    def show(self) -> None:
        for side in (self.old, self.new):
            print(f"  {side.member}   {self.world.running(side):8}   port {self.world.ports(side)[0] if self.world.ports(side) else '-':<5}   "
                  f"{len(self.world.keys(side.store.bucket))} objects in {side.store.bucket}", flush=True)
        print(f"  clients are given {self.world.serving()}; ClusterRoleBinding pachyderm is for "
              f"{', '.join(self.world.site.binding()) or 'nobody'}", flush=True)

    def tell_lost(self, side: Any) -> None:
        found = self.world.verify(side)
        say(f"{found['acknowledged']} writes acknowledged until now; {side.member} lacks {len(found['missing'])} and has "
            f"{len(found['different'])} with other bytes.")
        if found["missing"] or found["different"]:
            raise Stopped(f"writes were lost: {(found['missing'] + found['different'])[:5]}")

    def check(self, before: dict[str, Any]) -> None:
        """Ends the writer, and compares all that was acknowledged and all that was there before."""
        self.world.wait_written(5)
        self.world.stop_writer()
        self.tell_lost(self.new)
        wrong = migration.missing(before, self.world.state(self.new))
        say(f"Of {migration.size(before)} that the old one had before, {len(wrong)} are missing or differ. The longest time "
            f"between two writes was {self.world.longest_pause():.0f} s.")
        if wrong:
            raise Stopped("these are missing:\n  " + "\n  ".join(wrong[:10]))
        self.drydock("journal", "verify", "-c", self.file)

    def by_hand(self) -> list[str]:
        """The commands with which a person does what the demo does."""
        to = ["--to", self.new.release]
        return [*(" ".join([self.program, *words]) for words in (
            ["survey", "-c", self.file], ["plan", "-c", self.file, *to, "-o", self.plan], ["guide", self.plan],
            ["apply", self.plan], ["approve", "replay", "-c", self.file], ["resume", "-c", self.file],
            ["downgrade", "-c", self.file, "          # at any time before the gate `cut-over`"])), *self.looking()]

    def looking(self) -> list[str]:
        return [f"{self.program} {command} -c {self.file}" for command in ("status", "survey", "log", "journal verify")]

    def close(self, keep_running: bool) -> None:
        if not keep_running:
            self.world.close()
            self.server.close()


def play(demo: Demo, options: argparse.Namespace) -> None:
    began = time.monotonic()
    before = demo.world.state(demo.old)
    demo.world.start_writer()
    demo.drydock("route", "-c", demo.file, "--to", demo.new.release)
    say("The plan. It says what will be done, when clients cannot write, and what the way back is:")
    demo.to_the_gate()
    demo.back()
    if not options.back:
        say("And now the whole way:")
        demo.to_the_gate()
        demo.cut_over()
        demo.undeploy()
        demo.check(before)
        by_hand.show(demo.world)
    say(f"Done in {time.monotonic() - began:.0f} s.")


def run(options: argparse.Namespace) -> None:
    clear(options.scratch)
    demo = Demo(options.scratch)
    kept = False
    try:
        demo.bring_up(FILES)
        if not options.by_hand:
            play(demo, options)
        kept = options.keep or options.by_hand
        if kept:
            tell(demo.by_hand() if options.by_hand or options.back else demo.looking(), options.scratch, "pachyderm")
    finally:
        demo.close(keep_running=kept)
        if not kept:
            print("Everything that was started has been ended.", flush=True)


def main() -> int:
    parser = stage.parser((__doc__ or "").split("\n\n")[0], migration.OLD, migration.NEW)
    try:
        return stage.play(parser.parse_args(), run, installation.Unavailable)
    except radosgw.Unavailable as error:
        print(f"\nThere is no S3 server: {error}")
        return 1
