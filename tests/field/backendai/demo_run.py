"""The demo: the real servers of Backend.AI go from 23.03.11 to 23.09.10 leg by leg, and back to 23.09.0.

Manager, storage proxy, agent and webserver run on this machine, on loopback, in one scratch folder
(./demo), on a PostgreSQL, an etcd and a Redis of their own. They are the makers' own packages. The
agent speaks to a stand-in for Docker, so no session can be started. A client works through the signed
API all the time; in the end everything that the manager acknowledged is looked for in the database, in
the API's own list and on the volume. Each command is printed before it is run.
"""

import argparse
import os
import time

import cluster  # first: it knows where the others are
import load
import releases

import plan_file
import stage
from stage import REFUSED, WAITS_FOR_A_PERSON, Stopped, clear, say, short, tell

LEGS = ("23.03.12", "23.09.0", "23.09.8", "23.09.10")


class Demo(stage.Stage):
    def __init__(self, scratch: str):
        super().__init__(scratch)
        for release in releases.SERVERS:
            releases.ensure(release)
        self.cluster = cluster.Cluster(scratch)
        self.plan = short(os.path.join(scratch, "plan.json"))
        self.file = ""

    def bring_up(self) -> None:
        say(f"Backend.AI 23.03.11 on this machine, in {short(self.scratch)}")
        self.cluster.start_stores()
        self.cluster.create("23.3.11")
        self.cluster.start()
        self.file = short(self.cluster.write_cluster_file(*releases.SERVERS))
        self.show()
        self.drydock("survey", "-c", self.file, "--trust")

    def leg(self, to: str) -> None:
        self.cluster.prepare(to)
        self.drydock("plan", "-c", self.file, "--to", to, "-o", self.plan)
        if not self.has_gate():
            self.drydock("apply", self.plan)
        else:
            self.drydock("apply", self.plan, expect=WAITS_FOR_A_PERSON)
            gate = plan_file.gate_of(self.plan)
            say(f"It waits at its gate `{gate}` before anything is stopped: the new schema has no way down.\n"
                "Until the migration begins `drydock downgrade` starts the old servers again. The demo approves by itself:")
            self.drydock("approve", gate, "-c", self.file)
            self.drydock("resume", "-c", self.file)
        self.show()

    def has_gate(self) -> bool:
        try:
            return bool(plan_file.gate_of(self.plan))
        except LookupError:
            return False

    def there(self) -> None:
        for to in LEGS:
            self.leg(to)
            if to == "23.09.0":
                say("The way back to 23.03.12 is over, though the package's files look as if it were open:")
                self.drydock("downgrade", "-c", self.file, expect=REFUSED)

    def back(self) -> None:
        say("Within 23.09 the way down is open. Back by the run's own way, then by a plan:")
        self.drydock("downgrade", "-c", self.file)
        self.show()
        self.leg("23.09.0")

    def show(self) -> None:
        row = self.cluster.server.rows(cluster.DATABASE, "select status, version from agents")
        print(f"  manager {self.cluster.version()}, {self.cluster.status()}; agent {' '.join(row[0]) if row else '-'}; "
              f"schema {', '.join(self.cluster.revisions)}, digest {self.cluster.digest}", flush=True)

    def check(self, writer: load.Load) -> None:
        """Ends the writer, and looks for all that was acknowledged."""
        writer.wait_for(5)
        summary, wrong = writer.stop(), writer.wrong()
        say(f"{summary['acknowledged']} writes acknowledged, {len(wrong)} lost. The longest time between two was "
            f"{summary['longest_pause']} s.")
        if wrong:
            raise Stopped("these are missing:\n  " + "\n  ".join(wrong[:10]))
        self.drydock("journal", "verify", "-c", self.file)

    def by_hand(self) -> list[str]:
        """The commands with which a person does what the demo does."""
        return [f"{self.program} route -c {self.file} --to 23.09.10",
                f"{self.program} plan -c {self.file} --to 23.03.12 -o {self.plan}",
                f"{self.program} guide {self.plan}", f"{self.program} apply {self.plan}",
                f"{self.program} downgrade -c {self.file}", *self.looking()]

    def looking(self) -> list[str]:
        return [f"{self.program} {command} -c {self.file}"
                for command in ("status", "survey", "log", "journal verify")]


def run(options: argparse.Namespace) -> None:
    began = time.monotonic()
    clear(options.scratch)
    demo = Demo(options.scratch)
    kept = False
    try:
        demo.bring_up()
        if not options.by_hand:
            writer = load.Load(demo.cluster)
            writer.wait_for(5)
            demo.leg(LEGS[0]) if options.back else demo.there()
            if options.back:
                demo.drydock("downgrade", "-c", demo.file)
                demo.show()
            else:
                demo.back()
            demo.check(writer)
            say(f"Done in {time.monotonic() - began:.0f} s.")
        kept = options.keep or options.by_hand
        if kept:
            tell(demo.by_hand() if options.by_hand else demo.looking(), options.scratch, "backendai")
    finally:
        demo.cluster.close(keep_running=kept)
        if not kept:
            print("Everything that was started has been ended.", flush=True)


def main() -> int:
    parser = stage.parser(__doc__.split("\n\n")[0], "23.03.11", "23.09.10")
    return stage.play(parser.parse_args(), run, releases.Unavailable)
