"""What `pachctl deploy` of 1.10 makes in Kubernetes, as far as drydock and the node of these tests look at it.

Names, labels, ports and node ports are Pachyderm's. Resources, probes and volumes of pods are left out. Needs no classes.
"""

import base64
from dataclasses import dataclass
from typing import Any, Iterator

SUITE = "pachyderm"
PACHD_PORTS = (("api-grpc-port", 650, 30650), ("trace-port", 651, 30651), ("api-http-port", 652, 30652),
               ("saml-port", 654, 30654), ("api-git-port", 655, 30655), ("s3gateway-port", 600, 30600))
DASH_PORTS = (("dash-http", 8080, 30080), ("grpc-proxy-http", 8081, 30081))
RULES = [{"apiGroups": [""], "verbs": ["get", "list", "watch"], "resources": ["nodes", "pods", "pods/log", "endpoints"]},
         {"apiGroups": [""], "verbs": ["get", "list", "watch", "create", "update", "delete"],
          "resources": ["replicationcontrollers", "services"]},
         {"apiGroups": [""], "verbs": ["get", "list", "watch", "create", "update", "delete", "patch"],
          "resources": ["secrets"]}]


@dataclass(frozen=True)
class Options:
    release: str
    namespace: str
    secret: dict[str, str]  # of the storage, not yet in base64
    local_roles: bool = False
    no_dashboard: bool = False
    volume_gigabytes: str = "10"


def objects(options: Options) -> Iterator[dict[str, Any]]:
    """All of them, in the order of pachctl."""
    for name in ("pachyderm", "pachyderm-worker"):
        yield _object(options, "v1", "ServiceAccount", name, "")
    yield from _roles(options)
    yield _service(options, "etcd-headless", "etcd", {"clusterIP": "None"}, (("peer-port", 2380, 0),))
    yield _workload(options, "StatefulSet", "etcd", "pachyderm/etcd:v3.3.5",
                    {"serviceName": "etcd-headless", "volumeClaimTemplates": [_claim(options)]})
    yield _service(options, "etcd", "etcd", {"type": "NodePort"}, (("client-port", 2379, 0),))
    yield _service(options, "pachd", "pachd", {"type": "NodePort"}, PACHD_PORTS)
    yield _service(options, "pachd-peer", "pachd", {"type": "ClusterIP"}, (("api-grpc-peer-port", 30653, 0),))
    yield _workload(options, "Deployment", "pachd", f"pachyderm/pachd:{options.release}", {})
    if not options.no_dashboard:
        yield _service(options, "dash", "dash", {"type": "NodePort"}, DASH_PORTS)
        yield _workload(options, "Deployment", "dash", "pachyderm/dash:0.5.48", {})
    data = {key: base64.b64encode(value.encode()).decode() for key, value in options.secret.items()}
    yield _object(options, "v1", "Secret", "pachyderm-storage-secret", "pachyderm-storage-secret") | {
        "type": "Opaque", "data": data}


def _roles(options: Options) -> Iterator[dict[str, Any]]:
    """Without --local-roles, the binding is one object for the whole of Kubernetes: it names one namespace only."""
    kinds = ("Role", "RoleBinding") if options.local_roles else ("ClusterRole", "ClusterRoleBinding")
    subject = {"kind": "ServiceAccount", "name": "pachyderm", "namespace": options.namespace}
    for kind in kinds:
        made = _object(options, "rbac.authorization.k8s.io/v1", kind, "pachyderm", "")
        if kind.startswith("Cluster"):
            del made["metadata"]["namespace"]
        if kind.endswith("Role"):
            yield made | {"rules": RULES}
        else:
            yield made | {"subjects": [subject], "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kinds[0],
                                                             "name": "pachyderm"}}


def _object(options: Options, version: str, kind: str, name: str, app: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind,
            "metadata": {"name": name, "namespace": options.namespace, "labels": {"app": app, "suite": SUITE}}}


def _service(options: Options, name: str, app: str, spec: dict[str, Any],
             ports: tuple[tuple[str, int, int], ...]) -> dict[str, Any]:
    listed = [{"name": port, "port": number} | ({"nodePort": node} if node else {}) for port, number, node in ports]
    return _object(options, "v1", "Service", name, app) | {"spec": spec | {"selector": {"app": app}, "ports": listed}}


def _workload(options: Options, kind: str, name: str, image: str, more: dict[str, Any]) -> dict[str, Any]:
    labels = {"app": name, "suite": SUITE}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}}
    if name == "pachd":
        pod["spec"]["serviceAccountName"] = "pachyderm"
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod, **more}
    return _object(options, "apps/v1", kind, name, name) | {"spec": spec}


def _claim(options: Options) -> dict[str, Any]:
    return {"metadata": {"name": "etcd-storage", "labels": {"app": "etcd", "suite": SUITE}},
            "spec": {"accessModes": ["ReadWriteOnce"],
                     "resources": {"requests": {"storage": f"{options.volume_gigabytes}Gi"}}}}
