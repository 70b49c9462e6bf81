"""The double of `daos_server start -o FILE`: one server with one engine. It runs until SIGTERM.

Storage of another generation ends the engine, never the server: so `dmg storage format` can be asked for.
"""

import fcntl
import os
import signal
import sys

import system as daos
from system import State, System

RELEASE = daos.own_release()


def main(argv: list[str]) -> int:
    config = daos.config_values(argv[argv.index("-o") + 1])
    here, rank = System(config["system"]), int(config["rank"])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    # Its own file stays open, as a program's is: that tells which release runs, whatever the link says meanwhile.
    with open(os.path.realpath(__file__), "rb"), open(os.path.join(here.folder, "servers", str(rank)), "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(RELEASE)
        lock.flush()
        with here.change() as state:
            state["ranks"][rank].update(zip(("state", "reason"), engine_state(state)))
        signal.sigwait([signal.SIGTERM, signal.SIGINT])
        with here.change() as state:
            state["ranks"][rank].update(state="Stopped", reason="")
    return 0


def engine_state(state: State) -> tuple[str, str]:
    """What becomes of an engine that starts, and the reason if it does not serve."""
    own = daos.global_version(RELEASE)
    if state["format"] is None:
        return "AwaitFormat", ""
    if state["format"] != daos.storage_format(RELEASE):
        print("RAS EVENT id: [engine_format_required] storage has another format: engine aborts", flush=True)
        return "Errored", "DER_DF_INCOMPT(-2025): Incompatible Durable Format"
    for pool in state["pools"]:
        if own is not None and pool["global_version"] is not None and pool["global_version"] > own:
            print(f"RAS EVENT id: [pool_durable_format_incompatible] pool {pool['uuid']}: DER_DF_INCOMPT", flush=True)
    return "Joined", ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
