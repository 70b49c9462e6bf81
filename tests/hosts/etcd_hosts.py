"""A real etcd cluster of one member a host, run by units of systemd, for tests over ssh.

The conductor runs in the hosts' network and reaches them by the machine's own `ssh`, with a script
before it that names the settings: nothing of the person's own ~/.ssh is read.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for _part in ("tests/e2e", "tests/field/hosts", "tests/field/etcd"):
    sys.path.append(os.path.join(ROOT, _part))

import releases  # noqa: E402  (found by the lines above, like the next)
from hosts import Hosts  # noqa: E402
from limits import scaled  # noqa: E402
from machine import wait_until  # noqa: E402
from program import Run, program  # noqa: E402

RUN_SECONDS_MAX = scaled(120)
HEALTHY_SECONDS_MAX = scaled(30)
STATE = "/var/lib/drydock"


class EtcdHosts:
    def __init__(self, base: str, names: list[str]):
        """Makes the hosts, each with both releases and a unit. Nothing is started."""
        self.base = base
        self.hosts = Hosts(os.path.join(base, "hosts"), names)
        self.folders = releases.ensure()
        self.old, self.new = (releases.version_of(self.folders[series]) for series in ("3.4", "3.5"))
        for name in names:
            self.furnish(name)
        self._write_ssh()

    @property
    def names(self) -> list[str]:
        return self.hosts.names

    @property
    def cluster_file(self) -> str:
        return os.path.join(self.base, "cluster.yaml")

    def close(self) -> None:
        self.hosts.close()

    def furnish(self, name: str) -> None:
        """Puts releases and the unit on the disk of a host that is down."""
        for version in (self.old, self.new):
            target = self.hosts.disk(name, f"/opt/etcd/{version}")
            shutil.copytree(os.path.join(os.path.dirname(self.folders["3.4"]), f"etcd-{version}"), target)
        os.symlink(self.old, self.hosts.disk(name, "/opt/etcd/current"))
        for folder in ("/var/lib/etcd", "/etc/systemd/system/multi-user.target.wants"):
            os.makedirs(self.hosts.disk(name, folder), exist_ok=True)
        with open(self.hosts.disk(name, "/etc/systemd/system/etcd.service"), "w") as file:
            file.write(UNIT.format(argv=" ".join(self.argv(name))))
        os.symlink("/etc/systemd/system/etcd.service",
                   self.hosts.disk(name, "/etc/systemd/system/multi-user.target.wants/etcd.service"))

    def argv(self, name: str) -> list[str]:
        address = self.hosts.address(name)
        client, peer = f"http://{address}:2379", f"http://{address}:2380"
        return ["/opt/etcd/current/etcd", "--name", name, "--data-dir", "/var/lib/etcd/data",
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", self._initial_cluster(), "--initial-cluster-state", "new"]

    # drydock

    def write_cluster_file(self, soak: str = "0s") -> None:
        members = "\n".join(
            f"  - {{role: member, name: {name}, host: {name}, settings: {{ip: {self.hosts.address(name)}}}}}"
            for name in self.names)
        versions = {version: f"/opt/etcd/{version}" for version in (self.old, self.new)}
        hosts = "\n".join(f"  {name}: {{connect: {{ssh: {name}}}, become: [sudo, -n]}}"
                          for name in self.names)
        with open(self.cluster_file, "w") as file:
            file.write(CLUSTER_FILE.format(hosts=hosts, members=members, soak=soak,
                                           versions=json.dumps(versions),
                                           initial_cluster=self._initial_cluster()))

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        path = f"{os.path.join(self.base, 'bin')}:{os.environ['PATH']}"
        return os.environ | {"PATH": path, "NO_COLOR": "1", "DRYDOCK_SCRATCH": self.base,
                             "XDG_STATE_HOME": os.path.join(self.base, "account")} | (more or {})

    def drydock(self, *words: str, env: dict[str, str] | None = None) -> Run:
        """Runs drydock in the hosts' network, with the cluster file where it takes one."""
        done = self.start_drydock(*words, env=env).communicate(timeout=RUN_SECONDS_MAX)
        return Run(self.last.returncode, *done)

    def start_drydock(self, *words: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        named = [] if words[0] in ("apply", "check") else ["-c", self.cluster_file]
        self.last = subprocess.Popen(
            self.hosts.inside(program(), *words, *named), cwd=self.base, env=self.environment(env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self.last

    def records(self) -> list[dict[str, Any]]:
        text = self.drydock("log", "--json").stdout
        answer = json.loads(text)
        events: list[dict[str, Any]] = answer if isinstance(answer, list) else answer["events"]
        return events

    # The members

    def wait_healthy(self) -> None:
        for name in self.names:
            wait_until(lambda: self.get(name, "/health").get("health") == "true", HEALTHY_SECONDS_MAX,
                       lambda: f"etcd on {name} is not healthy:\n"
                       + self.hosts.run(name, "journalctl", "-u", "etcd", "-n", "5", check=False), every=0.1)

    def get(self, name: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        """The answer of a member; empty without one. It is asked from within the hosts' network."""
        done = subprocess.run(
            self.hosts.inside(sys.executable, os.path.abspath(__file__), f"http://{self.hosts.address(name)}:2379{path}",
                              *([json.dumps(body)] if body else [])), capture_output=True, text=True)
        answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        return answer

    def versions(self) -> list[str]:
        return [self.get(name, "/version").get("etcdserver", "none") for name in self.names]

    def put(self, key: str, value: str) -> None:
        """Keys and values are base64 already."""
        if not self.get(self.names[0], "/v3/kv/put", {"key": key, "value": value}):
            raise RuntimeError(f"{key} was not written")

    def value(self, name: str, key: str) -> str:
        found = self.get(name, "/v3/kv/range", {"key": key}).get("kvs", [])
        return str(found[0]["value"]) if found else ""

    def starts(self, name: str) -> list[str]:
        """The releases that were started on a host, in the order of its journal."""
        text = self.hosts.run(name, "journalctl", "-u", "etcd", "-o", "cat", "--no-pager")
        return [version for line in text.splitlines() for version in (self.old, self.new)
                if line.startswith("starts ") and line.endswith(version)]

    def _initial_cluster(self) -> str:
        return ",".join(f"{name}=http://{self.hosts.address(name)}:2380" for name in self.hosts.names)

    def _write_ssh(self) -> None:
        os.makedirs(os.path.join(self.base, "bin"), exist_ok=True)
        script = os.path.join(self.base, "bin", "ssh")
        with open(script, "w") as file:
            file.write(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.hosts.ssh_config} "$@"\n')
        os.chmod(script, 0o755)


UNIT = """\
[Unit]
Description=etcd

[Service]
ExecStartPre=/bin/sh -c 'echo starts $(readlink /opt/etcd/current)'
ExecStart={argv}
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""

CLUSTER_FILE = """\
cluster: orders
system: etcd
state: ./state
hosts:
{hosts}
roles:
  member:
    service:
      command:
        start: [systemctl, start, etcd]
        stop: [systemctl, stop, etcd]
        status: [systemctl, is-active, --quiet, etcd]
    release: {{link: /opt/etcd/current, versions: {versions}}}
    settings:
      data_dir: /var/lib/etcd/data
      client_url: "http://${{ip}}:2379"
      peer_url: "http://${{ip}}:2380"
      initial_cluster: "{initial_cluster}"
members:
{members}
policy:
  soak: {soak}
  backups: {{path: /var/backups/etcd}}
"""


def ask(url: str, body: str | None) -> None:
    request = urllib.request.Request(url, None if body is None else body.encode())
    try:
        with urllib.request.urlopen(request, timeout=scaled(2)) as answer:
            print(answer.read().decode())
    except (OSError, urllib.error.URLError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    ask(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
