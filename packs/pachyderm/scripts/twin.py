"""twin.py check|deploy MANIFEST OWN_PORTS KUBECTL KUBECONFIG CONTEXT NAMESPACE: a second installation of Pachyderm 1.x.

MANIFEST is what `pachctl deploy ... --local-roles --dry-run` printed. Its objects are created one by one, never applied: an apply
takes what belongs to the other installation. OWN_PORTS is OLD=NEW node ports with blanks between, or `-`.
check: 0 if nothing speaks against it, 1 with the reason.
deploy: creates what is not there. What is there must be as the manifest has it.
"""
import json
import os
import subprocess
import sys
import time

WHOLE_CLUSTER = {"ClusterRole", "ClusterRoleBinding", "PersistentVolume", "Namespace"}
LOOK_SECONDS = 3
LEAK_SECONDS = 720  # a server frees a port that it lost after 6 to 7 minutes


def fail(told):
    """Ends without an answer: neither yes (0) nor no (1)."""
    print(told, file=sys.stderr)
    sys.exit(2)


class Cluster:
    def __init__(self, kubectl, kubeconfig, context, namespace):
        self.namespace = namespace
        self.argv = [kubectl, f"--kubeconfig={kubeconfig}", f"--context={context}"]

    def call(self, *words, body=None):
        given = None if body is None else json.dumps(body)
        return subprocess.run([*self.argv, *words], input=given, stdin=None if given else subprocess.DEVNULL,
                              capture_output=True, text=True)

    def get(self, *words):
        done = self.call("get", *words, "--ignore-not-found", "--output=json")
        if done.returncode != 0:
            fail(done.stderr.strip()[:300])
        return json.loads(done.stdout or "null")

    def holders(self):
        """Which Service of the whole cluster holds each node port."""
        found = {}
        for service in self.get("services", "--all-namespaces")["items"]:
            name = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
            found.update({port["nodePort"]: name for port in service["spec"].get("ports", []) if port.get("nodePort")})
        return found


def objects(path):
    """The objects of a manifest: one List, or objects one behind the other."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    decoder, at, found = json.JSONDecoder(), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found += value["items"] if value.get("kind") == "List" else [value]
    return found


def node_ports(one):
    return [port for port in one.get("spec", {}).get("ports", []) if port.get("nodePort")] if one["kind"] == "Service" else []


def prepared(manifest, own_ports, namespace):
    """The objects with ports of their own, in the namespace; what would reach beyond it ends the program."""
    ports = {} if own_ports == "-" else {int(old): int(new) for old, new in (pair.split("=") for pair in own_ports.split())}
    found = objects(manifest)
    for one in found:
        where = f"{one['kind']} {one['metadata']['name']}"
        if one["kind"] in WHOLE_CLUSTER:
            sys.exit(f"{where} is of the whole cluster: make the manifest with --local-roles")
        if one["kind"] != "StorageClass" and one["metadata"].setdefault("namespace", namespace) != namespace:
            sys.exit(f"{where} is in namespace {one['metadata']['namespace']}, and not in {namespace}")
        for subject in one.get("subjects", []):
            if subject.get("namespace", namespace) != namespace:
                sys.exit(f"{where} gives rights to namespace {subject['namespace']}")
        for port in node_ports(one):
            port["nodePort"] = ports.get(port["nodePort"], port["nodePort"])
    return found


def rivals(cluster, found):
    holders = cluster.holders()
    told = []
    for one in found:
        own = f"{cluster.namespace}/{one['metadata']['name']}"
        told += [f"node port {port['nodePort']} of {own} is held by {holders[port['nodePort']]}"
                 for port in node_ports(one) if holders.get(port["nodePort"], own) != own]
    return told


def missing_classes(cluster, found):
    return [f"StorageClass {one['metadata']['name']} is of the whole cluster and not there: make it yourself"
            for one in found if one["kind"] == "StorageClass" and not cluster.get("storageclass", one["metadata"]["name"])]


def has_all(there, wanted):
    """True if every value of `wanted` is in `there`; a server adds defaults."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(has_all(there.get(key), value) for key, value in wanted.items() if value not in (None, {}, []))
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(has_all, there, wanted))
    return there == wanted


def tell_wait(subject=""):
    """Tells drydock what is waited for from now on, or that nothing is any more."""
    path = os.environ.get("DRYDOCK_PROGRESS")
    if not path:
        return
    now = int(time.time() * 1000)
    waits = {"for": subject, "since_ms": now, "until_ms": now + LEAK_SECONDS * 1000,
             "remedy": "nothing: it does that by itself, mostly within 7 minutes. Delete no service, and give none that port"}
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({"waits": waits} if subject else {}, file)
    os.replace(path + ".new", path)


def create(cluster, one):
    """Creates the object. A node port that nobody has and that is refused was lost by the server, which frees it by itself."""
    kind, name = one["kind"], one["metadata"]["name"]
    until, is_waiting = time.monotonic() + LEAK_SECONDS, False
    while True:
        done = cluster.call("create", "--filename=-", body=one)
        if is_waiting and "already allocated" not in done.stderr:
            tell_wait()
        if done.returncode == 0:
            return print(f"{kind} {name}: made")
        if "AlreadyExists" in done.stderr or "already exists" in done.stderr:
            there = cluster.get(kind, name, f"--namespace={cluster.namespace}")
            wanted = {key: one[key] for key in ("spec", "data", "rules", "roleRef") if key in one}
            if there and (kind == "Secret" or has_all(there, wanted)):
                return print(f"{kind} {name}: is there")
            sys.exit(f"{kind} {name} is there, and is another one than that of the manifest")
        told = rivals(cluster, [one])
        if "already allocated" not in done.stderr or told or time.monotonic() > until:
            sys.exit("; ".join(told) or done.stderr.strip()[:500])
        if not is_waiting:
            print(f"{kind} {name}: a node port is taken by nobody; waiting for the server to free it", flush=True)
            tell_wait(f"the API server to free a node port of {kind} {name}, which no service has")
        is_waiting = True
        time.sleep(LOOK_SECONDS)


def main():
    word, manifest, own_ports, *access = sys.argv[1:]
    cluster = Cluster(*access)
    found = prepared(manifest, own_ports, cluster.namespace)
    told = rivals(cluster, found) + missing_classes(cluster, found)
    if told:
        sys.exit("; ".join(told))
    if word == "deploy":
        for one in found:
            if one["kind"] != "StorageClass":
                create(cluster, one)


main()
