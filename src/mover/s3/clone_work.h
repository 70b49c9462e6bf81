// CloneWork: decides for each key of a walk what is to be done, and does it. Private to this
// folder.
#pragma once

#include "mover/s3/clone.h"
#include "mover/s3/copy_journal.h"
#include "mover/s3/object_copy.h"
#include "mover/s3/range_walk.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace drydock::mover::s3 {

// True if the ETag of a copy may differ from that of this object.
[[nodiscard]] bool is_uncertain(const CopyContext& context, const ListedObject& object);

class CloneWork {
public:
    // `journal` is null in a dry run. All are borrowed.
    CloneWork(const CloneRequest& request,
              CopyContext context,
              CopyJournal* journal,
              CloneReport& report);
    CloneWork(const CloneWork&) = delete;
    CloneWork& operator=(const CloneWork&) = delete;

    // Takes one key; work goes on behind it with the ticket.
    void visit(const KeyGroup* source, const KeyGroup* target, const Ticket& ticket);

    // Makes what was noted durable, with the ranges that are left if there are new ones, and starts
    // the copies that waited for it.
    void commit(const std::vector<KeyRange>* left);

    // True after a failed key: its range must stay among those that are left.
    [[nodiscard]] bool has_failures() const { return report_.failed > 0; }

    // True if copies wait for a commit().
    [[nodiscard]] bool has_waiting() const { return !waiting_.empty(); }

    // A failure of the journal. The clone must end.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    // Keys that are finished, for the progress.
    [[nodiscard]] std::int64_t done() const { return done_; }

    // Bytes of copied objects and parts, for the progress.
    [[nodiscard]] std::int64_t bytes() const { return bytes_; }

    // From now on no copy begins. A key that is left keeps its ticket, so that the walk does not
    // take it for finished.
    void stop();

private:
    // One object to copy.
    struct Task {
        std::string key;
        ListedObject object;
        Ticket ticket;
        int attempts = 0;
    };

    // The versions of one key that are missing at the target, oldest first.
    struct VersionTask {
        std::string key;
        std::vector<ListedObject> versions;  // to add, oldest first
        std::size_t next = 0;
        Ticket ticket;
    };

    // The work for a key that has not begun. Few are begun at a time, so that a stop finds few.
    struct Turn {
        Ticket ticket;
        std::function<void()> begin;
        std::string intent = {};  // the key of the target whose upload is noted; empty: none
    };

    enum class Match : std::uint8_t { same, begun, different };

    void visit_object(const KeyGroup& source, const KeyGroup* target, const Ticket& ticket);
    void visit_versions(const KeyGroup& source, const KeyGroup* target, const Ticket& ticket);
    [[nodiscard]] bool becomes_another_key(const std::string& key) const;
    [[nodiscard]] Match
    match(const std::string& key, const ListedObject& source, const ListedObject& target);
    void add(Task task);
    void note_begin(const std::string& key, const ListedObject& object);
    [[nodiscard]] std::string intent_of(const std::string& key, const ListedObject& object) const;
    void forget_intent(const std::string& intent);
    void start(const Task& task);
    void start_copy(const std::string& key,
                    const ListedObject& object,
                    bool is_version,
                    ObjectCopy::Done done);
    void on_copied(Task task, const CopyResult& result);
    void try_again(Task task, const Error& error);
    void count_versions(const VersionTask& task);
    void next_version(const std::shared_ptr<VersionTask>& task);
    void set_marker(const std::shared_ptr<VersionTask>& task);
    void fail_version(const std::shared_ptr<VersionTask>& task, const Error& error);
    void count_copy(const std::string& key, const ListedObject& object, const CopyResult& result);
    void count_failure(const std::string& key, const Error& error);
    [[nodiscard]] bool leaves(const Ticket& ticket);
    void queue(Turn turn);
    void begin_turns();
    void end_turn();
    void resume_uploads();
    void keep(const Status& status);

    const CloneRequest& request_;
    CopyContext context_;
    CopyJournal* journal_;
    CloneReport& report_;
    std::vector<Task> waiting_;               // for a commit
    std::vector<OpenUpload> resumable_;       // of a dead run, until they are taken
    std::string upload_source_;               // of the upload that begins now
    std::unordered_set<std::string> unsure_;  // keys of the target, see upload_lost
    std::optional<Error> error_;
    std::int64_t done_ = 0;
    std::int64_t bytes_ = 0;
    bool is_stopped_ = false;
    std::vector<Ticket> left_;  // of keys that a stop has left
    std::deque<Turn> turns_;
    int under_way_ = 0;  // turns that have begun
};

}  // namespace drydock::mover::s3
