// Crash injection: a journal and a transport that crash, suspend or delay the conductor that uses
// them.
//
// A crash comes at the n-th record of a conductor: before the commit, after it, or when its
// commands have left. It is thrown through the session as SimulatedCrash, and no memory of the
// conductor survives it. A conductor that hangs is suspended at the same place, and `meanwhile`
// runs the others until it wakes up. Besides, each commit takes time. The process or its machine
// may stand still wherever it commits, connects, sends or waits.
#pragma once

#include "journal/journal.h"
#include "sim/simulation.h"
#include "transport/transport.h"

#include <algorithm>
#include <functional>
#include <memory>

namespace drydock::sim {

// Ends a conductor when thrown. It has no members: nothing leaves a killed process.
struct SimulatedCrash {};

// The delays of a conductor. Each function is called where that time is lost.
struct Delays {
    std::function<void()> commit;      // before a commit is on disk
    std::function<void()> standstill;  // the process stands still, or its machine does
};

// The fault of a commit.
enum class CommitFault {
    none,
    full,     // the disk is full
    busy,     // another process keeps the journal locked
    unknown,  // it is on disk, but its answer is lost
};

class CrashInjectingJournal final : public journal::Journal {
public:
    using Meanwhile = std::function<void(journal::Journal&)>;

    // Calls `fault` before each commit.
    CrashInjectingJournal(std::unique_ptr<journal::Journal> inner,
                          const CrashPoint& death,
                          Meanwhile meanwhile,
                          std::function<CommitFault()> fault,
                          Delays delays);

    [[nodiscard]] const std::string& id() const override { return inner_->id(); }

    Status renew_id() override { return inner_->renew_id(); }

    Result<std::vector<journal::GivenLease>> given_leases() override {
        return inner_->given_leases();
    }

    Result<journal::Lease> begin_run(const journal::RunCreation& birth) override;

    Result<std::vector<journal::RunInfo>> list_runs() override { return inner_->list_runs(); }

    Result<journal::RunInfo> find_run(const std::string& run) override {
        return inner_->find_run(run);
    }

    Result<journal::Head>
    append(const std::string& run, const journal::Head& head, const journal::Entry& entry) override;

    Result<std::vector<journal::Record>> read(const std::string& run,
                                              std::uint64_t first_record) override {
        return inner_->read(run, first_record);
    }

    Result<journal::Head> verify(const std::string& run) override { return inner_->verify(run); }

    Result<journal::Lease> take_lease(const std::string& run,
                                      const journal::Holder& holder) override {
        return inner_->take_lease(run, holder);
    }

    void release_lease(const std::string& run) override { inner_->release_lease(run); }

    Result<std::uint64_t> post_request(const std::string& run,
                                       const journal::Request& request) override {
        return inner_->post_request(run, request);
    }

    Result<std::vector<journal::Request>> open_requests(const std::string& run) override {
        return inner_->open_requests(run);
    }

    Result<journal::Request> find_request(std::uint64_t number) override {
        return inner_->find_request(number);
    }

    [[nodiscard]] std::uint64_t records() const { return records_; }

    // True if the conductor was suspended while others went on.
    [[nodiscard]] bool has_slept() const { return slept_; }

    // Crashes or suspends the conductor if its crash point is this moment of this record.
    void maybe_crash(CrashPoint::Moment moment);

    void stand_still() const { delays_.standstill(); }

private:
    template <class T>
    Result<T> commit(const std::function<Result<T>()>& write);

    std::unique_ptr<journal::Journal> inner_;
    CrashPoint crash_point_;
    Meanwhile meanwhile_;
    std::function<CommitFault()> fault_;
    Delays delays_;
    std::uint64_t records_ = 0;
    bool slept_ = false;
};

// A transport that may crash its conductor as it begins to wait. Frames sent before that arrive.
class CrashInjectingTransport final : public transport::Transport {
public:
    // `before_wait` may be empty.
    CrashInjectingTransport(transport::Transport& inner,
                            CrashInjectingJournal& journal,
                            std::function<void()> before_wait)
        : inner_(inner)
        , journal_(journal)
        , before_wait_(std::move(before_wait)) {}

    [[nodiscard]] Result<std::unique_ptr<transport::Conversation>>
    open(const transport::HostAddress& host) override;
    void wait(const std::vector<transport::Conversation*>& conversations,
              std::int64_t timeout_ms) override;

private:
    static constexpr std::int64_t k_directed_ms_max = 50;  // before_wait is called again soon

    transport::Transport& inner_;
    CrashInjectingJournal& journal_;
    std::function<void()> before_wait_;
};

}  // namespace drydock::sim
