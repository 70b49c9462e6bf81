"""Garbage collection of the double: what no finished commit and no tag of a living pipeline names is deleted for good.

As in 1.x, what was put into an open commit is named by no tree, and goes.
"""

from typing import Any

from history import commits_of
from pipelines import Pipelines, tag_start
from protocol import Refused, module

pps = module("pps")
STOPPED = (pps.PIPELINE_PAUSED, pps.PIPELINE_FAILURE)


def collect(pipelines: Pipelines) -> tuple[int, int]:
    """Deletes; how many objects and tags. Refused while a pipeline is not stopped."""
    every = pipelines.all()
    for info in every:
        if info.state not in STOPPED:
            raise Refused(f"all pipelines must be stopped to run garbage collection, pipeline: {info.pipeline.name} is not")
    objects = pipelines.files.objects
    tags = list(objects.names("tag"))
    kept_tags = {tag for tag in tags if any(tag.startswith(tag_start(info.salt)) for info in every)}
    kept = _named_by_commits(pipelines) | {objects.of_tag(tag) for tag in kept_tags}
    dead = [name for name in objects.names("object") if name not in kept]
    objects.delete(dead)
    for tag in tags:
        if tag not in kept_tags:
            objects.delete_tag(tag)
    return len(dead), len(tags) - len(kept_tags)


def _named_by_commits(pipelines: Pipelines) -> set[str]:
    found: set[str] = set()
    with pipelines.metadata.look() as change:
        commits = [info for info in commits_of(change, "") if info.tree.hash]
    for info in commits:
        if info.tree.hash not in found:
            found |= {info.tree.hash, *_objects_of(pipelines, info)}
    return found


def _objects_of(pipelines: Pipelines, info: Any) -> set[str]:
    tree = pipelines.files.tree(info.commit)
    return {name for file in tree.values() for name in file["objects"]}
