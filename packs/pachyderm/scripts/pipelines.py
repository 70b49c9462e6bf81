"""pipelines.py PACHCTL paused | stop FILE [--copy OTHER] [--only OTHER] | start FILE: the pipelines of an installation of 1.x.

paused: 0 if no pipeline is started, 1 if one is.
stop: notes in FILE which are started, then stops them. A FILE that is there keeps its names: an earlier attempt has noted them.
      --copy writes the names to OTHER, too. --only notes those of OTHER, started or not: a restored pipeline starts whatever it was,
      or stays stopped because it was when the dump was made.
start: starts those that FILE names, then removes it.
"""
import json
import os
import subprocess
import sys


def fail(told):
    """Ends without an answer: neither yes (0) nor no (1)."""
    print(told, file=sys.stderr)
    sys.exit(2)


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{' '.join(argv[1:])}: {done.stderr.strip()[:300]}")
    return done.stdout


def pipelines(pachctl):
    decoder, text, at, found = json.JSONDecoder(), run(pachctl, "list", "pipeline", "--raw"), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def started(pachctl):
    """A pipeline that has failed is started, too: it begins again when its input moves."""
    return sorted(one["pipeline"]["name"] for one in pipelines(pachctl)
                  if not one.get("stopped") and one.get("state") != "PIPELINE_PAUSED")


def there(pachctl):
    return {one["pipeline"]["name"] for one in pipelines(pachctl)}


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, names):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(names, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def stop(pachctl, path, how="", other=""):
    names = started(pachctl)
    kept = sorted(there(pachctl) & set(read(other) if os.path.exists(other) else ())) if how == "--only" else names
    if os.path.exists(path):
        kept = sorted(set(kept) | set(read(path)))
    if how == "--copy":
        write(other, kept)
    write(path, kept)
    for name in names:
        run(pachctl, "stop", "pipeline", name)


def start(pachctl, path):
    waiting = set(read(path)) if os.path.exists(path) else set()
    stopped = there(pachctl) - set(started(pachctl))
    for name in sorted(waiting & stopped):
        run(pachctl, "start", "pipeline", name)
    if os.path.exists(path):
        os.remove(path)


def main():
    pachctl, word, *rest = sys.argv[1:]
    if word == "paused":
        sys.exit(1 if started(pachctl) else 0)
    elif word == "stop":
        stop(pachctl, *rest)
    elif word == "start":
        start(pachctl, *rest)
    else:
        sys.exit(2)


main()
