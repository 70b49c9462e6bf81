"""pachctl config: contexts."""

import json
import sys

from client import Flags
from contexts import Contexts, parse_address
from protocol import Refused


def get_active(_: list[str], flags: Flags) -> None:
    print(Contexts().active)


def set_active(arguments: list[str], flags: Flags) -> None:
    contexts = Contexts()
    contexts.active = arguments[0]
    contexts.write()


def get_context(arguments: list[str], flags: Flags) -> None:
    print(Contexts().shown(arguments[0]))


def set_context(arguments: list[str], flags: Flags) -> None:
    contexts = Contexts()
    if arguments[0] in contexts.all and not flags.is_set("overwrite"):
        raise Refused(f"context '{arguments[0]}' already exists, use `--overwrite` if you wish to replace it")
    print("Reading from stdin.")
    try:
        made = json.load(sys.stdin)
    except ValueError as error:
        raise Refused(f"malformed context: {error}") from error
    if made.get("pachd_address"):
        made["pachd_address"] = parse_address(made["pachd_address"])
    contexts.all[arguments[0]] = made
    contexts.write()


def update_context(arguments: list[str], flags: Flags) -> None:
    contexts = Contexts()
    name = arguments[0] if arguments else contexts.active
    context = contexts.named(name)
    if not arguments:
        print(f'editing the currently active context "{name}"')
    for flag, value in flags.items():
        if flag == "remove-cluster-deployment-id":
            context.pop("cluster_deployment_id", None)
        elif flag == "pachd-address":
            context["pachd_address"] = parse_address(value) if value else ""
        else:
            context[flag.replace("-", "_")] = value
    contexts.write()


def delete_context(arguments: list[str], flags: Flags) -> None:
    contexts = Contexts()
    contexts.named(arguments[0])
    if arguments[0] == contexts.config["v2"]["active_context"]:
        raise Refused("cannot delete an active context")
    del contexts.all[arguments[0]]
    contexts.write()


def list_contexts(_: list[str], flags: Flags) -> None:
    contexts = Contexts()
    print("ACTIVE\tNAME")
    for name in sorted(contexts.all):
        print(f"{'*' if name == contexts.active else ''}\t{name}")
