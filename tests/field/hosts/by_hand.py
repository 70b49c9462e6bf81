#!/usr/bin/env python3
"""Hosts to play with: by_hand.py COMMAND (see `./dev hosts --help`). They live in ./hosts until `down`."""

import os
import shutil
import sys

from hosts import Hosts, debian, why_not

BASE = os.path.abspath("hosts")
COUNT_MAX = 20


def main(words: list[str]) -> int:
    command, rest = (words or ["help"])[0], words[1:]
    if reason := why_not():
        return complain(reason)
    if command == "up":
        return up(int(rest[0]) if rest else 3)
    if not os.path.exists(os.path.join(BASE, "hosts.json")):
        return complain("no hosts are up; `./dev hosts up 3` starts some")
    hosts = Hosts.found(BASE)
    if command == "down":
        hosts.close()
        shutil.rmtree(BASE)
        return 0
    if command == "in" and rest:
        entered = hosts.inside(*rest)
        os.execvp(entered[0], entered)
    if not rest or rest[0] not in hosts.names:
        return complain(f"name one of the hosts {', '.join(hosts.names)}; see ./dev hosts --help")
    return act(hosts, command, rest)


def act(hosts: Hosts, command: str, rest: list[str]) -> int:
    name = rest[0]
    if command == "run":
        entered = hosts.on(name, *(rest[1:] or ["bash"]))
        os.execvp(entered[0], entered)
    actions = {"kill": hosts.kill, "start": hosts.start, "reboot": hosts.reboot,
               "lose-disk": hosts.lose_disk, "cut": hosts.cut, "heal": hosts.heal}
    if command not in actions:
        return complain(f"there is no command `{command}`; see ./dev hosts --help")
    actions[command](*rest)  # type: ignore[operator]  # `cut` takes directions, too
    return 0


def up(count: int) -> int:
    if os.path.exists(BASE):
        return complain(f"{BASE} is there; `./dev hosts down` ends those hosts")
    if not 1 <= count <= COUNT_MAX:
        return complain(f"1 to {COUNT_MAX} hosts")
    try:
        hosts = Hosts(BASE, [chr(ord("a") + number) for number in range(count)], by_hand=True)
    except debian.Unavailable as error:
        return complain(str(error))
    hosts.start()
    for name in hosts.names:
        print(f"{name}   {hosts.address(name)}   ssh -F hosts/ssh_config {name}")
    return 0


def complain(text: str) -> int:
    print(f"hosts: {text}", file=sys.stderr)
    return 1


sys.exit(main(sys.argv[1:]))
