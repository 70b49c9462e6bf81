// The decision for each key, and the counting of what came of it.
//
// An object with the same ETag and size is there. An object with another ETag is there, too, if the
// journal recorded that very pair. Where a copy will get another ETag (it was uploaded in parts),
// its begin is noted first: after a crash such an object is known as drydock's own and is copied
// again, and no other object is ever replaced without the operator's word.
//
// Versions are clone_versions.cpp's.
#include "mover/s3/clone_work.h"

#include "mover/s3/stream_copy.h"

#include <algorithm>
#include <utility>

namespace drydock::mover::s3 {
namespace {

constexpr int k_attempts_max = 3;  // of one object, beyond the retries of the client

}  // namespace

bool is_uncertain(const CopyContext& context, const ListedObject& object) {
    return !is_md5(object.etag) || may_need_upload(context, object);
}

CloneWork::CloneWork(const CloneRequest& request,
                     CopyContext context,
                     CopyJournal* journal,
                     CloneReport& report)
    : request_(request)
    , context_(std::move(context))
    , journal_(journal)
    , report_(report) {
    resume_uploads();
    context_.upload_begun = [this](const std::string& key, const std::string& id) {
        keep(journal_->add_upload({key, id, std::exchange(upload_source_, {})}));
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

// The uploads of a dead run that may go on. The others were removed before.
void CloneWork::resume_uploads() {
    context_.upload_can_resume = [this](const std::string&, const std::string& source) {
        upload_source_ = source;
    };
    context_.take_upload = [this](const std::string& key, const std::string& source) {
        const auto match =
            std::find_if(resumable_.begin(), resumable_.end(), [&](const OpenUpload& upload) {
                return upload.key == key && upload.source == source;
            });
        if (match == resumable_.end()) {
            return std::string();
        }
        const std::string id = match->id;
        resumable_.erase(match);
        return id;
    };
    const auto uploads =
        journal_ == nullptr ? Result<std::vector<OpenUpload>>() : journal_->uploads();
    if (!uploads) {
        keep(tl::unexpected(uploads.error()));
        return;
    }
    for (const OpenUpload& upload : *uploads) {
        if (!upload.source.empty()) {
            resumable_.push_back(upload);
        }
    }
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
    if (target == nullptr && becomes_another_key(source->key)) {
        count_failure(source->key, other_key_error());
        ++done_;
    } else if (request_.has_versions) {
        visit_versions(*source, target, ticket);
    } else {
        visit_object(*source, target, ticket);
    }
}

// The server would answer 200 and write to the object of another key.
bool CloneWork::becomes_another_key(const std::string& key) const {
    const Abilities& server = report_.abilities;
    return server.is_probed && !server.keeps_keys && is_path_like(context_.target.prefix + key);
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
    if (passes_through(context_, object)) {
        std::make_shared<StreamCopy>(context_, key, object, is_version, std::move(done))->start();
    } else {
        std::make_shared<ObjectCopy>(context_, key, object, is_version, std::move(done))->start();
    }
}

void CloneWork::count_copy(const std::string& key,
                           const ListedObject& object,
                           const CopyResult& result) {
    ++report_.copied;
    report_.bytes += object.bytes;
    report_.relayed_bytes +=
        passes_through(context_, object) && !context_.passes_all ? object.bytes : 0;
    report_.recorded += result.kind == CopyKind::recorded ? 1 : 0;
    if (result.kind == CopyKind::recorded || is_uncertain(context_, object)) {
        keep(journal_->note_pair(key, object.etag, result.target_etag));
    }
}

void CloneWork::count_failure(const std::string& key, const Error& error) {
    ++report_.failed;
    add_failure(report_.failures, key, error);
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

}  // namespace drydock::mover::s3
