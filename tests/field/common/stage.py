"""What all demos share: their scratch folder, and drydock's commands printed before they are run."""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
from typing import Callable

import processes

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
MARK = "made-by-drydock-demo"  # a folder without this file is somebody's own and is not wiped
REFUSED, WAITS_FOR_A_PERSON = 1, 3  # drydock's exit codes


class Stopped(Exception):
    """The demo cannot go on; the text says why and what helps."""


class Stage:
    """drydock at work in one scratch folder."""

    def __init__(self, scratch: str):
        self.scratch = scratch
        self.program = short(_program())

    def drydock(self, *words: str, expect: int = 0) -> None:
        command = [self.program, *words]
        print(f"\n$ {shlex.join(command)}", flush=True)
        code = subprocess.run(command, env=os.environ | {"DRYDOCK_SCRATCH": self.scratch}).returncode
        if code != expect:
            raise Stopped(f"`{shlex.join(command)}` ended with {code}, and {expect} was expected.\n"
                          f"  What happened is in {short(self.scratch)}: the members' logs, and "
                          "drydock's state.")


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


def tell(commands: list[str], scratch: str, system: str) -> None:
    """Prints what to type next at a cluster that keeps running."""
    say("The members keep running. To type:")
    where = [] if scratch == _scratch_of("demo") else ["--scratch", scratch]
    for command in [*commands, shlex.join(["./dev", "demo", system, *where, "--end"])]:
        print(f"  {command}")


def _refuse_strange(scratch: str) -> None:
    """Nothing is ended or removed in a folder that no demo marked."""
    if os.path.exists(scratch) and os.listdir(scratch) \
            and not os.path.exists(os.path.join(scratch, MARK)):
        raise Stopped(f"{scratch} is not a folder of the demo, and is left as it is.\n"
                      "  Name another one with --scratch.")


def clear(scratch: str) -> None:
    """Ends and removes what an earlier demo left in its folder."""
    _refuse_strange(scratch)
    if processes.end_all(scratch):
        print("Ended what an earlier demo had left running.", flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    open(os.path.join(scratch, MARK), "w").close()


def short(path: str) -> str:
    """A path as a person would type it here."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def parser(description: str, old: str, new: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="./dev demo", description=description)
    made.add_argument("--back", action="store_true",
                      help=f"stop at the gate and go back to {old} instead of on to {new}")
    made.add_argument("--keep", action="store_true",
                      help="leave the members running, and print the commands to type")
    made.add_argument("--by-hand", action="store_true",
                      help=f"only bring the {old} cluster up, and print the commands to type")
    made.add_argument("--end", action="store_true", help="end a cluster that was left running")
    made.add_argument("--scratch", type=_scratch_of, default=_scratch_of("demo"),
                      help="the folder for everything (default: ./demo)")
    return made


def play(options: argparse.Namespace, run: Callable[[argparse.Namespace], None],
         unavailable: type[Exception]) -> int:
    """Runs a demo, or ends what one left; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if options.end:
            _refuse_strange(options.scratch)
            print(f"{len(processes.end_all(options.scratch))} processes ended.")
        else:
            run(options)
        return 0
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except unavailable as error:
        print(f"\nThe releases are not to be had: {error}", file=sys.stderr)
    except (Stopped, LookupError, OSError, TimeoutError, RuntimeError) as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
    return 1


def _program() -> str:
    path = os.environ.get("DRYDOCK") or os.path.join(ROOT, "build", "drydock")
    if not os.access(path, os.X_OK):
        raise Stopped(f"{path} is not built.\n  Build it with: ./dev build")
    return os.path.abspath(path)


def _scratch_of(text: str) -> str:
    return os.path.realpath(text)
