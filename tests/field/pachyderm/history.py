"""Repos, branches and commits of the double, with their provenance: the part of PFS that lives in etcd alone."""

import re
import uuid
from typing import Any, Iterable

from metadata import BRANCHES, COMMITS, OPEN_COMMITS, RECORDS, REPOS, Change
from protocol import SPEC_REPO, Refused, branch_of, commit_of, now, pfs

NAME = re.compile(r"[A-Za-z0-9_-]+")
FINISHES_OPEN_COMMITS = (1, 10, 3)  # the first release whose restore makes no open commits


class NoHead(Refused):
    """The branch is there and has no commit."""


def create_repo(change: Change, name: str, description: str, update: bool = False) -> None:
    if not NAME.fullmatch(name):
        raise Refused(f"name ({name}) invalid: only alphanumeric characters, underscores, and dashes are allowed")
    found = change.get(REPOS, name)
    if found and not update:
        raise Refused(f'cannot create "{name}" as it already exists')
    if update and not found:
        raise Refused(f"repos/ {name} not found")
    made = change.copy(REPOS, name) if found else pfs.RepoInfo(repo=pfs.Repo(name=name), created=now())
    made.description = description
    change.put(REPOS, name, made)


def ensure_spec_repo(change: Change) -> None:
    """pachd makes it when it starts, so that it is in an empty installation, too."""
    if not change.get(REPOS, SPEC_REPO):
        create_repo(change, SPEC_REPO, "")


def delete_repo(change: Change, name: str, force: bool) -> None:
    change.copy(REPOS, name)
    for branch in change.names(BRANCHES, name + "/"):
        users = [user for user in change.get(BRANCHES, branch).subvenance if user.repo.name != name]
        if users and not force:
            raise Refused(f"{branch} has subvenance {users[0].repo.name}, deleting it would break those branches")
    for kind in (BRANCHES, COMMITS):
        for row in change.names(kind, name + "/"):
            change.delete(kind, row)
    change.delete(REPOS, name)
    update_provenance(change)


def resolve(change: Change, commit: Any) -> Any:
    """The CommitInfo (to be read only) of an id, a branch, or an ancestor of them such as "master^2"."""
    repo = commit.repo.name
    if not change.get(REPOS, repo):
        raise Refused(f"repos/ {repo} not found")
    name, _, ancestors = re.sub(r"~", "^", commit.id).partition("^")
    back = 0 if "^" not in commit.id and "~" not in commit.id else int(ancestors) if ancestors.isdigit() else 1 + len(ancestors)
    branch = change.get(BRANCHES, f"{repo}/{name}")
    if branch and not branch.head.id:
        raise NoHead(f'the branch "{name}" has no head (create one with \'start commit\')')
    found = change.get(COMMITS, f"{repo}/{branch.head.id if branch else name}")
    for _ in range(back):
        found = found and change.get(COMMITS, f"{repo}/{found.parent_commit.id}")
    if not found:
        raise Refused(f"commit {commit.id} not found in repo {repo}")
    return found


def create_branch(change: Change, branch: Any, head: Any, provenance: Iterable[Any]) -> None:
    """Makes a branch or changes it. `head` may be the branch itself: then only the provenance changes."""
    name, provenance = f"{branch.repo.name}/{branch.name}", list(provenance)
    repo = change.copy(REPOS, branch.repo.name)
    try:
        info = resolve(change, head) if head and head.id else None
    except NoHead:
        info = None
    if info and provenance and head.id != branch.name:
        _check_heads(change, branch, head, info, provenance)
    made = change.copy(BRANCHES, name) if change.get(BRANCHES, name) else pfs.BranchInfo()
    made.MergeFrom(pfs.BranchInfo(name=branch.name, branch=branch))
    made.ClearField("head")
    if info:
        made.head.CopyFrom(info.commit)
    del made.direct_provenance[:]
    made.direct_provenance.extend(provenance)
    change.put(BRANCHES, name, made)
    _list_branch(repo, branch)
    if info and branch.name == "master":
        repo.size_bytes = info.size_bytes
    change.put(REPOS, branch.repo.name, repo)
    update_provenance(change)


def _check_heads(change: Change, branch: Any, head: Any, info: Any, provenance: list[Any]) -> None:
    for source in provenance:
        found = change.get(BRANCHES, f"{source.repo.name}/{source.name}")
        for of in info.provenance:
            if found and of.branch == source and of.commit != found.head:
                raise Refused(f'cannot create branch "{branch.name}" with commit "{head.id}" as head because commit has '
                              f'"{of.commit.repo.name}/{of.commit.id}" as provenance but that commit is not the head of '
                              f'branch "{source.repo.name}/{source.name}"')


def _list_branch(repo: Any, branch: Any) -> None:
    if branch not in repo.branches:
        repo.branches.append(branch)


def delete_branch(change: Change, branch: Any, force: bool) -> None:
    name = f"{branch.repo.name}/{branch.name}"
    if change.copy(BRANCHES, name).subvenance and not force:
        raise Refused(f'branch "{branch.name}" has subvenance, deleting it would break those branches')
    change.delete(BRANCHES, name)
    repo = change.copy(REPOS, branch.repo.name)
    repo.branches.remove(branch)
    change.put(REPOS, branch.repo.name, repo)
    update_provenance(change)


def update_provenance(change: Change) -> None:
    """Computes every branch's provenance and subvenance from the direct ones."""
    every = {name: change.get(BRANCHES, name) for name in change.names(BRANCHES)}
    above: dict[str, dict[str, Any]] = {name: _above(every, name) for name in every}
    for name, found in every.items():
        provenance = [branch for _, branch in sorted(above[name].items())]
        subvenance = [every[other].branch for other in sorted(every) if name in above[other]]
        if list(found.provenance) != provenance or list(found.subvenance) != subvenance:
            made = change.copy(BRANCHES, name)
            del made.provenance[:], made.subvenance[:]
            made.provenance.extend(provenance)
            made.subvenance.extend(subvenance)
            change.put(BRANCHES, name, made)


def _above(every: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    waiting = list(every[name].direct_provenance)
    while waiting:
        branch = waiting.pop()
        key = f"{branch.repo.name}/{branch.name}"
        if key not in found:
            found[key] = branch
            waiting += every[key].direct_provenance if key in every else []
    return found


def make_commit(change: Change, request: Any, started: Any = None, finished: Any = None) -> str:
    """A commit from a BuildCommitRequest; its id. It is open if it has neither a tree nor a time of its end."""
    repo = request.parent.repo.name
    identity = request.ID or uuid.uuid4().hex
    change.copy(REPOS, repo)
    if change.get(COMMITS, f"{repo}/{identity}"):
        raise Refused(f"commits/{repo}/{identity} already exists")
    made = pfs.CommitInfo(commit=commit_of(repo, identity), started=started or finished or now())
    made.origin.SetInParent()
    parent = request.parent.id
    if request.branch:
        before = _branch_to(change, request, made)
        parent = parent or before
    if finished or request.HasField("tree") or request.trees:
        made.finished.CopyFrom(finished or now())
        for field in ("tree", "trees", "datums", "size_bytes"):
            _take(made, request, field)
    else:
        change.put(OPEN_COMMITS, identity, made.commit)
    _add_provenance(change, made, request)
    if parent:
        _add_parent(change, made, parent)
    change.put(COMMITS, f"{repo}/{identity}", made)
    return identity


def _take(made: Any, request: Any, field: str) -> None:
    value = getattr(request, field)
    if field == "trees":
        made.trees.extend(value)
    elif field == "size_bytes":
        made.size_bytes = value
    elif request.HasField(field):
        getattr(made, field).CopyFrom(value)


def _branch_to(change: Change, request: Any, made: Any) -> str:
    """Moves the branch to the new commit; the head that it had."""
    repo, name = request.parent.repo.name, f"{request.parent.repo.name}/{request.branch}"
    branch = change.copy(BRANCHES, name) if change.get(BRANCHES, name) else pfs.BranchInfo(name=request.branch)
    sources = [source for source in branch.provenance if source.repo.name != SPEC_REPO]
    has_spec = any(source.commit.repo.name == SPEC_REPO for source in request.provenance)
    if sources and not request.HasField("tree") and not has_spec:
        raise Refused("cannot start a commit on an output branch")
    before = branch.head.id
    branch.branch.CopyFrom(branch_of(repo, request.branch))
    branch.head.CopyFrom(made.commit)
    made.branch.CopyFrom(branch.branch)
    change.put(BRANCHES, name, branch)
    info = change.copy(REPOS, repo)
    _list_branch(info, branch.branch)
    change.put(REPOS, repo, info)
    return before


def _add_provenance(change: Change, made: Any, request: Any) -> None:
    found: dict[str, Any] = {}
    for source in request.provenance:
        above = resolve(change, source.commit)
        entry = pfs.CommitProvenance(commit=above.commit, branch=source.branch if source.HasField("branch") else above.branch)
        found[above.commit.id] = entry
        found.update({one.commit.id: one for one in above.provenance})
    branches: set[str] = set()
    for entry in found.values():
        key = f"{entry.branch.repo.name}/{entry.branch.name}"
        if key in branches:
            raise Refused("the commit provenance contains multiple commits from the same branch")
        branches.add(key)
        made.provenance.append(entry)
        above = change.copy(COMMITS, f"{entry.commit.repo.name}/{entry.commit.id}")
        above.subvenance.add(lower=made.commit, upper=made.commit)
        change.put(COMMITS, f"{entry.commit.repo.name}/{entry.commit.id}", above)


def _add_parent(change: Change, made: Any, parent: str) -> None:
    repo = made.commit.repo.name
    try:
        found = resolve(change, commit_of(repo, parent))
    except Refused as error:
        raise Refused(f"parent commit not found: {error}") from error
    if not found.HasField("finished"):
        raise Refused(f"parent commit {repo}@{parent} has not been finished")
    info = change.copy(COMMITS, f"{repo}/{found.commit.id}")
    info.child_commits.append(made.commit)
    change.put(COMMITS, f"{repo}/{found.commit.id}", info)
    made.parent_commit.CopyFrom(found.commit)
    if not made.HasField("branch") and info.HasField("branch"):
        made.branch.CopyFrom(info.branch)


def finish_commit(change: Change, repo: str, identity: str, tree: str, size: int) -> None:
    info = change.copy(COMMITS, f"{repo}/{identity}")
    if info.HasField("finished"):
        raise Refused(f"commit {identity} in repo {repo} has already finished")
    info.finished.CopyFrom(now())
    if tree:
        info.tree.hash, info.size_bytes = tree, size
    change.put(COMMITS, f"{repo}/{identity}", info)  # before the records go: a death in between leaves them, and harms nothing
    if info.branch.name == "master":
        found = change.copy(REPOS, repo)
        found.size_bytes = size
        change.put(REPOS, repo, found)
    _forget_open(change, identity)


def _forget_open(change: Change, identity: str) -> None:
    change.delete(OPEN_COMMITS, identity)
    for record in change.names(RECORDS, identity + "/"):
        change.delete(RECORDS, record)


def delete_commit(change: Change, commit: Any) -> None:
    """Deletes a commit and what was made from it; its children get its parent, and branches at it go back."""
    for made in resolve(change, commit).subvenance:
        if change.get(COMMITS, f"{made.lower.repo.name}/{made.lower.id}"):
            delete_commit(change, made.lower)
    info = resolve(change, commit)
    repo, identity, parent = info.commit.repo.name, info.commit.id, info.parent_commit
    for name in change.names(BRANCHES, repo + "/"):
        if change.get(BRANCHES, name).head.id == identity:
            branch = change.copy(BRANCHES, name)
            branch.head.CopyFrom(parent) if parent.id else branch.ClearField("head")
            change.put(BRANCHES, name, branch)
    for child in info.child_commits:
        found = change.copy(COMMITS, f"{repo}/{child.id}")
        found.parent_commit.CopyFrom(parent) if parent.id else found.ClearField("parent_commit")
        change.put(COMMITS, f"{repo}/{child.id}", found)
    change.delete(COMMITS, f"{repo}/{identity}")
    _forget_open(change, identity)


def commits_of(change: Change, repo: str, upto: str = "", after: str = "") -> list[Any]:
    """The commits of a repo, newest first; with `upto`, that one and its ancestors only."""
    if not repo:
        return [change.get(COMMITS, name) for name in reversed(change.names(COMMITS))]
    if not change.get(REPOS, repo):
        raise Refused(f"repos/ {repo} not found")
    if not upto:
        return [change.get(COMMITS, name) for name in reversed(change.names(COMMITS, repo + "/"))]
    end = resolve(change, commit_of(repo, after)).commit.id if after else ""
    found, name = [], resolve(change, commit_of(repo, upto)).commit.id
    while name and name != end:
        found.append(change.get(COMMITS, f"{repo}/{name}"))
        name = found[-1].parent_commit.id
    return found


def problems(change: Change) -> Iterable[str]:
    """What `fsck` says: broken ancestry and provenance."""
    for name in change.names(COMMITS):
        info = change.get(COMMITS, name)
        parent = info.parent_commit
        if parent.id and not change.get(COMMITS, f"{parent.repo.name}/{parent.id}"):
            yield f"commit {name} has parent {parent.id} which does not exist"
        for one in info.provenance:
            if not change.get(COMMITS, f"{one.commit.repo.name}/{one.commit.id}"):
                yield f"commit provenance {one.commit.id} of {name} does not exist"
    for name in change.names(BRANCHES):
        head = change.get(BRANCHES, name).head
        if head.id and not change.get(COMMITS, f"{head.repo.name}/{head.id}"):
            yield f"head commit {head.id} of branch {name} does not exist"
