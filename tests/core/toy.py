"""A cluster of toy members in a scratch folder, and a watcher that counts how many serve.

    cluster = toy.Cluster(scratch, end_seconds=1, lines=("h1",))
    cluster.start_all()
    with cluster.watch() as watcher: ...
    watcher.lowest, cluster.up(), cluster.stops("m1")

Member mN is on host hN. A host in `lines` is reached by line.py, so that a test can cut the way.
Several clusters (other names, other `state` folders) may name the same members and hosts.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import threading
import time
from typing import Callable, Iterable, Self

from program import program, scaled

FOLDER = os.path.dirname(os.path.abspath(__file__))
OLD, NEW = "1.0", "2.0"
WAIT_SECONDS_MAX = scaled(60)
WATCH_SECONDS = 0.01
QUIET_SECONDS = 0.5


def toy_member() -> str:
    """The member's program: $TOY_MEMBER, else where a build leaves it."""
    return os.environ.get("TOY_MEMBER") or os.path.join(
        FOLDER, "..", "..", "build", "dev", "tests", "core", "toy_member")


class Watcher(threading.Thread):
    """Records the lowest number of members that served at a time."""

    def __init__(self, cluster: "Cluster"):
        super().__init__(daemon=True)
        self.lowest = len(cluster.members)
        self.moments: list[tuple[float, list[str]]] = []  # when the lowest fell, and who served
        self.sets: set[tuple[str, ...]] = set()  # all that served at a time
        self._cluster, self._ended = cluster, threading.Event()
        self._begun = time.monotonic()

    def run(self) -> None:
        while not self._ended.wait(WATCH_SECONDS):
            up = self._cluster.up()
            self.sets.add(tuple(up))
            if len(up) < self.lowest:
                self.lowest = len(up)
                self.moments.append((round(time.monotonic() - self._begun, 2), up))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


class Cluster:
    line = os.path.join(FOLDER, "line.py")  # the way to the hosts in `lines`

    def __init__(self, scratch: str, members: int = 3, end_seconds: float = 0,
                 lines: Iterable[str] = (), releases: Iterable[str] = (OLD, NEW)):
        self.scratch, self.end_seconds = scratch, end_seconds
        self.releases = list(releases)
        self.members = [f"m{number}" for number in range(1, members + 1)]
        self.lines = set(lines)
        for version in self.releases:
            os.makedirs(self.path("releases", version))
            shutil.copy(toy_member(), self.path("releases", version, "toy_member"))
        for member in self.members:
            os.makedirs(self.path("members", member))
            os.symlink(self.path("releases", OLD), self.path("members", member, "current"))
        os.makedirs(self.path("hosts"), mode=0o700)

    def path(self, *parts: str) -> str:
        return os.path.join(self.scratch, *parts)

    def host(self, member: str) -> str:
        return "h" + member[1:]

    def install_pack(self, variant: str = "toy") -> str:
        """The pack `toy`, with the files of the variants on top; returns the folder of packs."""
        target = self.path("packs", "toy")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(os.path.join(FOLDER, "packs", "toy"), target)
        for name in variant.split():
            shutil.copytree(os.path.join(FOLDER, "packs", name), target, dirs_exist_ok=True)
        return self.path("packs")

    def write_cluster_file(self, name: str = "toy", state: str = "state",
                           members: Iterable[str] = (), dead: Iterable[str] = (),
                           host_of: Callable[[str], str] | None = None,
                           own_hosts_state: bool = True) -> str:
        """A cluster file over these members (all, if none is named); `dead` hosts never greet.
        Without `own_hosts_state` the hosts' state folders are below the cluster's, as by default."""
        members, dead, host_of = list(members) or self.members, set(dead), host_of or self.host
        hosts = sorted({host_of(member) for member in members} | dead)
        text = [f"cluster: {name}", "system: toy", f"state: {self.path(state)}", "hosts:"]
        self.own_hosts_state = own_hosts_state
        text += [f"  {host}: {self._connection(host, host in dead)}" for host in hosts]
        argv = f'["${{release}}/toy_member", serve, "${{member}}", "{self.path("members")}/${{member}}"]'
        home = self.path("members", "${member}")
        text += ["roles:", "  node:", "    service:", "      process:", f"        argv: {argv}",
                 f'        env: {{TOY_END_SECONDS: "{self.end_seconds:g}"}}',
                 f'        pid_file: "{home}/pid"', f'        log: "{home}/log"', "    release:",
                 f'      link: "{home}/current"', "      versions:",
                 *(f'        "{version}": "{self.path("releases", version)}"'
                   for version in self.releases),
                 f'    settings: {{data_dir: "{home}", tool: "{self.path("releases", OLD)}/toy_member"}}',
                 "members:"]
        text += [f"  - {{role: node, name: {member}, host: {host_of(member)}}}"
                 for member in members]
        text += ["policy: {max_unavailable: 1, soak: 0s}"]
        self._write("\n".join(text) + "\n", f"{name}.yaml")
        return self.path(f"{name}.yaml")

    def _connection(self, host: str, is_dead: bool) -> str:
        where = f'agent: "{program()}"'
        if self.own_hosts_state:
            where += f', state: "{self.path("hosts", host)}"'
        if is_dead:
            return f'{{connect: [sh, -c, "trap \'\' PIPE; exec sleep 1000"], {where}}}'
        if host in self.lines:
            os.makedirs(self.path("lines", host), exist_ok=True)
            return f'{{connect: [python3, "{self.line}", "{self.path("lines", host)}"], {where}}}'
        return f'{{connect: local, {where}}}'

    def cut(self, host: str, fault: str, text: str = "") -> None:
        """From now on that is wrong with the way to the host; see line.py."""
        self._write(text, "lines", host, fault)

    def mend(self, host: str, fault: str) -> None:
        os.unlink(self.path("lines", host, fault))

    # Members

    def start_all(self) -> None:
        for member in self.members:
            self.start(member)
        self.wait_for(lambda: self.up() == self.members, "all members to serve")

    def start(self, member: str) -> None:
        """Starts what its link leads to, as a person would."""
        process = subprocess.Popen(
            [self.path("members", member, "current", "toy_member"), "serve", member,
             self.path("members", member)],
            env={"PATH": os.environ["PATH"], "TOY_END_SECONDS": f"{self.end_seconds:g}"},
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie
        self._write(f"{process.pid}\n", "members", member, "pid")

    def kill(self, member: str) -> None:
        """kill -9 of the member, as if its process had died."""
        os.kill(self.pid(member), signal.SIGKILL)
        self.wait_for(lambda: not self.is_up(member), f"{member} to be gone")

    def pid(self, member: str) -> int:
        with open(self.path("members", member, "pid"), encoding="utf-8") as file:
            return int(file.read().split()[0])

    def is_up(self, member: str) -> bool:
        """Whether it serves: it holds the lock. One that is ending serves no more."""
        try:
            with open(self.path("members", member, "serving"), "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True

    def up(self) -> list[str]:
        return [member for member in self.members if self.is_up(member)]

    def watch(self) -> Watcher:
        return Watcher(self)

    def events(self, member: str) -> list[str]:
        """What became of the member's processes: "started 1.0", "ending 1.0", "ended 1.0"."""
        try:
            with open(self.path("members", member, "events"), encoding="utf-8") as file:
                return [line.rsplit(" ", 1)[0] for line in file]
        except FileNotFoundError:
            return []

    def starts(self, member: str) -> list[str]:
        return [event.split()[1] for event in self.events(member) if event.startswith("started")]

    def stops(self, member: str) -> int:
        return sum(event.startswith("ending") for event in self.events(member))

    def is_ending(self, member: str) -> bool:
        """Whether it was told to end, and takes its time."""
        last = self.events(member)[-1:]
        return bool(last) and last[0].startswith("ending")

    def is_ending_any(self) -> bool:
        return any(self.is_ending(member) for member in self.members)

    def version(self, member: str) -> str:
        """The release of the process that serves; empty if none does."""
        return self.starts(member)[-1] if self.is_up(member) else ""

    def versions(self) -> list[str]:
        return [self.version(member) for member in self.members]

    def conversions(self, member: str) -> int:
        try:
            with open(self.path("members", member, "converted"), encoding="utf-8") as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    def set_convert_seconds(self, member: str, seconds: float) -> None:
        self._write(f"{seconds:g}\n", "members", member, "convert_seconds")

    def set_end_seconds(self, member: str, seconds: float) -> None:
        """From now on that member takes so long to end."""
        self._write(f"{seconds:g}\n", "members", member, "end_seconds")

    def _write(self, text: str, *path: str) -> None:
        with open(self.path(*path), "w", encoding="utf-8") as out:
            out.write(text)

    def wait_for(self, condition: Callable[[], bool], what: str,
                 seconds: float = WAIT_SECONDS_MAX) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:g} s in vain for {what}")
            time.sleep(0.005)

    def wait_quiet(self) -> None:
        """Until no member is ending, and for a while none was told to."""
        while True:
            self.wait_for(lambda: not self.is_ending_any(), "the stops to end")
            before = [self.events(member) for member in self.members]
            time.sleep(QUIET_SECONDS)
            if before == [self.events(member) for member in self.members]:
                return

    # The end

    def close(self) -> None:
        """Ends every process that belongs to the scratch folder, by its pid."""
        for _ in range(50):
            left = [pid for pid in pids() if self._owns(pid)]
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not left:
                return
            time.sleep(0.02)

    def _owns(self, pid: int) -> bool:
        """Whether the process names the scratch folder in its arguments or in its environment."""
        return pid != os.getpid() and any(
            self.scratch.encode() in read_bytes(f"/proc/{pid}/{part}")
            for part in ("cmdline", "environ"))


def pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def read_bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
