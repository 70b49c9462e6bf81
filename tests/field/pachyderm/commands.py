"""The command lines of the double of pachctl: which there are, their flags, and what cobra says to the others."""

import importlib
import sys
from dataclasses import dataclass, field
from typing import Any

import grpc
from client import Flags
from protocol import Refused

VALUE, SWITCH, MANY = "value", "switch", "many"
RAW = {"raw": SWITCH, "full-timestamps": SWITCH}
SHORT = {"p": "parent", "m": "message", "f": "file", "o": "output", "r": "recursive", "n": "number", "u": "url", "a": "all",
         "d": "description", "s": "spec"}


@dataclass
class Command:
    place: str  # MODULE.FUNCTION, imported when it is run: a command should start quickly
    least: int = 0
    most: int = 0
    flags: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)

    def run(self, arguments: list[str], flags: Flags) -> None:
        module, _, name = self.place.partition(".")
        getattr(importlib.import_module(module), name)(arguments, flags)


COMMANDS = {
    "version": Command("command_admin.version", flags={"client-only": SWITCH, "timeout": VALUE, "raw": SWITCH}),
    "inspect cluster": Command("command_admin.inspect_cluster"),
    "extract": Command("command_admin.extract", flags={"no-objects": SWITCH, "url": VALUE, "no-auth": SWITCH,
                                                     "no-enterprise": SWITCH}),
    "extract pipeline": Command("command_admin.extract_pipeline", 1, 1),
    "restore": Command("command_admin.restore", flags={"url": VALUE, "no-token": SWITCH}),
    "delete all": Command("command_admin.delete_all"),
    "fsck": Command("command_pfs.fsck", flags={"fix": SWITCH}, short={"f": "fix"}),
    "create repo": Command("command_pfs.create_repo", 1, 1, {"description": VALUE}),
    "update repo": Command("command_pfs.update_repo", 1, 1, {"description": VALUE}),
    "delete repo": Command("command_pfs.delete_repo", 0, 1, {"force": SWITCH, "all": SWITCH}, {"f": "force"}),
    "list repo": Command("command_pfs.list_repo", flags=RAW),
    "inspect repo": Command("command_pfs.inspect_repo", 1, 1, RAW),
    "start commit": Command("command_pfs.start_commit", 1, 1, {"parent": VALUE, "message": VALUE, "description": VALUE}),
    "finish commit": Command("command_pfs.finish_commit", 1, 1, {"message": VALUE, "description": VALUE}),
    "delete commit": Command("command_pfs.delete_commit", 1, 1),
    "inspect commit": Command("command_pfs.inspect_commit", 1, 1, RAW),
    "list commit": Command("command_pfs.list_commit", 1, 1, RAW | {"number": VALUE, "from": VALUE}, {"f": "from"}),
    "create branch": Command("command_pfs.create_branch", 1, 1, {"head": VALUE, "provenance": MANY}, {"p": "provenance"}),
    "delete branch": Command("command_pfs.delete_branch", 1, 1, {"force": SWITCH}, {"f": "force"}),
    "inspect branch": Command("command_pfs.inspect_branch", 1, 1, RAW),
    "list branch": Command("command_pfs.list_branch", 1, 1, RAW),
    "put file": Command("command_pfs.put_file", 1, 1, {"file": MANY, "recursive": SWITCH, "overwrite": SWITCH,
                                                     "parallelism": VALUE}, {"o": "overwrite", "p": "parallelism"}),
    "get file": Command("command_pfs.get_file", 1, 1, {"output": VALUE}),
    "delete file": Command("command_pfs.delete_file", 1, 1),
    "inspect file": Command("command_pfs.inspect_file", 1, 1, RAW),
    "list file": Command("command_pfs.list_file", 1, 1, RAW | {"history": VALUE}),
    "glob file": Command("command_pfs.glob_file", 1, 1, RAW),
    "create pipeline": Command("command_pps.create_pipeline", flags={"file": VALUE}),
    "update pipeline": Command("command_pps.update_pipeline", flags={"file": VALUE, "reprocess": SWITCH}),
    "delete pipeline": Command("command_pps.delete_pipeline", 0, 1, {"all": SWITCH, "force": SWITCH, "keep-repo": SWITCH},
                               {"f": "force"}),
    "list pipeline": Command("command_pps.list_pipeline", 0, 1, RAW | {"spec": SWITCH, "output": VALUE, "history": VALUE}),
    "inspect pipeline": Command("command_pps.inspect_pipeline", 1, 1, RAW | {"output": VALUE}),
    "start pipeline": Command("command_pps.start_pipeline", 1, 1),
    "stop pipeline": Command("command_pps.stop_pipeline", 1, 1),
    "list job": Command("command_pps.list_job", 0, 0, RAW | {"pipeline": VALUE, "output": VALUE, "history": VALUE,
                                                           "no-pager": SWITCH}, {"p": "pipeline"}),
    "inspect job": Command("command_pps.inspect_job", 1, 1, RAW | {"output": VALUE}),
    "garbage-collect": Command("command_pps.garbage_collect", flags={"memory": VALUE}, short={"m": "memory"}),
    "config get active-context": Command("command_config.get_active"),
    "config set active-context": Command("command_config.set_active", 1, 1),
    "config get context": Command("command_config.get_context", 1, 1),
    "config set context": Command("command_config.set_context", 1, 1, {"overwrite": SWITCH}),
    "config update context": Command("command_config.update_context", 0, 1, {
        "pachd-address": VALUE, "cluster-name": VALUE, "auth-info": VALUE, "server-cas": VALUE, "namespace": VALUE,
        "remove-cluster-deployment-id": SWITCH}),
    "config delete context": Command("command_config.delete_context", 1, 1),
    "config list context": Command("command_config.list_contexts"),
    "deploy amazon": Command("command_deploy.deploy_amazon", 3, 3, {
        "dynamic-etcd-nodes": VALUE, "namespace": VALUE, "local-roles": SWITCH, "no-dashboard": SWITCH, "dry-run": SWITCH,
        "iam-role": VALUE, "credentials": VALUE, "reverse": VALUE, "output": VALUE, "context": VALUE, "no-guaranteed": SWITCH,
        "custom-endpoint": VALUE}),
    "undeploy": Command("command_deploy.undeploy", flags={"all": SWITCH, "namespace": VALUE}),
}


def main(words: list[str]) -> int:
    """Runs a command line; the exit code."""
    try:
        name, command, rest = _found(words)
        arguments, flags = _parsed(rest, command)
        if not command.least <= len(arguments) <= command.most:
            wanted = command.least if command.least == command.most else f"between {command.least} and {command.most}"
            raise Refused(f"expected {wanted} arguments, got {len(arguments)}\n\nUsage:\n  pachctl {name} [flags]\n")
        command.run(arguments, flags)
        return 0
    except Refused as error:
        print(error, file=sys.stderr)
    except grpc.RpcError as error:
        print(error.details(), file=sys.stderr)  # type: ignore[attr-defined]
    except BrokenPipeError:
        pass
    return 1


def _found(words: list[str]) -> tuple[str, Command, list[str]]:
    for count in (3, 2, 1):
        name = " ".join(words[:count])
        if len(words) >= count and name in COMMANDS:
            return name, COMMANDS[name], words[count:]
    if words and any(name.startswith(words[0] + " ") for name in COMMANDS):
        raise Refused(f'unknown command "{" ".join(words[1:2])}" for "pachctl {words[0]}"')
    raise Refused(f'unknown command "{words[0] if words else ""}" for "pachctl"\nRun \'pachctl --help\' for usage.')


def _parsed(words: list[str], command: Command) -> tuple[list[str], Flags]:
    arguments: list[str] = []
    flags: dict[str, Any] = {}
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            return arguments + words, Flags(flags)
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        name, _, value = word.lstrip("-").partition("=")
        if not word.startswith("--"):
            name = command.short.get(name) or SHORT.get(name, name)
        kind = command.flags.get(name)
        if not kind:
            raise Refused(f"unknown flag: {word.partition('=')[0]}" if word.startswith("--") else
                          f"unknown shorthand flag: '{word[1]}' in {word}")
        if kind == SWITCH:
            flags[name] = value != "false"
            continue
        if "=" not in word:
            if not words:
                raise Refused(f"flag needs an argument: {word}")
            value = words.pop(0)
        flags[name] = [*flags.get(name, []), value] if kind == MANY else value
    return arguments, Flags(flags)
