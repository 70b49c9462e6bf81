"""Doubles of pachctl and kubectl for the tests of packs/pachyderm's scripts: each call reads state.json in its folder and writes it.

They answer in the forms that tests/field/pachyderm describes: values one behind the other, with nothing between them. A double of a
whole pachd, on the real protocol, is there; here are the answers that a test has to choose.
"""

PACHCTL = r'''
import base64, json, os, sys
HOME = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HOME, "state.json")
state = json.load(open(PATH))
args = sys.argv[1:]
open(os.path.join(HOME, "calls"), "a").write(" ".join(args) + "\n")

def out(values):
    sys.stdout.write("".join(json.dumps(value, indent=2) for value in values))
    sys.exit(0)

def save():
    json.dump(state, open(PATH, "w"))
    sys.exit(0)

if args[0] in state.get("fails", []):
    sys.exit("rpc error: it fails")
if args[:2] == ["list", "repo"]:
    out({"repo": {"name": name}} for name in state["repos"])
if args[:2] == ["list", "commit"]:
    repo = state["specs"] if args[2] == "__spec__" else state["repos"][args[2]]
    out({"commit": {"repo": {"name": args[2]}, "id": one}, **({} if one in state["open"] else {"finished": "2026-01-01T00:00:00Z"})}
        for one in repo)
if args[:2] == ["list", "branch"]:
    out([{"branch": {"repo": {"name": args[2]}, "name": "master"}, "name": "master", "head": {"id": (state["repos"][args[2]] or ["-"])[-1]}}])
if args[:2] == ["list", "file"]:
    branch, _, path = args[2].partition(":")
    files = state["files"].get(branch.split("@")[0], {})
    inside = {name: value for name, value in files.items() if name.startswith((path or "") + "/")}
    seen = {}
    for name, value in inside.items():
        rest = name[len(path) + 1:]
        top = f"{path}/{rest.split('/')[0]}"
        kind = "DIR" if "/" in rest else "FILE"
        seen[top] = {"file": {"path": top}, "fileType": kind, "sizeBytes": str(len(value)), "hash": base64.b64encode(value.encode()).decode() if kind == "FILE" else ""}
    out(seen.values())
if args[:2] == ["list", "pipeline"]:
    out({"pipeline": {"name": name}, "state": "PIPELINE_RUNNING" if up else "PIPELINE_PAUSED", **({} if up else {"stopped": True})}
        for name, up in state["pipelines"].items())
if args[:2] == ["list", "job"]:
    out({"job": {"id": str(n)}} for n in range(state["jobs"].get(args[3], 0)))
if args[1:2] == ["pipeline"]:
    state["pipelines"][args[2]] = args[0] == "start"
    save()
if args == ["version"]:
    print("COMPONENT           VERSION             \npachctl             1.0.0               \npachd               " + state["release"])
    sys.exit(0)
if args == ["delete", "all"]:
    print("Are you sure you want to do this? (y/n):", flush=True)
    if sys.stdin.readline()[:1] in ("y", "Y"):
        state["repos"] = {}
    save()
if args == ["fsck"]:
    print(state["fsck"])
    sys.exit(0)
if args[:3] == ["config", "get", "active-context"]:
    print("mine")
elif args[:3] == ["config", "get", "context"]:
    print(json.dumps(state["context"], indent=2))
elif args[:3] == ["config", "update", "context"]:
    state["context"]["pachd_address"] = args[4].partition("=")[2]
    save()
elif args[0] == "extract":
    print("the stream")
elif args[0] == "restore":
    state["restored"] = sys.stdin.read()
    print("auth token abc123", file=sys.stderr)
    save()
else:
    sys.exit(f"unknown command {args}")
'''

KUBECTL = r'''
import json, os, sys
HOME = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HOME, "kube.json")
state = json.load(open(PATH))
options = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--") and "=" in word)
words = [word for word in sys.argv[1:] if not word.startswith("--")]
namespace = options.get("namespace", "")
PLURALS = {"Deployment": "deployments", "Service": "services", "Secret": "secrets", "Role": "roles", "RoleBinding": "rolebindings",
           "ServiceAccount": "serviceaccounts", "StorageClass": "storageclass", "Pod": "pods"}

def plural(kind):
    kind = PLURALS.get(kind, kind)
    return kind if kind in ("storageclass",) else kind.rstrip("s") + "s"

def save():
    json.dump(state, open(PATH, "w"))

if words and words[0] == "proxy":
    import socketserver
    from http.server import BaseHTTPRequestHandler

    class Handler(BaseHTTPRequestHandler):
        def address_string(self): return "socket"
        def log_message(self, *_): pass
        def answer(self, code, body):
            data = json.dumps(body).encode()
            self.send_response(code); self.send_header("Content-Length", str(len(data))); self.end_headers(); self.wfile.write(data)
        def do_GET(self):
            parts = self.path.partition("?")[0].split("/")
            at = parts.index("namespaces")
            if len(parts) == at + 2:
                known = parts[-1] in state["namespaces"]
                return self.answer(200 if known else 404, {} if known else {"message": "namespaces not found"})
            found = [one for key, one in state["objects"].items()
                     if key.startswith(f"{parts[at + 1]}/{parts[-1]}/") and one["metadata"].get("labels", {}).get("suite") == "pachyderm"]
            self.answer(200, {"items": found})
        def do_DELETE(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            parts = self.path.split("/")
            key = "/".join([parts[parts.index("namespaces") + 1], *parts[-2:]])
            one = state["objects"].get(key)
            if one is None:
                return self.answer(404, {})
            if one["metadata"]["uid"] != body["preconditions"]["uid"]:
                return self.answer(409, {"message": "the UID in the precondition does not match"})
            del state["objects"][key]; save()
            self.answer(200, {})

    socketserver.UnixStreamServer(options["unix-socket"], Handler).serve_forever()
if words[0] == "create":
    one = json.load(sys.stdin)
    key = f"{one['metadata'].get('namespace', '')}/{plural(one['kind'])}/{one['metadata']['name']}"
    if key in state["objects"]:
        sys.exit(f"Error from server (AlreadyExists): {key} already exists")
    wanted = {port.get("nodePort") for port in one.get("spec", {}).get("ports", [])} if one["kind"] == "Service" else set()
    if wanted & set(state.get("leaked", [])):
        state["leaked"] = []; save()
        sys.exit("The Service is invalid: spec.ports[0].nodePort: Invalid value: provided port is already allocated")
    if os.path.exists(os.environ.get("DRYDOCK_PROGRESS", "")):
        state["told"] = json.load(open(os.environ["DRYDOCK_PROGRESS"]))  # right before it is made
    one["metadata"]["uid"] = f"uid-{len(state['objects'])}"
    state["objects"][key] = one
    save(); sys.exit(0)
kind = plural(words[1])
if "--all-namespaces" in sys.argv:
    print(json.dumps({"items": [one for key, one in state["objects"].items() if f"/{kind}/" in key]})); sys.exit(0)
if options.get("selector"):
    print("\n".join(f"replicationcontroller/{key.split('/')[-1]}" for key in state["objects"] if f"/{kind}/" in key)); sys.exit(0)
one = state["objects"].get(f"{'' if kind == 'storageclass' else namespace}/{kind}/{words[2]}")
if one is None:
    sys.exit(0)
if options.get("output", "").startswith("jsonpath"):
    print(f"{one['spec']['replicas']} {one['spec']['template']['spec']['containers'][0]['image']}", end="")
else:
    print(json.dumps(one))
'''
