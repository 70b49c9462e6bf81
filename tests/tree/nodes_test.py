"""`drydock copy --nodes`: several processes of MPI on this host make one copy, are killed, and go on."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import trees  # first: it knows where the others are
from program import DONE, NO, Run, Running, program

RANKS = 3
LAUNCHER = "mpirun --oversubscribe"
FILES, CHUNKS = 1500, 12
CHUNK_BYTES = 16 << 20
RANK_VARIABLE = b"OMPI_COMM_WORLD_RANK="


def why_unable() -> str:
    if not os.access(os.path.join(os.path.dirname(program()), "drydock-ranks"), os.X_OK):
        return "drydock-ranks was not built: there is no MPI"
    return "" if shutil.which("mpirun") else "mpirun is not installed"


class NodesTest(trees.TreeCase):
    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.source)

    def words(self, ranks: int = RANKS, *more: str) -> list[str]:
        return ["copy", self.source, self.target, "--json", "--nodes", str(ranks), "--launcher", LAUNCHER, *more]

    def environment(self) -> dict[str, str]:
        return {"XDG_STATE_HOME": os.path.join(self.scratch, "state")}

    def copy(self, ranks: int = RANKS, *more: str) -> Run:
        return trees.run_drydock(self.words(ranks, *more), self.scratch, self.environment())

    def make_files(self) -> None:
        draw = random.Random(7)
        for number in range(FILES):
            folder = os.path.join(self.source, f"f{number % 30}")
            os.makedirs(folder, exist_ok=True)
            trees.write(os.path.join(folder, f"n{number}"), draw.randbytes(draw.randrange(1, 16000)))
        trees.write(os.path.join(self.source, "large"), draw.randbytes(CHUNKS * CHUNK_BYTES))

    def assert_same(self) -> None:
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))

    def ranks_of(self, running: Running) -> dict[int, int]:
        """The processes of a copy that runs, by rank. mpirun takes drydock's place, and they are its children."""
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
                with open(f"/proc/{name}/environ", "rb") as variables:
                    ranks = [one for one in variables.read().split(b"\0") if one.startswith(RANK_VARIABLE)]
            except OSError:
                continue
            if parent == running.process.pid and ranks:
                found[int(ranks[0].partition(b"=")[2])] = int(name)
        return found

    def begin(self, ranks: int, *more: str) -> Running:
        running = Running(self.words(ranks, "--jobs", "1", *more), self.scratch, self.environment())
        self.addCleanup(running.process.wait)
        self.addCleanup(running.process.kill)
        return running

    def wait_until_at_work(self, running: Running, ranks: int, files: int) -> dict[int, int]:
        """Until all ranks run and so many files are completed; the ranks."""
        while len(self.ranks_of(running)) < ranks or self.completed() < files:
            self.assertIsNone(running.process.poll(), "it ended before it was killed")
            time.sleep(0.01)
        return self.ranks_of(running)

    def completed(self) -> int:
        """Files that are built up and have their time, which they get last."""
        staged = os.path.join(self.target, ".drydock-copy")
        found = 0
        for folder, _, names in os.walk(staged):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    found += os.stat(os.path.join(self.source, os.path.relpath(path, staged))).st_mtime_ns == os.stat(path).st_mtime_ns
                except FileNotFoundError:
                    continue  # one that was half done goes away and comes again
        return found


@unittest.skipIf(why_unable(), why_unable())
class Nodes(NodesTest):
    def test_the_edge_tree(self) -> None:
        """Three ranks copy what one does, and the manifest is the same."""
        trees.require_root()
        trees.make_edge_tree(self.source)
        manifest = os.path.join(self.scratch, "manifest.jsonl")
        done = self.copy(RANKS, "--manifest", manifest)
        self.assertEqual(done.code, DONE, done.text())
        report = json.loads(done.stdout)
        self.assertTrue(report["whole"])
        self.assertEqual(len(report["ranks"]), RANKS)
        self.assertEqual(report["names"], 2)
        self.assert_same()
        alone = os.path.join(self.scratch, "alone.jsonl")
        other = os.path.join(self.scratch, "other")
        self.assertEqual(self.drydock("copy", self.source, other, "--manifest", alone).code, DONE)
        with open(manifest, encoding="utf-8") as first, open(alone, encoding="utf-8") as second:
            self.assertEqual(first.read(), second.read())

    def test_all_ranks_work(self) -> None:
        self.make_files()
        done = self.copy()
        self.assertEqual(done.code, DONE, done.text())
        report = json.loads(done.stdout)
        self.assert_same()
        self.assertEqual(sum(rank["files"] for rank in report["ranks"]), report["copied"])
        for rank in report["ranks"][1:]:
            self.assertGreater(rank["files"], 0)
            self.assertGreater(rank["bytes"], 0)

    def test_killed_ranks_and_launchers(self) -> None:
        """kill -9 of each in its turn; the next start has another number of ranks, and loses at most what was under way."""
        self.make_files()
        ranks, completed = RANKS, 0
        for turn, victim in enumerate((2, 0, "launcher", 1)):
            running = self.begin(ranks, "--bwlimit", "6M")
            found = self.wait_until_at_work(running, ranks, 100 * (turn + 1))
            os.kill(running.process.pid if victim == "launcher" else found[int(victim)], signal.SIGKILL)
            died = running.wait()
            self.assertNotIn(died.code, (DONE, NO), died.text())
            if victim != "launcher":
                self.assertIn(f"process rank {victim}", died.text())
            self.wait_gone(found)
            completed = self.completed()
            ranks = 2 if ranks == RANKS else RANKS
        done = self.copy(ranks)
        self.assertEqual(done.code, DONE, done.text())
        report = json.loads(done.stdout)
        self.assert_same()
        self.assertTrue(report["resumed"])
        self.assertGreater(completed, 300)
        self.assertGreaterEqual(report["kept"], completed)
        self.assertEqual(self.drydock("verify", self.source, self.target).code, DONE)

    def wait_gone(self, found: dict[int, int]) -> None:
        """A rank that nobody starts anew may still write: it ends when it finds that the launcher is gone."""
        ends = time.monotonic() + 60
        while any(os.path.exists(f"/proc/{pid}") for pid in found.values()):
            self.assertLess(time.monotonic(), ends, "ranks outlive their launcher")
            time.sleep(0.05)

    def test_chunks_are_kept(self) -> None:
        """A rank dies in a large file: what all ranks had written of it is not copied again."""
        trees.write(os.path.join(self.source, "large"), random.Random(8).randbytes(CHUNKS * CHUNK_BYTES))
        running = self.begin(RANKS, "--bwlimit", "90M")
        journal = os.path.join(self.scratch, "state", "drydock", "copies")
        while self.chunks_in(journal) < 4:
            self.assertIsNone(running.process.poll(), "it ended before it was killed")
            time.sleep(0.01)
        found = self.ranks_of(running)
        os.kill(found[2], signal.SIGKILL)
        running.wait()
        self.wait_gone(found)
        kept = self.chunks_in(journal)
        done = self.copy(RANKS)
        self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(json.loads(done.stdout)["kept_bytes"], kept * CHUNK_BYTES)
        self.assert_same()

    @staticmethod
    def chunks_in(copies: str) -> int:
        """Of the journal as it is on the disk: drydock holds its lock, so a copy is asked."""
        if not os.path.isdir(copies):
            return 0
        for name in os.listdir(copies):
            folder = os.path.join(copies, name)
            with trees.tempfile.TemporaryDirectory() as scratch:
                for file in ("journal.sqlite", "journal.sqlite-wal"):
                    if os.path.exists(os.path.join(folder, file)):
                        shutil.copy(os.path.join(folder, file), scratch)
                done = subprocess.run(["sqlite3", os.path.join(scratch, "journal.sqlite"), "SELECT count(*) FROM chunks"],
                                      capture_output=True, text=True, check=False)
                return int(done.stdout or 0)
        return 0

    def test_wrong_input_is_told_once(self) -> None:
        shutil.rmtree(self.source)
        done = self.copy()
        self.assertEqual(done.stdout.count("is no folder") + done.stderr.count("is no folder"), 1, done.text())
        self.assertNotEqual(done.code, DONE)


class WithoutMpi(NodesTest):
    def test_a_launcher_that_is_not_there(self) -> None:
        words = ["copy", self.source, self.target, "--nodes", "2", "--launcher", "no-such-launcher"]
        done = trees.run_drydock(words, self.scratch, self.environment())
        self.assertNotEqual(done.code, DONE)
        self.assertIn("MPI" if why_unable() else "--launcher", done.text())
        self.assertFalse(os.path.exists(self.target))


if __name__ == "__main__":
    unittest.main()
