#include "journal/memory/memory_journal.h"

#include "base/text.h"
#include "journal/answers.h"
#include "journal/chain.h"

#include <algorithm>
#include <deque>

namespace drydock::journal {

namespace {

class MemoryJournal;

struct MemoryRun {
    NewRun run;
    std::string state;
    std::uint64_t epoch = 0;
    Holder holder;
    const MemoryJournal* owner = nullptr;  // who holds the lease; compared, never followed
    Head head;
    std::deque<Record> records;
};

}  // namespace

struct MemoryStore {
    std::vector<MemoryRun> runs;  // in order of creation
};

namespace {

class MemoryJournal final : public Journal {
public:
    explicit MemoryJournal(std::shared_ptr<MemoryStore> store) : store_(std::move(store)) {}

    ~MemoryJournal() override {
        for (MemoryRun& run : store_->runs) {
            release(run);
        }
    }

    MemoryJournal(const MemoryJournal&) = delete;
    MemoryJournal& operator=(const MemoryJournal&) = delete;

    Status create_run(const NewRun& run) override;
    Result<std::vector<RunInfo>> list_runs() override;
    Result<RunInfo> find_run(const std::string& run) override;
    Result<Head>
    append(const std::string& run, std::int64_t wall_ms, const std::vector<Json>& events) override;
    Result<std::vector<Record>> read(const std::string& run, std::uint64_t from_sequence) override;
    Result<Head> verify(const std::string& run) override;
    Status set_state(const std::string& run, const std::string& state) override;
    Result<std::uint64_t> take_lease(const std::string& run, const Holder& who) override;
    void release_lease(const std::string& run) override;

private:
    Result<MemoryRun*> find(const std::string& id);
    Result<MemoryRun*> find_owned(const std::string& id);

    void release(MemoryRun& run) {
        if (run.owner == this) {
            run.owner = nullptr;
        }
    }

    std::shared_ptr<MemoryStore> store_;  // shared: it outlives each journal opened on it
};

RunInfo describe(const MemoryRun& run) {
    RunInfo info{run.run, run.state, run.epoch, std::nullopt, run.head};
    if (run.owner != nullptr) {
        info.holder = run.holder;
    }
    return info;
}

Result<MemoryRun*> MemoryJournal::find(const std::string& id) {
    std::vector<std::string> known;
    for (MemoryRun& run : store_->runs) {
        if (run.run.id == id) {
            return &run;
        }
        known.push_back(run.run.id);
    }
    return unknown_run(id, known);
}

Result<MemoryRun*> MemoryJournal::find_owned(const std::string& id) {
    DRYDOCK_TRY_ASSIGN(MemoryRun* const run, find(id));
    if (run->owner != this) {
        return no_lease(id);
    }
    return run;
}

Status MemoryJournal::create_run(const NewRun& run) {
    DRYDOCK_TRY(check_run_id(run.id));
    if (find(run.id)) {
        return run_exists(run.id);
    }
    MemoryRun made;
    made.run = run;
    made.head.hash = chain_start(run);
    store_->runs.push_back(std::move(made));
    return {};
}

Result<std::vector<RunInfo>> MemoryJournal::list_runs() {
    std::vector<RunInfo> all;
    std::ranges::transform(store_->runs, std::back_inserter(all), describe);
    return all;
}

Result<RunInfo> MemoryJournal::find_run(const std::string& run) {
    return find(run).map([](const MemoryRun* found) { return describe(*found); });
}

Result<Head> MemoryJournal::append(const std::string& run,
                                   std::int64_t wall_ms,
                                   const std::vector<Json>& events) {
    DRYDOCK_TRY_ASSIGN(MemoryRun* const target, find_owned(run));
    DRYDOCK_TRY_ASSIGN(const std::string text, canonical_events(events));
    const std::uint64_t sequence = target->head.records + 1;
    const Digest hash = chain_next(target->head.hash, run, sequence, wall_ms, text);
    target->records.push_back({sequence, wall_ms, events, hash});
    target->head = {sequence, hash};
    return target->head;
}

Result<std::vector<Record>> MemoryJournal::read(const std::string& run,
                                                std::uint64_t from_sequence) {
    DRYDOCK_TRY_ASSIGN(const MemoryRun* const found, find(run));
    const auto skipped = std::min(from_sequence > 0 ? from_sequence - 1 : 0, found->head.records);
    return std::vector<Record>(found->records.begin() + static_cast<std::ptrdiff_t>(skipped),
                               found->records.end());
}

Result<Head> MemoryJournal::verify(const std::string& run) {
    DRYDOCK_TRY_ASSIGN(const MemoryRun* const found, find(run));
    ChainChecker checker(run, 0, chain_start(found->run));
    for (const Record& record : found->records) {
        DRYDOCK_TRY(
            checker.next(record.sequence, record.wall_ms, Json(record.events).dump(), record.hash));
    }
    DRYDOCK_TRY(checker.finish(found->head));
    return found->head;
}

Status MemoryJournal::set_state(const std::string& run, const std::string& state) {
    DRYDOCK_TRY_ASSIGN(MemoryRun* const target, find_owned(run));
    target->state = state;
    return {};
}

Result<std::uint64_t> MemoryJournal::take_lease(const std::string& run, const Holder& who) {
    DRYDOCK_TRY_ASSIGN(MemoryRun* const target, find(run));
    if (target->owner != nullptr) {
        return lease_held(run, target->holder);
    }
    target->owner = this;
    target->holder = who;
    for (const MemoryRun& other : store_->runs) {
        target->epoch = std::max(target->epoch, other.epoch);
    }
    return ++target->epoch;
}

void MemoryJournal::release_lease(const std::string& run) {
    if (const auto target = find(run)) {
        release(**target);
    }
}

}  // namespace

std::shared_ptr<MemoryStore> make_memory_store() {
    return std::make_shared<MemoryStore>();
}

std::unique_ptr<Journal> open_memory(std::shared_ptr<MemoryStore> store) {
    return std::make_unique<MemoryJournal>(std::move(store));
}

}  // namespace drydock::journal
