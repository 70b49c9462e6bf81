"""A run of drydock that waits until somebody writes into a ConfigMap of a real API server (packs/waiting is its pack).

    wait = Wait(folder, server, context="admin")  # a plan, made and begun
    wait.until_it_waits()
    before = wait.requests()
    seconds = wait.move()                         # writes what it waits for; how long until the run was over
    wait.requests() - before                      # requests about ConfigMaps that the server got
"""

import os
import re
import ssl
import sys
import time
import urllib.request
from collections import Counter

import api_server

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "e2e"))

from limits import scaled  # noqa: E402  (in ../common, like the next one)
from machine import wait_until  # noqa: E402
from program import Running, run_drydock  # noqa: E402  (in ../../e2e)

CONFIG_MAPS = "/api/v1/namespaces/old/configmaps"
CLUSTER = """
cluster: {name}
system: waiting
state: "{folder}/state"
hosts: {{desk: {{connect: local, agent: "{agent}", state: "{folder}/agent"}}}}
roles:
  app:
    service: {{command: {{start: ["true"], stop: ["true"], status: ["true"]}}}}
    release: {{link: "{folder}/current", versions: {{"1.0": "{folder}/1.0", "2.0": "{folder}/2.0"}}}}
    settings: {{kubeconfig: "{kubeconfig}", context: {context}}}
members:
  - {{role: app, name: app, host: desk}}
policy: {{soak: 0s}}
"""


def allow_reader(server: api_server.ApiServer) -> None:
    """Gives the user `reader` the rights to get and list, and none to watch."""
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/old"
    rule = {"apiGroups": [""], "resources": ["services", "configmaps"], "verbs": ["get", "list"]}
    server.ask("POST", f"{roles}/roles", {"metadata": {"name": "reads"}, "rules": [rule]})
    server.ask("POST", f"{roles}/rolebindings", {
        "metadata": {"name": "reads"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reads"},
        "subjects": [{"kind": "Group", "name": "readers"}]})


class Wait:
    def __init__(self, folder: str, server: api_server.ApiServer, context: str):
        self.folder, self.server = folder, server
        for release in ("1.0", "2.0"):
            os.makedirs(os.path.join(folder, release))
        os.symlink(os.path.join(folder, "1.0"), os.path.join(folder, "current"))
        server.call("DELETE", f"{CONFIG_MAPS}/app")
        server.ask("POST", CONFIG_MAPS, {"metadata": {"name": "app"}, "data": {"moved": "no"}})
        text = CLUSTER.format(name=context, folder=folder, agent=os.environ["DRYDOCK"], kubeconfig=server.kubeconfig,
                              context=context)
        self.file = os.path.join(folder, "cluster.yaml")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)
        self.environment = {"DRYDOCK_PACKS": os.path.join(HERE, "packs")}
        plan = os.path.join(folder, "plan.json")
        self._drydock("plan", "-c", self.file, "--to", "2.0", "-o", plan)
        self.running = Running(["apply", plan], folder, self.environment)

    def _drydock(self, *words: str) -> str:
        done = run_drydock(list(words), self.folder, self.environment)
        if done.code != 0:
            raise RuntimeError(f"drydock {' '.join(words)}: {done.text()}")
        return done.stdout

    def until_it_waits(self) -> None:
        def is_waiting() -> bool:
            if self.running.process.poll() is not None:
                raise RuntimeError(f"the run ended with {self.running.wait().text()}")
            return "moved" in run_drydock(["status", "-c", self.file], self.folder, self.environment).stdout

        wait_until(is_waiting, scaled(30), lambda: "it does not begin to wait", every=0.2)

    def requests(self) -> Counter[str]:
        """The requests about ConfigMaps that have ended, by verb."""
        request = urllib.request.Request(self.server.url + "/metrics", headers={"Authorization": "Bearer admin-token"})
        context = ssl.create_default_context(cafile=self.server.path("ca.crt"))
        with urllib.request.urlopen(request, timeout=scaled(60), context=context) as answer:
            text = answer.read().decode()
        counts: Counter[str] = Counter()
        for labels, number in re.findall(r"^apiserver_request_total\{(.*)\} (\S+)$", text, re.M):
            if 'resource="configmaps"' in labels and (verb := re.search('verb="([A-Z]+)"', labels)):
                counts[verb[1]] += int(float(number))
        return counts

    def move(self) -> float:
        began = time.monotonic()
        self.server.merge(f"{CONFIG_MAPS}/app", {"data": {"moved": "yes"}})
        done = self.running.wait(scaled(60))
        if done.code != 0:
            raise RuntimeError(f"the run ended with {done.text()}")
        return time.monotonic() - began

