"""deploy and undeploy: the objects of Kubernetes, through kubectl as the real pachctl does."""

import json
import os
import subprocess
import sys
from typing import Any

import manifest
from client import Flags, release
from command_admin import confirmed
from contexts import Contexts
from protocol import Refused, parse_release

KINDS = ("service", "replicationcontroller", "deployment", "serviceaccount", "secret", "statefulset", "clusterrole",
         "clusterrolebinding")
FROM_CONTEXT_SINCE = (1, 11, 9)  # before that, kubectl's current context says what is taken down
KINDS_OF_ALL = ("storageclass", "persistentvolumeclaim", "persistentvolume")


def deploy_amazon(arguments: list[str], flags: Flags) -> None:
    bucket, region, size = arguments
    access_key, _, secret_key = flags.text("credentials").partition(",")
    if not flags.text("iam-role") and not secret_key:
        raise Refused("one of --credentials, --vault, or --iam-role needs to be provided")
    if not flags.text("dynamic-etcd-nodes"):
        raise Refused("unless deploying locally, either --dynamic-etcd-nodes or --static-etcd-volume needs to be provided")
    namespace = flags.text("namespace") or _kubernetes().get("namespace") or "default"
    secret = {"amazon-bucket": bucket, "amazon-region": region, "amazon-distribution": "", "amazon-id": access_key,
              "amazon-secret": secret_key, "amazon-token": "", "custom-endpoint": flags.text("custom-endpoint"),
              "reverse": flags.text("reverse") or "true"}
    options = manifest.Options(release(), namespace, secret, flags.is_set("local-roles"), flags.is_set("no-dashboard"), size)
    text = "\n".join(json.dumps(value, indent=2) for value in manifest.objects(options)) + "\n"
    if flags.is_set("dry-run"):
        sys.stdout.write(text)
        return
    _kubectl("apply", "-f", "-", "--validate=false", "--namespace", namespace, data=text)
    print('\nPachyderm is launching. Check its status with "kubectl get all"')
    if not flags.is_set("no-dashboard"):
        print('Once launched, access the dashboard by running "pachctl port-forward"')
    print("")
    contexts = Contexts()
    found = _kubernetes()
    contexts.add(flags.text("context") or "aws", {"source": "IMPORTED", "cluster_name": found.get("cluster", ""),
                                                  "auth_info": found.get("user", ""), "namespace": namespace})
    contexts.write()


def undeploy(_: list[str], flags: Flags) -> None:
    """By label, and with the cluster-scoped objects: those of every other installation in this Kubernetes, too."""
    namespace = flags.text("namespace")
    if namespace:
        print("WARNING: The `--namespace` flag is deprecated and will be removed in a future version. Please set the "
              "namespace in the pachyderm context instead: pachctl config update context `pachctl config get active-context` "
              f"--namespace '{namespace}'")
    if not confirmed():
        return
    if not namespace and parse_release(release()) >= FROM_CONTEXT_SINCE:
        contexts = Contexts()
        namespace = contexts.all[contexts.active].get("namespace", "")
    namespace = namespace or _kubernetes().get("namespace") or "default"
    for kind in KINDS + (KINDS_OF_ALL if flags.is_set("all") else ()):
        _kubectl("delete", kind, "-l", "suite=pachyderm", "--namespace", namespace)


def _kubectl(*words: str, data: str = "") -> None:
    sys.stdout.flush()
    try:
        done = subprocess.run(["kubectl", *words], input=data.encode(), check=False)
    except FileNotFoundError as error:
        raise Refused('exec: "kubectl": executable file not found in $PATH') from error
    if done.returncode != 0:
        raise Refused(f"exit status {done.returncode}")


def _kubernetes() -> dict[str, Any]:
    """The current context of kubectl: cluster, user, namespace."""
    path = os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")
    done = subprocess.run(["kubectl", "--kubeconfig", path, "config", "view", "--minify", "-o", "json"], capture_output=True,
                          check=False)
    if done.returncode != 0:
        return {}
    contexts = json.loads(done.stdout).get("contexts") or [{}]
    found: dict[str, Any] = contexts[0].get("context", {})
    return found
