"""The contexts of pachctl: a JSON file with the address of each installation, and the active one."""

import json
import os
import re
import uuid
from typing import Any

from protocol import Refused

ORDER = ("source", "pachd_address", "server_cas", "session_token", "active_transaction", "cluster_name", "auth_info",
         "namespace", "cluster_deployment_id")


class Contexts:
    def __init__(self) -> None:
        self.path = os.environ.get("PACH_CONFIG") or os.path.expanduser("~/.pachyderm/config.json")
        self.config = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            with open(self.path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"user_id": str(uuid.uuid4()),
                    "v2": {"active_context": "default", "contexts": {"default": {}}, "metrics": True}}
        except ValueError as error:
            raise Refused(f'could not parse config json at "{self.path}": {error}') from error

    def write(self) -> None:
        os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.config, file, indent=2)
        os.replace(self.path + ".new", self.path)

    @property
    def all(self) -> dict[str, Any]:
        return self.config["v2"]["contexts"]

    @property
    def active(self) -> str:
        """The name of the active context."""
        name = os.environ.get("PACH_CONTEXT")
        if name and name not in self.all:
            raise Refused(f'`PACH_CONTEXT` refers to a context ("{name}") that does not exist')
        name = name or self.config["v2"]["active_context"]
        if name not in self.all:
            raise Refused(f'pachctl config error: pachctl\'s active context is "{name}", but no context named "{name}" has '
                          "been configured.\n\nYou can fix your config by setting the active context like so: pachctl config "
                          "set active-context <context>")
        return name

    @active.setter
    def active(self, name: str) -> None:
        self.named(name)
        self.config["v2"]["active_context"] = name

    def named(self, name: str) -> dict[str, Any]:
        if name not in self.all:
            raise Refused(f"context does not exist: {name}")
        return self.all[name]

    def shown(self, name: str) -> str:
        context = self.named(name)
        return json.dumps({key: context[key] for key in ORDER if context.get(key)}, indent=2)

    def add(self, prefix: str, context: dict[str, Any]) -> None:
        """A context of a deployment, made active; an equal one is used again."""
        same = [name for name, one in self.all.items() if all(
            one.get(key, "") == context.get(key, "") for key in ("cluster_name", "auth_info", "namespace"))]
        name = same[0] if same else prefix if prefix not in self.all else f"{prefix}-{uuid.uuid4().hex[:6]}"
        self.all[name] = self.all.get(name, {}) | context
        self.active = name

    def address(self) -> str:
        """HOST:PORT of the active context's pachd."""
        text = self.all[self.active].get("pachd_address") or "localhost:30650"
        return parse_address(text).removeprefix("grpc://")


def parse_address(text: str) -> str:
    """grpc://HOST:PORT."""
    found = re.fullmatch(r"(?:grpc://)?([^:/]+)(?::(\d+))?", text)
    if not found:
        raise Refused(f'could not parse pachd address: "{text}"')
    return f"grpc://{found[1]}:{found[2] or 30650}"
