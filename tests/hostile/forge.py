"""Rewrites a run in a journal's database so that its chain is whole again: the attack that no chain shows."""

import contextlib
import hashlib
import json
import os
import sqlite3
from typing import Any, Callable

Change = Callable[[dict[str, Any]], dict[str, Any] | None]


class Forger:
    """Who may write the state folder, with twenty lines."""

    def __init__(self, state: str, lines: list[dict[str, Any]], run: str):
        """`lines` are the events of `drydock log --json`, of that run."""
        self.path, self.lines, self.run = os.path.join(state, "journal.db"), lines, run

    def rewrite(self, change: Change, records: int | None = None) -> int:
        """Changes events (None drops one) and keeps the first `records` records, or all; returns
        the sequence of the first record that is another one now, 0 if none is."""
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            number, created_ms, digest = database.execute(
                "SELECT number, created_ms, plan_digest FROM runs WHERE id = ?",
                (self.run,)).fetchone()
            head = hashlib.sha256(canonical({"created_ms": created_ms, "format": 1, "id": self.run,
                                             "plan_digest": digest})).digest()
            first, count = 0, 0
            for sequence, wall_ms, events in self.records(change):
                if records is not None and sequence > records:
                    database.execute("DELETE FROM records WHERE place = ?",
                                     ((number << 32) + sequence,))
                    first = first or sequence
                    continue
                head = hashlib.sha256(head + canonical({
                    "events": events, "run": self.run, "sequence": sequence,
                    "wall_ms": wall_ms})).digest()
                place, count = (number << 32) + sequence, count + 1
                old, = database.execute("SELECT hash FROM records WHERE place = ?",
                                        (place,)).fetchone()
                first = first or (sequence if old != head else 0)
                database.execute("UPDATE records SET hash = ?, events = ? WHERE place = ?",
                                 (head, canonical(events), place))
            database.execute("UPDATE runs SET head = ?, records = ? WHERE number = ?",
                             (head, count, number))
        return first

    def records(self, change: Change) -> list[tuple[int, int, list[dict[str, Any]]]]:
        """Sequence, time and events of each record, as they are to be."""
        found: dict[int, tuple[int, list[dict[str, Any]]]] = {}
        for line in self.lines:
            event = {key: value for key, value in line.items()
                     if key not in ("sequence", "wall_ms")}
            if (changed := change(event)) is not None:
                found.setdefault(line["sequence"], (line["wall_ms"], []))[1].append(changed)
        return [(sequence, *found[sequence]) for sequence in sorted(found)]


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
