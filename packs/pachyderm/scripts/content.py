"""content.py PACHCTL note FILE | same FILE: what is at the head of every branch of every repo that is no pipeline's output.

The content of a branch is one SHA-256 over path, size and hash of its files. Commits that were replayed have other ids, so ids tell
nothing here. same: 0 if every branch is as noted, 1 if one is not. How many files were listed is told as progress.
"""
import hashlib
import json
import os
import subprocess
import sys
import time

TELL_SECONDS = 2


def fail(told):
    """Ends without an answer: neither yes (0) nor no (1)."""
    print(told, file=sys.stderr)
    sys.exit(2)


def values(pachctl, *words):
    done = subprocess.run([pachctl, *words, "--raw"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{' '.join(words)}: {done.stderr.strip()[:300]}")
    decoder, text, at, found = json.JSONDecoder(), done.stdout, 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


class Progress:
    """How many entries of folders were listed: nobody knows beforehand how many there are."""

    def __init__(self):
        self.path, self.done, self.told_at = os.environ.get("DRYDOCK_PROGRESS"), 0, 0.0

    def add(self, count):
        self.done += count
        if not self.path or time.monotonic() < self.told_at + TELL_SECONDS:
            return
        self.told_at = time.monotonic()
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump({"done": self.done, "unit": "files"}, file)
        os.replace(self.path + ".new", self.path)


PROGRESS = Progress()


def files(pachctl, branch, folder=""):
    listed = values(pachctl, "list", "file", f"{branch}:{folder}" if folder else branch)
    PROGRESS.add(len(listed))
    for one in listed:
        path = one["file"]["path"]
        if one.get("fileType", one.get("file_type")) == "DIR":
            yield from files(pachctl, branch, path)
        else:
            yield f"{path} {one.get('sizeBytes', one.get('size_bytes', '0'))} {one.get('hash', '')}\n"


def digest(pachctl, branch):
    return hashlib.sha256("".join(sorted(files(pachctl, branch))).encode()).hexdigest()


def content(pachctl):
    outputs = {one["pipeline"]["name"] for one in values(pachctl, "list", "pipeline")}
    inputs = sorted({one["repo"]["name"] for one in values(pachctl, "list", "repo")} - outputs)
    found = {}
    for repo in inputs:
        for branch in values(pachctl, "list", "branch", repo):
            name = f"{repo}@{branch['branch']['name']}"
            found[name] = digest(pachctl, name) if branch.get("head") else ""
    return found


def note(pachctl, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(content(pachctl), file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def same(pachctl, path):
    if not os.path.exists(path):
        sys.exit(2)
    with open(path, encoding="utf-8") as file:
        noted = json.load(file)
    found = content(pachctl)
    differ = sorted(name for name in noted.keys() | found.keys() if noted.get(name) != found.get(name))
    for name in differ[:20]:
        print(f"{name} differs from the other side", file=sys.stderr)
    return not differ


def main():
    pachctl, word, path = sys.argv[1:]
    if word == "note":
        note(pachctl, path)
    elif word == "same":
        sys.exit(0 if same(pachctl, path) else 1)
    else:
        sys.exit(2)


main()
