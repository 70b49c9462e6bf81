"""A real etcd cluster of plain processes on loopback, in one scratch folder.

    with Cluster(base) as cluster:            # three members, folders made, nothing started
        cluster.install("3.4")                # all members' release links; or install("3.5", "m2")
        cluster.start()
        cluster.wait_healthy()
        cluster.write_cluster_file()          # <base>/cluster.yaml, what drydock reads

    <base>/<member>/data  etcd.pid  etcd.log  current -> the release's folder

Leaving the `with` ends every process that names the folder, whoever started it, also when this
process is killed. Nothing is kept in memory about which process is which member: that is always read
from /proc, because drydock stops and starts members too.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

import api  # noqa: E402
import processes  # noqa: E402  (in ../common, like the next)
import releases  # noqa: E402
from limits import scaled  # noqa: E402
from machine import free_ports, is_free, tail, wait_until  # noqa: E402,F401  (others use them too)

FAST = ["--heartbeat-interval", "30", "--election-timeout", "300"]  # ms; the defaults are 100, 1000
HEALTHY_SECONDS_MAX = scaled(30)
STOP_SECONDS_MAX = scaled(15)

# What each release's log says once per process start (3.4 with its text logger), and per SIGTERM.
# Both come before anything can fail, so that a start that finds its port taken counts too.
STARTED = re.compile(r'etcdmain: etcd Version: (3\.4)|("msg":"Running: ","args":)')
STOPPED = re.compile(r'received terminated signal, shutting down|'
                     r'"msg":"received signal; shutting down","signal":"terminated"')


@dataclass(frozen=True)
class Member:
    name: str
    folder: str
    client_port: int
    peer_port: int

    @property
    def client_url(self) -> str:
        return f"http://127.0.0.1:{self.client_port}"

    @property
    def peer_url(self) -> str:
        return f"http://127.0.0.1:{self.peer_port}"

    @property
    def data(self) -> str:
        return os.path.join(self.folder, "data")

    @property
    def log(self) -> str:
        return os.path.join(self.folder, "etcd.log")

    @property
    def pid_file(self) -> str:
        return os.path.join(self.folder, "etcd.pid")

    @property
    def current(self) -> str:
        return os.path.join(self.folder, "current")


class Cluster:
    def __init__(self, base: str, size: int = 3, fast: bool = False,
                 ports: list[int] | None = None):
        """Makes the folders. `ports`: each member's client port, then its peer port."""
        self.base = os.path.abspath(base)
        self.fast = fast
        self.release_folders = releases.ensure()
        chosen = ports or free_ports(2 * size)
        self.members = {f"m{i + 1}": Member(f"m{i + 1}", os.path.join(self.base, f"m{i + 1}"),
                                            chosen[2 * i], chosen[2 * i + 1])
                        for i in range(len(chosen) // 2)}
        for member in self.members.values():
            os.makedirs(member.folder, exist_ok=True)
        self.on_close = contextlib.ExitStack()
        self._watch = processes.Watch(self.base)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # Starting and stopping

    def install(self, series: str, *names: str) -> None:
        """Points members' release links to a series ("3.4"); running members are not touched."""
        for member in self._chosen(names):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(member.current + ".new")
            os.symlink(self.release_folders[series], member.current + ".new")
            os.rename(member.current + ".new", member.current)

    def start(self, *names: str) -> None:
        """Starts members (all when none is named) without waiting for them."""
        for member in self._chosen(names):
            with open(member.log, "ab") as log:
                process = subprocess.Popen(
                    self.command(member), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=member.folder, start_new_session=True, env={"PATH": os.environ["PATH"]})
            # Without a wait a member that drydock stops would stay as a zombie, and look alive.
            threading.Thread(target=process.wait, daemon=True).start()
            with open(member.pid_file, "w") as file:
                file.write(f"{process.pid}\n")

    def stop(self, *names: str) -> None:
        """SIGTERM, all at once, and waits until the processes are gone."""
        self._signal(names, signal.SIGTERM)

    def kill(self, *names: str) -> None:
        """kill -9, and waits until the processes are gone."""
        self._signal(names, signal.SIGKILL)

    def command(self, member: Member) -> list[str]:
        """A member's arguments, the same as the cluster file's with its settings filled in."""
        values = self._settings(member)
        words = [word.replace("${release}", member.current) for word in self._template()]
        return [re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], word) for word in words]

    def pid(self, name: str) -> int | None:
        """The pid of the process that runs on a member's data folder; None when there is none."""
        found = [pid for pid in processes.holding(self.members[name].data)
                 if os.path.basename(processes.command_line(pid)[0]) == "etcd"]
        return found[0] if found else None

    # Reading

    def healthy(self, name: str) -> bool:
        try:
            return api.call(self.members[name].client_port, "/health", within=2)[0] == 200
        except api.NoAnswer:
            return False

    def wait_healthy(self, *names: str, within: float = HEALTHY_SECONDS_MAX) -> None:
        for member in self._chosen(names):
            wait_until(lambda: self.healthy(member.name), within,
                       lambda: f"{member.name} is not healthy; its log ends with\n"
                               + "".join(tail(member.log)))

    def versions(self, name: str) -> tuple[str, str]:
        """(the running program's version, the cluster's level), such as ("3.5.16", "3.4.0")."""
        answer = api.ask(self.members[name].client_port, "/version")
        return answer["etcdserver"], answer["etcdcluster"]

    def status(self, name: str) -> dict[str, Any]:
        """etcd's own status answer; `header` has cluster_id, member_id and revision, as strings."""
        return api.ask(self.members[name].client_port, "/v3/maintenance/status", {})

    def revision(self) -> int:
        """The highest revision that every member has."""
        return min(int(self.status(name)["header"]["revision"]) for name in self.members)

    def hashkv(self, name: str, revision: int) -> int:
        """The hash of all keys and values up to a revision, equal on members that agree."""
        return api.ask(self.members[name].peer_port, "/members/hashkv", {"revision": revision},
                       method="GET")["hash"]

    def hashes(self) -> set[int]:
        """The members' hashes at one revision; one value when all agree."""
        revision = self.revision()
        return {self.hashkv(name, revision) for name in self.members}

    def leader(self) -> str:
        """The member that leads, as itself says."""
        for name in self.members:
            with contextlib.suppress(api.NoAnswer):
                status = self.status(name)
                if status.get("leader") == status["header"]["member_id"]:
                    return name
        raise LookupError("no member says that it leads")

    def transfer_leadership(self, to: str) -> None:
        target = self.status(to)["header"]["member_id"]
        api.ask(self.members[self.leader()].client_port, "/v3/maintenance/transfer-leadership",
                {"targetID": target})

    def put(self, key: str, value: str, name: str = "m1") -> int:
        """Writes a key through a member; the revision it got."""
        answer = api.ask(self.members[name].client_port, "/v3/kv/put",
                         {"key": api.encode(key), "value": api.encode(value)})
        return int(answer["header"]["revision"])

    def get(self, key: str, name: str = "m1") -> str | None:
        answer = api.ask_in_time(self.members[name].client_port, "/v3/kv/range",
                                 {"key": api.encode(key)})
        values = [api.decode(pair["value"]) for pair in answer.get("kvs", [])]
        return values[0] if values else None

    def starts(self, name: str) -> list[str]:
        """The series of each process that was ever started for a member, from its own log."""
        return [match[1] or "3.5" for match in STARTED.finditer(self._log(name))]

    def stops(self, name: str) -> int:
        """How often a member was told to stop (SIGTERM), from its own log."""
        return len(STOPPED.findall(self._log(name)))

    # For drydock

    @property
    def endpoints(self) -> str:
        return ",".join(member.client_url for member in self.members.values())

    @property
    def cluster_file(self) -> str:
        return os.path.join(self.base, "cluster.yaml")

    def write_cluster_file(self, name: str = "demo", soak: str = "0s") -> str:
        """Writes <base>/cluster.yaml for drydock; its path."""
        versions = {releases.version_of(folder): folder
                    for folder in self.release_folders.values()}
        own = [f"  - {{role: member, name: {member.name}, settings: {{client_url: "
               f'"{member.client_url}", peer_url: "{member.peer_url}"}}}}'
               for member in self.members.values()]
        shared = {"base": f"{self.base}/${{member}}", "data_dir": "${base}/data",
                  "initial_cluster": self._initial_cluster()}
        text = CLUSTER_FILE.format(name=name, soak=soak, argv=json.dumps(self._template()),
                                   versions=json.dumps(versions), settings=json.dumps(shared),
                                   members="\n".join(own))
        with open(self.cluster_file, "w") as file:
            file.write(text)
        return self.cluster_file

    # Ending

    def reap(self) -> list[int]:
        """Ends every process of the scratch folder, whoever started it; their pids."""
        return processes.end_all(self.base)

    def close(self, keep_running: bool = False) -> None:
        """Ends everything, or leaves it all running for a person to play with."""
        if not keep_running:
            self.reap()
        self._watch.stop()
        self.on_close.close()

    def _chosen(self, names: tuple[str, ...]) -> list[Member]:
        return [self.members[name] for name in names or self.members]

    def _signal(self, names: tuple[str, ...], number: int) -> None:
        pids = {member.name: pid for member in self._chosen(names)
                if (pid := self.pid(member.name))}
        for pid in pids.values():
            processes.send(pid, number)
        for name, pid in pids.items():
            wait_until(lambda: not processes.command_line(pid), STOP_SECONDS_MAX,
                       lambda: f"{name} (pid {pid}) does not end")

    def _template(self) -> list[str]:
        return ["${release}/etcd", "--name", "${member}", "--data-dir", "${data_dir}",
                "--listen-client-urls", "${client_url}", "--advertise-client-urls", "${client_url}",
                "--listen-peer-urls", "${peer_url}", "--initial-advertise-peer-urls", "${peer_url}",
                "--initial-cluster", "${initial_cluster}", "--initial-cluster-state", "new",
                *(FAST if self.fast else [])]

    def _settings(self, member: Member) -> dict[str, str]:
        return {"member": member.name, "data_dir": member.data, "client_url": member.client_url,
                "peer_url": member.peer_url, "initial_cluster": self._initial_cluster()}

    def _initial_cluster(self) -> str:
        return ",".join(f"{member.name}={member.peer_url}" for member in self.members.values())

    def _log(self, name: str) -> str:
        with open(self.members[name].log, errors="replace") as file:
            return file.read()


CLUSTER_FILE = """\
cluster: {name}
system: etcd
state: ./state

hosts:
  here: {{connect: local}}

roles:
  member:
    host: here
    service:
      process:
        argv: {argv}
        pid_file: "${{base}}/etcd.pid"
        log: "${{base}}/etcd.log"
        stop: {{signal: TERM, within: 10s}}
    release:
      link: "${{base}}/current"
      versions: {versions}
    settings: {settings}

members:
{members}

policy:
  soak: {soak}
"""
