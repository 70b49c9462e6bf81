// The versions of one key. They need no journal: those of the target must be the oldest ones of the
// source, and the rest is added in order, one after the other.
#include "mover/s3/clone_work.h"

namespace drydock::mover::s3 {

// The target's versions must be the first ones of the source, from the oldest on.
void CloneWork::visit_versions(const KeyGroup& source,
                               const KeyGroup* target,
                               const Ticket& ticket) {
    auto task = std::make_shared<VersionTask>();
    task->key = source.key;
    task->ticket = ticket;
    task->versions.assign(source.versions.rbegin(), source.versions.rend());
    const std::size_t there = target == nullptr ? 0 : target->versions.size();
    bool is_prefix = there <= task->versions.size();
    for (std::size_t i = 0; is_prefix && i < there; ++i) {
        const ListedObject& to = target->versions[there - 1 - i];
        const Match one = match(source.key, task->versions[i], to);
        is_prefix =
            one == Match::same || (one == Match::begun && task->versions[i].bytes == to.bytes);
        if (is_prefix && one == Match::begun) {
            keep(journal_->note_pair(source.key, task->versions[i].etag, to.etag));
        }
    }
    if (!is_prefix) {
        report_.differ.add(source.key);
        ++done_;
        return;
    }
    task->next = there;
    if (task->next == task->versions.size()) {
        ++report_.equal;
        ++done_;
    } else if (request_.dry_run) {
        count_versions(*task);
    } else {
        queue({ticket, [this, task] { next_version(task); }});
    }
}

void CloneWork::count_versions(const VersionTask& task) {
    for (std::size_t i = task.next; i < task.versions.size(); ++i) {
        const ListedObject& version = task.versions[i];
        ++(version.is_marker ? report_.markers : report_.copied);
        report_.bytes += version.bytes;
    }
    ++done_;
}

// One after the other: a version that fails ends the row, since a later one would take its place.
void CloneWork::next_version(const std::shared_ptr<VersionTask>& task) {
    if (task->next == task->versions.size()) {
        ++done_;
        end_turn();
        return;
    }
    if (leaves(task->ticket)) {
        end_turn();
        return;
    }
    const ListedObject& version = task->versions[task->next];
    if (version.is_marker) {
        set_marker(task);
        return;
    }
    if (is_uncertain(context_, version)) {
        note_begin(task->key, version);
        keep(journal_->commit());
    }
    const auto on_version = [this, task](const CopyResult& result) {
        forget_intent(intent_of(task->key, task->versions[task->next]));
        if (result.kind == CopyKind::failed || result.kind == CopyKind::vanished) {
            fail_version(task, result.error);
            return;
        }
        count_copy(task->key, task->versions[task->next], result);
        ++task->next;
        next_version(task);
    };
    start_copy(task->key, version, true, on_version);
}

// A failure behind a stop may come from the stop: the key stays for the next run.
void CloneWork::fail_version(const std::shared_ptr<VersionTask>& task, const Error& error) {
    if (!leaves(task->ticket)) {
        count_failure(task->key, error);
        ++done_;
    }
    end_turn();
}

// Sent once: a second DELETE would set a second marker.
void CloneWork::set_marker(const std::shared_ptr<VersionTask>& task) {
    Call remove = {.method = "DELETE",
                   .bucket = context_.target.bucket,
                   .key = context_.target.prefix + task->key};
    remove.is_repeatable = false;
    context_.target.client->call(std::move(remove), [this, task](const Answer& answer) {
        if (!answer.is_done()) {
            fail_version(task, answer.error.with_context("setting a delete marker"));
            return;
        }
        ++report_.markers;
        ++task->next;
        next_version(task);
    });
}

}  // namespace drydock::mover::s3
