#!/usr/bin/env python3
"""The subject of each new commit fits one line of `git log` and tells the change without its body."""

import datetime
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLUMNS_MAX = 72
COMMITS_MAX = 50  # where no tag is
# Commits that were written before this check are exempt.
SINCE = datetime.datetime.fromisoformat("2026-11-29T17:00:00+00:00")
BEGINS_WITH_A_WORD = re.compile(r"[A-Za-z0-9][\w./+-]*([ ,:]|$)")
AREA = re.compile(r"[\w./+-]+(, [\w./+-]+)*: ")
# The first word behind the area is no past form, no participle and no third person. An area alone says nothing.
NO_IMPERATIVE = re.compile(r"\w+(ed|ing)$", re.IGNORECASE)
IMPERATIVES = frozenset("bleed breed bring cling embed exceed feed fling heed need ping proceed ring seed shed sing speed "
                        "spring sting string succeed swing weed wring".split())
THIRD_PERSON = frozenset("""
    accepts adds adjusts allows asks avoids builds bumps calls changes cleans closes compares converts copies corrects
    creates deletes describes does drops enables ensures explains extends extracts finds fixes gets gives goes handles
    has holds implements improves includes introduces is keeps knows lets makes mends merges moves opens passes prevents
    prints provides puts reads refactors refuses removes renames replaces requires returns reverts rewrites runs says
    sends shows simplifies skips speeds splits starts stops supports takes tells tries turns updates uses wants writes
""".split())
UNFINISHED = re.compile(r"(fixup|squash|amend)!|wip\b", re.IGNORECASE)


class Commit(NamedTuple):
    hash: str
    written: datetime.datetime
    subject: str


class NoHistory(Exception):
    """There is no git or no history here; the text says why."""


def git(*words: str, root: str = ROOT) -> str:
    """What git says of the repository at `root`, and of none above it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"LC_ALL": "C", "GIT_CEILING_DIRECTORIES": os.path.dirname(root)}
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError:
        raise NoHistory("git is not installed") from None
    if done.returncode != 0:
        raise NoHistory(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout


def new_commits(root: str = ROOT) -> list[Commit]:
    """The commits behind the last tag, or the last COMMITS_MAX ones; without merges."""
    try:
        wanted = [git("describe", "--tags", "--abbrev=0", root=root).strip() + "..HEAD"]
    except NoHistory:
        wanted = [f"-{COMMITS_MAX}"]
    lines = git("log", "--no-merges", "--format=%h%x00%aI%x00%s", *wanted, root=root).splitlines()
    return [Commit(name, datetime.datetime.fromisoformat(written), subject)
            for name, written, subject in (line.split("\0") for line in lines)]


def is_imperative(subject: str) -> bool:
    """False if the first word behind the area is known to be another form; most nouns are not known."""
    words = re.findall(r"[A-Za-z]+", AREA.sub("", subject, count=1))
    first = words[0].lower() if words else ""
    return first in IMPERATIVES or not (NO_IMPERATIVE.match(first) or first in THIRD_PERSON)


def problems_of(commits: list[Commit]) -> list[str]:
    found = []
    for commit in commits:
        if commit.written < SINCE:
            continue
        if len(commit.subject) > COLUMNS_MAX:
            found.append(f"{commit.hash}: {len(commit.subject)} columns, at most {COLUMNS_MAX}: {commit.subject}")
        if not BEGINS_WITH_A_WORD.match(commit.subject):
            found.append(f"{commit.hash}: begins with no word: {commit.subject}")
        if not is_imperative(commit.subject):
            found.append(f"{commit.hash}: begins with another form than the imperative: {commit.subject}")
        if UNFINISHED.match(commit.subject):
            found.append(f"{commit.hash}: is to become a part of another commit: {commit.subject}")
        if commit.subject.endswith("."):
            found.append(f"{commit.hash}: ends with a full stop: {commit.subject}")
    return found


class TheHistory(unittest.TestCase):
    def test_subjects_are_tidy(self) -> None:
        try:
            commits = new_commits()
        except NoHistory as error:
            self.skipTest(f"no history to read: {error}")
        problems = problems_of(commits)
        self.assertEqual(problems, [], "\n" + "\n".join(problems))


class Planted(unittest.TestCase):
    """The check finds what it is for, and only that."""

    def commit(self, subject: str, written: datetime.datetime = SINCE) -> Commit:
        return Commit("1234567", written, subject)

    def test_good_subjects_pass(self) -> None:
        for subject in ("store: read blobs twice", "pack, checker: tell both names",
                        "Revert \"store: read blobs twice\"", "release: 0.1.0", "ci/run: call the gate",
                        "pack: feed strings to the reader", "tests: seed the worlds", "chain: bring both names",
                        "updates: skip revisions", "run: one Observer for a run", "x" * COLUMNS_MAX):
            self.assertEqual(problems_of([self.commit(subject)]), [], subject)

    def test_each_fault_is_found(self) -> None:
        for subject, why in (("x" * (COLUMNS_MAX + 1), "73 columns"), ("store: read blobs twice.", "full stop"),
                             (": read blobs", "no word"), ("- read blobs", "no word"), ("", "no word"),
                             ("store: reads blobs twice", "imperative"), ("Fixed stuff", "imperative"),
                             ("pack, run: renamed a key", "imperative"), ("store: reading blobs", "imperative"),
                             ("changes", "imperative"), ("fixup! store: read blobs", "another commit"), ("WIP store", "another commit")):
            self.assertIn(why, " ".join(problems_of([self.commit(subject)])), subject)

    def test_older_commits_are_exempt(self) -> None:
        before = SINCE - datetime.timedelta(seconds=1)
        self.assertEqual(problems_of([self.commit("Did things. " * 9 + ".", before)]), [])


@unittest.skipUnless(shutil.which("git"), "git is not installed")
class AnyHistory(unittest.TestCase):
    """Which commits are read: those behind the last tag, the last ones without a tag, none without git's folder."""

    def setUp(self) -> None:
        self.root = tempfile.mkdtemp(prefix="drydock-subjects-")
        self.addCleanup(shutil.rmtree, self.root)

    def add_commit(self, subject: str) -> None:
        git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", subject,
            root=self.root)

    def test_behind_the_last_tag(self) -> None:
        git("init", "-q", root=self.root)
        for number in range(COMMITS_MAX + 2):
            self.add_commit(f"old: {number}")
        self.assertEqual(len(new_commits(self.root)), COMMITS_MAX)
        git("tag", "v0.1.0", root=self.root)
        self.assertEqual(new_commits(self.root), [])
        self.add_commit("new: one")
        self.assertEqual([commit.subject for commit in new_commits(self.root)], ["new: one"])

    def test_without_history_the_reason_is_told(self) -> None:
        with self.assertRaisesRegex(NoHistory, "not a git repository"):
            new_commits(self.root)
        git("init", "-q", root=self.root)
        with self.assertRaisesRegex(NoHistory, "does not have any commits"):
            new_commits(self.root)


if __name__ == "__main__":
    unittest.main()
