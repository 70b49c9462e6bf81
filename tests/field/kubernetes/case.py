"""What the tests at the API server share: the server of a module, a Service, and what an agent answers.

    def setUpModule() -> None:
        case.start_server(controllers=True)
"""

import os
import shutil
import tempfile
import time
import unittest
from typing import Any

import api_server
from agent import Agent

SERVICES = "/api/v1/namespaces/old/services"
IS_FULL = "DRYDOCK_KUBERNETES_FULL" in os.environ  # builds the server, and waits for leaked ports
PORTS = {"api": 30650, "trace": 30651, "http": 30652}
base = ""
server: api_server.ApiServer


def start_server(controllers: bool = False) -> api_server.ApiServer:
    """The server of the module that calls it, with the namespaces `old` and `new`; or a skip."""
    global base, server
    try:
        api_server.ensure(may_build=IS_FULL)
    except api_server.Unavailable as error:
        raise unittest.SkipTest(f"no API server: {error}") from None
    base = tempfile.mkdtemp(prefix="drydock-kubernetes-")
    unittest.addModuleCleanup(shutil.rmtree, base, ignore_errors=True)
    server = api_server.ApiServer(base)
    unittest.addModuleCleanup(server.close)
    began = time.monotonic()
    server.start(controllers)
    print(f"API server {api_server.build.PROGRAM.version()} ready in {time.monotonic() - began:.1f} s", flush=True)
    for name in ("old", "new"):
        server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return server


def service(name: str, ports: dict[str, int]) -> dict[str, Any]:
    listed = [{"name": one, "port": 600 + number, "nodePort": port}
              for number, (one, port) in enumerate(ports.items())]
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "labels": {"suite": "pachyderm"}},
            "spec": {"type": "NodePort", "selector": {"app": name}, "ports": listed}}


def move(offset: int, ports: dict[str, int] = PORTS, with_tests: bool = True, **more: Any) -> dict[str, Any]:
    """Moves all ports of pachd by `offset`, with the ports before as tests."""
    patch = []
    for name, port in ports.items():
        path = f"/spec/ports/[name={name}]/nodePort"
        patch += [{"op": "test", "path": path, "value": port}] if with_tests else []
        patch += [{"op": "replace", "path": path, "value": str(port + offset)}]
    return {"resource": "services", "namespace": "old", "name": "pachd", "patch": patch, **more}


def ports_of(name: str, namespace: str = "old") -> list[int]:
    answer = server.ask("GET", f"/api/v1/namespaces/{namespace}/services/{name}")
    return [port["nodePort"] for port in answer["spec"]["ports"]]


class Case(unittest.TestCase):
    PORTS = PORTS

    def setUp(self) -> None:
        self.agent = Agent(tempfile.mkdtemp(prefix="agent-", dir=base))
        self.addCleanup(self.agent.close)
        for namespace in ("old", "new"):
            path = f"/api/v1/namespaces/{namespace}/services"
            for one in server.ask("GET", path)["items"]:
                server.ask("DELETE", f"{path}/{one['metadata']['name']}")
        self.pachd = server.ask("POST", SERVICES, service("pachd", self.PORTS))

    def context(self, name: str = "admin") -> dict[str, str]:
        return {"kubeconfig": server.kubeconfig, "context": name}

    def probe(self, context: str = "admin", **probe: Any) -> tuple[str, Any]:
        fact, = self.agent.probe({**self.context(context), **probe})
        self.evidence = fact["evidence"]
        return fact["status"], fact["value"]

    def act(self, request: dict[str, Any], context: str = "admin", within: float = 30) -> tuple[str, str]:
        """(outcome, the error's code or "changed" or "unchanged")."""
        return self.told(self.agent.act({**self.context(context), **request}, within))

    def told(self, result: dict[str, Any]) -> tuple[str, str]:
        self.outcome = result
        if result.get("error"):
            return result["outcome"], result["error"]["code"]
        return result["outcome"], "changed" if result["evidence"]["changed"] else "unchanged"

    def annotate(self, value: str) -> Any:
        return server.merge(f"{SERVICES}/pachd", {"metadata": {"annotations": {"note": value}}})
