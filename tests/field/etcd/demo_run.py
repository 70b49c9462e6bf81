"""The demo: a real three-member etcd cluster goes from 3.4 to 3.5 under write load, and ends.

Everything lives in one scratch folder (./demo), on free loopback ports; the machine's own etcd, if it
has one, is not touched. Timeouts are etcd's defaults: what is shown is what a real cluster does.
Each command is printed before it is run, so that it can be typed again.
"""

import argparse
import os
import time

import cluster  # first: it knows where the others are
import load
import plan_file
import releases
import stage
from stage import WAITS_FOR_A_PERSON, Stopped, clear, say, short, tell

WRITES_PER_SECOND = 60  # of each of three writers: a busy small cluster, and the screen stays fluent
SOAK = "2s"


class Demo(stage.Stage):
    def __init__(self, scratch: str):
        super().__init__(scratch)
        self.cluster = cluster.Cluster(scratch)
        self.file = short(self.cluster.cluster_file)
        self.plan = short(os.path.join(scratch, "plan.json"))
        self.old, self.new = (releases.version_of(self.cluster.release_folders[series])
                              for series in ("3.4", "3.5"))

    def bring_up(self) -> None:
        say(f"Three members of etcd {self.old} on this machine, in {short(self.scratch)}")
        self.cluster.install("3.4")
        self.cluster.start()
        self.cluster.wait_healthy()
        self.cluster.write_cluster_file(soak=SOAK)
        self.show_members()

    def upgrade(self) -> None:
        self.to_the_gate()
        gate = plan_file.gate_of(self.plan)
        say(f"It waits at its gate `{gate}`: behind it etcd {self.old} cannot read the data any "
            "more.\nUp to here `drydock downgrade` brings everything back. The demo approves by itself:")
        self.drydock("approve", gate, "-c", self.file)
        self.drydock("resume", "-c", self.file)

    def there_and_back(self) -> None:
        self.to_the_gate()
        say(f"It waits at its gate. Instead of approving, back to {self.old}, under the same load:")
        self.drydock("downgrade", "-c", self.file)

    def to_the_gate(self) -> None:
        self.drydock("survey", "-c", self.file, "--trust")
        self.drydock("plan", "-c", self.file, "--to", self.new, "-o", self.plan)
        self.drydock("apply", self.plan, expect=WAITS_FOR_A_PERSON)

    def show_members(self) -> None:
        leader = self.cluster.leader()
        for name, member in self.cluster.members.items():
            version, level = self.cluster.versions(name)
            print(f"  {name}   {version}   level {level}   {member.client_url}"
                  + ("   leader" if name == leader else ""), flush=True)

    def check(self, writers: load.Load, wanted: str) -> None:
        """Ends the writers and compares what they recorded with the cluster."""
        summary = writers.stop()
        self.cluster.wait_healthy()
        say("What the cluster is now, and whether a write is missing:")
        self.show_members()
        found = writers.verify(self.cluster)
        print(f"  {found['acknowledged']} writes acknowledged, {found['lost']} lost, "
              f"{found['moved']} with another revision; longest pause of a writer "
              f"{max(summary['worst_gap_ms']) / 1000:.1f} s", flush=True)
        if found["lost"] or found["moved"]:
            raise Stopped(f"writes are missing; their keys are in {short(writers.file)}.lost")
        wrong = [name for name in self.cluster.members if self.cluster.versions(name)[0] != wanted]
        if wrong or len(self.cluster.hashes()) != 1:
            raise Stopped(f"not every member runs {wanted} with the same data"
                          + (f": {', '.join(wrong)}" if wrong else ""))
        self.drydock("journal", "verify", "-c", self.file)

    def by_hand(self) -> list[str]:
        """The commands with which a person does what the demo does."""
        drydock = self.program
        return [f"{drydock} survey -c {self.file}",
                f"{drydock} plan -c {self.file} --to {self.new} -o {self.plan}",
                f"{drydock} apply {self.plan}",
                f"{drydock} status -c {self.file}",
                f"{drydock} approve GATE -c {self.file}        # its name is in the plan",
                f"{drydock} resume -c {self.file}",
                f"{drydock} downgrade -c {self.file}           # at any time before the gate"]

    def looking(self) -> list[str]:
        """The commands to look at a cluster whose run has ended."""
        drydock = self.program
        return [f"{drydock} {command} -c {self.file}"
                for command in ("status", "survey", "log", "journal verify", "downgrade")]


def run(options: argparse.Namespace) -> None:
    began = time.monotonic()
    clear(options.scratch)
    demo = Demo(options.scratch)
    kept = False
    try:
        demo.bring_up()
        if not options.by_hand:
            say(f"Three writers, {WRITES_PER_SECOND} writes a second each; every answer is recorded")
            writers = load.Load(demo.cluster, rate=WRITES_PER_SECOND)
            writers.wait_for(WRITES_PER_SECOND)
            demo.there_and_back() if options.back else demo.upgrade()
            demo.check(writers, demo.old if options.back else demo.new)
            say(f"Done in {time.monotonic() - began:.0f} s.")
        kept = options.keep or options.by_hand
        if kept:
            tell(demo.by_hand() if options.by_hand or options.back else demo.looking(),
                 options.scratch, "etcd")
    finally:
        demo.cluster.close(keep_running=kept)
        if not kept:
            print("Everything that was started has been ended.", flush=True)


def main() -> int:
    parser = stage.parser(__doc__.split("\n\n")[0], "3.4", "3.5")
    parser.add_argument("system", nargs="?", default="etcd", choices=["etcd"])
    return stage.play(parser.parse_args(), run, releases.Unavailable)
