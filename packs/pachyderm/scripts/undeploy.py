"""undeploy.py KUBECTL KUBECONFIG CONTEXT NAMESPACE RECORD: takes one installation of Pachyderm 1.x away, object by object.

Objects of the one namespace with the label suite=pachyderm are listed with their uids and written to RECORD. Each is then deleted on
the condition that it still has its uid. Volume claims, and all that belongs to the whole cluster, stay. A RECORD that is there is
gone on with: what was made since is left alone.

kubectl does the talking to the server (`kubectl proxy` on a socket of its own), since its delete has no condition on the uid.
"""
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

KINDS = [("apis/apps/v1", "deployments"), ("apis/apps/v1", "statefulsets"), ("api/v1", "replicationcontrollers"),
         ("apis/apps/v1", "replicasets"), ("api/v1", "pods"), ("api/v1", "services"), ("api/v1", "configmaps"), ("api/v1", "secrets"),
         ("api/v1", "serviceaccounts"), ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
         ("apis/rbac.authorization.k8s.io/v1", "roles")]
LABEL = quote("suite=pachyderm")


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Server:
    """The API server, behind a proxy that lives as long as this object."""

    def __init__(self, kubectl, kubeconfig, context):
        self.folder = tempfile.TemporaryDirectory(prefix="drydock-")
        self.socket = os.path.join(self.folder.name, "proxy")
        self.proxy = subprocess.Popen([kubectl, f"--kubeconfig={kubeconfig}", f"--context={context}", "proxy",
                                       f"--unix-socket={self.socket}", "--reject-methods=^$"], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not os.path.exists(self.socket):
            if self.proxy.poll() is not None or time.monotonic() > until:
                self.end()
                sys.exit("kubectl proxy did not start")
            time.sleep(0.05)

    def ask(self, method, path, body=None):
        connection = Connection(self.socket)
        try:
            connection.request(method, "/" + path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def end(self):
        self.proxy.terminate()
        self.proxy.wait()
        self.folder.cleanup()


def listed(server, namespace):
    """Every object of the installation: where it is, its name and uid."""
    found = []
    for group, plural in KINDS:
        path = f"{group}/namespaces/{namespace}/{plural}"
        status, answer = server.ask("GET", f"{path}?labelSelector={LABEL}")
        if status != 200:
            sys.exit(f"{path}: {status} {answer.get('message', '')}")
        found += [{"path": path, "name": one["metadata"]["name"], "uid": one["metadata"]["uid"],
                   "app": one["metadata"].get("labels", {}).get("app", "")} for one in answer["items"]]
    return found


def record_of(server, namespace, path):
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    status, answer = server.ask("GET", f"api/v1/namespaces/{namespace}")
    if status != 200:
        sys.exit(f"namespace {namespace}: {answer.get('message', status)}")  # a list in a missing one is empty, and happy
    found = listed(server, namespace)
    servers = [one["name"] for one in found if one["path"].endswith("/deployments") and one["app"] == "pachd"]
    if len(servers) > 1:
        sys.exit(f"two installations share namespace {namespace} ({', '.join(servers)}): the label does not tell them apart")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)
    return found


def delete(server, one):
    """Returns why the object is still there; empty if it goes."""
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": {"uid": one["uid"]}}
    status, answer = server.ask("DELETE", f"{one['path']}/{one['name']}", body)
    print(f"{one['path'].rsplit('/', 1)[-1]} {one['name']} {one['uid']}: {status}")
    if status in (200, 202, 404):
        return ""
    if status == 409:
        return f"{one['name']} was made anew by somebody, and is left alone"
    return f"{one['name']}: {answer.get('message', status)}"


def main():
    kubectl, kubeconfig, context, namespace, record = sys.argv[1:]
    server = Server(kubectl, kubeconfig, context)
    try:
        wrong = [told for told in (delete(server, one) for one in record_of(server, namespace, record)) if told]
    finally:
        server.end()
    if wrong:
        sys.exit("; ".join(wrong))


main()
