#!/usr/bin/env python3
"""rank.py DMG CONTROL RANK: ends with 0 if the rank is Joined, with 1 if it is anything else or no server answers."""

import json
import subprocess
import sys


def state(dmg: str, control: str, rank: int) -> str:
    done = subprocess.run([dmg, "-o", control, "-j", "system", "query"], capture_output=True, text=True, check=False)
    if done.returncode:
        return ""
    members = (json.loads(done.stdout)["response"] or {}).get("members", [])
    return next((one["state"].lower() for one in members if one["rank"] == rank), "")


if __name__ == "__main__":
    sys.exit(0 if state(sys.argv[1], sys.argv[2], int(sys.argv[3])) == "joined" else 1)
