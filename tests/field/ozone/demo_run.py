"""The demo: a real Ozone goes to the next release, back, there again, and is finalized.

SCM, OM and three datanodes run on this machine, on loopback, in one scratch folder (./demo). The
old release is 2.2.0 held to the layouts of 1.3.0 (releases.py says why), the new one 2.2.1 as it is.
A writer goes on all the time; for each way the demo says how long nothing could be written, and in
the end every key that Ozone acknowledged is read and compared. Each command is printed before it is
run, so that it can be typed again.
"""

import argparse
import os
import time

import cluster  # first: it knows where the others are
import keys
import load
import plan_file
import releases
import stage
from client import Refused
from stage import REFUSED, WAITS_FOR_A_PERSON, Stopped, clear, say, short, tell


class Demo(stage.Stage):
    def __init__(self, scratch: str):
        super().__init__(scratch)
        releases.ensure()
        self.cluster = cluster.Cluster(scratch)
        self.plan = short(os.path.join(scratch, "plan.json"))
        self.file = short(self.cluster.write_cluster_file())
        self.asked = 0.0

    def bring_up(self) -> None:
        say(f"SCM, OM and three datanodes of Ozone {releases.OLD}, in {short(self.scratch)}")
        self.cluster.install(releases.OLD)
        self.cluster.initialise()
        self.cluster.wait_ready()
        keys.put(self.cluster, "old")
        self.show_members()
        self.drydock("survey", "-c", self.file, "--trust")

    def to_the_gate(self, writer: load.Load) -> None:
        say(f"To {releases.NEW}, but not further than its gate. The plan says what will be done, and "
            "what the way back is:")
        self.drydock("plan", "-c", self.file, "--to", releases.NEW, "-o", self.plan)
        self.drydock("apply", self.plan, expect=WAITS_FOR_A_PERSON)
        self.show_pause(writer)
        say(f"Pre-finalized: {releases.NEW} runs on the layouts of {releases.OLD}. Keys are read and "
            "written; what needs\nthe new layouts is refused:")
        self.show_members()
        self.show_snapshot("snap-early")

    def back(self, writer: load.Load) -> None:
        say(f"It waits at its gate. First, the way back to {releases.OLD}, with all keys:")
        self.drydock("downgrade", "-c", self.file)
        self.show_pause(writer)
        self.show_members()

    def finalize(self, writer: load.Load) -> None:
        gate = plan_file.gate_of(self.plan)
        say(f"It waits at its gate `{gate}`: behind it {releases.OLD} never starts on this data "
            "again.\nThe demo approves by itself:")
        self.drydock("approve", gate, "-c", self.file)
        self.drydock("resume", "-c", self.file)
        self.show_pause(writer)
        self.show_members()
        self.show_snapshot("snap-late")
        say("The way back is over; what is left is told:")
        self.drydock("downgrade", "-c", self.file, expect=REFUSED)

    def show_pause(self, writer: load.Load) -> None:
        """How long nothing could be written since this was asked last."""
        writer.wait_for(10)
        say(f"Nothing could be written for {writer.longest_pause(self.asked):.1f} s.")
        self.asked = time.monotonic()

    def show_members(self) -> None:
        for name, member in self.cluster.members.items():
            if member.role in cluster.INFO:
                disk, software = self.cluster.layouts(name) or ("-", "-")
                print(f"  {name:4}   {self.cluster.version(name) or 'down':10}   layout {disk} of "
                      f"{software:<2}   {member.http_url}", flush=True)

    def show_snapshot(self, name: str) -> None:
        try:
            self.cluster.client.snapshot(keys.VOLUME, keys.BUCKET, name)
            print("  a snapshot, which needs the new layout: made", flush=True)
        except Refused as refused:
            print(f"  a snapshot, which needs the new layout: refused, {refused.code}", flush=True)

    def check(self, writer: load.Load) -> None:
        """Ends the writer, and compares all that was acknowledged."""
        writer.wait_for(10)
        summary = writer.stop()
        wrong = writer.wrong() + keys.wrong(self.cluster, "old")
        say(f"{summary['acknowledged']} writes acknowledged, {len(wrong)} lost or different. The "
            f"longest pause between two was {max(summary['pauses'], default=0):g} s.")
        if wrong:
            raise Stopped("keys are missing or differ:\n  " + "\n  ".join(wrong[:10]))
        self.drydock("journal", "verify", "-c", self.file)

    def by_hand(self) -> list[str]:
        """The commands with which a person does what the demo does."""
        return [f"{self.program} survey -c {self.file}",
                f"{self.program} plan -c {self.file} --to {releases.NEW} -o {self.plan}",
                f"{self.program} guide {self.plan}",
                f"{self.program} apply {self.plan}",
                f"{self.program} status -c {self.file}",
                f"{self.program} approve finalize -c {self.file}",
                f"{self.program} resume -c {self.file}",
                f"{self.program} downgrade -c {self.file}           # at any time before the gate",
                *self.looking()[2:]]

    def looking(self) -> list[str]:
        """The commands to look at a cluster whose run has ended."""
        own = short(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ozone"))
        return [*(f"{self.program} {command} -c {self.file}"
                  for command in ("status", "survey", "log", "journal verify")),
                f"{self.cluster.ozone_command()[0]} --config {short(self.scratch)}/cli/conf sh "
                f"key list /{keys.VOLUME}/{keys.BUCKET}",
                f"{own} --help        # a cluster by hand, without drydock"]


def run(options: argparse.Namespace) -> None:
    began = time.monotonic()
    clear(options.scratch)
    demo = Demo(options.scratch)
    kept = False
    try:
        demo.bring_up()
        if not options.by_hand:
            writer = load.Load(demo.cluster)
            demo.cluster.on_close.callback(writer.close)
            writer.wait_for(10)
            demo.to_the_gate(writer)
            demo.back(writer)
            if not options.back:
                demo.to_the_gate(writer)
                demo.finalize(writer)
            demo.check(writer)
            say(f"Done in {time.monotonic() - began:.0f} s.")
        kept = options.keep or options.by_hand
        if kept:
            tell(demo.by_hand() if options.by_hand or options.back else demo.looking(),
                 options.scratch, "ozone")
    finally:
        demo.cluster.close(keep_running=kept)
        if not kept:
            print("Everything that was started has been ended.", flush=True)


def main() -> int:
    parser = stage.parser(__doc__.split("\n\n")[0], releases.OLD, releases.NEW)
    return stage.play(parser.parse_args(), run, releases.Unavailable)
