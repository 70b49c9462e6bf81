#!/usr/bin/env python3
"""Writes tests/chain/backendai/releases.yaml: Backend.AI's final releases since 22.03.4 with their Python, the services
that they were made with, what cannot be installed, and the upgrade guide's rules.

    releases.py tests/chain/backendai.chains > tests/chain/backendai/releases.yaml

The releases come from the catalogue; the tables below from the package index (2026-11) and the repository's own files.
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


def numbers(version):
    return [int(part) for part in version.split(".")]


def since(table, series):
    return table[max((first for first in table if numbers(first) <= numbers(series)), key=numbers)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        releases = [line.split()[1] for line in file if line.startswith("release ")]
    series = list(dict.fromkeys(release.rpartition(".")[0] for release in releases))
    print("# Made by tests/chain/releases.py: Backend.AI's releases, its makers' rules, and what can be installed.")
    print("stores:\n  database:\n    role: manager\n    shared: true")
    print("    formats: [" + ", ".join(f'"{one}"' for one in series) + "]\n\nseries:")
    for before, one in zip([None, *series], series):
        reads = f'"{before}", "{one}"' if before else f'"{one}"'
        print(f"  # made with {since(SERVICES, one)}")
        print(f'  "{one}": {{database: {{reads: [{reads}], writes: "{one}", raises: on_migrate}}}}')
    print("\nreleases:")
    for release in releases:
        one = release.rpartition(".")[0]
        minor = since(PYTHON, one)
        reason = f', unavailable: "{UNAVAILABLE[release]}"' if release in UNAVAILABLE else ""
        print(f'  "{release}": {{series: "{one}", needs: {{python: ">=3.{minor} <3.{minor + 1}"}}{reason}}}')
    guide = "upgrade guide"
    print(f"""
policies:
  - {{consecutive: series, yields_to: chain, source: "{guide}, minor upgrade: always try to upgrade the version consecutively"}}
  - {{latest_of_previous_series: true, yields_to: chain, source: "{guide}, major upgrade: the very latest minor version of the prior release first"}}
  - {{no_series_skip: true, yields_to: chain, source: "{guide}, major upgrade: do not skip the intermediate major version"}}
  - {{runtime: python, fact: pythons, source: "the wheels' Requires-Python"}}""")


main()
