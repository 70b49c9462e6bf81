"""A fake etcd cluster of real processes and sockets in a scratch folder, with three releases.

    with FakeCluster(base) as cluster:      # three members on 3.4.23 that serve
        cluster.write_cluster_file()
        cluster.state()["nodes"]["m1"]      # {"running": "3.4.23", "starts": 1, ...}

The model is that of the simulator (fake_etcd.h); a client in it never stops writing.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Self

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(FOLDER, "..", "field", "common"))

import processes  # noqa: E402
from limits import scaled  # noqa: E402
from machine import free_ports  # noqa: E402

RELEASES = ("3.4.23", "3.5.32", "3.6.1")
MEMBERS = ("m1", "m2", "m3")
WAIT_SECONDS_MAX = scaled(20)

ETCDCTL = """\
#!/bin/sh
# What the pack's scripts call.
case "$*" in
*"snapshot save "*) for last; do :; done; echo snapshot > "$last" ;;
*"snapshot restore "*) for last; do :; done
    mkdir -p "$last/member/wal" "$last/member/snap"
    touch "$last/member/wal/0.wal" "$last/member/snap/0.snap" ;;
*"snapshot status "*) echo '{"hash":1,"revision":4000,"totalKey":4000,"totalSize":4096}' ;;
*) exit 2 ;;
esac
"""

CLUSTER_FILE = """\
cluster: fake
system: etcd
state: ./state
hosts:
  here: {{connect: local}}
roles:
  member:
    host: here
    service:
      process:
        argv: ["${{release}}/etcd", --name, "${{member}}", --data-dir, "${{data_dir}}"]
        pid_file: "{base}/${{member}}/pid"
        log: "{base}/${{member}}/log"
    release:
      link: "{base}/${{member}}/current"
      versions: {versions}
    settings: {{data_dir: "{base}/${{member}}/data"}}
members:
{members}
policy: {{soak: 0s}}
"""


def built(name: str) -> str:
    """A program of this folder: $FAKE_ETCD_BIN, else where a build leaves it."""
    return os.path.join(os.environ.get("FAKE_ETCD_BIN") or os.path.join(
        FOLDER, "..", "..", "build", "dev", "tests", "fake_etcd"), name)


class FakeCluster:
    def __init__(self, base: str, version: str = RELEASES[0]):
        self.base, self.version = base, version
        self.ports = free_ports(2 * len(MEMBERS))
        self.cluster_file = os.path.join(base, "cluster.yaml")
        self._make_folders()
        self.write_cluster_file()

    def __enter__(self) -> Self:
        try:
            self._start_server()
            for member in MEMBERS:
                self.start(member)
            self.wait_for(lambda: self.state()["serving"] == 3, "all members to serve")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        processes.end_all(self.base)

    def start(self, member: str) -> None:
        """What its link leads to, as a person would."""
        home = os.path.join(self.base, member)
        process = subprocess.Popen(
            [os.path.join(home, "current", "etcd"), "--name", member, "--data-dir",
             os.path.join(home, "data")], start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie
        with open(os.path.join(home, "pid"), "w", encoding="utf-8") as file:
            file.write(f"{process.pid}\n")

    def kill(self, member: str) -> None:
        with open(os.path.join(self.base, member, "pid"), encoding="utf-8") as file:
            os.kill(int(file.read().split()[0]), 9)
        self.wait_for(lambda: not self.state()["nodes"][member]["running"], f"{member} to be gone")

    def state(self) -> dict[str, Any]:
        return json.loads(self._say("state"))

    def set_no_space(self, is_full: bool) -> None:
        """Whether etcd refuses writes, with its NOSPACE alarm."""
        self._say("no-space" if is_full else "space")

    def _say(self, words: str) -> str:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(os.path.join(self.base, "server.sock"))
            line.sendall(words.encode() + b"\n")
            return line.makefile().read()

    def versions(self) -> list[str]:
        return [self.state()["nodes"][member]["running"] for member in MEMBERS]

    def write_cluster_file(self, releases: tuple[str, ...] = RELEASES) -> str:
        versions = {version: os.path.join(self.base, "releases", version) for version in releases}
        members = [f"  - {{role: member, name: {name}, settings: {{client_url: "
                   f'"http://127.0.0.1:{self.ports[2 * i]}", '
                   f'peer_url: "http://127.0.0.1:{self.ports[2 * i + 1]}"}}}}'
                   for i, name in enumerate(MEMBERS)]
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(CLUSTER_FILE.format(base=self.base, versions=json.dumps(versions),
                                           members="\n".join(members)))
        return self.cluster_file

    def wait_for(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {WAIT_SECONDS_MAX:g} s in vain for {what}")
            time.sleep(0.02)

    def _make_folders(self) -> None:
        for version in RELEASES:
            folder = os.path.join(self.base, "releases", version)
            os.makedirs(folder)
            shutil.copy(built("fake_etcd_member"), os.path.join(folder, "etcd"))
            with open(os.path.join(folder, "etcdctl"), "w", encoding="utf-8") as file:
                file.write(ETCDCTL)
            os.chmod(os.path.join(folder, "etcdctl"), 0o755)
        for member in MEMBERS:
            os.makedirs(os.path.join(self.base, member, "data"))
            os.symlink(os.path.join(self.base, "releases", self.version),
                       os.path.join(self.base, member, "current"))

    def _start_server(self) -> None:
        server = subprocess.Popen([built("fake_etcd_server"), self.base, self.version],
                                  start_new_session=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        threading.Thread(target=server.wait, daemon=True).start()
        self.wait_for(self._is_listening, "the server to listen")

    def _is_listening(self) -> bool:
        """Its socket has a name before anybody listens there."""
        try:
            return bool(self._say("state"))
        except OSError:
            return False
