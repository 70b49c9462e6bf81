#!/usr/bin/env python3
"""Writes packs/backendai/releases.chains: the revision graphs of all final releases of Backend.AI since 22.03.4.

    collect.py --program build/dev/tests/chain/chain_collect --git CLONE > packs/backendai/releases.chains
    collect.py --program ... --wheels FOLDER

--git takes each final tag's tree out of a clone of the public repository, --wheels every manager wheel of a folder
(`pip download --no-deps --ignore-requires-python backend.ai-manager==V`). drydock's own reader reads them; only ids,
parents and dependencies are kept. Releases that no index offers any more have a tag but no wheel.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

FOLDER = "src/ai/backend/manager/models/alembic"
FINAL = re.compile(r"^2[2-9]\.\d+\.\d+$")
WHEEL = re.compile(r"^backend[._]ai[._]manager-(\d+)\.(\d+)\.(\d+)-py3")
NOT_IN_THIS_REPOSITORY = {"22.03.0"}


def numbers(version):
    return [int(part) for part in version.split(".")]


def tag_of(match):
    """The wheel's 23.3.11 is the tag 23.03.11 until 24.12, and 25.1.0 is 25.1.0."""
    year, month, patch = match.groups()
    return f"{year}.{int(month):02d}.{patch}" if int(year) < 25 else f"{year}.{month}.{patch}"


def from_git(clone, work):
    tags = subprocess.run(["git", "-C", clone, "tag"], check=True, capture_output=True, text=True).stdout.split()
    for tag in sorted((tag for tag in tags if FINAL.match(tag)), key=numbers):
        if tag not in NOT_IN_THIS_REPOSITORY:
            path = os.path.join(work, tag + ".tar")
            with open(path, "wb") as file:
                # A partial clone complains of files elsewhere that it lacks; the exit code counts.
                subprocess.run(["git", "-C", clone, "archive", tag, FOLDER], check=True, stdout=file,
                               stderr=subprocess.DEVNULL)
            yield tag, path


def from_wheels(folder):
    found = {tag_of(match): name for name in os.listdir(folder) if (match := WHEEL.match(name))}
    for release in sorted(found, key=numbers):
        yield release, os.path.join(folder, found[release])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--git")
    parser.add_argument("--wheels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        packages = from_git(options.git, work) if options.git else from_wheels(options.wheels)
        words = [f"{release}={path}" for release, path in packages]
        print("# The revision graphs of Backend.AI's manager, one release after the other.\n"
              "# Made by tests/chain/collect.py; the format stands in src/chain/catalogue.h.", flush=True)
        return subprocess.run([options.program, *words]).returncode


sys.exit(main())
