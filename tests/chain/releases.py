#!/usr/bin/env python3
"""Writes packs/backendai/releases.yaml: Backend.AI's final releases since 22.03.4 with the heads of their schemas, their
Python, the services that they were made with, what cannot be installed, the guide's rules and known risks.

    releases.py packs/backendai/releases.chains > packs/backendai/releases.yaml

The releases and heads come from the catalogue; the tables below from the package index (2026-11) and the repository's own files.
"""
import sys

# Series from here on ask for this Python; the wheels say >=3.X,<3.X+1 (22.03.4 to .14: exactly 3.10.4 or 3.10.5).
PYTHON = {"22.03": 10, "23.03": 11, "24.03": 12, "25.6": 13}
# From here on made with: PostgreSQL, Redis, etcd.
SERVICES = {"22.03": "PostgreSQL 13.7, Redis 6.2.7, etcd 3.5.4", "23.03": "PostgreSQL 15.1, Redis 7.0.5, etcd 3.5.6",
            "24.09": "PostgreSQL 16.3, Redis 7.2.4, etcd 3.5.14", "26.4": "PostgreSQL 16.3, Valkey 9.1, etcd 3.5.14"}
NO_FILE = "the index has no file of it"
UNAVAILABLE = {"22.09.13": "yanked: a backport issue", "22.09.14": "yanked: a backport issue",
               "23.03.1": "yanked: the reason is an issue number",
               "23.09.4": "yanked: shipped with an invalid static webui bundle", "23.09.11": NO_FILE,
               "24.09.7": "yanked: corrupted database revision", "24.09.8": NO_FILE, "24.09.9": NO_FILE,
               "24.09.10": NO_FILE, "24.09.11": NO_FILE, "24.09.12": NO_FILE, "24.12.0": NO_FILE,
               "24.12.1": "yanked: broken version", "25.1.0": NO_FILE,
               "26.1.0": "its wheel has no migration scripts"}


# Releases whose way down is open: run on a database with contents, digests as on the way up. Of all others nobody knows.
OPEN = ("23.09.1", "23.09.2", "23.09.3", "23.09.4", "23.09.5", "23.09.6", "23.09.8", "23.09.10", "23.09.11")
GUIDE = "upgrade guide"
END = f"""
policies:
  - {{consecutive: series, yields_to: chain, source: "{GUIDE}, minor upgrade: always try to upgrade the version consecutively"}}
  - {{latest_of_previous_series: true, yields_to: chain, source: "{GUIDE}, major upgrade: the very latest minor version of the prior release first"}}
  - {{no_series_skip: true, yields_to: chain, source: "{GUIDE}, major upgrade: do not skip the intermediate major version"}}
  - {{runtime: python, fact: pythons, source: "the wheels' Requires-Python"}}

# A manager of 23.09 takes no heartbeat of a 23.03 agent, which says nothing of it.
skew:
  - {{role: agent, with: manager, series_apart: 0, source: "the manager's log: KeyError: 'public_key'"}}

risks:
  - id: older-not-run
    from: "<23.03"
    because: "this procedure was run on 23.03.11 to 23.09.10 only; before 23.03 containers have to be down for the new agent, and the folders of the volumes move (v2 to v3)"
    source: "MIGRATION.md of the repository; README.md"
  - id: newer-not-run
    to: ">=23.10"
    because: "this procedure was run on 23.03.11 to 23.09.10 only; later releases want another Python, etcd keys that move, and from 24.09 another PostgreSQL"
    source: "MIGRATION.md of the repository; README.md"
  - id: keys-without-owner
    to: ">=23.09.8"
    when: [{{fact: users_without_key, of: any, at_least: 1}}]
    because: "users whose main_access_key is empty cannot sign a call of 23.09.10 (401), and no migration fills it in again"
    source: "README.md; such users were made by a fixture, or by an older release on this schema"
"""


def numbers(version):
    return [int(part) for part in version.split(".")]


def since(table, series):
    return table[max((first for first in table if numbers(first) <= numbers(series)), key=numbers)]


def heads_of(lines):
    """Release -> the head of its graph, from the catalogue's differences."""
    parents, heads, release = {}, {}, None
    for words in (line.split(";")[0].split() for line in lines if not line.startswith("#")):
        if words[0] == "release":
            release = words[1]
        elif words[0] == "+":
            parents[words[1]] = words[2:]
        else:
            del parents[words[1]]
        heads[release] = dict(parents)
    return {name: sorted(set(graph) - {parent for one in graph.values() for parent in one})
            for name, graph in heads.items()}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        heads = heads_of([line for line in file if line.strip()])
    releases = list(heads)
    series = list(dict.fromkeys(release.rpartition(".")[0] for release in releases))
    formats = list(dict.fromkeys(head for found in heads.values() for head in found))
    print("# Made by tests/chain/releases.py: Backend.AI's releases, its makers' rules, and what can be installed.")
    print("# A format of the database is the head of the revisions that a release ships; a release works on its own head only.")
    print("stores:\n  database:\n    role: manager\n    shared: true\n    level: schema\n    formats:")
    for at in range(0, len(formats), 8):
        print(("      [" if at == 0 else "       ") + ", ".join(f'"{head}"' for head in formats[at:at + 8])
              + ("]" if at + 8 >= len(formats) else ","))
    print("  # webserver.conf and storage-proxy.toml have another form from 23.09 on.")
    print('  settings: {role: web, formats: ["1", "2"]}')
    print("\nseries:")
    for one in series:
        form = 2 if numbers(one) >= [23, 9] else 1
        print(f"  # made with {since(SERVICES, one)}")
        last = heads[[release for release in releases if release.rpartition(".")[0] == one][-1]][0]
        print(f'  "{one}":\n    database: {{reads: ["{last}"], writes: "{last}", raises: on_migrate}}')
        print(f'    settings: {{reads: ["{form}"], writes: "{form}", raises: on_migrate, lowers: on_request}}')
    print("\nreleases:")
    for release in releases:
        print(release_line(release, heads[release]))
    print(END, end="")


def release_line(release, heads):
    one = release.rpartition(".")[0]
    minor = since(PYTHON, one)
    reason = f', unavailable: "{UNAVAILABLE[release]}"' if release in UNAVAILABLE else ""
    lowers = ", lowers: on_request" if release in OPEN else ""
    law = f', database: {{reads: ["{heads[0]}"], writes: "{heads[0]}", raises: on_migrate{lowers}}}' if heads else ""
    return f'  "{release}": {{series: "{one}", needs: {{python: ">=3.{minor} <3.{minor + 1}"}}{law}{reason}}}'


main()
