"""The only node of a Kubernetes without one: it runs the double where a Deployment of pachd says so, and serves node ports.

    node = Node(base, server)        # server: an ApiServer of tests/field/kubernetes, or anything with its `call` and `ask`
    node.start()                     # a thread that looks at the API server until stop()
    node.address                     # 127.x.y.z: node ports listen there

A namespace with a StatefulSet or Deployment `etcd` and a Deployment `pachd` of at least one replica gets a real etcd and a
double of pachd. The release is the tag of pachd's image, the bucket is in `pachyderm-storage-secret`. Both end when the
replicas are 0 or the object is gone; etcd's data stays, as on a volume, until its namespace is gone. One that dies is started
again. Pods are marked ready while their process runs.
Without the right to make replication controllers, pachd has no workers: that is how a stolen ClusterRoleBinding shows.
"""

import base64
import contextlib
import os
import random
import shutil
import threading
from typing import Any

from double import Double, Store
from proxy import Proxy

GLANCE_SECONDS = 0.3
LABEL = "labelSelector=suite%3Dpachyderm"
TARGETS = {("pachd", "api-grpc-port"): "port", ("etcd", "client-port"): "etcd_port"}


class Node:
    def __init__(self, base: str, server: Any, job_seconds: float = 0):
        self.base, self.server, self.job_seconds = base, server, job_seconds
        self.address = f"127.{random.randrange(64, 120)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        self.doubles: dict[str, Double] = {}
        self._running: set[tuple[str, str]] = set()
        self._proxies: dict[tuple[int, tuple[str, int]], Proxy] = {}
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends all that runs here."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()
        for proxy in self._proxies.values():
            proxy.close()
        for double in self.doubles.values():
            double.close()

    def _work(self) -> None:
        while not self._ends.wait(GLANCE_SECONDS):
            # The API server may be away for a while: what runs goes on, as on a real node.
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                self.look()

    def look(self) -> None:
        """Brings processes and ports in line with what the API server says now."""
        wanted = self._wanted()
        for namespace, part in self._running - set(wanted):
            if self.doubles[namespace].is_running(part):
                self.doubles[namespace].kill(part)
            self._running.discard((namespace, part))
        for namespace, part in sorted(wanted):  # etcd before pachd
            self._keep(namespace, part, wanted[namespace, part])
        self._forget_namespaces()
        self._serve_ports()
        self._mark_ready()

    # Processes

    def _wanted(self) -> dict[tuple[str, str], Any]:
        """(namespace, "etcd" or "pachd") -> the object that wants it to run."""
        found = {}
        for kind in ("deployments", "statefulsets"):
            for item in self.server.ask("GET", f"/apis/apps/v1/{kind}?{LABEL}")["items"]:
                name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
                if name in ("etcd", "pachd") and item["spec"].get("replicas", 0) and not item["metadata"].get(
                        "deletionTimestamp"):
                    found[namespace, name] = item
        return {key: item for key, item in found.items() if key[1] == "etcd" or (key[0], "etcd") in found}

    def _keep(self, namespace: str, part: str, item: Any) -> None:
        if namespace not in self.doubles:
            store = self._store(namespace)
            if not store:
                return  # the secret comes last
            self.doubles[namespace] = Double(os.path.join(self.base, namespace), store, job_seconds=self.job_seconds)
        double = self.doubles[namespace]
        if part == "etcd" and not double.is_running("etcd"):
            double.start_etcd()
        if part == "pachd":
            self._keep_pachd(namespace, item)
        self._running.add((namespace, part))

    def _forget_namespaces(self) -> None:
        """With a namespace that is gone go its claims, and with them the volumes."""
        for namespace in set(self.doubles) - {name for name, _ in self._running}:
            if self.server.call("GET", f"/api/v1/namespaces/{namespace}")[0] == 404:
                self.doubles[namespace].close()
                shutil.rmtree(self.doubles.pop(namespace).base)

    def _keep_pachd(self, namespace: str, item: Any) -> None:
        double = self.doubles[namespace]
        release = item["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]
        double.set_workers(self._may_make_workers(namespace))
        if double.is_running("pachd") and double.release != release:
            double.kill("pachd")  # an upgrade in place
        if not double.is_running("pachd"):
            double.release = release
            double.start_pachd()

    def _store(self, namespace: str) -> Store | None:
        status, secret = self.server.call("GET", f"/api/v1/namespaces/{namespace}/secrets/pachyderm-storage-secret")
        if status != 200:
            return None
        data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        return Store(data["custom-endpoint"], data["amazon-bucket"], data["amazon-id"], data["amazon-secret"],
                     data.get("reverse", "true") == "true")

    def _may_make_workers(self, namespace: str) -> bool:
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": f"system:serviceaccount:{namespace}:pachyderm",
            "resourceAttributes": {"namespace": namespace, "verb": "create", "resource": "replicationcontrollers"}}}
        answer = self.server.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return bool(answer["status"].get("allowed"))

    # Node ports and pods

    def _serve_ports(self) -> None:
        wanted = {}
        for item in self.server.ask("GET", "/api/v1/services")["items"]:
            double = self.doubles.get(item["metadata"]["namespace"])
            for port in item["spec"].get("ports", []) if double else []:
                target = TARGETS.get((item["metadata"]["name"], port.get("name", "")))
                if target and port.get("nodePort"):
                    wanted[port["nodePort"], ("127.0.0.1", int(getattr(double, target)))] = True
        for key in set(self._proxies) - set(wanted):
            self._proxies.pop(key).close()
        for key in set(wanted) - set(self._proxies):
            self._proxies[key] = Proxy(self.address, *key)

    def _mark_ready(self) -> None:
        for item in self.server.ask("GET", f"/api/v1/pods?{LABEL}")["items"]:
            name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
            app = item["metadata"]["labels"].get("app", "")
            runs = app == "dash" or (namespace, app) in self._running
            if runs and item["status"].get("phase") != "Running":
                self.server.merge(f"/api/v1/namespaces/{namespace}/pods/{name}/status", {
                    "status": {"phase": "Running", "podIP": "10.0.0.1",
                               "conditions": [{"type": "Ready", "status": "True"}]}})
