"""Pages of the formats: which words they name, and which keys an answer has."""

import os
import re
from typing import Any, Iterator

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def keys_of(json_value: Any) -> Iterator[str]:
    if isinstance(json_value, dict):
        for key, value in json_value.items():
            yield key
            yield from keys_of(value)
    elif isinstance(json_value, list):
        for value in json_value:
            yield from keys_of(value)


def documented(page: str) -> set[str]:
    """What stands in code marks on docs/formats/PAGE.md."""
    with open(os.path.join(ROOT, "docs/formats", page + ".md"), encoding="utf-8") as file:
        return set(re.findall(r"`([a-z_0-9]+)`", file.read()))
