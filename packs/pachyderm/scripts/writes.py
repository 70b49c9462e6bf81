"""writes.py KUBECTL KUBECONFIG CONTEXT NAMESPACE PAUSED PLACES ENTRY: prints accepted or refused.

refused: the installation whose address clients are given is not there, is scaled to 0, or answers at node port PAUSED. Which one that
is, ENTRY prints: a side of PLACES, written SIDE=CONTEXT/NAMESPACE, or SIDE=CONTEXT/NAMESPACE/PAUSED with a port of its own. With
PLACES `-` it is the one in CONTEXT and NAMESPACE.
"""
import json
import subprocess
import sys


def fail(told):
    """Ends without an answer: neither yes (0) nor no (1)."""
    print(told, file=sys.stderr)
    sys.exit(2)


def place_of(context, namespace, paused, places, entry):
    if places == "-":
        return context, namespace, paused
    done = subprocess.run([entry], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    for place in places.split():
        side, _, where = place.partition("=")
        if side == done.stdout.strip():
            context, namespace, *own = where.split("/")
            return context, namespace, own[0] if own else paused
    fail(f"{entry} says {done.stdout.strip()!r}, which is no side of {places!r}")


def get(kubectl, kubeconfig, place, kind):
    done = subprocess.run([kubectl, f"--kubeconfig={kubeconfig}", f"--context={place[0]}", f"--namespace={place[1]}", "get", kind,
                           "pachd", "--ignore-not-found", "--output=json"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        fail(done.stderr.strip()[:300])
    return json.loads(done.stdout or "{}")


def main():
    kubectl, kubeconfig, context, namespace, paused, places, entry = sys.argv[1:]
    *place, paused = place_of(context, namespace, paused, places, entry)
    deployment = get(kubectl, kubeconfig, place, "deployment")
    service = get(kubectl, kubeconfig, place, "service")
    ports = [str(port.get("nodePort")) for port in service.get("spec", {}).get("ports", [])]
    runs = deployment and deployment["spec"].get("replicas", 1) > 0
    print("accepted" if runs and service and paused not in ports else "refused")


main()
