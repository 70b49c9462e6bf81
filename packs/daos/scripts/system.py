#!/usr/bin/env python3
"""system.py WHAT RELEASE CONTROL AGENT [COPIER [KEPT [MOUNTS DRYDOCK BACKUP]]]: asks DAOS, and does the steps that it has no command for.

level, writes, upgrades, idle, not-posix   print a fact; nothing where no engine serves
quiesce, release                           take the pools' ACLs from users, and give them back
out, in                                    copy all containers out, and back into pools that are made again
stop, upgrade                              stop the system's engines; upgrade every pool
All may be repeated. 1.x prints text and names pools by --pool; 2.x has JSON.
"""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

LAYOUTS = ("2.0", "2.2", "2.4", "2.6", "2.8")  # by global_version
# Properties of a container that can be given when it is made. The others are DAOS' own.
SETTABLE = ("cksum", "cksum_size", "srv_cksum", "compression", "dedup", "dedup_threshold", "encryption", "rf", "ec_cell")
COPIER_ACCESS = "rwdtTaAo"
TRIES = 3  # of a pool's upgrade, in one attempt of the step
POLL_SECONDS = 1


class Failed(Exception):
    """A command of DAOS or drydock said no."""


class Daos:
    def __init__(self, release: str, control: str, agent: str):
        self.release, self.control = release, control
        self.env = {**os.environ, "DAOS_AGENT_DRPC_DIR": agent}
        self.version = re.sub(r".*?(\d+\.\d+)\.\d+.*", r"\1", self.dmg("version").strip(), flags=re.S)
        self.is_old = self.version.startswith("1.")

    def dmg(self, *words: str) -> str:
        return self._run([os.path.join(self.release, "bin", "dmg"), "-o", self.control, *words])

    def daos(self, *words: str) -> str:
        return self._run([os.path.join(self.release, "bin", "daos"), *words])

    def dmg_json(self, *words: str) -> Any:
        return json.loads(self.dmg("-j", *words))["response"]

    def daos_json(self, *words: str) -> Any:
        return json.loads(self.daos(*words, "-j"))["response"]

    def _run(self, argv: list[str]) -> str:
        done = subprocess.run(argv, capture_output=True, text=True, env=self.env, check=False)
        if done.returncode:
            raise Failed(f"{' '.join(argv)}: {done.stderr.strip()}")
        return done.stdout

    def pool(self, command: str, pool: str, *words: str) -> str:
        """A command of dmg for one pool."""
        return self.dmg("pool", command, *([f"--pool={pool}"] if self.is_old else [pool]), *words)

    # What there is

    def pools(self) -> list[dict[str, Any]]:
        """Label (may be empty) and uuid of each."""
        if not self.is_old:
            return list(self.dmg_json("pool", "list")["pools"])
        rows = [line.split() for line in self.dmg("pool", "list").splitlines()]
        return [{"label": "", "uuid": row[0]} for row in rows if row and re.fullmatch("[0-9a-f-]{36}", row[0])]

    def containers(self, pool: str) -> list[str]:
        if self.is_old:
            return re.findall("^[0-9a-f-]{36}$", self.daos("pool", "list-cont", f"--pool={pool}"), re.M)
        return [one["uuid"] for one in self.daos_json("container", "list", pool)]

    def at(self, pool: str, container: str = "") -> list[str]:
        if self.is_old:
            return [f"--pool={pool}", *([f"--cont={container}"] if container else [])]
        return [pool, *([container] if container else [])]

    def properties(self, pool: str, container: str) -> dict[str, str]:
        if self.is_old:
            text = self.daos("container", "get-prop", *self.at(pool, container))
            return dict(re.findall("^([a-z_]+): (.*)$", text, re.M))
        return {one["name"]: one["value"] for one in self.daos_json("container", "get-prop", pool, container)}

    def attributes(self, kind: str, pool: str, container: str = "") -> dict[str, str]:
        where = self.at(pool, container)
        if self.is_old:
            names = self.daos(kind, "list-attrs", *where).splitlines()[1:]
            return {name: self.daos(kind, "get-attr", *where, f"--attr={name}").rstrip("\n") for name in names if name}
        return {name: self.daos_json(kind, "get-attr", *where, name)["value"] for name in self.daos_json(kind, "list-attrs", *where)}

    def container(self, pool: str, uuid: str) -> dict[str, Any]:
        properties = self.properties(pool, uuid)
        return {"uuid": uuid, "label": properties.get("label", ""), "type": properties.get("layout_type", "unknown"),
                "properties": {name: value for name, value in properties.items() if name in SETTABLE},
                "attributes": self.attributes("container", pool, uuid), **parse_acl(self.daos("container", "get-acl", *self.at(pool, uuid)))}

    def survey(self) -> list[dict[str, Any]]:
        """All pools with all containers, but for the pools' ACLs."""
        found = []
        for one in self.pools():
            sizes = dict(re.findall(r"(SCM|NVMe|NVME)\)?:\s+Total size: (.*)", self.pool("query", one["uuid"])))
            found.append({"uuid": one["uuid"], "label": one["label"] or f"pool-{one['uuid'][:8]}", "attributes": self.attributes("pool", one["uuid"]),
                          "scm": sizes.get("SCM", "").replace(" ", ""), "nvme": sizes.get("NVMe", sizes.get("NVME", "")).replace(" ", ""),
                          "containers": [self.container(one["uuid"], uuid) for uuid in self.containers(one["uuid"])]})
        return found


def parse_acl(text: str) -> dict[str, Any]:
    owner, group = (re.search(f"^# {name}: (.*)$", text, re.M) for name in ("Owner", "Owner Group"))
    return {"acl": [line for line in text.splitlines() if line and not line.startswith("#")],
            "owner": owner.group(1) if owner else "", "group": group.group(1) if group else ""}


# Facts

def unserved(what: str, kept: str) -> str:
    """What holds while no engine serves: nobody writes, and the storage is as it was when users were kept out. Else nothing."""
    version = load(os.path.join(kept, "acls.json"), {}).get("version", "")
    return "refused" if what == "writes" and version else version if what == "level" else ""


def level(daos: Daos) -> str:
    if daos.is_old:
        return daos.version if daos.pools() is not None else ""
    versions = [one["pool_layout_ver"] for one in daos.pools()]
    return LAYOUTS[min(versions)] if versions else daos.version


def writes(daos: Daos, copier: str) -> str:
    acls = [parse_acl(daos.pool("get-acl", one["uuid"]))["acl"] for one in daos.pools()]
    return "accepted" if any("w" in entry.split(":")[3] for acl in acls for entry in acl if entry.split(":")[2] != copier) else "refused"


def upgrade_status(daos: Daos, pool: str) -> str:
    return str(daos.dmg_json("pool", "get-prop", pool, "upgrade_status")[0]["value"])


def upgrades(daos: Daos) -> str:
    states = set() if daos.is_old or daos.version == "2.0" else {upgrade_status(daos, one["uuid"]) for one in daos.pools()}
    return "failed" if "failed" in states else "running" if "in progress" in states else "none"


def idle(daos: Daos) -> str:
    told = [daos.pool("query", one["uuid"]) for one in daos.pools()]
    return "yes" if all("disabled=0" in text and re.search("Rebuild (idle|done)", text) for text in told) else "no"


def not_posix(daos: Daos) -> str:
    kinds = [daos.properties(one["uuid"], uuid).get("layout_type") for one in daos.pools() for uuid in daos.containers(one["uuid"])]
    return str(sum(kind != "POSIX" for kind in kinds))


# Users kept out, and let in

def quiesce(daos: Daos, copier: str, kept: str) -> None:
    """Kept first, then taken: users read on, and nobody but the copier can write."""
    acls = load(os.path.join(kept, "acls.json"), {})
    acls["version"] = daos.version
    for one in daos.pools():
        acls.setdefault(one["uuid"], parse_acl(daos.pool("get-acl", one["uuid"])))
    save(os.path.join(kept, "acls.json"), acls)
    for one in daos.pools():
        entries = [without_write(entry) for entry in acls[one["uuid"]]["acl"] if entry.split(":")[2] != copier]
        overwrite(daos, one["uuid"], [*entries, f"A::{copier}:rw"], kept)
        daos.pool("evict", one["uuid"])
    save(os.path.join(kept, "survey.json"), [{**one, **acls[one["uuid"]]} for one in daos.survey()])


def without_write(entry: str) -> str:
    kind, flags, principal, access = entry.split(":")
    return f"{kind}:{flags}:{principal}:{access.replace('w', '')}"


def release(daos: Daos, kept: str) -> None:
    """Pools of before the format are known by their UUID, those that were made again by their label."""
    acls = load(os.path.join(kept, "acls.json"), {})
    for one in load(os.path.join(kept, "survey.json"), []):
        acls.setdefault(one["label"], {"acl": one["acl"]})
    for one in daos.pools():
        known = acls.get(one["uuid"]) or acls.get(one["label"])
        if known:
            overwrite(daos, one["uuid"], known["acl"], kept)
    for name in ("survey.json", "acls.json"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(kept, name))


def overwrite(daos: Daos, pool: str, entries: list[str], kept: str) -> None:
    with acl_file(kept, entries) as path:
        daos.pool("overwrite-acl", pool, "-a", path)


@contextlib.contextmanager
def acl_file(folder: str, entries: list[str]) -> Iterator[str]:
    path = os.path.join(folder, "acl.part")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(entry + "\n" for entry in entries))
    yield path
    os.unlink(path)


# Containers out and in

class Mover:
    def __init__(self, daos: Daos, mounts: str, drydock: str, backup: str):
        self.daos, self.mounts, self.drydock, self.backup = daos, mounts, drydock, backup

    @contextlib.contextmanager
    def mounted(self, pool: str, container: str) -> Iterator[str]:
        folder = os.path.join(self.mounts, "container")
        os.makedirs(self.mounts, exist_ok=True)
        unmount(folder)
        os.makedirs(folder, exist_ok=True)
        words = ["--mountpoint", folder, "--pool", pool, "--container", container]
        if subprocess.run([os.path.join(self.daos.release, "bin", "dfuse"), *words], env=self.daos.env, check=False).returncode:
            raise Failed(f"dfuse does not mount {pool}/{container}")
        try:
            yield folder
        finally:
            unmount(folder)

    def places(self, pool: str, container: str) -> tuple[str, str]:
        """The folder of a copy, and its manifest."""
        folder = os.path.join(self.backup, "containers", pool)
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, container), os.path.join(folder, container + ".jsonl")

    def run(self, *words: str, well: tuple[int, ...] = (0,)) -> None:
        code = subprocess.run([self.drydock, *words], check=False).returncode
        if code not in well:
            raise Failed(f"drydock {' '.join(words)} ended with {code}")

    def out(self, pool: str, container: str) -> str:
        """The digest of the manifest, when the copy was read again from the disk and equals it."""
        copy, manifest = self.places(pool, container)
        with self.mounted(pool, container) as source:
            self.run("copy", source, copy, "--manifest", manifest, "--journal", os.path.join(self.backup, "journal"), "--replace")
            self.run("verify", source, copy)
        self.run("verify", manifest, copy, "--from-disk")
        with open(manifest, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def back(self, old: tuple[str, str], new: tuple[str, str], owner: str, group: str) -> None:
        """Copied while the container is the copier's; compared when it is its owner's again."""
        copy, manifest = self.places(*old)
        with self.mounted(*new) as target:
            # 1: the target does not take all. What counts is the comparison.
            self.run("copy", copy, target, "--attributes", manifest, "--journal", os.path.join(self.backup, "journal"), "--replace", well=(0, 1))
        self.daos.daos("container", "set-owner", *new, f"--user={owner}", f"--group={group}")
        with self.mounted(*new) as target:
            self.run("verify", manifest, target)


def unmount(folder: str) -> None:
    if os.path.lexists(folder):
        subprocess.run(["fusermount3", "-u", "-q", "-z", folder], check=False, stderr=subprocess.DEVNULL)


def copy_out(mover: Mover, kept: str) -> None:
    survey = load(os.path.join(kept, "survey.json"), None)
    if survey is None:
        raise Failed(f"{kept}/survey.json is not there: the step before makes it")
    all_of_them = [(pool["uuid"], one["uuid"]) for pool in survey for one in pool["containers"]]
    digests = {}
    for done, (pool, container) in enumerate(all_of_them):
        tell(done, len(all_of_them), "containers")
        digests[f"{pool}/{container}"] = mover.out(pool, container)
    save(os.path.join(mover.backup, "survey.json"), survey)
    save(os.path.join(mover.backup, "proved.json"), digests)


def copy_in(mover: Mover, kept: str, copier: str) -> None:
    survey = load(os.path.join(mover.backup, "survey.json"), None)
    if survey is None:
        raise Failed(f"{mover.backup}/survey.json is not there: the copy was not proved")
    all_of_them = [(pool, one) for pool in survey for one in pool["containers"]]
    for pool in survey:
        make_pool(mover.daos, pool, copier, kept)
    for done, (pool, container) in enumerate(all_of_them):
        tell(done, len(all_of_them), "containers")
        bring_back(mover, pool, container, copier, kept)
    save(os.path.join(mover.backup, "restored.json"), {"containers": len(all_of_them)})


def make_pool(daos: Daos, pool: dict[str, Any], copier: str, kept: str) -> None:
    if pool["label"] not in [one["label"] for one in daos.pools()]:
        sizes = [word for name in ("scm", "nvme") if pool[name] for word in (f"--{name}-size", pool[name])]
        with acl_file(kept, [f"A::{copier}:rw"]) as path:
            daos.dmg("pool", "create", pool["label"], *sizes, "-u", pool["owner"], "-g", pool["group"], "-a", path)
    for name, value in pool["attributes"].items():
        daos.daos("pool", "set-attr", pool["label"], name, value)


def bring_back(mover: Mover, pool: dict[str, Any], one: dict[str, Any], copier: str, kept: str) -> None:
    daos, label = mover.daos, one["label"] or f"container-{one['uuid'][:8]}"
    if label not in [each["label"] for each in daos.daos_json("container", "list", pool["label"])]:
        properties = ",".join(f"{name}:{value}" for name, value in one["properties"].items())
        with acl_file(kept, [f"A::{copier}:{COPIER_ACCESS}"]) as path:
            daos.daos("container", "create", pool["label"], label, "--type", one["type"], *(["--properties", properties] if properties else []),
                      "--acl-file", path)
    for name, value in one["attributes"].items():
        daos.daos("container", "set-attr", pool["label"], label, name, value)
    mover.back((pool["uuid"], one["uuid"]), (pool["label"], label), one["owner"], one["group"])
    with acl_file(kept, one["acl"]) as path:
        daos.daos("container", "overwrite-acl", pool["label"], label, "--acl-file", path)
    compare(daos.container(pool["label"], label), {**one, "label": label})


def compare(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name in ("label", "type", "properties", "attributes", "acl", "owner", "group"):
        if found[name] != wanted[name]:
            raise Failed(f"container {wanted['label']}: {name} is {found[name]}, and was {wanted[name]}")


# The system

def stop(daos: Daos) -> None:
    for one in daos.pools():
        daos.pool("evict", one["uuid"])
    daos.dmg("system", "stop")


def upgrade(daos: Daos) -> None:
    pools = daos.pools()
    for done, one in enumerate(pools):
        tell(done, len(pools), "pools")
        upgrade_pool(daos, one["uuid"])


def upgrade_pool(daos: Daos, pool: str) -> None:
    """Asked for, then waited for; one that failed is asked for again."""
    for _ in range(TRIES):
        if upgrade_status(daos, pool) != "in progress":
            daos.pool("evict", pool)
            daos.pool("upgrade", pool)
        while upgrade_status(daos, pool) == "in progress":
            time.sleep(POLL_SECONDS)
        if upgrade_status(daos, pool) != "failed":
            return
    raise Failed(f"the upgrade of pool {pool} has failed {TRIES} times; nobody can connect to it until it succeeds")


# Files

def load(path: str, missing: Any) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return missing


def save(path: str, value: Any) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def tell(done: int, of: int, unit: str) -> None:
    path = os.environ.get("DRYDOCK_PROGRESS")
    if path:
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump({"done": done, "of": of, "unit": unit}, file)
        os.replace(path + ".part", path)


FACTS = {"level": level, "upgrades": upgrades, "idle": idle, "not-posix": not_posix}


def main(argv: list[str]) -> int:
    what, linked, control, agent, *more = argv
    is_fact = what in FACTS or what == "writes"
    try:
        daos = Daos(linked, control, agent)
        if is_fact:
            print(writes(daos, more[0]) if what == "writes" else FACTS[what](daos))
        elif what in ("quiesce", "release"):
            quiesce(daos, *more) if what == "quiesce" else release(daos, more[1])
        elif what in ("out", "in"):
            mover = Mover(daos, *more[2:])
            copy_out(mover, more[1]) if what == "out" else copy_in(mover, more[1], more[0])
        else:
            stop(daos) if what == "stop" else upgrade(daos)
    except Failed as error:
        print(error, file=sys.stderr)
        if is_fact and ("unable to contact" in str(error) or "DER_UNREACH" in str(error)):
            print(unserved(what, more[1]) if len(more) > 1 else "")
            return 0
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
