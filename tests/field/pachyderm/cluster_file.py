"""What drydock reads about two installations of the double: the cluster file, and all that it names."""

import json
import os
import shlex
from dataclasses import dataclass
from typing import Any

import double
from double import Store
from installation import PACHD_PORT

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(double.HERE)))
OLD_PORTS = (PACHD_PORT, 30651, 30652, 30654, 30655, 30600, 30080, 30081)  # those that a deployment pins
NEW_PORTS = {old: old + 1000 for old in OLD_PORTS}
# The settings of the pack that name ports, in the order of OLD_PORTS, with the port of the pause.
PORTS = (("api", 30649), ("trace", 30648), ("http", 30647), ("saml", 30646), ("git", 30644), ("s3", 30611), ("dash", 30079),
         ("dash_proxy", 30078))


DIAL_SECONDS = "10"  # how long pachctl tries; the real one's 30 are more than drydock gives to a probe


@dataclass(frozen=True)
class Side:
    """One of the two installations."""
    side: str
    member: str
    namespace: str
    release: str
    store: Store


class ClusterFile:
    """Below `base`: cluster.yaml and, for each side, the link to its pachctl, its configuration and its address for clients."""

    def __init__(self, base: str, kubeconfig: str, kubectl: str, node: str, sides: tuple[Side, Side], warm: str = ""):
        """`warm` is the socket of warm.py's server."""
        self.warm = warm
        self.base, self.kubeconfig, self.kubectl, self.node, self.sides = base, kubeconfig, kubectl, node, sides
        self.path = os.path.join(base, "cluster.yaml")
        self.address_file = os.path.join(base, "clients-address")
        self.entry = os.path.join(base, "entry")
        self.drydock = os.path.abspath(os.environ.get("DRYDOCK") or os.path.join(ROOT, "build", "drydock"))

    def write(self, soak: str) -> str:
        """Writes all of it; the path of the cluster file. The manifest of the new side is pachctl's own work."""
        for side in self.sides:
            self._write_pachctl(side)
            self._write_config(side)
        self._write_entry()
        self._write_keys()
        _write(self.path, "\n".join(self._lines(soak)))
        return self.path

    def config(self, side: Side) -> str:
        """The configuration of pachctl that drydock uses for a side."""
        return os.path.join(self.base, f"pachctl-{side.member}.json")

    def pachctl(self, side: Side) -> str:
        """The program `pachctl` of a side."""
        return os.path.join(self.base, side.member, "current", "pachctl")

    def manifest(self, side: Side) -> str:
        return os.path.join(self.base, f"{side.member}.json")

    def port(self, side: Side, is_paused: bool = False) -> int:
        """The node port of a side's pachd."""
        normal = NEW_PORTS[PACHD_PORT] if side is self.sides[1] else PACHD_PORT
        return PORTS[0][1] + normal - PACHD_PORT if is_paused else normal

    # Inside

    def _write_pachctl(self, side: Side) -> None:
        folder = self._release_folder(side.release)
        if not os.path.exists(os.path.join(folder, "pachctl")):
            os.makedirs(folder, exist_ok=True)
            double.write_pachctl(os.path.join(folder, "pachctl"), side.release, {"PACHCTL_DIAL_SECONDS": DIAL_SECONDS}, self.warm)
        os.makedirs(os.path.join(self.base, side.member), exist_ok=True)
        link = os.path.join(self.base, side.member, "current")
        if not os.path.islink(link):
            os.symlink(folder, link)

    def _release_folder(self, release: str) -> str:
        return os.path.join(self.base, f"pachctl-{release}")

    def _write_config(self, side: Side) -> None:
        context = {"source": "IMPORTED", "pachd_address": f"grpc://{self.node}:{self.port(side)}", "cluster_name": "here",
                   "auth_info": "admin", "namespace": side.namespace}
        _write(self.config(side), json.dumps({"user_id": "demo", "v2": {
            "active_context": side.member, "contexts": {side.member: context}, "metrics": False}}, indent=1))

    def _write_entry(self) -> None:
        """Clients read one file with an address; the program writes it."""
        cases = [f"{side.side}) address={self.node}:{self.port(side)} ;;" for side in self.sides]
        lines = ["#!/bin/sh", "# Without a word: which side clients are given. With one: gives them that side's address.", "set -eu",
                 f"cd {shlex.quote(self.base)}", "[ $# = 0 ] && exec cat clients-side", "case $1 in", *cases, "*) exit 2 ;;", "esac",
                 'echo "$address" >clients-address.new && mv clients-address.new clients-address',
                 'echo "$1" >clients-side.new && mv clients-side.new clients-side', ""]
        _write(self.entry, "\n".join(lines), 0o755)
        old = self.sides[0]
        _write(self.address_file, f"{self.node}:{self.port(old)}\n")
        _write(os.path.join(self.base, "clients-side"), f"{old.side}\n")

    def _write_keys(self) -> None:
        store = self.sides[0].store
        _write(os.path.join(self.base, "aws-config"), f"[default]\nregion = us-east-1\nendpoint_url = {store.endpoint}\n")
        _write(os.path.join(self.base, "aws-credentials"), f"[default]\naws_access_key_id = {store.access_key}\n"
               f"aws_secret_access_key = {store.secret_key}\n", 0o600)

    def _lines(self, soak: str) -> list[str]:
        links = {side.release: self._release_folder(side.release) for side in self.sides}
        service = {"command": {word: ["true"] for word in ("start", "stop", "status")}}
        old, new = self.sides
        return ["cluster: demo", "system: pachyderm", "state: ./state", "", "hosts:", "  here: {connect: local}", "",
                "roles:", "  pachd:", "    host: here", f"    service: {json.dumps(service)}",
                f"    release: {json.dumps({'link': self.base + '/${member}/current', 'versions': links})}",
                f"    settings: {json.dumps(self._shared())}", "", "members:",
                f"  - {json.dumps(self._member(old, {}))}", f"  - {json.dumps(self._member(new, self._of_the_new()))}", "",
                "policy:", f"  soak: {soak}",
                f"  backups: {{path: {self.base}/backups, keep: 2}}", ""]

    def _shared(self) -> dict[str, str]:
        places = " ".join(f"{side.side}=admin/{side.namespace}/{self.port(side, True)}" for side in self.sides)
        return {"kubeconfig": self.kubeconfig, "context": "admin", "kubectl": self.kubectl,
                "drydock": self.drydock, "pachctl": "${release}/pachctl", "pach_config": self.base + "/pachctl-${member}.json", "node": self.node,
                "places": places, "entry": self.entry, "aws_config": os.path.join(self.base, "aws-config"),
                "aws_credentials": os.path.join(self.base, "aws-credentials")}

    def _member(self, side: Side, more: dict[str, str]) -> dict[str, Any]:
        return {"role": "pachd", "name": side.member, "side": side.side,
                "settings": {"namespace": side.namespace, "bucket": f"s3://{side.store.bucket}"} | more}

    def _of_the_new(self) -> dict[str, str]:
        """What only the side has that is to be deployed: ports of its own, and where its data come from."""
        old, new = self.sides
        ports = {f"{name}_port": str(NEW_PORTS[normal]) for normal, (name, _) in zip(OLD_PORTS, PORTS)}
        paused = {f"{name}_paused": str(moved + NEW_PORTS[normal] - normal) for normal, (name, moved) in zip(OLD_PORTS, PORTS)}
        own = " ".join(f"{one}={other}" for one, other in NEW_PORTS.items())
        return {"clone_of": f"s3://{old.store.bucket}", "manifest": self.manifest(new), "own_ports": own} | ports | paused


def _write(path: str, text: str, mode: int = 0o644) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)
