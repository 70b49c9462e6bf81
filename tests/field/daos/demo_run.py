"""The demo: DAOS 1.2.0 becomes 2.0.3, which opens nothing that 1.x has written.

No DAOS can be had: the servers, `dmg`, `daos` and `dfuse` are the double that README.md describes. Its mounts are real ones of
FUSE, and drydock's copies are real. The first run is taken back from its gate; the second one goes behind it: the storage is
formatted, and what was in it comes back from the copy. Then every file is read through a mount and compared with what users had.
Each command is printed before it is run.
"""

import argparse
import os
import random
import subprocess
import sys
import time

import cluster
import install
from place import Place

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import stage  # noqa: E402  (found by the line above)
from stage import REFUSED, WAITS_FOR_A_PERSON, Stopped, clear, say, short, tell  # noqa: E402

OLD, NEW, GATE = "1.2.0", "2.0.3", "point-of-no-return"
POOLS, CONTAINERS, FILES = 2, 2, 60
TIME_NS = 1_600_000_000_000_000_000
Seen = dict[str, str]  # of each path what find tells, and the hash of a file


class Unavailable(Exception):
    """The demo cannot run on this machine."""


class Demo(stage.Stage):
    def __init__(self, scratch: str):
        super().__init__(scratch)
        if reason := install.why_unable():
            raise Unavailable(reason)
        self.place = Place(ranks=2, upgrade_seconds=2, base=scratch)
        cluster.set_os(self.place, "centos", "7.9")
        self.file = short(cluster.write(self.place, os.path.abspath(self.program), OLD, [OLD, NEW]))
        self.plan = short(self.place.path("plan.json"))

    # The story

    def bring_up(self) -> None:
        say(f"DAOS {OLD} (a double: DAOS itself cannot be had) with two servers, in {short(self.scratch)}. Its storage is formatted,\n"
            f"and {POOLS} pools with {CONTAINERS} POSIX containers each are filled through real mounts of FUSE:")
        self.place.start_linked(OLD)
        self.place.dmg("storage", "format")
        acl = self.place.write("acl", "A::OWNER@:rw\nA:G:GROUP@:r\n")
        for _ in range(POOLS):
            self.place.dmg("pool", "create", "-u", "daemon@", "-a", acl)
        for pool in self.pools():
            for _ in range(CONTAINERS):
                self.place.daos("container", "create", f"--pool={pool}", "--type=POSIX", "--properties=rf:1")
        for number, (pool, container) in enumerate(self.containers()):
            self.place.daos("container", "set-attr", f"--pool={pool}", f"--cont={container}", "--attr=project", f"--value=p{number}")
            folder = self.place.mount(pool, container)
            fill(folder, number)
            self.place.unmount(folder)
        self.show("dmg", "system", "query")
        self.show("dmg", "pool", "list")
        self.drydock("survey", "-c", self.file, "--trust")

    def look_at_the_matrix(self) -> None:
        say("The OS matrix is data of the pack. Say the servers ran Rocky 9.4, which 2.0 does not know:")
        cluster.set_os(self.place, "rocky", "9.4")
        self.drydock("plan", "-c", self.file, "--to", NEW, "-o", self.plan, expect=REFUSED)
        say("They run CentOS 7.9, which both releases know:")
        cluster.set_os(self.place, "centos", "7.9")
        self.drydock("route", "-c", self.file, "--to", NEW)

    def to_the_gate(self) -> None:
        """Users are kept out, all is copied and proved, and the new release waits for its format."""
        self.drydock("plan", "-c", self.file, "--to", NEW, "-o", self.plan)
        self.drydock("check", self.plan)
        self.drydock("apply", self.plan, expect=WAITS_FOR_A_PERSON)
        say("It waits at its gate. The copies, each read again from the disk and compared with its manifest:")
        runs = self.place.path("backups")
        for folder, _, files in os.walk(os.path.join(runs, max(os.listdir(runs)))):  # of the last run
            for path in (os.path.join(folder, name) for name in sorted(files) if name.endswith(".jsonl")):
                with open(path, encoding="utf-8") as file:
                    print(f"  {short(path)}   {sum(1 for _ in file) - 1} entries", flush=True)
        say(f"The servers run {NEW}. Their engines end on the storage of {OLD}, and wait for its format:")
        self.place.release = NEW
        self.show("dmg", "system", "query")

    def back(self, before: Seen) -> None:
        say("Nothing was formatted. First, the way back: users have what they had.")
        self.drydock("downgrade", "-c", self.file)
        self.place.release = OLD
        self.show("dmg", "system", "query")
        self.compare(before, self.seen())

    def behind_the_gate(self, before: Seen) -> None:
        say("A person says that the format may take all that is not in the copy:")
        self.drydock("approve", GATE, "-c", self.file)
        self.drydock("resume", "-c", self.file)
        self.place.release = NEW
        self.show("dmg", "system", "query")
        self.show("daos", "pool", "list")
        self.compare(before, self.seen())
        say("The way back is over: 1.x opens no storage of 2.0.")
        self.drydock("downgrade", "-c", self.file, expect=REFUSED)
        self.drydock("journal", "verify", "-c", self.file)

    # Looking

    def pools(self) -> list[str]:
        with self.place.system.change() as state:
            return [pool["uuid"] for pool in state["pools"]]

    def containers(self) -> list[tuple[str, str]]:
        """In the order in which they were made, before the format and behind it."""
        with self.place.system.change() as state:
            return [(pool["uuid"], one["uuid"]) for pool in state["pools"] for one in pool["containers"]]

    def show(self, program: str, *words: str) -> None:
        print(f"\n$ {program} {' '.join(words)}", flush=True)
        told = self.place.dmg(*words) if program == "dmg" else self.place.daos(*words)
        print("".join(f"  {line}\n" for line in told.splitlines()), end="", flush=True)

    def seen(self) -> Seen:
        """All entries of all containers, as find and sha256sum see them through mounts."""
        found: Seen = {}
        for number, (pool, container) in enumerate(self.containers()):
            folder = self.place.mount(pool, container)
            for command in (r"find . -printf '%P\t%y %s %m %U %l %T@\n'", r"find . -type f -exec sha256sum {} + | sed -E 's/(\S+)  (.*)/\2\t\1/'"):
                told = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)
                found |= {f"{number}/{path}": fact for path, _, fact in (line.partition("\t") for line in told.stdout.splitlines())}
            self.place.unmount(folder)
        return found

    def compare(self, before: Seen, now: Seen) -> None:
        wrong = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
        say(f"{len(now)} facts of {len(self.containers())} containers were read through mounts; {len(wrong)} are others than before.")
        if wrong:
            raise Stopped("these differ:\n  " + "\n  ".join(f"{path}: {before.get(path)} -> {now.get(path)}" for path in wrong[:10]))

    def by_hand(self) -> list[str]:
        """The commands with which a person does what the demo does."""
        words = (["survey", "-c", self.file], ["plan", "-c", self.file, "--to", NEW, "-o", self.plan], ["guide", self.plan],
                 ["apply", self.plan], ["downgrade", "-c", self.file, "          # at any time before the gate"],
                 ["approve", GATE, "-c", self.file], ["resume", "-c", self.file])
        return [*(" ".join([self.program, *one]) for one in words), *self.looking()]

    def looking(self) -> list[str]:
        return [f"{self.program} {command} -c {self.file}" for command in ("status", "survey", "log", "journal verify")]

    def close(self) -> None:
        self.place.close()


def fill(folder: str, seed: int) -> None:
    """Files of all sizes with attributes, modes and times, and a link."""
    dice = random.Random(seed)
    os.makedirs(os.path.join(folder, "results", "empty"))
    for number in range(FILES):
        path = os.path.join(folder, "results", f"run-{number}")
        with open(path, "wb") as file:
            file.write(dice.randbytes(dice.randrange(1 << 14) if number else 20 << 20))
        os.setxattr(path, "user.note", b"%d" % number)
        os.chmod(path, 0o640)
        os.utime(path, ns=(TIME_NS, TIME_NS + number * 1_000_000_000))
    os.symlink("results/run-1", os.path.join(folder, "latest"))


def play(demo: Demo, options: argparse.Namespace) -> None:
    began = time.monotonic()
    before = demo.seen()
    demo.look_at_the_matrix()
    say("The plan. It says what will be done, when users cannot write, and what the way back is:")
    demo.to_the_gate()
    demo.back(before)
    if not options.back:
        say("And now the whole way:")
        demo.to_the_gate()
        demo.behind_the_gate(before)
    say(f"Done in {time.monotonic() - began:.0f} s.")


def run(options: argparse.Namespace) -> None:
    clear(options.scratch)
    demo = Demo(options.scratch)
    kept = False
    try:
        demo.bring_up()
        if not options.by_hand:
            play(demo, options)
        kept = options.keep or options.by_hand
        if kept:
            tell(demo.by_hand() if options.by_hand or options.back else demo.looking(), options.scratch, "daos")
    finally:
        if not kept:
            demo.close()
            print("Everything that was started has been ended.", flush=True)


def main() -> int:
    parser = stage.parser((__doc__ or "").split("\n\n")[0], OLD, NEW)
    return stage.play(parser.parse_args(), run, Unavailable)
