"""Installations of the double in a real Kubernetes API server (tests/field/kubernetes), as many as there are namespaces.

    with Site(base) as site:                               # API server, controller manager and node
        site.deploy("default", "1.10.5", store)            # with the guide's own command
        site.wait_ready("default")
        site.pachctl("default", "list", "repo", "--raw")
        site.deploy("beside", "1.11.9", twin, "--local-roles")

The guide's command without `--local-roles` re-points the ClusterRoleBinding `pachyderm` to the newest namespace, and it fails
part-way if node ports are taken: both are real here.
"""

import json
import os
import subprocess
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(os.path.dirname(HERE), "kubernetes")]

import api_server  # noqa: E402  (in ../kubernetes)
import double  # noqa: E402
import manifest  # noqa: E402
from double import Store, Unavailable, scaled, wait_until  # noqa: E402,F401
from node import Node  # noqa: E402

PACHD_PORT = 30650
READY_SECONDS_MAX, COMMAND_SECONDS_MAX = scaled(60), scaled(120)


def ensure(may_build: bool = True) -> None:
    """Builds (the API server only if it may) and installs what is missing. Raises Unavailable."""
    double.ensure()
    try:
        api_server.ensure(may_build)
    except api_server.Unavailable as error:
        raise Unavailable(str(error)) from error


class Site:
    """One Kubernetes with its node."""

    def __init__(self, base: str, job_seconds: float = 0):
        self.base = os.path.abspath(base)
        self.server = api_server.ApiServer(os.path.join(self.base, "kubernetes"))
        self.node = Node(os.path.join(self.base, "node"), self.server, job_seconds)
        self.config = os.path.join(self.base, "pachctl.json")

    def __enter__(self) -> "Site":
        self.server.start(controllers=True)
        self.node.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.node.stop()
        self.server.close()

    # Deploying

    def make_namespace(self, name: str) -> None:
        """Unless it is there."""
        self.server.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def deploy(self, namespace: str, release: str, store: Store, *more: str) -> "subprocess.CompletedProcess[bytes]":
        """`pachctl deploy amazon`, with further words; what it answered. Makes the context active that is named as the
        namespace, with the address of node port 30650."""
        self.make_namespace(namespace)
        done = self.run(release, "deploy", "amazon", store.bucket, "us-east-1", "10", "--dynamic-etcd-nodes=1",
                        f"--namespace={namespace}", f"--credentials={store.access_key},{store.secret_key}",
                        f"--custom-endpoint={store.endpoint}", f"--reverse={str(store.reverse).lower()}",
                        f"--context={namespace}", *more)
        if done.returncode == 0:
            self.set_address(namespace, PACHD_PORT)
        return done

    def deploy_with_ports(self, namespace: str, release: str, store: Store, ports: dict[int, int]) -> None:
        """The same manifest with local roles and other node ports, through the API alone: a twin that takes nothing."""
        self.make_namespace(namespace)
        secret = {"amazon-bucket": store.bucket, "amazon-id": store.access_key, "amazon-secret": store.secret_key,
                  "custom-endpoint": store.endpoint, "reverse": str(store.reverse).lower()}
        for item in manifest.objects(manifest.Options(release, namespace, secret, local_roles=True)):
            for port in item.get("spec", {}).get("ports", []):
                if "nodePort" in port:
                    port["nodePort"] = ports[port["nodePort"]]
            self.server.ask("POST", _collection(item), item)
        self.set_address(namespace, ports[PACHD_PORT])

    def wait_ready(self, namespace: str) -> None:
        """Until pachd of a namespace answers at its address in the contexts."""
        wait_until(lambda: self.run("1.10.5", "version", f"--timeout={scaled(2):g}s", context=namespace).returncode == 0,
                   READY_SECONDS_MAX, lambda: f"pachd of {namespace} does not answer", every=0.2)

    # The client

    def set_address(self, namespace: str, port: int) -> None:
        """The address of the context that is named as the namespace; makes it, if it is not there."""
        config = self._read_config()
        context = config["v2"]["contexts"].setdefault(namespace, {"source": "IMPORTED", "cluster_name": "here",
                                                                  "auth_info": "admin", "namespace": namespace})
        context["pachd_address"] = f"grpc://{self.node.address}:{port}"
        if config["v2"]["active_context"] not in config["v2"]["contexts"]:
            config["v2"]["active_context"] = namespace
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def address_of(self, context: str) -> str:
        """HOST:PORT of a context."""
        return str(self._read_config()["v2"]["contexts"][context]["pachd_address"]).removeprefix("grpc://")

    def environment(self, release: str, context: str = "") -> dict[str, str]:
        """For pachctl and kubectl. Without a context, the active one of the file is used."""
        path = os.pathsep.join((self.server.programs, os.environ["PATH"]))
        own = {"PATH": path, "KUBECONFIG": self.server.kubeconfig, "PACH_CONFIG": self.config, "PACHCTL_RELEASE": release,
               "PYTHONPYCACHEPREFIX": os.path.join(self.base, "pycache"), "PYTHONDONTWRITEBYTECODE": ""}
        return os.environ | own | ({"PACH_CONTEXT": context} if context else {})

    def run(self, release: str, *words: str, context: str = "", data: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """A command of pachctl, whatever it answers."""
        command = [double.pachyderm.python(), os.path.join(HERE, "pachctl"), *words]
        return subprocess.run(command, input=data, capture_output=True, check=False, timeout=COMMAND_SECONDS_MAX,
                              env=self.environment(release, context))

    def pachctl(self, namespace: str, *words: str, data: bytes = b"") -> bytes:
        """What a command says in the context of a namespace. RuntimeError if it fails."""
        done = self.run(self.node.doubles[namespace].release, *words, context=namespace, data=data)
        if done.returncode != 0:
            raise RuntimeError(f"pachctl {' '.join(words)}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def binding(self) -> list[str]:
        """The namespaces that the ClusterRoleBinding `pachyderm` gives its rights to."""
        path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/pachyderm"
        status, found = self.server.call("GET", path)
        return [subject["namespace"] for subject in found.get("subjects", [])] if status == 200 else []

    def _read_config(self) -> Any:
        if not os.path.exists(self.config):
            return {"user_id": "double", "v2": {"active_context": "", "contexts": {}, "metrics": False}}
        with open(self.config, encoding="utf-8") as file:
            return json.load(file)


def _collection(item: dict[str, Any]) -> str:
    """Where objects of a kind are made."""
    group = f"/apis/{item['apiVersion']}" if "/" in item["apiVersion"] else "/api/v1"
    return f"{group}/namespaces/{item['metadata']['namespace']}/{item['kind'].lower()}s"
