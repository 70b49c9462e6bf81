"""A real Kubernetes API server on a real etcd: two or three plain processes on loopback, one folder.

    with ApiServer(base) as server:                # certificates made, nothing started
        server.start(controllers=True)             # and the controller manager
        server.call("GET", "/api/v1/namespaces")   # as the all-mighty user
            server.kubeconfig                          # contexts: see _write_kubeconfig()

No node, no kubelet, no container: pods stay pending, and `ready()` marks them as a kubelet would.
Leaving the `with` ends every process that names the folder, also when this process is killed.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

FIELD = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path += [os.path.join(FIELD, "common"), os.path.join(FIELD, "etcd")]

import build  # noqa: E402
import processes  # noqa: E402  (in ../common, like the next two)
import releases  # noqa: E402  (etcd's)
from limits import scaled  # noqa: E402
from machine import free_ports, tail, wait_until  # noqa: E402

READY_SECONDS_MAX = scaled(60)
STOP_SECONDS_MAX = scaled(30)
NAMES = "IP:127.0.0.1,IP:10.96.0.1,DNS:kubernetes.default.svc"  # not localhost: a name to be refused
# "No right": a user whom no role names.
USERS = {"admin": ("system:masters", "admin-token"), "reader": ("readers", "reader-token"),
         "nobody": ("strangers", "nobody-token")}
CONTROLLERS = ("deployment-controller,replicaset-controller,replicationcontroller-controller,"
               "statefulset-controller,garbage-collector-controller,namespace-controller,"
               "serviceaccount-controller,persistentvolumeclaim-protection-controller")


class Unavailable(Exception):
    """The server cannot be had here; the text says why."""


def ensure(may_build: bool = True) -> None:
    """Builds (if it may) and downloads what is missing. Raises Unavailable."""
    if not shutil.which("openssl"):
        raise Unavailable("there is no openssl on this machine")
    try:
        build.PROGRAM.ensure(may_build)
        releases.ensure()
    except (build.Unavailable, releases.Unavailable) as error:
        raise Unavailable(str(error)) from error


class ApiServer:
    def __init__(self, base: str):
        self.base = os.path.abspath(base)
        self.programs = build.PROGRAM.ensure()
        self.etcd = releases.ensure()["3.4"]
        self.port, self.etcd_port, self.etcd_peer_port = free_ports(3)
        self.store_port = self.etcd_port  # where the API server looks for etcd: see EtcdGate
        os.makedirs(self.base, exist_ok=True)
        _make_certificates(self.base)
        self._write_users()
        self.kubeconfig = self._write_kubeconfig()
        self._watch = processes.Watch(self.base)
        self._running: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "ApiServer":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    # Starting and ending

    def start(self, controllers: bool = False) -> None:
        self.start_etcd()
        self.start_api_server()
        self.wait_ready()
        if controllers:
            self._run("kube-controller-manager", self._controller_words())

    def start_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self.etcd_port, self.etcd_peer_port))
        self._run("etcd", [os.path.join(self.etcd, "etcd"), "--data-dir", self.path("etcd"),
                           "--listen-client-urls", client, "--advertise-client-urls", client,
                           "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                           "--initial-cluster", f"default={peer}", "--unsafe-no-fsync"])

    def start_api_server(self) -> None:
        self._run("kube-apiserver", [
            os.path.join(self.programs, "kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{self.store_port}",
            f"--secure-port={self.port}", "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1", f"--cert-dir={self.path('scratch')}",
            f"--tls-cert-file={self.path('server.crt')}",
            f"--tls-private-key-file={self.path('server.key')}",
            f"--client-ca-file={self.path('ca.crt')}",
            f"--service-account-key-file={self.path('sa.pub')}",
            f"--service-account-signing-key-file={self.path('sa.key')}",
            "--service-account-issuer=https://kubernetes.example",
            "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=RBAC",
            f"--token-auth-file={self.path('tokens.csv')}"])

    def wait_ready(self) -> None:
        wait_until(self._is_ready, READY_SECONDS_MAX,
                   lambda: "the API server is not ready; its log ends with\n"
                   + "".join(tail(self.path("kube-apiserver.log"))), every=0.05)

    def kill(self, part: str) -> None:
        """kill -9 of kube-apiserver, etcd or kube-controller-manager."""
        self._end(part, signal.SIGKILL)

    def suspend(self, part: str, is_suspended: bool) -> None:
        """SIGSTOP: it holds its connections and answers nothing."""
        self._running[part].send_signal(signal.SIGSTOP if is_suspended else signal.SIGCONT)

    def close(self) -> None:
        for part in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                self._running[part].send_signal(signal.SIGCONT)
            self.kill(part)
        processes.end_all(self.base)
        self._watch.stop()

    # Speaking to it, as the all-mighty user and not through drydock

    def call(self, method: str, path: str, body: Any = None,
             kind: str = "application/json") -> tuple[int, Any]:
        """(status, the answer) of one request."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer admin-token", "Content-Type": kind})
        context = ssl.create_default_context(cafile=self.path("ca.crt"))
        try:
            with urllib.request.urlopen(request, timeout=scaled(60), context=context) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            with contextlib.suppress(ValueError):
                return error.code, json.loads(text)
            return error.code, text

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The answer; RuntimeError if it is no success."""
        status, answer = self.call(method, path, body, kind)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def merge(self, path: str, body: Any) -> Any:
        return self.ask("PATCH", path, body, "application/merge-patch+json")

    def mark_ready(self, namespace: str) -> int:
        """Marks all pods of a namespace running and ready, as a kubelet would; how many."""
        path = f"/api/v1/namespaces/{namespace}/pods"
        pods = self.ask("GET", path)["items"]
        for pod in pods:
            self.merge(f"{path}/{pod['metadata']['name']}/status", {
                "status": {"phase": "Running", "podIP": "10.0.0.1",
                           "conditions": [{"type": "Ready", "status": "True"}]}})
        return len(pods)

    def rewrite(self, key: bytes) -> None:
        """Writes a key of the store as it is: to the API server, somebody else changed it."""
        name = base64.b64encode(key).decode()
        found = self._ask_etcd("range", {"key": name})["kvs"][0]
        self._ask_etcd("put", {"key": name, "value": found["value"]})

    def kubectl(self, *words: str) -> list[str]:
        return [os.path.join(self.programs, "kubectl"), "--kubeconfig", self.kubeconfig, *words]

    def path(self, name: str) -> str:
        return os.path.join(self.base, name)

    # Inside

    def _is_ready(self) -> bool:
        try:
            return self.call("GET", "/readyz")[0] == 200
        except ValueError:
            return True  # the word "ok", which is no JSON
        except OSError:
            return False

    def _ask_etcd(self, call: str, body: dict[str, str]) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.etcd_port}/v3/kv/{call}",
                                         data=json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=scaled(10)) as answer:
            return json.loads(answer.read())

    def _controller_words(self) -> list[str]:
        return [os.path.join(self.programs, "kube-controller-manager"),
                f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
                "--bind-address=127.0.0.1", f"--secure-port={free_ports(1)[0]}",
                f"--cert-dir={self.path('scratch')}", "--use-service-account-credentials=false",
                f"--service-account-private-key-file={self.path('sa.key')}",
                f"--root-ca-file={self.path('ca.crt')}", f"--controllers={CONTROLLERS}"]

    def _run(self, part: str, words: list[str]) -> None:
        with open(self.path(f"{part}.log"), "ab") as log:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=self.base, start_new_session=True,
                                       env={"PATH": os.environ["PATH"], "HOME": self.base,
                                            "DRYDOCK_SCRATCH": self.base})
        threading.Thread(target=process.wait, daemon=True).start()
        self._running[part] = process

    def _end(self, part: str, number: int) -> None:
        process = self._running.pop(part)
        processes.send(process.pid, number)
        wait_until(lambda: process.poll() is not None, STOP_SECONDS_MAX,
                   lambda: f"{part} does not end")

    def _write_users(self) -> None:
        with open(self.path("tokens.csv"), "w") as file:
            for name, (group, token) in USERS.items():
                file.write(f'{token},{name},{name},"{group}"\n')

    def _write_kubeconfig(self) -> str:
        """A context for each user; `plugin` has its token from a program, `other-authority` and
        `other-name` do not trust the server."""
        here = {"server": self.url, "certificate-authority": "ca.crt"}
        clusters = {"here": here, "other-authority": {**here, "certificate-authority": "other.crt"},
                    "other-name": {**here, "server": f"https://localhost:{self.port}"}}
        users: dict[str, Any] = {name: {"token": token} for name, (_, token) in USERS.items()}
        users["certificate"] = {"client-certificate": "client.crt", "client-key": "client.key"}
        users["stale"] = {"token": "no-such-token"}
        users["plugin"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1",
                                    "command": self._write_plugin(), "interactiveMode": "Never"}}
        contexts = {name: {"cluster": "here", "user": name} for name in users}
        contexts |= {name: {"cluster": name, "user": "admin"} for name in clusters if name != "here"}
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "admin",
                  "clusters": _named("cluster", clusters), "users": _named("user", users),
                  "contexts": _named("context", contexts)}
        with open(self.path("config"), "w") as file:
            json.dump(config, file)
        return self.path("config")

    def _write_plugin(self) -> str:
        """A program that gives the reader's token, as those of managed clusters do."""
        said = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                "status": {"token": USERS["reader"][1]}}
        with open(self.path("plugin"), "w") as file:
            file.write(f"#!/bin/sh\necho '{json.dumps(said)}'\n")
        os.chmod(self.path("plugin"), 0o755)
        return self.path("plugin")


def _named(kind: str, entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, kind: entry} for name, entry in entries.items()]


def _make_certificates(base: str) -> None:
    """An authority, the server's and a client's certificate, and the key of service accounts."""
    if os.path.exists(os.path.join(base, "sa.pub")):
        return
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
    for name in ("ca", "other"):
        _openssl(base, "req", "-x509", *curve, "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                 "-out", f"{name}.crt")
    _sign(base, curve, "server", "/CN=kube-apiserver", ["-addext", f"subjectAltName={NAMES}"])
    _sign(base, curve, "client", "/O=system:masters/CN=by-certificate", [])
    _openssl(base, "genrsa", "-out", "sa.key", "2048")
    _openssl(base, "rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")


def _sign(base: str, curve: list[str], name: str, subject: str, more: list[str]) -> None:
    _openssl(base, "req", *curve, "-subj", subject, *more, "-keyout", f"{name}.key", "-out", f"{name}.csr")
    _openssl(base, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", "3650", "-copy_extensions", "copy", "-out", f"{name}.crt")


def _openssl(base: str, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=base, check=True, capture_output=True, timeout=scaled(60))
