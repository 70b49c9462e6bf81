"""Random streams of each op version, written by Pachyderm's own classes: they and drydock count alike."""

import json
import os
import unittest
from typing import Any

import pachyderm
import program
from program import DONE, NO

VERSIONS = (7, 8, 9, 10, 11, 12, 13)


class Judge(program.Case):
    def setUp(self) -> None:
        super().setUp()
        try:
            pachyderm.python()
        except pachyderm.Unavailable as reason:
            self.skipTest(str(reason))

    def path(self, *parts: object) -> str:
        return os.path.join(self.scratch, "-".join(map(str, parts)))

    def compare(self, path: str, judge: dict[str, Any], is_sound: bool) -> None:
        found = self.answer("verify", path, code=DONE if is_sound else NO)
        for key in ("ops", "op_versions", "repos", "jobs", "objects_referenced", "has_objects"):
            self.assertEqual(found[key], judge[key], key)
        self.assertEqual({kind: count for kind, count in found["counts"].items() if count}, judge["counts"])
        counted = {kind: finding["count"] for kind, finding in found["findings"].items()}
        self.assertEqual({kind: counted[kind] for kind in judge["findings"]}, judge["findings"])
        self.assertEqual(sum(counted.values()), sum(judge["findings"].values()))
        self.assertEqual(found["commits"]["without_tree"], judge["without_tree"])
        for kind, (count, size) in judge["contents"].items():
            self.assertEqual(found[kind + "s"], {"count": count, "bytes": size})
        self.assertEqual(found["sound"], is_sound)
        self.assertIsNone(found["damage"])

    def compare_all(self, streams: dict[str, list[str]], is_sound: bool) -> None:
        """Writes each stream by the options of streams.py, and compares what is found in it."""
        pachyderm.batch(*(["write", path, *options] for path, options in streams.items()))
        for path, judge in zip(streams, pachyderm.batch(*(["count", path] for path in streams))):
            with self.subTest(options=streams[path]):
                self.compare(path, judge, is_sound)

    def test_sound_streams(self) -> None:
        self.compare_all({self.path(minor, *options): [str(minor), "300", str(minor), *options]
                          for minor in VERSIONS for options in ([], ["objects"])}, is_sound=True)

    def test_streams_with_defects(self) -> None:
        self.compare_all({self.path(minor, seed): [str(minor), "400", str(seed), "objects", "defects"]
                          for minor in VERSIONS for seed in (1, 2)}, is_sound=False)

    def test_files_that_were_cut_between_two_ops(self) -> None:
        """Such a file reads as a whole one. The manifest of the whole one, without its digest, tells it."""
        pachyderm.batch(*(["write", self.path(minor), str(minor), "60", "3"] for minor in VERSIONS))
        manifests = {minor: self.answer("inspect", self.path(minor)) for minor in VERSIONS}
        cuts = [(minor, ops) for minor in VERSIONS for ops in (1, 30, manifests[minor]["ops"] - 1)]
        pachyderm.batch(*(["cut", self.path(minor), str(ops), self.path(minor, ops)] for minor, ops in cuts))
        for minor, ops in cuts:
            with self.subTest(version=minor, ops=ops):
                manifest = {key: value for key, value in manifests[minor].items() if key != "sha256"}
                counts = self.keep("counts", json.dumps(manifest).encode())
                part = self.path(minor, ops)
                self.assertEqual(self.answer("verify", self.path(minor), "--against", counts)["verdict"], "complete")
                self.assertEqual(self.answer("verify", part)["verdict"], "unproved")
                answer = self.answer("verify", part, "--against", counts, code=NO)
                self.assertTrue(answer["differences"])
                self.assertIsNone(answer["damage"])

    def test_the_committed_files_are_theirs(self) -> None:
        """What the other tests read is what the classes write today."""
        streams = {self.path(minor): [str(minor), "12", str(minor)] for minor in VERSIONS}
        self.compare_all(streams, is_sound=True)
        for minor, path in zip(VERSIONS, streams):
            with open(path, "rb") as file:
                self.assertEqual(file.read(), program.fixture(f"1.{minor}"), minor)


if __name__ == "__main__":
    unittest.main()
