"""What the guide's own commands do, each run on a copy: a small installation beside the others, and twins of it.

Both are doubles, so that what pachctl says is what its sources say (README.md). What Kubernetes says is real.
"""

import json
import os
import subprocess
from typing import Any, Callable

import double
import installation
import migration
from migration import World
from stage import say

COPY, TWIN, CUT = "guide-copy", "guide-twin", "guide-cut"
CUT_PORTS = {old: old + 2000 for old in (30650, 30651, 30652, 30654, 30655, 30600, 30080, 30081)}
RELEASE = migration.NEW


class Guide:
    """The guide's commands, in its order, on the copy."""

    def __init__(self, world: World):
        self.world, self.site = world, world.site
        self.store = world.make_bucket(COPY)

    def prepare(self) -> None:
        """The copy: deployed by the guide's command, with repos, commits, and pipelines."""
        self.site.deploy(COPY, RELEASE, self.store)
        self.site.wait_ready(COPY)
        self.world.load("fill", self.site.address_of(COPY), "--files", "50", "--pipelines", "1")

    def pachctl(self, *words: str, namespace: str = COPY, data: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        done = self.site.run(RELEASE, *words, context=namespace, data=data)
        _tell("pachctl " + " ".join(word for word in words if not word.startswith(("--credentials", "--custom", "--context",
                                                                                   "--reverse"))), done)
        return done

    def kubectl(self, *words: str, data: str = "") -> "subprocess.CompletedProcess[bytes]":
        command = self.site.server.kubectl(*words)
        done = subprocess.run(command, input=data.encode(), capture_output=True, check=False, timeout=migration.LOAD_SECONDS_MAX)
        _tell("kubectl " + " ".join(words), done)
        return done

    # Step 1

    def export(self) -> str:
        self.pachctl("export", "--no-object")
        return "the command never was, in no release; it is `pachctl extract --no-objects`. drydock runs that."

    def dump_to_url(self) -> str:
        self.world.make_bucket("guide-dump")
        whole = self.pachctl("extract", "--no-objects", "--url", "s3://guide-dump/dump")
        alone = self.site.run(RELEASE, "extract", "--no-objects", context=COPY)
        written = len(self.world.ask_store("GET", "/guide-dump/dump"))
        assert whole.returncode == 0 and written > len(alone.stdout)
        return (f"with --url the flag is ignored: {written} bytes, every object in them; into a file it makes {len(alone.stdout)}. "
                "drydock dumps into a file.")

    def saved_services(self) -> str:
        saved = self.site.server.ask("GET", f"/api/v1/namespaces/{COPY}/services/pachd")
        self.site.server.merge(f"/api/v1/namespaces/{COPY}/services/pachd", {"metadata": {"annotations": {"by": "somebody"}}})
        done = self.kubectl("apply", "--filename=-", data=json.dumps({"apiVersion": "v1", "kind": "Service", **saved}))
        assert done.returncode != 0
        return "the file of the guide is no way back: the Service has moved on since. drydock has the inverse patch."

    def sed_that_finds_nothing(self) -> str:
        service = self.site.server.ask("GET", f"/api/v1/namespaces/{COPY}/services/etcd")
        port = service["spec"]["ports"][0]["nodePort"]
        text = json.dumps({"apiVersion": "v1", "kind": "Service", **service}).replace("32379", "32378")
        self.kubectl("apply", "--filename=-", data=text)
        return f"`configured`, and nothing has changed: the port is {port}, chosen by Kubernetes. drydock reads the port itself."

    # Step 3

    def deploy_beside(self) -> str:
        before = self.site.binding()
        done = self.site.deploy(TWIN, RELEASE, self.store)
        _tell(f"pachctl deploy amazon {self.store.bucket} us-east-1 10 --dynamic-etcd-nodes=1 --namespace={TWIN}", done)
        after = self.site.binding()
        assert done.returncode != 0 and before != after
        return (f"half of it is there, and ClusterRoleBinding pachyderm went from {before[0]} to {after[0]}: the installation that "
                "serves has lost its rights. drydock creates objects of one namespace, with ports of their own.")

    # Step 4

    def restore_what_was_cut(self) -> str:
        whole, cut = (os.path.join(self.world.scratch, name) for name in ("guide-dump", "guide-dump-cut"))
        with open(whole, "wb") as file:
            file.write(self.site.run(RELEASE, "extract", "--no-objects", context=COPY).stdout)
        count, = double.pachyderm.batch(["count", whole])
        double.pachyderm.batch(["cut", whole, str(count["ops"] // 2), cut])
        self.site.deploy_with_ports(CUT, RELEASE, self.world.make_bucket(CUT), CUT_PORTS)
        self.site.wait_ready(CUT)
        with open(cut, "rb") as file:
            done = self.pachctl("restore", namespace=CUT, data=file.read())
        before, after = (self.world.load("state", self.site.address_of(one)) for one in (COPY, CUT))
        assert done.returncode == 0
        lost = len(migration.missing(before, after))
        return (f"exit code 0, not a word, and {lost} commits, files, pipelines and jobs are missing: the file had lost its end. "
                "drydock counts the dump against the cluster, and compares every commit afterwards.")

    def undeploy(self) -> str:
        """The old one goes; without `--namespace` it would be what kubectl's current context names."""
        before = self.site.binding()
        self.pachctl("undeploy", f"--namespace={COPY}", data=b"y\n")
        assert before and not self.site.binding()
        return (f"ClusterRole and ClusterRoleBinding pachyderm went, too, by a label that every installation has. They were for "
                f"{before[0]}, which stays and has no rights any more. drydock deletes object by object, by uid, in one namespace.")

    def sections(self) -> list[tuple[str, Callable[[], str]]]:
        return [("Step 1.1, the backup", self.export), ("Step 1, optionally to a bucket", self.dump_to_url),
                ("Step 1, the saved Services", self.saved_services), ("Step 2.2, the ports back", self.sed_that_finds_nothing),
                ("Step 3.2, the new installation", self.deploy_beside), ("Step 4.3, the restore", self.restore_what_was_cut),
                ("Step 4.6, the old one goes", self.undeploy)]


def show(world: World) -> None:
    """Runs all of them, and says beside each what drydock does instead."""
    say("What the guide's own commands would have done, each run on a copy:")
    guide = Guide(world)
    guide.prepare()
    for title, run in guide.sections():
        print(f"\n  {title}", flush=True)
        print(f"    {run()}", flush=True)


def _tell(command: str, done: "subprocess.CompletedProcess[Any]") -> None:
    """The command, the end of what it said, and its exit code."""
    said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    print(f"    $ {command}", flush=True)
    for line in said[-2:]:
        print(f"    {line[:160]}", flush=True)
    print(f"    exit code {done.returncode}", flush=True)
