"""Reads what people and tests need to know from a plan file of drydock."""

import json
from typing import Any


def gate_of(path: str) -> str:
    """The name of the gate that stands before the plan's point of no return."""
    with open(path) as file:
        found = _gates(json.load(file))
    if not found:
        raise LookupError(f"{path} has no gate before a point of no return")
    return found[0]


def _gates(value: Any) -> list[str]:
    """The gates named by the plan's return point (which has a law) or marked as being it."""
    if isinstance(value, dict):
        named = value.get("gate") and (value.get("returns_here") or value.get("law"))
        return ([value["gate"]] if named else []) + _gates(list(value.values()))
    return [name for part in value for name in _gates(part)] if isinstance(value, list) else []
