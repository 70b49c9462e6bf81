"""Two installations of the double in one real API server, as drydock meets them: the old one serves, the new one is only a manifest.

    world = World(scratch, endpoint, access_key, secret_key)
    world.bring_up(files=1000)                 # the old one is deployed by the guide's own command, and filled
    world.start_writer()                       # a client that writes where the program `entry` says
    drydock("plan", "-c", world.file.path, ...)
    world.replay(); world.verify()             # the loader plays back what the new one lacks; what was lost
"""

import base64
import contextlib
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import double  # noqa: E402  (knows where the others are)
import installation  # noqa: E402
from cluster_file import ROOT, ClusterFile, Side  # noqa: E402,F401
from double import HERE, Store, pachyderm, scaled, wait_until  # noqa: E402

sys.path.append(os.path.join(os.path.dirname(HERE), "s3"))

import processes  # noqa: E402  (in ../common)
import signed  # noqa: E402  (in ../s3)

OLD, NEW = "1.9.12", "1.10.5"
LOAD_SECONDS_MAX = scaled(120)
ETCD_PORT = 32500  # a node port that nothing else here uses
PAGE = 1000  # keys that one request may delete
PAUSE_SECONDS = "0.5"  # of the client that writes: each of its files is read in the end


class World:
    def __init__(self, scratch: str, endpoint: str, access_key: str, secret_key: str, soak: str = "0s"):
        """The server of S3, where the buckets are made; how long each gate waits."""
        self.scratch, self.soak = os.path.abspath(scratch), soak
        self._server = (endpoint, access_key, secret_key)
        self.site = installation.Site(os.path.join(self.scratch, "site"))
        self.old = Side("blue", "pach-old", "default", OLD, self.make_bucket("pach-old"))
        self.new = Side("green", "pach-new", "pach-new", NEW, self.make_bucket("pach-new"))
        self.file = ClusterFile(self.scratch, self.site.server.kubeconfig, os.path.join(self.site.server.programs, "kubectl"),
                                self.site.node.address, (self.old, self.new), double.start_warm(self.scratch))
        self.log = os.path.join(self.scratch, "acknowledged")
        self._writer: "subprocess.Popen[bytes] | None" = None

    def make_bucket(self, name: str) -> Store:
        """A bucket of this server; one that is there stays as it is."""
        self.ask_store("PUT", f"/{name}")
        endpoint, access_key, secret_key = self._server
        return Store(endpoint, name, access_key, secret_key)

    def ask_store(self, method: str, path: str, body: bytes = b"") -> bytes:
        """One request to the server of S3; what it answered."""
        md5 = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()} if body else {}
        with contextlib.closing(signed.Connection(*self._server, LOAD_SECONDS_MAX)) as connection:
            status, _, content = connection.request(method, path, body, md5)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {content[:300]!r}")
        return content

    def bring_up(self, files: int, pipelines: int = 2) -> None:
        self.site.__enter__()
        done = self.site.deploy(self.old.namespace, self.old.release, self.old.store)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        self.site.wait_ready(self.old.namespace)
        self._move_etcd()
        self.file.write(self.soak)
        self.write_manifest()
        self.load("fill", self.address(self.old), "--files", str(files), "--pipelines", str(pipelines))

    def _move_etcd(self) -> None:
        """Kubernetes has chosen its node port, and one time in a hundred it is one of those that the migration needs."""
        path = f"/api/v1/namespaces/{self.old.namespace}/services/etcd"
        ports = self.site.server.ask("GET", path)["spec"]["ports"]
        self.site.server.merge(path, {"spec": {"ports": [ports[0] | {"nodePort": ETCD_PORT}, *ports[1:]]}})

    def write_manifest(self) -> None:
        """What the page of the pack says: the guide's command with `--local-roles --dry-run`."""
        store = self.new.store
        done = self.site.run(self.new.release, "deploy", "amazon", store.bucket, "us-east-1", "10", "--dynamic-etcd-nodes=1",
                             f"--namespace={self.new.namespace}", f"--credentials={store.access_key},{store.secret_key}",
                             f"--custom-endpoint={store.endpoint}", "--local-roles", "--dry-run")
        with open(self.file.manifest(self.new), "wb") as file:
            file.write(done.stdout)

    def close(self) -> None:
        self.stop_writer()
        self.site.__exit__()
        processes.end_all(self.scratch)

    # Inside of Kubernetes, where pachd is reached past the node ports

    def inside_line(self, side: Side, *words: str) -> str:
        """A line of shell with a command of pachctl."""
        config = self.site.node.doubles[side.namespace].config
        return shlex.join(["env", f"PACH_CONFIG={config}", self.file.pachctl(side), *words])

    def inside(self, side: Side, *words: str) -> str:
        """What a command says; RuntimeError if it fails."""
        done = subprocess.run(self.inside_line(side, *words), shell=True, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=LOAD_SECONDS_MAX)
        if done.returncode != 0:
            raise RuntimeError(f"pachctl {' '.join(words)}: {done.stderr}")
        return done.stdout

    def guide_line(self, namespace: str) -> str:
        """A line of shell: the guide's own deployment beside the old one. It ends half-way, at the first node port that is taken."""
        store = self.new.store
        words = ["env", f"KUBECONFIG={self.site.server.kubeconfig}", f"PACH_CONFIG={os.path.join(self.scratch, namespace)}",
                 f"PATH={self.site.server.programs}:/usr/bin:/bin", self.file.pachctl(self.new), "deploy", "amazon", store.bucket,
                 "us-east-1", "10", "--dynamic-etcd-nodes=1", f"--namespace={namespace}",
                 f"--credentials={store.access_key},{store.secret_key}", f"--custom-endpoint={store.endpoint}"]
        return shlex.join(words)

    # Clients

    def address(self, side: Side, is_paused: bool = False) -> str:
        return f"{self.file.node}:{self.file.port(side, is_paused)}"

    def load(self, *words: str) -> Any:
        """A command of load.py, to its end; the JSON that it says."""
        done = subprocess.run(self._load(*words), capture_output=True, text=True, timeout=LOAD_SECONDS_MAX, check=False)
        if done.returncode != 0 and not done.stdout:
            raise RuntimeError(f"load.py {words[0]}: {done.stderr[-1000:]}")
        return json.loads(done.stdout or "null")

    @staticmethod
    def _load(*words: str) -> list[str]:
        return [pachyderm.python(), os.path.join(HERE, "load.py"), *words]

    def start_writer(self) -> None:
        with open(os.path.join(self.scratch, "writer.log"), "ab") as log:
            self._writer = subprocess.Popen(self._load("write", self.file.address_file, self.log, "--whole", "--pause", PAUSE_SECONDS),
                                            stdout=log, stderr=log, cwd=self.scratch, start_new_session=True)
        self.wait_written(3)

    def stop_writer(self) -> None:
        if self._writer:
            self._writer.send_signal(signal.SIGTERM)
            self._writer.wait(LOAD_SECONDS_MAX)
            self._writer = None

    def acknowledged(self) -> list[dict[str, Any]]:
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def wait_written(self, count: int) -> None:
        """Until so many writes more were acknowledged."""
        before = len(self.acknowledged())
        wait_until(lambda: len(self.acknowledged()) >= before + count, LOAD_SECONDS_MAX, lambda: "nothing is written", every=0.1)

    def replay(self) -> int:
        """The loader plays back into the new installation what that one lacks; how many writes. A write whose acknowledgement was
        lost is in no log, so the old one is asked, too, at the port that it has now."""
        source = f"{self.file.node}:{self.ports(self.old)[0]}"
        return int(self.load("replay", self.address(self.new), self.log, "--source", source)["replayed"])

    def verify(self, side: Side) -> dict[str, Any]:
        """What of the acknowledged writes a side lacks; each file is read."""
        return dict(self.load("verify", self.address(side), self.log, "--content"))

    def state(self, side: Side, is_paused: bool = False) -> dict[str, Any]:
        return dict(self.load("state", self.address(side, is_paused)))

    def longest_pause(self) -> float:
        """The longest time between two acknowledged writes, in seconds."""
        times = [entry["at"] for entry in self.acknowledged()]
        return max((later - earlier for earlier, later in zip(times, times[1:])), default=0.0)

    # What is there

    def running(self, side: Side) -> str:
        """The release of a side's pachd, or that there is none."""
        status, found = self.site.server.call("GET", f"/apis/apps/v1/namespaces/{side.namespace}/deployments/pachd")
        return found["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2] if status == 200 else "none"

    def ports(self, side: Side) -> list[int]:
        """The node ports of a side's pachd."""
        status, found = self.site.server.call("GET", f"/api/v1/namespaces/{side.namespace}/services/pachd")
        return [port["nodePort"] for port in found["spec"]["ports"]] if status == 200 else []

    def serving(self) -> str:
        """The side whose address clients are given."""
        with open(os.path.join(self.scratch, "clients-side"), encoding="utf-8") as file:
            return file.read().strip()

    def keys(self, bucket: str) -> list[str]:
        """The keys of a bucket, as they are stored."""
        found: list[str] = []
        while True:
            after = f"&start-after={quote(found[-1], safe='')}" if found else ""
            text = self.ask_store("GET", f"/{bucket}?encoding-type=url&list-type=2{after}").decode()
            found += [unquote(key) for key in re.findall("<Key>([^<]*)</Key>", text)]
            if "<IsTruncated>true" not in text:
                return found

    def remove_new(self) -> None:
        """As a person does after a way back: the namespace of the new one goes, and its bucket is emptied."""
        self.remove_namespace(self.new.namespace)
        self.empty(self.new.store.bucket)

    def remove_namespace(self, name: str) -> None:
        """With all that is in it, and the volumes of its claims."""
        words = self.site.server.kubectl("delete", "namespace", name, "--ignore-not-found", f"--timeout={LOAD_SECONDS_MAX:.0f}s")
        subprocess.run(words, check=True, capture_output=True, timeout=LOAD_SECONDS_MAX + scaled(10))
        wait_until(lambda: name not in self.site.node.doubles, LOAD_SECONDS_MAX, lambda: "the node keeps the volumes", every=0.1)

    def empty(self, bucket: str) -> None:
        """Deletes every object, by one request a page."""
        keys = self.keys(bucket)
        for first in range(0, len(keys), PAGE):
            listed = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys[first:first + PAGE])
            self.ask_store("POST", f"/{bucket}?delete=", f"<Delete><Quiet>true</Quiet>{listed}</Delete>".encode())
        if self.keys(bucket):
            raise RuntimeError(f"objects are left in {bucket}")


# Two states of load.py


def missing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What a state had and a later one lacks: commits, files of heads that did not move, pipelines, jobs."""
    wrong = [f"pipeline {name}" for name, one in before["pipelines"].items() if after["pipelines"].get(name, {}).get("salt") != one["salt"]]
    wrong += [f"jobs of {name}" for name, count in before["jobs"].items() if after["jobs"].get(name, 0) < count]
    for name, repo in before["repos"].items():
        there = after["repos"].get(name, {"commits": [], "files": {}, "branches": {}})
        wrong += [f"{name}: commit {one[0]}" for one in repo["commits"] if one not in there["commits"]]
        wrong += [f"{name}: {path}" for path, one in _by_path(repo).items() if _by_path(there).get(path) != one]
    return wrong


def _by_path(repo: dict[str, Any]) -> dict[str, Any]:
    return {path.partition(":")[2]: one for path, one in repo["files"].items()}


def size(state: dict[str, Any]) -> str:
    """How much a state has, in words."""
    commits = sum(len(repo["commits"]) for repo in state["repos"].values())
    files = sum(len(repo["files"]) for repo in state["repos"].values())
    return f"{commits} commits, {files} files, {len(state['pipelines'])} pipelines and {sum(state['jobs'].values())} jobs"
