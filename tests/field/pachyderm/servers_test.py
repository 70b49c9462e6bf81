#!/usr/bin/env python3
"""Whole migrations of the double by drydock, while servers die under it and somebody changes its Services.

In the order of their names, in one world: each test ends with the old installation in service.
"""

import http.client
import json
import os
import threading
import time
import unittest
from typing import Any

import migration
from etcd_gate import NODE_PORTS, EtcdGate, key_of  # in ../kubernetes
from migrate_case import HALTED, WAITS, Case, full_only, scaled

MANY = 1500  # objects that make the clone long enough to be cut off
SOME = 100  # of them: when so many are there, it is cut off
WORKERS = 8
GONE_SECONDS = 5  # a server that was killed is away for as long as this
LEAK_SECONDS = 9 * 60  # the API server frees a port that it lost, no matter how fast the machine is
SERVICE = "/api/v1/namespaces/default/services/pachd"
BINDING = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/pachyderm"


@full_only
class Servers(Case):
    gate: EtcdGate

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        server = cls.world.site.server
        cls.gate = EtcdGate(server.etcd_port)
        cls.addClassCleanup(cls.gate.close)
        server.kill("kube-apiserver")
        server.store_port = cls.gate.port
        server.start_api_server()
        server.wait_ready()

    def test_1_the_object_store_dies_in_the_middle_of_the_clone(self) -> None:
        """What was copied counts, and the rest is copied when it is back."""
        old, new = (side.store.bucket for side in (self.world.old, self.world.new))
        self.fill(old)
        self.make_plan()
        run = self.begin("apply", self.plan)
        migration.wait_until(lambda: self.first_of(new).count(b"<Key>") == SOME, scaled(240), lambda: "nothing is copied", every=0.02)
        self.server.kill_gateway()
        time.sleep(GONE_SECONDS)
        self.server.start_gateway()
        migration.wait_until(lambda: self.first_of(new), scaled(60), lambda: "radosgw does not start again", every=0.1)
        copied = len(self.world.keys(new))
        self.assertLess(copied, len(self.world.keys(old)), "it was killed too late")
        self.to_the_gate(run)
        print(f"radosgw was killed when {copied} objects were copied; at the gate there are {len(self.world.keys(new))}", flush=True)
        self.go_back()

    def test_2_the_store_of_kubernetes_dies(self) -> None:
        """It is away when the ports are to be moved back."""
        self.make_plan()
        run = self.pause_in_the_clone()
        self.world.site.server.kill("etcd")
        self.go_on()
        time.sleep(GONE_SECONDS)
        self.world.site.server.start_etcd()
        self.to_the_gate(run)
        self.go_back()

    def test_3_a_service_is_annotated(self) -> None:
        """Somebody else's change to another field stays, in the pause as on the way back."""
        self.make_plan()
        run = self.pause_in_the_clone()
        self.world.site.server.merge(SERVICE, {"metadata": {"annotations": {"by": "somebody"}}})
        self.go_on()
        self.to_the_gate(run)
        self.assertEqual(self.ask("GET", SERVICE)["metadata"]["annotations"]["by"], "somebody")
        self.go_back()

    def test_4_a_service_is_made_anew_with_its_old_ports(self) -> None:
        """Clients write in the middle of the clone: the buckets differ. Else pachd is not where it can be asked for its commits."""
        saved = self.saved_service()
        self.make_plan()
        run = self.pause_in_the_clone()
        self.ask("DELETE", SERVICE)
        self.ask("POST", os.path.dirname(SERVICE), saved)
        self.world.wait_written(1)
        self.go_on()
        done = run.wait(scaled(300))
        self.assertEqual(done.code, HALTED, done.text())
        self.assertRegex(" ".join(done.text().split()), "was not found equal to|nothing was committed meanwhile")
        self.go_back()

    def test_5_a_service_is_deleted(self) -> None:
        """pachd cannot be asked any more, so the run stops; with the Service of the pause back, it goes on."""
        self.make_plan()
        run = self.pause_in_the_clone()
        saved = self.saved_service()
        self.ask("DELETE", SERVICE)
        self.go_on()
        done = run.wait(scaled(400))
        self.assertEqual(done.code, HALTED, done.text())
        self.assertIn("nothing was committed meanwhile", " ".join(done.text().split()))
        self.ask("POST", os.path.dirname(SERVICE), saved)
        self.drydock("resume", expect=WAITS)
        self.go_back()

    def test_6_the_binding_is_given_to_another_namespace(self) -> None:
        """As the guide's `pachctl deploy` does: seen before anything is deployed, and put right by a person."""
        self.make_plan()
        run = self.pause_in_the_clone()
        self.bind_to("somewhere")
        self.go_on()
        done = run.wait(scaled(300))
        self.assertEqual(done.code, WAITS, done.text())
        self.assertIn("drydock approve give-back", done.text())
        self.assertEqual(self.world.running(self.world.new), "none")
        self.bind_to(self.world.old.namespace)  # by hand; the gate stays, and nothing is left to do behind it
        self.drydock("approve", "give-back")
        done = self.drydock("resume", expect=WAITS)
        self.assertIn("drydock approve replay", done.text())
        self.go_back()

    def test_7_the_api_server_dies_in_the_middle_of_a_patch(self) -> None:
        """It has taken the ports and written no Service: nobody has them for some minutes. They are waited for, and not fought over."""
        self.make_plan()
        held = self.gate.hold(NODE_PORTS, key_of("default", "pachd"))
        run = self.begin("apply", self.plan)
        self.assertTrue(held.wait(scaled(120)), "the patch does not reach the store")
        server = self.world.site.server
        server.kill("kube-apiserver")
        self.gate.drop()
        server.start_api_server()
        server.wait_ready()
        began = time.monotonic()
        migration.wait_until(self.leaks_that_are_told, scaled(60), lambda: "status does not say what it waits for", every=1)
        wait, = self.leaks_that_are_told()
        self.assertLess(wait["since_ms"], wait["until_ms"])
        self.assertIn("Delete no service", wait["remedy"])
        self.assertRegex(" ".join(self.drydock("status", expect=None).stdout.split()),
                         "waits for the API server to free node port [0-9]+, which no service has since .* until .* at the latest to do: nothing")
        done = run.wait(LEAK_SECONDS + scaled(300))
        self.assertEqual(done.code, WAITS, done.text())
        print(f"at the gate {time.monotonic() - began:.0f} s after the API server was killed", flush=True)
        self.go_back()

    # Parts

    def fill(self, bucket: str) -> None:
        """Objects that are no commit's. Garbage collection is not run here."""
        def put(first: int) -> None:
            for number in range(first, MANY, WORKERS):
                self.world.ask_store("PUT", f"/{bucket}/{number:05}-filler")
        threads = [threading.Thread(target=put, args=(first,)) for first in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def pause_in_the_clone(self) -> Any:
        """A run that stands behind its dump and before its clone until go_on()."""
        self.hooks.once("during-clone", self.until_dumped(), f"touch {self.mark('stands')}", f"until [ -f {self.mark('goes-on')} ]; do sleep 0.1; done",
                        f"rm {self.mark('stands')} {self.mark('goes-on')}")
        run = self.begin("apply", self.plan)
        migration.wait_until(lambda: os.path.exists(self.mark("stands")), scaled(240), lambda: "the clone does not begin")
        return run

    def go_on(self) -> None:
        with open(self.mark("goes-on"), "w", encoding="utf-8"):
            pass

    def mark(self, name: str) -> str:
        return os.path.join(self.scratch, name)

    def to_the_gate(self, run: Any) -> None:
        """The run comes to its gate; one that halts is gone on with once."""
        done = run.wait(scaled(400))
        if done.code == HALTED:
            print("it halted:", " ".join(done.text().split())[-600:], flush=True)
            done = self.drydock("resume", expect=None)
        self.assertEqual(done.code, WAITS, done.text())

    def leaks_that_are_told(self) -> list[Any]:
        """The waits for a port of `status`."""
        done = self.drydock("status", "--json", expect=None)
        waits = [one["waits"] for one in json.loads(done.stdout)["progress"] if "waits" in one]
        return [wait for wait in waits if "free node port" in wait["for"]]

    def first_of(self, bucket: str) -> bytes:
        """A list of the first keys; empty while nobody answers."""
        try:
            return bytes(self.world.ask_store("GET", f"/{bucket}?list-type=2&max-keys={SOME}"))
        except (OSError, RuntimeError, http.client.HTTPException):
            return b""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.world.site.server.ask(method, path, body)

    def bind_to(self, namespace: str) -> None:
        """Gives the rights of ClusterRoleBinding pachyderm to one namespace alone."""
        subject = {"kind": "ServiceAccount", "name": "pachyderm", "namespace": namespace}
        self.world.site.server.merge(BINDING, {"subjects": [subject]})

    def saved_service(self) -> Any:
        """The Service as a person would make it anew."""
        found = self.ask("GET", SERVICE)
        kept = {key: found["metadata"][key] for key in ("name", "namespace", "labels") if key in found["metadata"]}
        spec = {key: found["spec"][key] for key in ("type", "ports", "selector")}
        return {"apiVersion": "v1", "kind": "Service", "metadata": kept, "spec": spec}


if __name__ == "__main__":
    unittest.main()
