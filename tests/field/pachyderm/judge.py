"""What the tests of the double share: two installations over one bucket, and pachctl run in this process.

    judge.start_all()      # in setUpModule: `old` has some data, `new` is empty; skips where something is missing
    judge.old, judge.new

Goes on in the interpreter that has Pachyderm's classes.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(os.path.dirname(HERE), "common"), os.path.join(os.path.dirname(HERE), "s3")]

import double  # noqa: E402
import radosgw  # noqa: E402  (in ../common)
import signed  # noqa: E402  (in ../s3)
from limits import scaled  # noqa: E402
from machine import wait_until  # noqa: E402

try:
    double.hand_over(os.path.abspath(sys.argv[0]))
except double.Unavailable as error:
    print(f"Ran 0 tests\n{error}\nOK (skipped=1)", file=sys.stderr)
    sys.exit(0)

import load  # noqa: E402  (first: it takes the whole of Pachyderm's package, and protocol.py only a part if nobody did)

import commands  # noqa: E402
import stream  # noqa: E402

DRYDOCK = os.environ.get("DRYDOCK") or os.path.join(HERE, "..", "..", "..", "build", "drydock")
FILES, PIPELINES = 60, 2
server: Any = None
old: Any = None
new: Any = None


def start_all() -> None:
    """An old installation with some data, and a new one that is empty, both over one bucket."""
    global server, old, new
    try:
        server = radosgw.Server()
    except radosgw.Unavailable as error:
        raise unittest.SkipTest(str(error)) from None
    unittest.addModuleCleanup(server.close)
    base = tempfile.mkdtemp(prefix="drydock-pachyderm-")
    unittest.addModuleCleanup(shutil.rmtree, base, ignore_errors=True)
    store = double.Store(server.endpoint, radosgw.BUCKET, radosgw.ACCESS_KEY, radosgw.SECRET_KEY)
    old = double.Double(os.path.join(base, "old"), store, "1.10.5")
    unittest.addModuleCleanup(old.close)
    new = double.Double(os.path.join(base, "new"), store, "1.11.9")
    unittest.addModuleCleanup(new.close)
    old.start()
    new.start()
    load.fill(load.connect(old.address), FILES, PIPELINES)


class Answer:
    """What a command of pachctl did, run in this process: its start takes longest."""

    def __init__(self, of: Any, words: tuple[str, ...], data: bytes):
        out, errors = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
        before, given = os.environ.copy(), sys.stdin
        os.environ.update({"PACH_CONFIG": of.config, "PACHCTL_RELEASE": of.release})
        sys.stdin = io.TextIOWrapper(io.BytesIO(data))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
                self.code = commands.main(list(words))
        finally:
            sys.stdin = given
            os.environ.clear()
            os.environ.update(before)
        out.flush()
        errors.flush()
        self.out, self.errors = out.buffer.getvalue(), errors.buffer.getvalue().decode()  # type: ignore[attr-defined]


def run(of: Any, *words: str, data: bytes = b"") -> Answer:
    return Answer(of, words, data)


def ask(of: Any, *words: str, data: bytes = b"") -> str:
    answer = run(of, *words, data=data)
    if answer.code != 0:
        raise AssertionError(f"pachctl {words}: {answer.errors}")
    return answer.out.decode()


def listed(of: Any, *words: str) -> list[Any]:
    return double.json_values(ask(of, *words, "--raw"))


def extract(of: Any) -> bytes:
    answer = run(of, "extract", "--no-objects")
    assert answer.code == 0, answer.errors
    return answer.out


def cut(data: bytes, ops: int) -> bytes:
    """The first ops of a stream, as a whole stream."""
    out = io.BytesIO()
    stream.write(out, iter(list(stream.ops(io.BytesIO(data)))[:ops]))
    return out.getvalue()


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.scratch = tempfile.mkdtemp(prefix="drydock-pachyderm-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.before, self.after = load.connect(old.address), load.connect(new.address)

    def s3(self, method: str, key: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """A request for one key as it is stored."""
        with contextlib.closing(signed.Connection(server.endpoint, radosgw.ACCESS_KEY, radosgw.SECRET_KEY,
                                                  scaled(60))) as connection:
            return connection.request(method, f"/{radosgw.BUCKET}/{key}", body)

    def clear_new(self) -> None:
        ask(new, "delete", "all", data=b"y\n")
        self.assertEqual(listed(new, "list", "repo"), [])

    def wait_for_state(self, of: Any, state: str) -> None:
        """Until the only pipeline has it."""
        wait_until(lambda: [one.get("state") for one in listed(of, "list", "pipeline")] == [state], scaled(30),
                   lambda: f"the pipeline is not {state}", every=0.1)

    def make_pipeline(self, of: Any) -> None:
        """A repo `images` with a file, and the pipeline `edges` that has worked on it."""
        ask(of, "create", "repo", "images")
        ask(of, "put", "file", "images@master:/kept", data=b"kept for ever")
        ask(of, "create", "pipeline", "-f", "-", data=json.dumps({
            "pipeline": {"name": "edges"}, "transform": {"image": "image:1", "cmd": ["sh"]},
            "input": {"pfs": {"repo": "images", "glob": "/*"}}}).encode())
        self.wait_for_jobs(of, 1)
        self.wait_for_state(of, "PIPELINE_RUNNING")

    def wait_for_jobs(self, of: Any, count: int) -> None:
        wait_until(lambda: [one["state"] for one in listed(of, "list", "job")] == count * ["JOB_SUCCESS"], scaled(30),
                   lambda: f"there are no {count} jobs that are done", every=0.1)

    def inspect(self, data: bytes) -> Any:
        """What `drydock extract inspect` says."""
        path = os.path.join(self.scratch, "file")
        with open(path, "wb") as file:
            file.write(data)
        done = subprocess.run([DRYDOCK, "extract", "inspect", path, "--json"], capture_output=True, check=False,
                              timeout=scaled(60))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)
