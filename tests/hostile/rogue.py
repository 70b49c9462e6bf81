#!/usr/bin/env python3
"""A rogue agent between conductor and host: rogue.py FOLDER AGENT...

It passes frames on to the real agent and back. Files in FOLDER say what it does with them, from the
moment they are there; each holds JSON, or nothing:
    extra_facts   [fact]: stands behind the facts of every answer to a probe
    late          seconds: answers to probes are held back so long
    replaced      {id: {key: value}}: what the fact of that id says instead
    refused       it cannot be connected, as ssh says it
    dropped       [id]: facts that are left out
    trickle       seconds a byte: answers to probes come one byte at a time
    greeting      text: stands before the agent's greeting
    errors        text: every request but greetings is refused with this message
    mute          nothing passes any more, in neither direction, and no line ends
    swallowed     only greetings reach the agent
    fuzz          a number: each frame is changed, dropped, doubled, held back or broken, now and then,
                  by dice with that seed
What the conductor sent is in FOLDER/requests, one frame a line.
"""

import json
import os
import random
import struct
import subprocess
import sys
import threading
import time
from typing import Any, BinaryIO, Iterator

GREETINGS = ("hello", "fence")


class Rogue:
    def __init__(self, folder: str, agent: list[str]):
        self.folder = folder
        self.child = subprocess.Popen(agent, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lock = threading.Lock()
        self.dice: random.Random | None = None
        self.muted = False

    def wish(self, name: str) -> Any:
        """What the file of that name says; None while there is none."""
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                return json.loads(file.read() or "true")
        except FileNotFoundError:
            return None

    def wait_while_mute(self) -> None:
        """A connection on which something was lost stays as it is, whatever is mended."""
        while self.muted or self.wish("mute"):
            self.muted = True
            time.sleep(0.1)

    def pass_requests(self) -> None:
        for request in frames(sys.stdin.buffer):
            with open(os.path.join(self.folder, "requests"), "a", encoding="utf-8") as log:
                log.write(json.dumps(request) + "\n")
            self.wait_while_mute()
            is_greeting = request["do"] in GREETINGS
            if not is_greeting and (message := self.wish("errors")) is not None:
                self.say({"n": request["n"], "error": {
                    "code": "agent.bad", "message": message, "remedy": message,
                    "class": "permanent"}})
            elif is_greeting or not self.wish("swallowed"):
                self.child.stdin.write(bytes_of(request))
                self.child.stdin.flush()
        while self.wish("swallowed"):  # as ssh: it waits for the other side
            time.sleep(0.1)
        self.child.stdin.close()

    def pass_answers(self) -> None:
        greeting = (self.wish("greeting") or "").encode() + self.child.stdout.readline()
        self.write(greeting)
        for answer in frames(self.child.stdout):
            self.wait_while_mute()
            if "facts" in answer:
                answer["facts"] = self.bend(answer["facts"])
                time.sleep(self.wish("late") or 0)
            self.say(answer)

    def bend(self, facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        extra, dropped = self.wish("extra_facts") or [], self.wish("dropped") or []
        replaced = self.wish("replaced") or {}
        told = [fact | replaced.get(fact["id"], {}) for fact in facts
                if fact["id"] not in dropped]
        return told + extra

    def say(self, frame: dict[str, Any]) -> None:
        if (seed := self.wish("fuzz")) is not None:
            self.dice = self.dice or random.Random(f"{seed} {time.time_ns()}")
            for data in broken(frame, self.dice):
                self.write(data)
            return
        self.write(bytes_of(frame), self.wish("trickle") if "facts" in frame else None)

    def write(self, data: bytes, seconds: float | None = None) -> None:
        with self.lock:
            for piece in [data] if seconds is None else [bytes([byte]) for byte in data]:
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
                time.sleep(seconds or 0)


ODD = (None, True, False, -1, 0, 1, 2**31, 2**63, -2**63, 1e308, "", "x" * 70_000, [], {}, [[[]]],
       "\x1b[2J\n\u202e", "running", "stopped", "done", "failed", "unknown", "known", "absent",
       "ended", "none", "torn", "1.0", "2.0", "m1/ready", "m2/ready", "m3/running", "../../evil",
       {"state": "ended", "result": {"outcome": "done"}})
CALM = 0.8  # the share of frames that stay as they are


def broken(frame: dict[str, Any], dice: random.Random) -> list[bytes]:
    """What is sent in the place of a frame."""
    if dice.random() < CALM:
        return [bytes_of(frame)]
    match dice.randrange(9):
        case 0:
            return []
        case 1:
            return [bytes_of(frame)] * 2
        case 2:
            time.sleep(dice.random() * 3)
            return [bytes_of(frame)]
        case 3:
            return [bytes_of(frame)[:dice.randrange(8)], os.urandom(dice.randrange(40))]
        case 4:
            return [struct.pack(">I", dice.choice((0, 1, 2**23 + 1, 2**32 - 1))), b"{}"]
        case 5:
            return [bytes_of(frame | {"n": dice.randrange(40)})]
    changed = json.loads(json.dumps(frame))
    for _ in range(dice.randrange(1, 4)):
        change(changed, dice)
    return [bytes_of(changed)]


def change(value: Any, dice: random.Random) -> None:
    """Puts something odd somewhere into a map or a list."""
    while isinstance(value, (dict, list)) and value:
        key = dice.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if not isinstance(value[key], (dict, list)) or not value[key] or dice.random() < 0.2:
            if dice.random() < 0.2:
                del value[key]
            else:
                value[key] = dice.choice(ODD)
            return
        value = value[key]


def frames(source: BinaryIO) -> Iterator[dict[str, Any]]:
    while len(head := source.read(4)) == 4:
        yield json.loads(source.read(struct.unpack(">I", head)[0]))


def bytes_of(frame: dict[str, Any]) -> bytes:
    body = json.dumps(frame).encode()
    return struct.pack(">I", len(body)) + body


def main() -> None:
    if os.path.exists(os.path.join(sys.argv[1], "refused")):
        sys.exit("ssh: connect to host: Connection timed out")
    rogue = Rogue(sys.argv[1], sys.argv[2:])
    threading.Thread(target=rogue.pass_requests, daemon=True).start()
    try:
        rogue.pass_answers()
    except BrokenPipeError:
        pass
    os._exit(rogue.child.wait())


if __name__ == "__main__":
    main()
