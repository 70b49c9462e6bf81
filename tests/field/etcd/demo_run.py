"""The demo: a real three-member etcd cluster goes from 3.4 to 3.5 under write load, and ends.

Everything lives in one scratch folder (./demo), on free loopback ports; the machine's own etcd, if it
has one, is not touched. Timeouts are etcd's defaults: what is shown is what a real cluster does.
Each command is printed before it is run, so that it can be typed again.
"""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import cluster
import load
import plan_file
import processes
import releases

WRITES_PER_SECOND = 60  # of each of three writers: a busy small cluster, and the screen stays fluent
MARK = "made-by-drydock-demo"  # a folder without this file is somebody's own and is not wiped
WAITS_FOR_A_PERSON = 3  # drydock's exit code
SOAK = "2s"


class Stopped(Exception):
    """The demo cannot go on; the text says why and what helps."""


class Demo:
    def __init__(self, scratch: str):
        self.scratch = scratch
        self.program = _program()
        self.cluster = cluster.Cluster(scratch)
        self.file = _short(self.cluster.cluster_file)
        self.plan = _short(os.path.join(scratch, "plan.json"))
        self.old, self.new = (releases.version_of(self.cluster.release_folders[series])
                              for series in ("3.4", "3.5"))

    def bring_up(self) -> None:
        say(f"Three members of etcd {self.old} on this machine, in {_short(self.scratch)}")
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
        self.drydock("survey", "-c", self.file)
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
            raise Stopped(f"writes are missing; their keys are in {_short(writers.file)}.lost")
        wrong = [name for name in self.cluster.members if self.cluster.versions(name)[0] != wanted]
        if wrong or len(self.cluster.hashes()) != 1:
            raise Stopped(f"not every member runs {wanted} with the same data"
                          + (f": {', '.join(wrong)}" if wrong else ""))
        self.drydock("journal", "verify", "-c", self.file)

    def drydock(self, *words: str, expect: int = 0) -> None:
        command = [_short(self.program), *words]
        print(f"\n$ {shlex.join(command)}", flush=True)
        code = subprocess.run(command, env=os.environ | {"DRYDOCK_SCRATCH": self.scratch}).returncode
        if code != expect:
            raise Stopped(f"`{shlex.join(command)}` ended with {code}, and {expect} was expected.\n"
                          f"  What happened is in {_short(self.scratch)}: the members' etcd.log, "
                          "and drydock's state.")

    def by_hand(self) -> list[str]:
        """The commands with which a person does what the demo does."""
        drydock = _short(self.program)
        return [f"{drydock} survey -c {self.file}",
                f"{drydock} plan -c {self.file} --to {self.new} -o {self.plan}",
                f"{drydock} apply {self.plan}",
                f"{drydock} status -c {self.file}",
                f"{drydock} approve GATE -c {self.file}        # its name is in the plan",
                f"{drydock} resume -c {self.file}",
                f"{drydock} downgrade -c {self.file}           # at any time before the gate"]

    def looking(self) -> list[str]:
        """The commands to look at a cluster whose run has ended."""
        drydock = _short(self.program)
        return [f"{drydock} {command} -c {self.file}"
                for command in ("status", "survey", "log", "journal verify", "downgrade")]


def run(options: argparse.Namespace) -> None:
    began = time.monotonic()
    _clear(options.scratch)
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
            _tell(demo.by_hand() if options.by_hand or options.back else demo.looking(), options)
    finally:
        demo.cluster.close(keep_running=kept)
        if not kept:
            print("Everything that was started has been ended.", flush=True)


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


def _tell(commands: list[str], options: argparse.Namespace) -> None:
    say("The members keep running. To type:")
    scratch = [] if options.scratch == _scratch_of("demo") else ["--scratch", options.scratch]
    for command in [*commands, shlex.join(["./dev", "demo", *scratch, "--end"])]:
        print(f"  {command}")


def _clear(scratch: str) -> None:
    """Ends and removes what an earlier demo left in its folder."""
    if os.path.exists(scratch) and os.listdir(scratch) \
            and not os.path.exists(os.path.join(scratch, MARK)):
        raise Stopped(f"{scratch} is not a folder of the demo, and is left as it is.\n"
                      "  Name another one with --scratch.")
    if processes.end_all(scratch):
        print("Ended what an earlier demo had left running.", flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    open(os.path.join(scratch, MARK), "w").close()


def _program() -> str:
    path = os.environ.get("DRYDOCK") or os.path.join(load.ROOT, "build", "drydock")
    if not os.access(path, os.X_OK):
        raise Stopped(f"{path} is not built.\n  Build it with: ./dev build")
    return os.path.abspath(path)


def _short(path: str) -> str:
    """A path as a person would type it here."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _scratch_of(text: str) -> str:
    return os.path.realpath(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("system", nargs="?", default="etcd", choices=["etcd"])
    parser.add_argument("--back", action="store_true",
                        help="stop at the gate and go back to 3.4 instead of on to 3.5")
    parser.add_argument("--keep", action="store_true",
                        help="leave the members running, and print the commands to type")
    parser.add_argument("--by-hand", action="store_true",
                        help="only bring the 3.4 cluster up, and print the commands to type")
    parser.add_argument("--end", action="store_true", help="end a cluster that was left running")
    parser.add_argument("--scratch", type=_scratch_of, default=_scratch_of("demo"),
                        help="the folder for everything (default: ./demo)")
    return parser.parse_args()


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if options.end:
            ended = processes.end_all(options.scratch)
            print(f"{len(ended)} processes ended.")
        else:
            run(options)
        return 0
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except releases.Unavailable as error:
        print(f"\nThe etcd releases are not to be had: {error}", file=sys.stderr)
    except (Stopped, LookupError, OSError, TimeoutError, RuntimeError) as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
    return 1
