// TestWriter: begins runs and appends to them in tests, and remembers each run's head.
#pragma once

#include "journal/journal.h"

#include <map>

namespace drydock::journal {

class TestWriter {
public:
    // `journal` must outlive the writer or be replaced by use().
    explicit TestWriter(Journal& journal) : journal_(&journal) {}

    // Goes on with another journal object; heads are kept.
    void use(Journal& journal) { journal_ = &journal; }

    Result<Lease> begin(const NewRun& run, const Holder& holder = {"here", 11, 0}) {
        auto lease = journal_->begin_run({run, {0, {created()}, RunState{"running"}}, holder});
        if (lease) {
            heads_[run.id] = lease->head;
        }
        return lease;
    }

    Result<Lease> take(const std::string& run, const Holder& holder = {"here", 11, 0}) {
        auto lease = journal_->take_lease(run, holder);
        if (lease) {
            heads_[run] = lease->head;
        }
        return lease;
    }

    Result<Head> append(const std::string& run, const Entry& entry) {
        auto head = journal_->append(run, heads_[run], entry);
        if (head) {
            heads_[run] = *head;
        }
        return head;
    }

    Result<Head> append(const std::string& run, std::int64_t wall_ms, std::vector<Json> events) {
        return append(run, Entry{wall_ms, std::move(events)});
    }

    // Closes the run with one more record.
    Result<Head> finish(const std::string& run) {
        return append(run, {0, {created()}, RunState{"finished", true}});
    }

    [[nodiscard]] const Head& head(const std::string& run) { return heads_[run]; }

private:
    static Json created() { return Json::Object{{"type", "run.created"}}; }

    Journal* journal_;
    std::map<std::string, Head> heads_;
};

}  // namespace drydock::journal
