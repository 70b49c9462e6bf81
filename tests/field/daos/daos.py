"""The double of `daos`: the containers of a pool, with properties, ACLs and attributes.

1.x prints UUIDs and takes --pool and --cont; 2.x has labels, places in the command and -j. The system is in
$DAOS_AGENT_DRPC_DIR/daos_agent.yml, where the real one looks for its agent.
"""

import getpass
import os
import sys
from collections.abc import Callable

import system as daos
from system import Refused, State, System
from text import Words, print_json, table

RELEASE = daos.own_release()
IS_OLD = daos.global_version(RELEASE) is None
ALIASES = {"cont": "container", "list-containers": "list-cont"}


def connect() -> System:
    """The system that the agent of this host knows."""
    folder = os.environ.get("DAOS_AGENT_DRPC_DIR", "/var/run/daos_agent")
    try:
        found = System(daos.config_values(os.path.join(folder, "daos_agent.yml"))["system"])
    except OSError:
        raise Refused("DER_AGENT_COMM(-1036): Agent communication error") from None
    if any(daos.series(one) != daos.series(RELEASE) for one in found.running().values()) or not found.running():
        raise Refused("DER_UNREACH(-1006): Unreachable node")
    return found


def main(argv: list[str]) -> int:
    words = Words(argv)
    plain = [ALIASES.get(word, word) for word in words.plain[:2]]
    wants_json = words.has("-j", "--json")
    try:
        if " ".join(plain) not in COMMANDS or (IS_OLD and wants_json):
            raise Refused(f"unknown command `{' '.join(argv)}'")
        with connect().change() as state:
            response, text = COMMANDS[" ".join(plain)](state, words)
    except Refused as error:
        if wants_json:
            print_json(None, str(error))
        print(f"ERROR: daos: {error}", file=sys.stderr)
        return 1
    if wants_json:
        print_json(response)
    elif text:
        print(text)
    return 0


def named(state: State, words: Words) -> tuple[State, State | None, list[str]]:
    """The pool, the container if one is named, and the words behind them."""
    at = 2
    if not IS_OLD:
        pool = daos.require_pool(state, RELEASE, "".join(words.plain[at:at + 1]))
        at += 1
        if words.plain[0] in ("pool",) or words.plain[1] in ("list", "create"):
            return pool, None, words.plain[at:]
        return pool, daos.find(pool["containers"], "".join(words.plain[at:at + 1]), "container"), words.plain[at + 1:]
    pool = daos.require_pool(state, RELEASE, words.get("--pool"))
    return pool, daos.find(pool["containers"], words.get("--cont"), "container") if words.has("--cont") else None, words.plain[at:]


def object_of(state: State, words: Words) -> tuple[State, list[str]]:
    pool, container, rest = named(state, words)
    return container or pool, rest


def container_list(state: State, words: Words) -> tuple[object, str]:
    pool, _, _ = named(state, words)
    if IS_OLD:
        return None, "\n".join(one["uuid"] for one in pool["containers"])
    rows = [{"uuid": one["uuid"], "label": one["label"]} for one in pool["containers"]]
    return rows, table(["UUID", "Label"], [[one["uuid"], one["label"]] for one in rows])


def container_create(state: State, words: Words) -> tuple[object, str]:
    pool, _, rest = named(state, words)
    label = words.get("--label") or "".join(rest[:1])
    if label and any(one["label"] == label for one in pool["containers"]):
        raise Refused("failed to create container: DER_EXIST(-1004): Entity already exists")
    made = daos.new_container(label, words.get("--type", "-t", default="POSIX"), getpass.getuser() + "@", "root@")
    made["properties"] = dict(pair.split(":", 1) for pair in words.get("--properties").split(",") if pair)
    if words.has("--acl-file"):
        with open(words.get("--acl-file"), encoding="utf-8") as file:
            made["acl"] = [line.strip() for line in file if line.strip()]
    os.makedirs(connect().data(pool, made))
    pool["containers"].append(made)
    return {"container_uuid": made["uuid"]}, f"Successfully created container {made['uuid']}"


def container_query(state: State, words: Words) -> tuple[object, str]:
    pool, found, _ = named(state, words)
    assert found
    text = f"  Container UUID : {found['uuid']}\n  Container Label: {found['label']}\n  Container Type : {found['type']}\n  Pool UUID      : {pool['uuid']}"
    return {"container_uuid": found["uuid"], "container_label": found["label"], "container_type": found["type"]}, text


def container_get_prop(state: State, words: Words) -> tuple[object, str]:
    _, found, _ = named(state, words)
    assert found
    values = {"label": found["label"], "layout_type": found["type"], **found["properties"]}
    rows = [{"name": name, "value": value} for name, value in values.items()]
    if IS_OLD:
        return None, f"Container properties for {found['uuid']} :\n" + "\n".join(f"{name}: {value}" for name, value in values.items())
    return rows, table(["Name", "Value"], [[one["name"], one["value"]] for one in rows])


def container_get_acl(state: State, words: Words) -> tuple[object, str]:
    _, found, _ = named(state, words)
    assert found
    head = [f"# Owner: {found['owner']}", f"# Owner Group: {found['group']}", "# Entries:"]
    return {"entries": found["acl"], "owner_user": found["owner"], "owner_group": found["group"]}, "\n".join(head + found["acl"])


def container_overwrite_acl(state: State, words: Words) -> tuple[object, str]:
    _, found, _ = named(state, words)
    assert found
    with open(words.get("--acl-file"), encoding="utf-8") as file:
        found["acl"] = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    return container_get_acl(state, words)


def container_set_owner(state: State, words: Words) -> tuple[object, str]:
    _, found, _ = named(state, words)
    assert found
    found.update(owner=words.get("--user", "-u", default=found["owner"]), group=words.get("--group", "-g", default=found["group"]))
    return {}, "Successfully changed owner for container"


def list_attrs(state: State, words: Words) -> tuple[object, str]:
    of, _ = object_of(state, words)
    names = list(of["attributes"])
    if IS_OLD:
        return None, "Container attributes:\n" + "\n".join(names)
    return {name: None for name in names}, f"Attributes for {of['uuid']}:\n" + table(["Name"], [[name] for name in names])


def get_attr(state: State, words: Words) -> tuple[object, str]:
    of, rest = object_of(state, words)
    name = words.get("--attr") or "".join(rest[:1])
    if name not in of["attributes"]:
        raise Refused("DER_NONEXIST(-1005): The specified entity does not exist")
    return {"name": name, "value": of["attributes"][name]}, of["attributes"][name]


def set_attr(state: State, words: Words) -> tuple[object, str]:
    of, rest = object_of(state, words)
    name, value = (words.get("--attr"), words.get("--value")) if IS_OLD else (rest[0], rest[1])
    of["attributes"][name] = value
    return {}, ""


def pool_list(state: State, words: Words) -> tuple[object, str]:
    if IS_OLD:
        raise Refused("unknown command `pool list'")
    rows = [[one["label"], one["size"], "Ready"] for one in state["pools"]]
    return {"pools": [{"label": one["label"], "uuid": one["uuid"]} for one in state["pools"]]}, table(["Pool", "Size", "State"], rows)


COMMANDS: dict[str, Callable[[State, Words], tuple[object, str]]] = {
    "pool list": pool_list, "pool list-cont": container_list, "container list": container_list, "container create": container_create,
    "container query": container_query, "container get-prop": container_get_prop, "container get-acl": container_get_acl,
    "container overwrite-acl": container_overwrite_acl, "container set-owner": container_set_owner,
    "pool list-attrs": list_attrs, "container list-attrs": list_attrs, "pool get-attr": get_attr, "container get-attr": get_attr,
    "pool set-attr": set_attr, "container set-attr": set_attr}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
