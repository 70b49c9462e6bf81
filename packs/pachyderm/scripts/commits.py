"""commits.py PACHCTL open | note FILE COUNTS | same FILE | held FILE: the commits of an installation of Pachyderm 1.x.

open: prints how many commits are not finished, in every repo and in __spec__.
note: writes the ids of all commits to FILE, and to COUNTS what `drydock extract verify --against` takes.
same: 0 if the installation has the commits of FILE and no other, 1 if not. This is the fence around a dump.
held: prints how much of FILE is there: none, some, all, or foreign where there is more than FILE has.
"""
import json
import os
import subprocess
import sys


def fail(told):
    """Ends without an answer: neither yes (0) nor no (1)."""
    print(told, file=sys.stderr)
    sys.exit(2)


def values(pachctl, *words):
    """The JSON values that a command prints one behind the other; pachctl puts no comma, and often no newline, between them."""
    done = subprocess.run([pachctl, *words, "--raw"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{' '.join(words)}: {done.stderr.strip()[:300]}")
    decoder, text, at, found = json.JSONDecoder(), done.stdout, 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def repos(pachctl):
    """Every repo; `list repo` never shows the one that keeps the pipelines' specs."""
    return sorted(one["repo"]["name"] for one in values(pachctl, "list", "repo"))


def commits(pachctl, repo):
    return values(pachctl, "list", "commit", repo)


def ids(pachctl):
    return {repo: sorted(one["commit"]["id"] for one in commits(pachctl, repo)) for repo in [*repos(pachctl), "__spec__"]}


def count_open(pachctl):
    return sum(not one.get("finished") for repo in [*repos(pachctl), "__spec__"] for one in commits(pachctl, repo))


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def note(pachctl, path, counts):
    noted = ids(pachctl)
    branches = {repo: len(values(pachctl, "list", "branch", repo)) for repo in noted if repo != "__spec__"}
    pipelines = [one["pipeline"]["name"] for one in values(pachctl, "list", "pipeline")]
    jobs = {name: len(values(pachctl, "list", "job", "--pipeline", name)) for name in pipelines}
    write(counts, {"repos": {repo: {"commits": len(noted[repo]), "branches": number} for repo, number in branches.items()},
                   "jobs": jobs})
    write(path, noted)


def read(path):
    if not os.path.exists(path):
        sys.exit(2)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def same(pachctl, path):
    noted, found = read(path), ids(pachctl)
    for repo in sorted(noted.keys() | found.keys()):
        more = set(found.get(repo, [])) - set(noted.get(repo, []))
        less = set(noted.get(repo, [])) - set(found.get(repo, []))
        if more or less or (repo in noted) != (repo in found):
            print(f"{repo}: {len(more)} commits more and {len(less)} less than noted {sorted(more | less)[:3]}", file=sys.stderr)
    return noted == found


def held(pachctl, path):
    noted, found = read(path), ids(pachctl)
    del found["__spec__"], noted["__spec__"]  # a restored pipeline that is stopped has a commit more there
    for repo, have in found.items():
        if repo not in noted or set(have) - set(noted[repo]):
            print(f"{repo}: commits that were not noted", file=sys.stderr)
            return "foreign"
    if found == noted:
        return "all"
    return "some" if found else "none"


def main():
    pachctl, word, *files = sys.argv[1:]
    if word == "open":
        print(count_open(pachctl))
    elif word == "note":
        note(pachctl, *files)
    elif word == "same":
        sys.exit(0 if same(pachctl, *files) else 1)
    elif word == "held":
        print(held(pachctl, *files))
    else:
        sys.exit(2)


main()
