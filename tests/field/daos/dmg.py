"""The double of `dmg`: pools, storage and the state of the system. It needs one daos_server that runs.

The system is in the file behind -o (`daos_control.yml`). Commands of 1.x name a pool
with --pool; those of 2.x by its place. Each refuses the other's form, as the real ones do.
"""

import os
import shutil
import sys
from collections.abc import Callable

import system as daos
from system import Refused, State, System
from text import Words, print_json, ranks, table

RELEASE = daos.own_release()


def main(argv: list[str]) -> int:
    words = Words(argv)
    name = " ".join(words.plain[:2])
    wants_json = words.has("-j", "--json")
    if name == "version":
        print(f"dmg version {RELEASE}")
        return 0
    try:
        if name not in COMMANDS:
            raise Refused(f"unknown command `{name}'")
        config = daos.config_values(words.get("-o", "--config-path", default="/etc/daos/daos_control.yml"))
        here = System(config["system"])
        _require_servers(here)
        with here.change() as state:
            response, text = COMMANDS[name](here, state, words)
    except Refused as error:
        return _fail(str(error), wants_json)
    if wants_json:
        print_json(response)
    elif text:
        print(text)
    return 0


def _fail(error: str, wants_json: bool) -> int:
    if wants_json:
        print_json(None, error)
    print(f"ERROR: dmg: {error}", file=sys.stderr)
    return 1


def _require_servers(here: System) -> None:
    running = here.running()
    if not running:
        raise Refused("unable to contact the DAOS Management Service")
    if any(daos.series(one) != daos.series(RELEASE) for one in running.values()):
        raise Refused(f"admin client ({RELEASE}) is incompatible with the server: its release has to be that of the servers")


# The system

def system_query(here: System, state: State, words: Words) -> tuple[State, str]:
    rows = state["ranks"]
    response = {"members": [{**row, "state": row["state"].lower(), "addr": _address(row)} for row in rows]}
    if words.has("-v", "--verbose"):
        cells = [[str(row["rank"]), row["uuid"], _address(row), "/", row["state"], row["reason"]] for row in rows]
        return response, table(["Rank", "UUID", "Control Address", "Fault Domain", "State", "Reason"], cells)
    groups: dict[str, list[int]] = {}
    for row in rows:
        groups.setdefault(row["state"], []).append(row["rank"])
    return response, table(["Rank", "State"], [[ranks(group), name] for name, group in groups.items()])


def _address(row: State) -> str:
    return f"127.0.0.1:{10001 + row['rank']}"


def system_stop(here: System, state: State, words: Words) -> tuple[State, str]:
    return _operate(here, state, "stop", "Stopped")


def system_start(here: System, state: State, words: Words) -> tuple[State, str]:
    return _operate(here, state, "start", "Joined")


def _operate(here: System, state: State, operation: str, becomes: str) -> tuple[State, str]:
    done = [row for row in state["ranks"] if row["state"] in ("Joined", "Stopped", "Errored") and row["rank"] in here.running()]
    for row in done:
        row.update(state=becomes, reason="")
    numbers = [row["rank"] for row in done]
    return {"results": numbers}, table(["Rank", "Operation", "Result"], [[ranks(numbers), operation, "OK"]] if numbers else [])


def storage_format(here: System, state: State, words: Words) -> tuple[State, str]:
    """Takes everything there is. Without --force it does nothing where a format is."""
    if len(here.running()) != len(state["ranks"]):
        raise Refused("storage format: not every server of the system answers")
    if state["format"] and not words.has("--force"):
        raise Refused("storage format: storage is formatted already; --force formats it anew (code = 104)")
    state.update(format=daos.storage_format(RELEASE), pools=[])
    shutil.rmtree(os.path.join(here.folder, "data"))
    os.mkdir(os.path.join(here.folder, "data"))
    for row in state["ranks"]:
        row.update(state="Joined", reason="")
    return {}, "Format Summary:\n  Hosts     SCM Devices NVMe Devices\n  -----     ----------- ------------\n  localhost 1           0"


# Pools

def pool_list(here: System, state: State, words: Words) -> tuple[State, str]:
    _require_joined(state)
    pools = state["pools"]
    response = {"pools": [{"label": one["label"], "uuid": one["uuid"], "svc_reps": [0], "state": "Ready", "pool_layout_ver": one["global_version"],
                           "upgrade_layout_ver": daos.global_version(RELEASE)} for one in pools]}
    if daos.global_version(RELEASE) is None:
        return response, table(["Pool UUID", "Svc Replicas"], [[one["uuid"], "0"] for one in pools])
    if words.has("-v", "--verbose"):
        cells = [[one["label"], one["uuid"], "Ready", "0", one["size"], "10 kB", "0%", "0/8", _needs_upgrade(one)] for one in pools]
        return response, table(["Label", "UUID", "State", "SvcReps", "SCM Size", "SCM Used", "SCM Imbalance", "Disabled", "UpgradeNeeded?"], cells)
    cells = [[one["label"], one["size"], "Ready", "0%", "0%", "0/8"] for one in pools]
    return response, table(["Pool", "Size", "State", "Used", "Imbalance", "Disabled"], cells)


def _needs_upgrade(pool: State) -> str:
    own = daos.global_version(RELEASE)
    return "None" if pool["global_version"] == own else f"{pool['global_version']}->{own}"


def pool_query(here: System, state: State, words: Words) -> tuple[State, str]:
    pool = _pool(state, words)
    text = (f"Pool {pool['uuid']}, ntarget=8, disabled=0, leader=0, version=1, state=Ready\nPool health info:\n"
            "- Rebuild idle, 0 objs, 0 recs\nPool space info:\n- Target(VOS) count:8\n- Storage tier 0 (SCM):\n"
            "  Total size: 3.0 GB\n  Free: 3.0 GB, min:375 MB, max:375 MB, mean:375 MB")
    return {"uuid": pool["uuid"], "total_targets": 8, "disabled_targets": 0, "rebuild": {"status": 0, "state": "idle"}}, text


def pool_create(here: System, state: State, words: Words) -> tuple[State, str]:
    _require_joined(state)
    label = words.get("--label") if daos.global_version(RELEASE) is None else "".join(words.plain[2:3])
    if label and any(one["label"] == label for one in state["pools"]):
        raise Refused("pool create failed: DER_EXIST(-1004): Entity already exists")
    pool = daos.new_pool(RELEASE, label, words.get("-u", "--user", default="root@"), words.get("-g", "--group", default="root@"))
    pool["size"] = words.get("-z", "--size", "--scm-size", default="3.0 GB")
    pool["properties"] = _pairs(words.get("-P", "--properties"))
    if words.has("-a", "--acl-file"):
        pool["acl"] = _entries(words.get("-a", "--acl-file"))
    state["pools"].append(pool)
    return {"uuid": pool["uuid"]}, f"Pool created with 100.00% storage tier ratio\n  UUID                 : {pool['uuid']}"


def pool_destroy(here: System, state: State, words: Words) -> tuple[State, str]:
    state["pools"].remove(_pool(state, words))
    return {}, "Pool-destroy command succeeded"


def pool_evict(here: System, state: State, words: Words) -> tuple[State, str]:
    _pool(state, words)["evicted"] += 1
    return {}, "Pool-evict command succeeded"


def pool_upgrade(here: System, state: State, words: Words) -> tuple[State, str]:
    daos.begin_upgrade(state, _pool(state, words), RELEASE)
    return {}, "Pool-upgrade command succeeded"


def pool_get_prop(here: System, state: State, words: Words) -> tuple[State | list[State], str]:
    pool = _pool(state, words)
    values = {"label": pool["label"], **pool["properties"], "upgrade_status": pool["upgrade_status"], "global_version": pool["global_version"]}
    wanted = [name for name in ",".join(words.plain[3:]).split(",") if name] or list(values)
    rows = [[name, str(values.get(name, "not set"))] for name in wanted]
    return [{"name": name, "value": value} for name, value in rows], f"Pool {pool['label']} properties:\n" + table(["Name", "Value"], rows)


def pool_get_acl(here: System, state: State, words: Words) -> tuple[State, str]:
    pool = _pool(state, words)
    head = [f"# Owner: {pool['owner']}", f"# Owner Group: {pool['group']}", "# Entries:"]
    return {"ACL": pool["acl"], "owner": pool["owner"], "owner_group": pool["group"]}, "\n".join(head + pool["acl"])


def pool_overwrite_acl(here: System, state: State, words: Words) -> tuple[State, str]:
    _pool(state, words)["acl"] = _entries(words.get("-a", "--acl-file"))
    return pool_get_acl(here, state, words)


def _pool(state: State, words: Words) -> State:
    _require_joined(state)
    is_old = daos.global_version(RELEASE) is None
    if words.has("--pool") != is_old:
        raise Refused("the required flag `--pool' was not specified" if is_old else "unknown flag `pool'")
    return daos.find(state["pools"], words.get("--pool") if is_old else "".join(words.plain[2:3]), "pool")


def _require_joined(state: State) -> None:
    if not any(row["state"] == "Joined" for row in state["ranks"]):
        raise Refused("system is not available: DER_UNREACH(-1006): Unreachable node")


def _pairs(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition(":") for pair in text.split(",") if pair)}


def _entries(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


COMMANDS: dict[str, Callable[[System, State, Words], tuple[State | list[State], str]]] = {
    "system query": system_query, "system stop": system_stop, "system start": system_start, "storage format": storage_format,
    "pool list": pool_list, "pool query": pool_query, "pool create": pool_create, "pool destroy": pool_destroy,
    "pool evict": pool_evict, "pool upgrade": pool_upgrade, "pool get-prop": pool_get_prop, "pool get-acl": pool_get_acl,
    "pool overwrite-acl": pool_overwrite_acl}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
