// The journal in memory. Each function has the rules of its counterpart in sqlite_journal.cpp.
//
// Every function checks first and changes last, so an error leaves the store as it was; that
// replaces transactions. A lease is a pointer to the journal object that holds it. The destructor
// gives it back, as the death of a process does on disk. Ids and nonces are derived and not drawn,
// so that a simulation repeats. A copied store counts its copies, and so its nonces differ from
// those of the original.
#include "journal/memory/memory_journal.h"

#include "base/hash.h"
#include "base/text.h"
#include "journal/answers.h"
#include "journal/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace drydock::journal {

namespace {

constexpr std::size_t k_digits = 16;  // of a nonce

class MemoryJournal;

struct MemoryRun {
    NewRun run;
    RunState state;
    std::uint64_t epoch = 0;
    Holder holder;
    const MemoryJournal* owner = nullptr;  // the holder of the lease; compared, never dereferenced
    Head head;
    std::deque<Record> records;
};

struct MemoryRequest {
    std::string run;
    Request request;
};

}  // namespace

struct MemoryStore {
    std::string id;
    std::uint64_t copies = 0;  // counted through all copies, so that nonces differ
    std::vector<GivenLease> leases;
    std::vector<MemoryRun> runs;  // in order of creation
    std::vector<MemoryRequest> requests;
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

    [[nodiscard]] const std::string& id() const override { return store_->id; }

    Status renew_id() override;
    Result<std::vector<GivenLease>> given_leases() override;
    Result<Lease> begin_run(const RunCreation& birth) override;
    Result<std::vector<RunInfo>> list_runs() override;
    Result<RunInfo> find_run(const std::string& run) override;
    Result<Head>
    append(const std::string& run, const Head& expected_head, const Entry& entry) override;
    Result<std::vector<Record>> read(const std::string& run, std::uint64_t from_sequence) override;
    Result<Head> verify(const std::string& run) override;
    Result<Lease> take_lease(const std::string& run, const Holder& holder) override;
    void release_lease(const std::string& run) override;
    Result<std::uint64_t> post_request(const std::string& run, const Request& request) override;
    Result<std::vector<Request>> open_requests(const std::string& run) override;
    Result<Request> find_request(std::uint64_t number) override;

private:
    Result<MemoryRun*> find(const std::string& id);
    Result<MemoryRun*> find_owned(const std::string& id);
    Status check_birth(const RunCreation& birth);
    Status close_reverted(const RunCreation& birth);
    void lease(MemoryRun& run, const Holder& holder);
    void write(MemoryRun& run, const Head& head, const Entry& entry);
    void answer(const std::string& run, const Entry& entry);

    void release(MemoryRun& run) {
        if (run.owner == this) {
            run.owner = nullptr;
        }
    }

    std::shared_ptr<MemoryStore> store_;  // shared: it outlives each journal opened on it
};

// Returns digits that differ from those of every copy.
std::string derive_digits(const MemoryStore& store, std::uint64_t number) {
    const auto text = fmt::format("{} {} {}", store.id, store.copies, number);
    return sha256_hex(text).substr(0, k_digits);
}

RunInfo describe(const MemoryRun& run) {
    RunInfo info{run.run, run.state, run.epoch, std::nullopt, run.head};
    if (run.owner != nullptr) {
        info.holder = run.holder;
    }
    return info;
}

// Returns the head after the entry; the caller has not written it yet.
Result<Head> next_head(const MemoryRun& run, const Head& previous, const Entry& entry) {
    DRYDOCK_TRY_ASSIGN(const std::string text, canonical_events(entry.events));
    const std::uint64_t sequence = previous.records + 1;
    return Head{sequence, chain_next(previous.hash, run.run.id, sequence, entry.wall_ms, text)};
}

Result<MemoryRun*> MemoryJournal::find(const std::string& id) {
    std::vector<std::string> run_ids;
    for (MemoryRun& run : store_->runs) {
        if (run.run.id == id) {
            return &run;
        }
        run_ids.push_back(run.run.id);
    }
    return unknown_run(id, run_ids);
}

// Returns the run if this object holds its lease.
Result<MemoryRun*> MemoryJournal::find_owned(const std::string& id) {
    DRYDOCK_TRY_ASSIGN(MemoryRun* const run, find(id));
    if (run->owner != this) {
        return no_lease(id);
    }
    return run;
}

// Refuses a second open run, except the run that the new run reverts, if no other conductor holds
// that one.
Status MemoryJournal::check_birth(const RunCreation& birth) {
    DRYDOCK_TRY(check_run_id(birth.run.id));
    if (find(birth.run.id)) {
        return run_exists(birth.run.id);
    }
    for (const MemoryRun& run : store_->runs) {
        const bool returns = run.run.id == birth.reverts_run;
        if (!run.state.is_over && !returns) {
            return run_open(describe(run));
        }
        if (returns && run.owner != nullptr && run.owner != this) {
            return lease_held(run.run.id, run.holder);
        }
    }
    const auto& runs = store_->runs;
    const bool is_newer =
        !birth.follows.empty() && !runs.empty() && runs.back().run.id != birth.follows;
    return is_newer ? Status(run_newer(describe(runs.back()))) : Status();
}

// Writes the last record of the run that the new run reverts, and releases it. A run that is over
// stays as it is.
Status MemoryJournal::close_reverted(const RunCreation& birth) {
    if (birth.reverts_run.empty()) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(MemoryRun* const old, find(birth.reverts_run));
    if (!old->state.is_over) {
        DRYDOCK_TRY_ASSIGN(const Head head, next_head(*old, old->head, birth.closing_entry));
        write(*old, head, birth.closing_entry);
    }
    release(*old);
    return {};
}

// Builds the new run aside and adds it last. Its first record is checked before the old run is
// closed, so an error leaves the store as it was.
Result<Lease> MemoryJournal::begin_run(const RunCreation& birth) {
    DRYDOCK_TRY(check_birth(birth));
    MemoryRun new_run;
    new_run.run = birth.run;
    new_run.head.hash = chain_start(birth.run);
    DRYDOCK_TRY_ASSIGN(const Head head, next_head(new_run, new_run.head, birth.first_entry));
    DRYDOCK_TRY(close_reverted(birth));
    write(new_run, head, birth.first_entry);
    lease(new_run, birth.holder);
    store_->runs.push_back(std::move(new_run));
    return Lease{store_->runs.back().epoch, head};
}

Result<std::vector<RunInfo>> MemoryJournal::list_runs() {
    std::vector<RunInfo> infos;
    std::ranges::transform(store_->runs, std::back_inserter(infos), describe);
    return infos;
}

Result<RunInfo> MemoryJournal::find_run(const std::string& run) {
    return find(run).map([](const MemoryRun* match) { return describe(*match); });
}

void MemoryJournal::write(MemoryRun& run, const Head& head, const Entry& entry) {
    run.records.push_back({head.records, entry.wall_ms, entry.events, head.hash});
    run.head = head;
    run.state = entry.state.value_or(run.state);
    answer(run.run.id, entry);
}

// Gives the entry's answers to open requests. The end of a run answers all others.
void MemoryJournal::answer(const std::string& run, const Entry& entry) {
    const bool is_over = entry.state && entry.state->is_over;
    for (MemoryRequest& stored_request : store_->requests) {
        for (const RequestAnswer& reply : entry.answers) {
            if (stored_request.request.number == reply.number
                && stored_request.request.answer.empty()) {
                stored_request.request.answer = reply.text;
            }
        }
        if (is_over && stored_request.run == run && stored_request.request.answer.empty()) {
            stored_request.request.answer = "the run is over";
        }
    }
}

// Compares with the head that the entry would make before it compares with the head that the caller
// expects: so a repeated append succeeds.
Result<Head>
MemoryJournal::append(const std::string& run, const Head& expected_head, const Entry& entry) {
    DRYDOCK_TRY_ASSIGN(MemoryRun* const target, find_owned(run));
    DRYDOCK_TRY_ASSIGN(const Head head, next_head(*target, expected_head, entry));
    if (target->head == head) {
        return head;  // it was written, and its answer was lost
    }
    if (target->state.is_over) {
        return run_over(describe(*target));
    }
    if (target->head != expected_head) {
        return head_moved(run, target->head);
    }
    write(*target, head, entry);
    return head;
}

// Returns the records unchecked: no other class can write to the store.
Result<std::vector<Record>> MemoryJournal::read(const std::string& run,
                                                std::uint64_t from_sequence) {
    DRYDOCK_TRY_ASSIGN(const MemoryRun* const target, find(run));
    const auto skipped = std::min(from_sequence > 0 ? from_sequence - 1 : 0, target->head.records);
    return std::vector<Record>(target->records.begin() + static_cast<std::ptrdiff_t>(skipped),
                               target->records.end());
}

Result<Head> MemoryJournal::verify(const std::string& run) {
    DRYDOCK_TRY_ASSIGN(const MemoryRun* const target, find(run));
    ChainChecker checker(run, 0, chain_start(target->run));
    for (const Record& record : target->records) {
        DRYDOCK_TRY(
            checker.next(record.sequence, record.wall_ms, Json(record.events).dump(), record.hash));
    }
    DRYDOCK_TRY(checker.finish(target->head));
    return target->head;
}

// Raises the epoch over all runs: a host remembers one fence for the whole journal.
void MemoryJournal::lease(MemoryRun& run, const Holder& holder) {
    run.owner = this;
    run.holder = holder;
    for (const MemoryRun& existing_run : store_->runs) {
        run.epoch = std::max(run.epoch, existing_run.epoch);
    }
    ++run.epoch;
    store_->leases.push_back({run.epoch, derive_digits(*store_, run.epoch)});
}

// Derives the id instead of drawing it: a simulation repeats.
Status MemoryJournal::renew_id() {
    store_->id = derive_digits(*store_, store_->leases.size());
    return {};
}

Result<std::vector<GivenLease>> MemoryJournal::given_leases() {
    const auto& leases = store_->leases;
    const auto first = leases.size() - std::min(leases.size(), k_given_leases_max);
    return std::vector<GivenLease>(leases.begin() + static_cast<std::ptrdiff_t>(first),
                                   leases.end());
}

// A lease that another object holds is never taken over: the object would have been destroyed if
// its conductor had died.
Result<Lease> MemoryJournal::take_lease(const std::string& run, const Holder& holder) {
    DRYDOCK_TRY_ASSIGN(MemoryRun* const target, find(run));
    if (target->owner != nullptr) {
        return lease_held(run, target->holder);
    }
    if (target->state.is_over) {
        return run_over(describe(*target));
    }
    lease(*target, holder);
    return Lease{target->epoch, target->head};
}

void MemoryJournal::release_lease(const std::string& run) {
    if (const auto target = find(run)) {
        release(**target);
    }
}

// Numbers requests from 1 by their place in the list, so find_request() needs no search.
Result<std::uint64_t> MemoryJournal::post_request(const std::string& run, const Request& request) {
    DRYDOCK_TRY_ASSIGN(const MemoryRun* const target, find(run));
    const RunInfo info = describe(*target);
    if (info.state.is_over && !info.holder) {
        return run_over(info);
    }
    MemoryRequest stored_request = {run, request};
    stored_request.request.number = store_->requests.size() + 1;
    stored_request.request.answer.clear();
    store_->requests.push_back(std::move(stored_request));
    return store_->requests.size();
}

Result<std::vector<Request>> MemoryJournal::open_requests(const std::string& run) {
    std::vector<Request> open;
    for (const MemoryRequest& stored_request : store_->requests) {
        if (stored_request.run == run && stored_request.request.answer.empty()) {
            open.push_back(stored_request.request);
        }
    }
    return open;
}

Result<Request> MemoryJournal::find_request(std::uint64_t number) {
    if (number == 0 || number > store_->requests.size()) {
        return unknown_request(number);
    }
    return store_->requests[number - 1].request;
}

}  // namespace

std::shared_ptr<MemoryStore> make_memory_store(std::string id) {
    auto store = std::make_shared<MemoryStore>();
    store->id = std::move(id);
    return store;
}

// Releases all leases of the copy: no journal object is open on it.
std::shared_ptr<MemoryStore> copy_memory_store(const MemoryStore& store) {
    auto copy = std::make_shared<MemoryStore>(store);
    ++copy->copies;
    for (MemoryRun& run : copy->runs) {
        run.owner = nullptr;
    }
    return copy;
}

std::unique_ptr<Journal> open_memory(std::shared_ptr<MemoryStore> store) {
    return std::make_unique<MemoryJournal>(std::move(store));
}

}  // namespace drydock::journal
