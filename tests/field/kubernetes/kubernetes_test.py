#!/usr/bin/env python3
"""drydock's agent at a real API server: what it reads, what it changes, and how each change ends."""

import os
import subprocess
import tempfile
import threading
import time
import unittest
from typing import Any

import api_server
import case
from agent import Agent
from case import PORTS, SERVICES, Case, move, ports_of, service
from limits import scaled
from machine import wait_until
from meddler import Meddler

DEPLOYMENTS = "/apis/apps/v1/namespaces/old/deployments"
ASKED_MS = int(scaled(2) * 1000)  # for a fact that never comes
server: api_server.ApiServer


def setUpModule() -> None:
    global server
    server = case.start_server(controllers=True)
    role = {"metadata": {"name": "reads", "namespace": "old"},
            "rules": [{"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list"]}]}
    server.ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/old/roles", role)
    server.ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/old/rolebindings", {
        "metadata": {"name": "reads"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reads"},
        "subjects": [{"kind": "Group", "name": "readers"}]})


def deployment(name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels},
                                  "spec": {"containers": [{"name": "one", "image": "none"}]}}}}


class Probes(Case):
    OF_PACHD = {"resource": "services", "namespace": "old", "name": "pachd"}

    def test_one_object_and_its_absence(self) -> None:
        self.assertEqual(self.probe(**self.OF_PACHD, pointer="/spec/ports/0/nodePort", type="integer"),
                         ("known", 30650))
        self.assertEqual((self.evidence["uid"], self.evidence["version"]),
                         (self.pachd["metadata"]["uid"], self.pachd["metadata"]["resourceVersion"]))
        self.assertEqual(self.probe(**{**self.OF_PACHD, "name": "gone"}, pointer="/spec/type")[0], "absent")

    def test_a_list_by_label(self) -> None:
        server.ask("POST", SERVICES, {**service("dash", {"ui": 30080})})
        listed = {"resource": "services", "namespace": "old", "labels": "suite=pachyderm"}
        self.assertEqual(self.probe(**listed, count=True, type="integer"), ("known", 2))
        self.assertEqual(self.probe(**listed, collect={"list": "/items", "each": "/metadata/name"}, type="list"),
                         ("known", ["dash", "pachd"]))
        self.assertEqual(self.probe(**{**listed, "labels": "suite=none"}, count=True), ("known", 0))

    def test_a_list_of_many_pages(self) -> None:
        for number in range(230):
            server.ask("POST", "/api/v1/namespaces/new/configmaps", {"metadata": {"name": f"m{number}", "labels": {"many": "yes"}}})
        self.assertEqual(self.probe(resource="configmaps", labels="many=yes", count=True), ("known", 230))

    def test_an_empty_list_of_a_missing_namespace_is_unknown(self) -> None:
        status, _ = self.probe(resource="services", namespace="odl", count=True)
        self.assertEqual(status, "unknown")
        self.assertIn("no namespace odl", self.evidence["problem"])

    def test_several_facts_of_one_reading(self) -> None:
        uid, version = self.agent.probe(
            {**self.context(), **self.OF_PACHD, "pointer": "/metadata/uid"},
            {**self.context(), **self.OF_PACHD, "pointer": "/metadata/resourceVersion"})
        self.assertEqual((uid["value"], version["value"], uid["evidence"]["version"]),
                         (self.pachd["metadata"]["uid"], version["evidence"]["version"], version["value"]))

    def test_rights(self) -> None:
        ask = {"resource": "services", "namespace": "old", "may": ["get", "list"]}
        self.assertEqual(self.probe("reader", **ask), ("known", True))
        self.assertEqual(self.probe("reader", **{**ask, "may": ["get", "patch"]}), ("known", False))
        self.assertEqual(self.evidence["denied"], ["patch"])
        self.assertEqual(self.probe("nobody", **ask), ("known", False))
        self.assertEqual(self.probe("admin", resource="apps/v1/deployments", namespace="old", subresource="scale",
                                    name="pachd", may=["patch"]), ("known", True))

    def test_a_dry_run_writes_nothing_and_takes_nothing(self) -> None:
        server.ask("POST", "/api/v1/namespaces/new/services", service("rival", {"x": 30640}))
        trial = move(-1)
        ask = {key: trial[key] for key in ("resource", "namespace", "name")}
        self.assertEqual(self.probe(**ask, dry_run={"patch": trial["patch"]}), ("known", True))
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))
        self.assertEqual(self.probe(**ask, dry_run={"patch": move(-10)["patch"]}), ("known", False))
        self.assertIn("services/rival of namespace new", self.evidence["refused"])
        free = {"resource": "services", "namespace": "new"}
        for port, is_free in ((30777, True), (30640, False)):
            manifest = service("trial", {"x": port})
            self.assertEqual(self.probe(**free, dry_run={"create": manifest}), ("known", is_free), port)
            self.assertEqual(server.call("GET", "/api/v1/namespaces/new/services/trial")[0], 404)

    def test_who_asks_and_whom(self) -> None:
        ask = {**self.OF_PACHD, "pointer": "/spec/type"}
        self.assertEqual(self.probe("certificate", **ask), ("known", "NodePort"))
        for context, problem in (("nobody", "forbidden"), ("stale", "Unauthorized"), ("other-authority", "TLS"),
                                 ("other-name", "TLS"), ("plugin", "run `kubectl proxy"), ("none", "it has: admin")):
            status, _ = self.probe(context, **ask, deadline_ms=ASKED_MS)  # it asks again until then
            self.assertEqual(status, "unknown", context)
            self.assertIn(problem, self.evidence["problem"])
            self.assertNotIn("admin-token", str(self.evidence))


class Patches(Case):
    def test_there_and_back(self) -> None:
        self.assertEqual(self.act(move(-1)), ("done", "changed"))
        self.assertEqual(ports_of("pachd"), [30649, 30650, 30651])  # two of them swapped places
        self.assertEqual(self.act(move(-1)), ("done", "unchanged"))
        self.assertEqual(self.act(move(0, with_tests=False)), ("done", "changed"))
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))
        kept = server.ask("GET", f"{SERVICES}/pachd")["metadata"]
        self.assertNotIn("annotations", kept)

    def test_another_state_than_planned_is_named(self) -> None:
        server.merge(f"{SERVICES}/pachd", {"spec": {"ports": [{"name": "api", "port": 600, "nodePort": 30700},
                                                              {"name": "trace", "port": 601, "nodePort": 30651},
                                                              {"name": "http", "port": 602, "nodePort": 30652}]}})
        self.assertEqual(self.act(move(-1)), ("failed", "kubernetes.test_failed"))
        self.assertIn("30700, not 30650", self.outcome["error"]["message"])

    def test_all_ports_or_none(self) -> None:
        server.ask("POST", "/api/v1/namespaces/new/services", service("rival", {"x": 30642}))
        self.assertEqual(self.act(move(-10)), ("failed", "kubernetes.port_taken"))
        self.assertIn("services/rival of namespace new", self.outcome["error"]["message"])
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))
        server.ask("DELETE", "/api/v1/namespaces/new/services/rival")
        self.assertEqual(self.act(move(-10)), ("done", "changed"))

    def test_a_real_refusal_is_told_in_the_servers_words(self) -> None:
        self.assertEqual(self.act(move(-20_000)), ("failed", "kubernetes.invalid"))
        self.assertIn("not in the valid range", self.outcome["error"]["message"])
        wrong = move(-1)
        wrong["patch"] = [{"op": "add", "path": "/spec/misspelt", "value": 1}]
        self.assertEqual(self.act(wrong), ("failed", "kubernetes.invalid"))
        self.assertIn("misspelt", self.outcome["error"]["message"])

    def test_without_the_right(self) -> None:
        self.assertEqual(self.act(move(-1), "reader"), ("failed", "kubernetes.not_allowed"))
        self.assertEqual(self.act(move(-1), "nobody"), ("failed", "kubernetes.not_allowed"))
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))

    def test_an_object_that_is_gone_is_not_made_again(self) -> None:
        server.ask("DELETE", f"{SERVICES}/pachd")
        self.assertEqual(self.act(move(-1)), ("failed", "kubernetes.not_found"))
        self.assertEqual(server.call("GET", f"{SERVICES}/pachd")[0], 404)

    def test_another_object_of_that_name_is_left_alone(self) -> None:
        uid = self.pachd["metadata"]["uid"]
        server.ask("DELETE", f"{SERVICES}/pachd")
        server.ask("POST", SERVICES, service("pachd", PORTS))
        self.assertEqual(self.act(move(-1, uid=uid)), ("failed", "kubernetes.recreated"))
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))

    def test_scaling_to_none_and_back(self) -> None:
        server.ask("POST", DEPLOYMENTS, deployment("pachd", 2))
        self.addCleanup(server.call, "DELETE", f"{DEPLOYMENTS}/pachd")
        ask = {"resource": "apps/v1/deployments", "namespace": "old", "name": "pachd"}
        pods = {"resource": "pods", "namespace": "old", "labels": "app=pachd", "count": True}
        self.wait_for(lambda: self.probe(**pods), ("known", 2))
        self.assertEqual(server.mark_ready("old"), 2)
        self.wait_for(lambda: self.probe(**ask, pointer="/status/readyReplicas"), ("known", 2))
        self.assertEqual(self.act({**ask, "scale": "0"}), ("done", "changed"))
        self.assertEqual(self.act({**ask, "scale": 0}), ("done", "unchanged"))
        self.wait_for(lambda: self.probe(**pods), ("known", 0))
        self.wait_for(lambda: self.probe(**ask, equal=["/metadata/generation", "/status/observedGeneration"]),
                      ("known", True))
        self.assertEqual(self.act({**ask, "scale": 2}), ("done", "changed"))
        self.wait_for(lambda: self.probe(**pods), ("known", 2))

    def wait_for(self, ask: Any, expected: Any) -> None:
        wait_until(lambda: ask() == expected, scaled(30), lambda: f"{ask()} is not {expected}", every=0.1)


class Busy(Case):
    def test_somebody_annotates_all_the_time(self) -> None:
        """Conflicts with writers that change something else are settled, and their words are kept."""
        stopped = threading.Event()
        written: list[str] = []

        def annotate() -> None:
            while not stopped.is_set():
                self.annotate(str(len(written)))
                written.append("x")
                time.sleep(0.05)

        request = move(0)  # of no ports: those of a patch that loses a race would leak
        writer = threading.Thread(target=annotate)
        writer.start()
        try:
            for name in ("one", "two", "three", "four"):
                request["patch"] = [{"op": "replace", "path": "/metadata/labels/suite", "value": name}]
                self.assertEqual(self.act(request), ("done", "changed"), self.outcome)
        finally:
            stopped.set()
            writer.join()
        metadata = server.ask("GET", f"{SERVICES}/pachd")["metadata"]
        self.assertGreater(len(written), 2)
        self.assertEqual((metadata["labels"], metadata["annotations"]),
                         ({"suite": "four"}, {"note": str(len(written) - 1)}))


class InBetween(Case):
    """Somebody else acts between the reading of an object and its patch."""

    def setUp(self) -> None:
        super().setUp()
        self.meddler = self.enterContext(Meddler(server))

    def act_there(self, request: dict[str, Any]) -> tuple[str, str]:
        return self.told(self.agent.act({"proxy": self.meddler.url, **request}))

    def delete(self) -> None:
        server.ask("DELETE", f"{SERVICES}/pachd")

    def recreate(self) -> None:
        self.delete()
        server.ask("POST", SERVICES, service("pachd", PORTS))

    def test_annotates_it_once(self) -> None:
        self.meddler.before("PATCH", lambda: self.annotate("kept"))
        self.assertEqual(self.act_there(move(-1)), ("done", "changed"))
        self.assertEqual(self.meddler.requests, ["GET", "PATCH", "GET", "PATCH", "GET"])
        self.assertEqual(server.ask("GET", f"{SERVICES}/pachd")["metadata"]["annotations"], {"note": "kept"})

    def test_annotates_it_every_time(self) -> None:
        numbers = iter(range(100))
        self.meddler.before("PATCH", lambda: self.annotate(str(next(numbers))), times=100)
        self.assertEqual(self.act_there(move(-1)), ("failed", "kubernetes.conflict"))
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))

    def test_deletes_it(self) -> None:
        self.meddler.before("PATCH", self.delete)
        self.assertEqual(self.act_there(move(-1)), ("failed", "kubernetes.not_found"))
        self.assertEqual(server.call("GET", f"{SERVICES}/pachd")[0], 404)

    def test_makes_it_anew(self) -> None:
        self.meddler.before("PATCH", self.recreate)
        self.assertEqual(self.act_there(move(-1)), ("failed", "kubernetes.recreated"))
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))

    def test_moves_it_elsewhere(self) -> None:
        patch = [{"op": "replace", "path": "/spec/ports/0/nodePort", "value": 30700}]
        self.meddler.before("PATCH", lambda: server.ask("PATCH", f"{SERVICES}/pachd", patch,
                                                        "application/json-patch+json"))
        self.assertEqual(self.act_there(move(-1)), ("failed", "kubernetes.test_failed"))
        self.assertEqual(ports_of("pachd")[0], 30700)

    def test_takes_a_port(self) -> None:
        rival = service("rival", {"x": 30649})
        self.meddler.before("PATCH", lambda: server.ask("POST", "/api/v1/namespaces/new/services", rival))
        self.assertEqual(self.act_there(move(-1)), ("failed", "kubernetes.port_taken"))
        self.assertIn("services/rival of namespace new", self.outcome["error"]["message"])
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))

    def test_a_lost_answer_is_settled_by_the_same_request(self) -> None:
        self.meddler.lose("PATCH")
        self.assertEqual(self.act_there(move(-1)), ("done", "changed"))
        self.assertEqual(self.meddler.requests, ["GET", "PATCH", "PATCH", "GET"])
        self.assertEqual(ports_of("pachd"), [30649, 30650, 30651])
        for method, request in (("POST", Objects.DASH), ("DELETE", self.deletion())):
            self.meddler.lose(method)
            self.assertEqual(self.act_there(request), ("done", "changed"), method)
        self.assertEqual(server.call("GET", f"{SERVICES}/pachd")[0], 404)

    def deletion(self) -> dict[str, Any]:
        return {"resource": "services", "namespace": "old", "name": "pachd",
                "delete": {"uid": self.pachd["metadata"]["uid"]}}


class Objects(Case):
    DASH = {"resource": "services", "namespace": "old", "create": service("dash", {"ui": 30080})}

    def test_created_once(self) -> None:
        self.assertEqual(self.act(self.DASH), ("done", "changed"))
        self.assertEqual(self.act(self.DASH), ("done", "unchanged"))
        other = {**self.DASH, "create": service("dash", {"ui": 30081})}
        self.assertEqual(self.act(other), ("failed", "kubernetes.exists"))
        self.assertEqual(ports_of("dash"), [30080])
        taken = {**self.DASH, "create": service("twin", {"api": 30650})}
        self.assertEqual(self.act(taken), ("failed", "kubernetes.invalid"))
        self.assertIn("already allocated", self.outcome["error"]["message"])

    def test_deleted_by_uid_only(self) -> None:
        ask = {"resource": "services", "namespace": "old", "name": "pachd"}
        uid = self.pachd["metadata"]["uid"]
        server.ask("DELETE", f"{SERVICES}/pachd")
        anew = server.ask("POST", SERVICES, service("pachd", PORTS))["metadata"]["uid"]
        self.assertEqual(self.act({**ask, "delete": {"uid": uid}}), ("failed", "kubernetes.recreated"))
        self.assertEqual(self.act({**ask, "delete": {"uid": ""}}), ("failed", "kubernetes.uid"))
        self.assertEqual(ports_of("pachd"), list(PORTS.values()))
        self.assertEqual(self.act({**ask, "delete": {"uid": anew}}), ("done", "changed"))
        self.assertEqual(self.act({**ask, "delete": {"uid": anew}}), ("done", "unchanged"))
        self.assertEqual(server.call("GET", f"{SERVICES}/pachd")[0], 404)

    def test_what_a_finalizer_keeps_is_not_called_gone(self) -> None:
        server.merge(f"{SERVICES}/pachd", {"metadata": {"finalizers": ["example.org/keeps"]}})
        request = {"resource": "services", "namespace": "old", "name": "pachd",
                   "delete": {"uid": self.pachd["metadata"]["uid"]}}
        self.assertEqual(self.act(request, within=3), ("unknown", "kubernetes.still_there"))
        self.assertEqual(self.outcome["evidence"]["finalizers"], ["example.org/keeps"])
        self.agent.begin({**self.context(), **request})
        server.merge(f"{SERVICES}/pachd", {"metadata": {"finalizers": None}})
        self.assertEqual(self.told(self.agent.result())[0], "done")

    def test_a_namespace_that_is_not_there(self) -> None:
        self.assertEqual(self.act({**self.DASH, "namespace": "odl"}), ("failed", "kubernetes.not_found"))
        self.assertEqual(self.act({**self.DASH, "namespace": ""}), ("failed", "kubernetes.name"))


class Proxy(Case):
    def start_proxy(self, context: str) -> str:
        socket = os.path.join(case.base, f"{context}.sock")
        proxy = subprocess.Popen(server.kubectl("--context", context, "proxy", f"--unix-socket={socket}"),
                                 stdout=subprocess.DEVNULL)
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.kill)
        wait_until(lambda: os.path.exists(socket), scaled(20), lambda: "the proxy does not come up")
        return f"unix://{socket}"

    def test_the_socket_of_kubectl_proxy(self) -> None:
        """An exec plugin is kubectl's affair: its proxy has the credentials, the agent has the socket."""
        for context in ("reader", "plugin"):  # the plugin gives the reader's token
            proxy = self.start_proxy(context)
            fact, = self.agent.probe({"proxy": proxy, **Probes.OF_PACHD, "pointer": "/spec/type"})
            self.assertEqual((fact["status"], fact["value"]), ("known", "NodePort"), fact)
            result = self.agent.act({**move(-1), "proxy": proxy})
            self.assertEqual(self.told(result), ("failed", "kubernetes.not_allowed"))
        result = self.agent.act({**move(-1), "proxy": self.start_proxy("admin")})
        self.assertEqual(self.told(result), ("done", "changed"))

    def test_an_agent_inside_a_pod(self) -> None:
        """`connect: [kubectl, exec, -i, POD, --]`: a stand-in for kubectl, since no pod runs here."""
        agent = Agent(tempfile.mkdtemp(prefix="agent-", dir=case.base),
                      [os.path.join(api_server.FIELD, "common", "kubectl_stub"), "exec", "-i", "pachd-0", "--"])
        self.addCleanup(agent.close)
        fact, = agent.probe({**self.context(), **Probes.OF_PACHD, "pointer": "/spec/type"})
        self.assertEqual((fact["status"], fact["value"]), ("known", "NodePort"), fact)


if __name__ == "__main__":
    unittest.main()
