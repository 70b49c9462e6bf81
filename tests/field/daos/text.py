"""How the commands of the double print: tables as dmg's, the JSON envelope, and errors."""

import json
import sys
from typing import Any


def table(titles: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as their widest cell, with a rule below the titles that is as long as they are."""
    lines = [titles, ["-" * len(title) for title in titles], *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(titles))]
    return "\n".join(" ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def print_json(response: Any, error: str | None = None) -> None:
    """The envelope of -j: `status` is 0, or the number of a DAOS error."""
    json.dump({"response": response, "error": error, "status": _status(error)}, sys.stdout, indent=2)
    print()


def _status(error: str | None) -> int:
    if error is None:
        return 0
    _, bracket, rest = error.partition("(-")
    return -int(rest.partition(")")[0]) if bracket else -1025


def ranks(numbers: list[int]) -> str:
    """[0-3], as dmg groups ranks; 2 alone is just 2."""
    if len(numbers) == 1:
        return str(numbers[0])
    whole = numbers == list(range(numbers[0], numbers[-1] + 1))
    return f"[{numbers[0]}-{numbers[-1]}]" if whole else "[" + ",".join(map(str, numbers)) + "]"


class Words:
    """The words of a command line: what stands by itself, and options. `--pool X`, `--pool=X`, `-a X`."""

    FLAGS = ("-j", "--json", "-v", "--verbose", "--force", "-f", "--foreground", "--disable-caching")

    def __init__(self, argv: list[str]):
        self.plain: list[str] = []
        self.options: dict[str, str] = {}
        rest = list(argv)
        while rest:
            word = rest.pop(0)
            if not word.startswith("-"):
                self.plain.append(word)
            elif "=" in word and word.startswith("--"):
                name, _, self.options[name] = word.partition("=")
                self.options[name] = word.partition("=")[2]
            else:
                self.options[word] = "" if word in self.FLAGS else (rest.pop(0) if rest else "")

    def has(self, *names: str) -> bool:
        return any(name in self.options for name in names)

    def get(self, *names: str, default: str = "") -> str:
        return next((self.options[name] for name in names if name in self.options), default)
