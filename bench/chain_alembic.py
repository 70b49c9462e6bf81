"""Reads the revisions of an unpacked wheel with alembic's own ScriptDirectory; prints one line of JSON.

    python3 chain_alembic.py FOLDER ENVIRONMENT [--real]

--real: the package is installed with all it needs, and revisions import what they import. Otherwise revision files import
stand-ins that allow everything, which costs far less than the real modules. The first reading has empty caches of its own. Importing alembic itself is not counted.
"""
import importlib.abc
import importlib.machinery
import json
import statistics
import sys
import time
import types


def attribute(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Warning if name.endswith("Warning") else Exception if name.endswith("Error") else Anything()


class Anything:
    """A value that can be called, subclassed in effect, indexed and asked for any attribute."""

    __name__ = "Anything"

    def __init__(self, *_, **__):
        pass

    def __call__(self, *_, **__):
        return Anything()

    def __getattr__(self, name):
        return attribute(name)

    def __getitem__(self, _):
        return Anything()

    def __or__(self, _):
        return Anything()

    __ror__ = __or__

    def __iter__(self):
        return iter(())

    def __mro_entries__(self, _):
        return (object,)


class StandIn(types.ModuleType):
    def __getattr__(self, name):
        return attribute(name)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, _path, _target=None):
        if name.partition(".")[0] in sys.stdlib_module_names | {"alembic"}:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        module.__path__ = []


def use_stand_ins():
    for name in [name for name in sys.modules if name.partition(".")[0] == "sqlalchemy"]:
        del sys.modules[name]  # alembic keeps what it has imported
    sys.meta_path.insert(0, Finder())


def main():
    folder, environment = sys.argv[1:3]
    rounds = 5
    from alembic.script import ScriptDirectory  # noqa: PLC0415  (before the stand-ins)
    if "--real" not in sys.argv:
        use_stand_ins()
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        script = ScriptDirectory(f"{folder}/{environment}")
        revisions = {one.revision: one for one in script.walk_revisions()}
        heads = script.get_heads()
        took.append(1000 * (time.perf_counter() - began))
    edges = {one.revision: sorted(one._versioned_down_revisions) for one in revisions.values()}
    print(json.dumps({"revisions": len(revisions), "heads": sorted(heads), "first_ms": round(took[0]),
                      "median_ms": round(statistics.median(took)), "edges": edges}))


main()
