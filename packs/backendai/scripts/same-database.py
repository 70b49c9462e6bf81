#!/usr/bin/env python3
"""same-database.py ALEMBIC_INI MANAGER_TOML HOST PORT NAME: exit 0 if all three name one database, 1 with what differs if not."""

import configparser
import sys
import tomllib
import urllib.parse

LOOPBACK = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}


def of_alembic(path: str) -> tuple[str, int, str]:
    parser = configparser.RawConfigParser()
    with open(path) as file:
        parser.read_file(file)
    url = urllib.parse.urlsplit(parser["alembic"]["sqlalchemy.url"])
    return url.hostname or "", url.port or 5432, url.path.strip("/")


def of_manager(path: str) -> tuple[str, int, str]:
    with open(path, "rb") as file:
        section = tomllib.load(file)["db"]
    address = section["addr"]
    if isinstance(address, str):
        host, _, port = address.rpartition(":")
        address = {"host": host, "port": port}
    return address["host"], int(address["port"]), section["name"]


def main(ini: str, toml: str, host: str, port: str, name: str) -> int:
    found = {ini: of_alembic(ini), toml: of_manager(toml), "the cluster file": (host, int(port), name)}
    same = {(LOOPBACK.get(one[0], one[0]), *one[1:]) for one in found.values()}
    for place, one in found.items():
        print(f"{place}: {one[0]}:{one[1]}/{one[2]}")
    return 0 if len(same) == 1 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
