#!/usr/bin/env python3
"""The way to a host, as `ssh` would be, that a test can cut: line.py FOLDER AGENT...

Files in FOLDER say what is wrong with it, from the moment they are there:
    refused     it cannot be connected (as `ssh` says it)
    swallowed   only hello and fence reach the agent: the host greets, and then hangs
    version     the agent's hello tells the version in this file
"""

import json
import os
import struct
import subprocess
import sys
import threading
import time
from typing import BinaryIO, Iterator

GREETINGS = ("hello", "fence")


def main() -> None:
    folder, agent = sys.argv[1], sys.argv[2:]
    if is_set(folder, "refused"):
        sys.exit("ssh: connect to host: Connection timed out")
    child = subprocess.Popen(agent, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    threading.Thread(target=pass_requests, args=(folder, child), daemon=True).start()
    pass_answers(folder, child)
    os._exit(child.wait())


def is_set(folder: str, fault: str) -> bool:
    return os.path.exists(os.path.join(folder, fault))


def pass_requests(folder: str, child: "subprocess.Popen[bytes]") -> None:
    for request in frames(sys.stdin.buffer):
        if not is_set(folder, "swallowed") or request["do"] in GREETINGS:
            write_frame(child.stdin, request)
    while is_set(folder, "swallowed"):  # as ssh: it waits for the other side
        time.sleep(0.1)
    child.stdin.close()


def pass_answers(folder: str, child: "subprocess.Popen[bytes]") -> None:
    sys.stdout.buffer.write(child.stdout.readline())
    sys.stdout.buffer.flush()
    for answer in frames(child.stdout):
        if "version" in answer and is_set(folder, "version"):
            with open(os.path.join(folder, "version"), encoding="utf-8") as file:
                answer["version"] = file.read()
        write_frame(sys.stdout.buffer, answer)


def frames(source: BinaryIO) -> Iterator[dict]:
    while len(head := source.read(4)) == 4:
        yield json.loads(source.read(struct.unpack(">I", head)[0]))


def write_frame(target: BinaryIO, frame: dict) -> None:
    body = json.dumps(frame).encode()
    target.write(struct.pack(">I", len(body)) + body)
    target.flush()


if __name__ == "__main__":
    main()
