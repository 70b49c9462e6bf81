"""Real hosts on one machine: each has its own systemd, sshd, dpkg, disk and address, in namespaces.

    with Hosts(base, ["a", "b", "c"]) as hosts:         # root only; see why_not()
        hosts.start()                                   # all; returns when each sshd answers
        hosts.run("a", "systemctl", "is-active", "ssh")
        subprocess.run(hosts.inside("ssh", "-F", hosts.ssh_config, "a", "true"))

    <base>/<host>/upper    what the host has written, over the cached root tree
    <base>/ssh_config      leads to the hosts as the account `deploy`, who may use sudo
    <base>/hosts.json      the processes, for other programs and after this one

One process, the world, holds a network namespace with a bridge. Nothing touches the machine's own
network, so several worlds may have the same addresses. A program that is to reach the hosts is
started by inside(). All mounts are in the namespaces, too, and end with their processes.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import uuid
from dataclasses import asdict, dataclass
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

import debian  # noqa: E402  (in ../common, like the next)
import processes  # noqa: E402
import root_tree  # noqa: E402
from limits import scaled  # noqa: E402
from machine import wait_until  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
GATEWAY = "10.77.0.1"
START_SECONDS_MAX = scaled(30)
END_SECONDS_MAX = scaled(10)
ALL = ("-m", "-u", "-i", "-n", "-p", "-r", "-w")  # the namespaces and the root of a host


@dataclass
class Process:
    """A process by its id and start, which together name no other one."""
    pid: int
    started: int

    def lives(self) -> bool:
        return started(self.pid) == self.started

    def end(self) -> None:
        if self.lives():
            processes.send(self.pid, 9)
        wait_until(lambda: not self.lives(), END_SECONDS_MAX, lambda: f"process {self.pid} does not end")


def started(pid: int) -> int:
    """When a process was started, in clock ticks since boot; 0 if it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])


def why_not() -> str:
    """Why there can be no such hosts here; empty if there can."""
    if os.geteuid() != 0:
        return "hosts in namespaces need root"
    tried = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--cgroup", "true"],
                           capture_output=True, text=True)
    return tried.stderr.strip()


def hosts_of(case: type[unittest.TestCase], prefix: str, names: list[str]) -> "Hosts":
    """Hosts for all tests of a class, not started yet; they end with it. Skips it if there can be none."""
    if reason := why_not():
        raise unittest.SkipTest(reason)
    folder = tempfile.TemporaryDirectory(prefix=prefix)
    case.addClassCleanup(folder.cleanup)
    try:
        hosts = Hosts(folder.name, names)
    except debian.Unavailable as error:
        raise unittest.SkipTest(str(error)) from error
    case.addClassCleanup(hosts.close)
    return hosts


class Hosts:
    def __init__(self, base: str, names: list[str], by_hand: bool = False):
        """Makes the folders and the world. `by_hand`: ssh_config works outside of the world, too."""
        self.base = os.path.abspath(base)
        self.tree = root_tree.ensure()
        self.names = list(names)
        self.by_hand = by_hand
        self.starters: dict[str, Process] = {}  # `unshare`, the parent of a host's process 1
        os.makedirs(self.base, exist_ok=True)
        self._make_key(self.key)
        self.world = self._spawn(["unshare", "--mount", "--net", "--propagation", "private",
                                  "sleep", "infinity"])
        with contextlib.ExitStack() as on_error:
            on_error.callback(self.world.end)
            self._make_world()
            for name in self.names:
                self._make_host(name)
            self._write_ssh_config()
            on_error.pop_all()

    @classmethod
    def found(cls, base: str) -> "Hosts":
        """The hosts that another program left running in that folder."""
        hosts = cls.__new__(cls)
        hosts.base, hosts.tree, hosts.by_hand = os.path.abspath(base), root_tree.folder(), True
        with open(os.path.join(hosts.base, "hosts.json")) as file:
            state = json.load(file)
        hosts.names = state["names"]
        hosts.world = Process(**state["world"])
        hosts.starters = {name: Process(**value) for name, value in state["starters"].items()}
        return hosts

    def __enter__(self) -> "Hosts":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # Paths and addresses

    @property
    def key(self) -> str:
        return os.path.join(self.base, "key")

    @property
    def ssh_config(self) -> str:
        return os.path.join(self.base, "ssh_config")

    @property
    def known_hosts(self) -> str:
        return os.path.join(self.base, "known_hosts")

    def folder(self, name: str) -> str:
        return os.path.join(self.base, name)

    def address(self, name: str) -> str:
        return f"10.77.0.{11 + self.names.index(name)}"

    def disk(self, name: str, path: str) -> str:
        """Where a file that the host has written lies outside of it."""
        return os.path.join(self.folder(name), "upper", path.lstrip("/"))

    # Reaching them

    def inside(self, *command: str) -> list[str]:
        """The command in the hosts' network, with the files of this machine."""
        return ["nsenter", "-t", str(self.world.pid), "-n", *command]

    def on(self, name: str, *command: str) -> list[str]:
        """The command on a host, as root."""
        return ["nsenter", "-t", str(self.init(name)), *ALL, *command]

    def run(self, name: str, *command: str, check: bool = True) -> str:
        """Runs a command on a host as root; its output."""
        done = subprocess.run(self.on(name, *command), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=scaled(60))
        if check and done.returncode != 0:
            raise RuntimeError(f"{name}: {' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def init(self, name: str) -> int:
        """The id of a host's process 1, seen from here; 0 if the host is down."""
        starter = self.starters.get(name)
        if not starter or not starter.lives():
            return 0
        with contextlib.suppress(OSError), \
                open(f"/proc/{starter.pid}/task/{starter.pid}/children") as file:
            return int((file.read().split() or ["0"])[0])
        return 0

    # Their life

    def start(self, *names: str) -> None:
        """Boots hosts that are down (all when none is named), and waits for their sshd."""
        chosen = names or tuple(self.names)
        for name in chosen:
            self.boot(name)
        for name in chosen:
            self.wait_for_ssh(name)

    def boot(self, name: str) -> None:
        """Starts process 1 of a host and returns; it may still fail."""
        if self.init(name):
            return
        port = f"port-{name}"
        card = f"02:00:00:00:00:{11 + self.names.index(name):02x}"  # the same after each boot
        self._in_world("sh", "-c", f"ip link delete {port} 2>/dev/null; ip link add {port} type veth "
                       f"peer name peer-{name} address {card} && ip link set {port} master bridge up")
        group = os.path.join(self.base, "groups", f"drydock-hosts-{self.world.pid}", name)
        self._in_world("mkdir", "-p", group)
        starter = self._spawn([
            "nsenter", "-t", str(self.world.pid), "-m", "-n", "sh", "-euc",
            'echo $$ >"$1/cgroup.procs"; shift; exec "$@"', "sh", group,
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net",
            "--cgroup", "--propagation", "private",
            os.path.join(HERE, "boot"), self.tree, self.folder(name), name,
            f"{self.address(name)}/24", GATEWAY], log=os.path.join(self.folder(name), "boot.log"))
        self.starters[name] = starter
        wait_until(lambda: self.init(name) != 0 or not starter.lives(), START_SECONDS_MAX,
                   lambda: f"{name} does not start")
        self._in_world("ip", "link", "set", f"peer-{name}", "name", "eth0", "netns", str(starter.pid))
        self._write_state()

    def wait_for_ssh(self, name: str) -> None:
        def answers() -> bool:
            if not self.init(name):
                raise RuntimeError(f"{name} does not live; see {self.folder(name)}/boot.log")
            probe = "import socket,sys; s=socket.create_connection((sys.argv[1],22),1); s.recv(4)"
            return subprocess.run(self.inside(sys.executable, "-c", probe, self.address(name)),
                                  capture_output=True).returncode == 0
        wait_until(answers, START_SECONDS_MAX, lambda: f"no sshd answers on {name}", every=0.05)

    def kill(self, name: str) -> None:
        """The host is down at once: all its processes go, its disk stays."""
        if init := self.init(name):
            processes.send(init, 9)
        starter = self.starters[name]
        wait_until(lambda: not starter.lives(), END_SECONDS_MAX, lambda: f"{name} does not end")

    def reboot(self, name: str) -> None:
        self.kill(name)
        self.start(name)

    def lose_disk(self, name: str) -> None:
        """The host is down, and comes back (by start()) as it was first made."""
        self.kill(name)
        for part in ("upper", "work"):
            shutil.rmtree(os.path.join(self.folder(name), part))
        self._make_host(name)

    def cut(self, name: str, *directions: str) -> None:
        """Drops what comes "in", what goes "out", or both when none is named."""
        self.heal(name)
        rules = "".join(f"chain {way}put {{ type filter hook {way}put priority 0; policy drop; "
                        f"{'iif' if way == 'in' else 'oif'} lo accept; }}; "
                        for way in directions or ("in", "out"))
        self.run(name, "nft", f"table inet cut {{ {rules} }}")

    def heal(self, name: str) -> None:
        self.run(name, "nft", "delete table inet cut", check=False)

    def close(self) -> None:
        """Ends all hosts and the world. Their folders stay."""
        for starter in self.starters.values():
            starter.end()  # and with it process 1, and with that all others of the host
        if self.world.lives():
            self._in_world("sh", "-c", f"rmdir {self.base}/groups/drydock-hosts-*/* "
                           f"{self.base}/groups/drydock-hosts-* 2>/dev/null; true")
        self.world.end()

    # Making them

    def _make_world(self) -> None:
        wait_until(lambda: _namespace(self.world.pid) != _namespace(os.getpid()), START_SECONDS_MAX,
                   lambda: "no namespace for the hosts")
        groups = os.path.join(self.base, "groups")
        os.makedirs(groups, exist_ok=True)
        self._in_world("mount", "-t", "cgroup2", "cgroup2", groups)
        for command in ("link set lo up", "link add bridge type bridge",
                        f"address add {GATEWAY}/24 dev bridge", "link set bridge up"):
            self._in_world("ip", *command.split())

    def _make_host(self, name: str) -> None:
        for part in ("upper/etc/ssh", f"upper/home/{root_tree.ACCOUNT}/.ssh", "work", "root"):
            os.makedirs(os.path.join(self.folder(name), part), exist_ok=True)
        host_key = os.path.join(self.folder(name), "host_key")
        self._make_key(host_key)
        for suffix in ("", ".pub"):
            shutil.copy(host_key + suffix, self.disk(name, "/etc/ssh/ssh_host_ed25519_key" + suffix))
        home = self.disk(name, f"/home/{root_tree.ACCOUNT}")
        shutil.copy(self.key + ".pub", os.path.join(home, ".ssh", "authorized_keys"))
        account = os.stat(os.path.join(self.tree, "home", root_tree.ACCOUNT))
        for path in (home, os.path.join(home, ".ssh"), os.path.join(home, ".ssh", "authorized_keys")):
            os.chown(path, account.st_uid, account.st_gid)
        with open(self.disk(name, "/etc/machine-id"), "w") as file:
            file.write(uuid.uuid4().hex + "\n")
        with open(self.disk(name, "/etc/hosts"), "w") as file:
            file.write("127.0.0.1 localhost\n"
                       + "".join(f"{self.address(other)} {other}\n" for other in self.names))
        with open(self.disk(name, "/etc/hostname"), "w") as file:
            file.write(name + "\n")

    def _write_ssh_config(self) -> None:
        with open(self.known_hosts, "w") as file:
            for name in self.names:
                with open(os.path.join(self.folder(name), "host_key.pub")) as key:
                    file.write(f"{self.address(name)} {' '.join(key.read().split()[:2])}\n")
        with open(self.ssh_config, "w") as file:
            for name in self.names:
                file.write(f"Host {name}\n    HostName {self.address(name)}\n")
            file.write(f"Host *\n    User {root_tree.ACCOUNT}\n    IdentityFile {self.key}\n"
                       f"    IdentitiesOnly yes\n    UserKnownHostsFile {self.known_hosts}\n"
                       "    StrictHostKeyChecking yes\n")
            if self.by_hand:
                file.write("    ProxyUseFdpass yes\n    ProxyCommand "
                           f"{' '.join(self.inside(sys.executable, f'{HERE}/pass_socket.py'))} %h %p\n")

    @staticmethod
    def _make_key(path: str) -> None:
        if not os.path.exists(path):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path],
                           check=True)

    def _in_world(self, *command: str) -> None:
        done = subprocess.run(["nsenter", "-t", str(self.world.pid), "-m", "-n", *command],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")

    def _spawn(self, command: list[str], log: str | None = None) -> Process:
        """A process that outlives this one; close() ends it."""
        with open(log or os.devnull, "ab") as output:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                     start_new_session=True, env={"PATH": os.environ["PATH"]})
        threading.Thread(target=child.wait, daemon=True).start()  # no zombie is left of it
        return Process(child.pid, started(child.pid))

    def _write_state(self) -> None:
        state = {"names": self.names, "world": asdict(self.world),
                 "starters": {name: asdict(value) for name, value in self.starters.items()}}
        with open(os.path.join(self.base, "hosts.json.new"), "w") as file:
            json.dump(state, file)
        os.rename(os.path.join(self.base, "hosts.json.new"), os.path.join(self.base, "hosts.json"))


def _namespace(pid: int) -> str:
    return os.readlink(f"/proc/{pid}/ns/net")


__all__ = ["Hosts", "Process", "debian", "hosts_of", "root_tree", "scaled", "why_not"]
