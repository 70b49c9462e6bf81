"""A real Ozone cluster by hand, in ./ozone-cluster (or --in FOLDER).

    ozone up [--release 2.2.0+h4o3] [--oms 3] [--scms 3] [--recon] [--s3g]
    ozone facts                       what each member says and has on disk
    ozone keys [put|check] [NAME]     writes some keys, or compares them byte for byte
    ozone admin|sh|freon ...          Ozone's own command line
    ozone stop|start|kill [MEMBER...] [--upgrade|--downgrade]
    ozone install RELEASE [MEMBER...] switches release links
    ozone file [RELEASE...]           writes cluster.yaml, for drydock
    ozone down                        ends everything and removes the folder
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

import cluster
import keys
import releases

MARK = "made-by-drydock-ozone"  # a folder without this file is somebody's own and is not wiped


def facts(made: cluster.Cluster) -> list[str]:
    rows = []
    for name, member in made.members.items():
        pid = made.pid(name)
        row = f"{name:6} {'pid ' + str(pid) if pid else 'down':12}"
        if member.role in cluster.INFO:
            disk, software = made.layouts(name) or ("-", "-")
            row += f" runs {made.version(name) or '-':12} layout {disk} of {software}, on disk " \
                   f"{made.layout_on_disk(name)}"
        rows.append(row + (", prepared" if member.role == "om" and made.prepared(name) else ""))
    return [*rows, f"safe mode {made.safe_mode()}, datanodes {made.nodes()}"]


def opened(folder: str) -> cluster.Cluster:
    """The cluster in a folder, as `up` made it."""
    try:
        with open(os.path.join(folder, MARK)) as file:
            known = json.load(file)
    except OSError:
        raise LookupError(f"{folder} has no cluster; `ozone up` makes one") from None
    shape = cluster.Shape(**known["shape"])
    return cluster.Cluster(folder, shape, known["ports"], known["prefix"])


def up(folder: str, options: argparse.Namespace) -> None:
    if os.path.exists(folder) and os.listdir(folder):
        raise LookupError(f"{folder} is there already; `ozone down` removes a cluster")
    os.makedirs(folder, exist_ok=True)
    shape = cluster.Shape(scms=options.scms, oms=options.oms, recon=options.recon, s3g=options.s3g)
    known = {"shape": vars(shape), "prefix": cluster.free_prefix(),
             "ports": cluster.free_ports(shape.ports())}
    with open(os.path.join(folder, MARK), "w") as file:
        json.dump(known, file)
    made = opened(folder)
    try:
        made.install(options.release)
        made.initialise()
        made.wait_ready()
        print("\n".join(facts(made)))
    finally:
        made.close(keep_running=sys.exc_info()[0] is None)


def down(folder: str) -> None:
    with opened(folder) as made:
        print(f"{len(made.reap())} processes ended")
    shutil.rmtree(folder)


def act(made: cluster.Cluster, options: argparse.Namespace) -> int:
    words = options.words
    if options.command in ("admin", "sh", "freon", "version"):
        return subprocess.run([*made.ozone_command(), options.command, *words]).returncode
    if options.command == "keys":
        action, name = [*words, "put"][:1][0], [*words[1:], "keys"][0]
        wrong = keys.wrong(made, name) if action == "check" else keys.put(made, name) or []
        print("\n".join(wrong) or f"{keys.COUNT} keys, as written")
        return 1 if wrong else 0
    if options.command == "start":
        made.start(*words, upgrade=options.upgrade, downgrade=options.downgrade)
    elif options.command in ("stop", "kill"):
        getattr(made, options.command)(*words)
    elif options.command == "install":
        made.install(words[0], *words[1:])
    elif options.command == "file":
        print(made.write_cluster_file(*words))
    if options.command != "file":
        print("\n".join(facts(made)))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ozone", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in", dest="folder", default="ozone-cluster",
                        help="the cluster's folder")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("up")
    one.add_argument("--release", default=releases.OLD)
    one.add_argument("--oms", type=int, default=1)
    one.add_argument("--scms", type=int, default=1)
    one.add_argument("--recon", action="store_true")
    one.add_argument("--s3g", action="store_true")
    commands.add_parser("down")
    for name in ("facts", "keys", "start", "stop", "kill", "install", "file"):
        one = commands.add_parser(name)
        one.add_argument("words", nargs="*")
        if name == "start":
            one.add_argument("--upgrade", action="store_true")
            one.add_argument("--downgrade", action="store_true")
    for name in ("admin", "sh", "freon", "version"):
        commands.add_parser(name, add_help=False).add_argument("words", nargs=argparse.REMAINDER)
    return parser.parse_args()


def main() -> int:
    options = _options()
    folder = os.path.realpath(options.folder)
    try:
        if options.command == "up":
            up(folder, options)
        elif options.command == "down":
            down(folder)
        else:
            made = opened(folder)
            try:
                return act(made, options)
            finally:
                made.close(keep_running=True)
    except releases.Unavailable as error:
        print(f"The Ozone releases are not to be had: {error}", file=sys.stderr)
        return 1
    except (LookupError, OSError, TimeoutError, RuntimeError) as error:
        print(f"ozone: {error}", file=sys.stderr)
        return 1
    return 0
