// The decision for each key, and the counting of what came of it.
//
// An object with the same ETag and size is there. An object with another ETag is there, too, if the
// journal recorded that very pair. Where a copy will get another ETag (it was uploaded in parts),
// its begin is noted first: after a crash such an object is known as drydock's own and is copied
// again, and no other object is ever replaced without the operator's word.
//
// Versions need no journal: those of the target must be the oldest ones of the source, and the rest
// is added in order.
#include "mover/s3/clone_work.h"

#include "mover/s3/stream_copy.h"

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr int k_attempts_max = 3;  // of one object, beyond the retries of the client
constexpr std::size_t k_failures_named_max = 100;

// True if the ETag of a copy may differ from that of this object.
bool is_uncertain(const CopyContext& context, const ListedObject& object) {
    return object.etag.size() != 32 || object.etag.find('-') != std::string::npos
           || may_need_upload(context, object);
}

}  // namespace

struct CloneWork::VersionTask {
    std::string key;
    std::vector<ListedObject> versions;  // to add, oldest first
    std::size_t next = 0;
    Ticket ticket;
};

CloneWork::CloneWork(const CloneRequest& request,
                     CopyContext context,
                     CopyJournal* journal,
                     CloneReport& report)
    : request_(request)
    , context_(std::move(context))
    , journal_(journal)
    , report_(report) {
    context_.upload_begun = [this](const std::string& key, const std::string& id) {
        keep(journal_->add_upload({key, id}));
        if (!unsure_.contains(key)) {
            keep(journal_->remove_intent(key));
        }
        keep(journal_->commit());
    };
    context_.upload_lost = [this](const std::string& key) { unsure_.insert(key); };
    context_.upload_ended = [this](const std::string& id) { keep(journal_->remove_upload(id)); };
    context_.bytes_copied = [this](std::int64_t bytes) { bytes_ += bytes; };
    context_.is_to_stop = [this] { return is_stopped_; };
}

void CloneWork::keep(const Status& status) {
    if (!status && !error_) {
        error_ = status.error();
    }
}

void CloneWork::visit(const KeyGroup* source, const KeyGroup* target, const Ticket& ticket) {
    if (source == nullptr) {
        const bool is_deleted = target->versions.front().is_marker;
        if (!is_deleted) {
            report_.extra.add(target->key);
        }
        return;
    }
    ++report_.objects;
    if (request_.has_versions) {
        visit_versions(*source, target, ticket);
    } else {
        visit_object(*source, target, ticket);
    }
}

CloneWork::Match
CloneWork::match(const std::string& key, const ListedObject& source, const ListedObject& target) {
    if (source.is_marker || target.is_marker) {
        return source.is_marker == target.is_marker ? Match::same : Match::different;
    }
    if (source.etag == target.etag && source.bytes == target.bytes) {
        return Match::same;
    }
    if (journal_ == nullptr) {
        return Match::different;
    }
    const auto recorded = journal_->pair(key, source.etag);
    if (!recorded) {
        keep(tl::unexpected(recorded.error()));
        return Match::different;
    }
    if (!*recorded) {
        return Match::different;
    }
    if ((*recorded)->empty()) {
        return Match::begun;
    }
    return **recorded == target.etag && source.bytes == target.bytes ? Match::same
                                                                     : Match::different;
}

void CloneWork::visit_object(const KeyGroup& source, const KeyGroup* target, const Ticket& ticket) {
    const ListedObject& from = source.versions.front();
    const Match there =
        target == nullptr ? Match::begun : match(source.key, from, target->versions.front());
    if (there == Match::same) {
        ++report_.equal;
        ++done_;
    } else if (there == Match::different && !request_.replaces) {
        report_.differ.add(source.key);
        ++done_;
    } else {
        add({source.key, from, ticket});
    }
}

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

void CloneWork::add(Task task) {
    if (request_.dry_run) {
        ++report_.copied;
        report_.bytes += task.object.bytes;
        ++done_;
        return;
    }
    if (!is_uncertain(context_, task.object)) {
        start(task);
        return;
    }
    note_begin(task.key, task.object);
    waiting_.push_back(std::move(task));
}

// A death may leave an object with an ETag of its own, and an upload whose id nobody knows. The
// caller commits before it begins.
void CloneWork::note_begin(const std::string& key, const ListedObject& object) {
    keep(journal_->note_pair(key, object.etag, ""));
    if (const std::string intent = intent_of(key, object); !intent.empty()) {
        keep(journal_->add_intent({intent, context_.target.client->server_time_ms()}));
    }
}

// Returns the key of the target for which a copy may create an upload; empty if it does not.
std::string CloneWork::intent_of(const std::string& key, const ListedObject& object) const {
    return may_need_upload(context_, object) ? context_.target.prefix + key : std::string();
}

// The copy has ended, or never begins, so that no upload without a known id is open.
void CloneWork::forget_intent(const std::string& intent) {
    if (!intent.empty() && !unsure_.contains(intent)) {
        keep(journal_->remove_intent(intent));
    }
}

void CloneWork::commit(const std::vector<KeyRange>* left) {
    if (journal_ == nullptr) {
        return;
    }
    if (left != nullptr) {
        keep(journal_->save_left(*left));
    }
    keep(journal_->commit());
    if (error_) {
        return;
    }
    std::vector<Task> tasks;
    tasks.swap(waiting_);
    for (const Task& task : tasks) {
        start(task);
    }
}

// True once the work is to stop: the key stays for the next run.
bool CloneWork::leaves(const Ticket& ticket) {
    if (is_stopped_) {
        left_.push_back(ticket);
    }
    return is_stopped_;
}

// Copies in flight end by themselves; those that wait for their turn are left.
void CloneWork::stop() {
    is_stopped_ = true;
    for (const Turn& turn : turns_) {
        left_.push_back(turn.ticket);
        forget_intent(turn.intent);
    }
    turns_.clear();
}

void CloneWork::queue(Turn turn) {
    if (leaves(turn.ticket)) {
        forget_intent(turn.intent);
        return;
    }
    turns_.push_back(std::move(turn));
    begin_turns();
}

// Twice as many as may be in flight: the client never runs out of calls.
void CloneWork::begin_turns() {
    while (!turns_.empty() && under_way_ < 2 * request_.limits.in_flight_max) {
        const Turn turn = std::move(turns_.front());
        turns_.pop_front();
        ++under_way_;
        turn.begin();
    }
}

void CloneWork::end_turn() {
    --under_way_;
    begin_turns();
}

void CloneWork::start(const Task& task) {
    const auto on_end = [this, task](const CopyResult& result) {
        on_copied(task, result);
        end_turn();
    };
    queue({task.ticket,
           [this, task, on_end] { start_copy(task.key, task.object, false, on_end); },
           intent_of(task.key, task.object)});
}

void CloneWork::start_copy(const std::string& key,
                           const ListedObject& object,
                           bool is_version,
                           ObjectCopy::Done done) {
    if (context_.budget == nullptr) {
        std::make_shared<ObjectCopy>(context_, key, object, is_version, std::move(done))->start();
    } else {
        std::make_shared<StreamCopy>(context_, key, object, is_version, std::move(done))->start();
    }
}

void CloneWork::count_copy(const std::string& key,
                           const ListedObject& object,
                           const CopyResult& result) {
    ++report_.copied;
    report_.bytes += object.bytes;
    report_.recorded += result.kind == CopyKind::recorded ? 1 : 0;
    if (result.kind == CopyKind::recorded || is_uncertain(context_, object)) {
        keep(journal_->note_pair(key, object.etag, result.target_etag));
    }
}

void CloneWork::count_failure(const std::string& key, const Error& error) {
    ++report_.failed;
    if (report_.failures.size() < k_failures_named_max) {
        report_.failures.push_back({key, error});
    }
}

void CloneWork::on_copied(Task task, const CopyResult& result) {
    forget_intent(intent_of(task.key, task.object));
    switch (result.kind) {
    case CopyKind::verified:
    case CopyKind::recorded:
        count_copy(task.key, task.object, result);
        ++done_;
        return;
    case CopyKind::vanished:
        ++report_.vanished;
        ++done_;
        return;
    case CopyKind::failed:
        try_again(std::move(task), result.error);
    }
}

// An object that was written to in the meantime has another ETag now, so it is looked at first.
void CloneWork::try_again(Task task, const Error& error) {
    if (leaves(task.ticket)) {
        return;
    }
    if (++task.attempts >= k_attempts_max || error.code == "s3.denied") {
        count_failure(task.key, error);
        ++done_;
        return;
    }
    Call head = {.method = "HEAD",
                 .bucket = context_.source.bucket,
                 .key = context_.source.prefix + task.key};
    context_.source.client->call(std::move(head), [this, task](const Answer& answer) {
        Task again = task;
        if (answer.kind == AnswerKind::missing) {
            on_copied(again, {CopyKind::vanished, "", {}});
            return;
        }
        if (!answer.is_done()) {
            again.attempts = k_attempts_max;
            on_copied(again, {CopyKind::failed, "", answer.error});
            return;
        }
        again.object.etag = bare_etag(answer.header("etag"));
        again.object.bytes = std::atoll(std::string(answer.header("content-length")).c_str());
        add(std::move(again));
    });
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
