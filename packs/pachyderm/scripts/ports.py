"""ports.py KUBECTL KUBECONFIG CONTEXT NAMESPACE SERVICE:HOME=PAUSED...: whether the node ports of a pause are free.

Prints `free`, or who has a port that is to be moved to: services/NAME of namespace NAMESPACE has node port PORT. A Service that has
neither its port HOME nor PAUSED is not moved, so nothing is asked of it: etcd's port may be one that Kubernetes has chosen, and
dash may not be there.
"""
import json
import subprocess
import sys


def fail(told):
    """Ends without an answer."""
    print(told, file=sys.stderr)
    sys.exit(2)


def holders(kubectl, kubeconfig, context):
    """(namespace, name) of the Service that has each node port; there is one space of them for the whole cluster."""
    done = subprocess.run([kubectl, f"--kubeconfig={kubeconfig}", f"--context={context}", "get", "services", "--all-namespaces",
                           "--output=json"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        fail(done.stderr.strip()[:300])
    return {port["nodePort"]: (service["metadata"]["namespace"], service["metadata"]["name"])
            for service in json.loads(done.stdout)["items"] for port in service["spec"].get("ports", []) if port.get("nodePort")}


def main():
    kubectl, kubeconfig, context, namespace, *moves = sys.argv[1:]
    held, told = holders(kubectl, kubeconfig, context), []
    for move in moves:
        service, _, ports = move.partition(":")
        home, paused = map(int, ports.split("="))
        rival = held.get(paused, (namespace, service))
        if held.get(home) == (namespace, service) and rival != (namespace, service):
            told.append(f"services/{rival[1]} of namespace {rival[0]} has node port {paused}")
    print("; ".join(told) or "free")


main()
