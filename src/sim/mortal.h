// Mortal: a journal and a transport that end or suspend the conductor who uses them, at the n-th
// record of its life: before the commit, after it, or when its commands have left.
//
// A death is thrown through the runner as Killed, and nothing of the conductor's memory survives
// it. One that hangs is suspended where a dead one would have ended: `meanwhile` is what the others
// do until it wakes up.
#pragma once

#include "journal/journal.h"
#include "sim/site.h"
#include "transport/transport.h"

#include <algorithm>
#include <functional>
#include <memory>

namespace drydock::sim {

// What leaves a conductor when it is killed: nothing.
struct Killed {};

class MortalJournal final : public journal::Journal {
public:
    using Meanwhile = std::function<void(journal::Journal&)>;

    // `full` is asked before each append whether the disk is full.
    MortalJournal(std::unique_ptr<journal::Journal> inner,
                  const Death& death,
                  Meanwhile meanwhile,
                  std::function<bool()> full);

    Status create_run(const journal::NewRun& run) override { return inner_->create_run(run); }

    Result<std::vector<journal::RunInfo>> list_runs() override { return inner_->list_runs(); }

    Result<journal::RunInfo> find_run(const std::string& run) override {
        return inner_->find_run(run);
    }

    Result<journal::Head>
    append(const std::string& run, std::int64_t wall_ms, const std::vector<Json>& events) override;

    Result<std::vector<journal::Record>> read(const std::string& run, std::uint64_t from) override {
        return inner_->read(run, from);
    }

    Result<journal::Head> verify(const std::string& run) override { return inner_->verify(run); }

    Status set_state(const std::string& run, const std::string& state) override {
        return inner_->set_state(run, state);
    }

    Result<std::uint64_t> take_lease(const std::string& run, const journal::Holder& who) override {
        return inner_->take_lease(run, who);
    }

    void release_lease(const std::string& run) override { inner_->release_lease(run); }

    [[nodiscard]] std::uint64_t records() const { return records_; }

    // It was suspended while others went on.
    [[nodiscard]] bool slept() const { return slept_; }

    // Ends or suspends the conductor if this is the place.
    void pass(Death::Where where);

private:
    std::unique_ptr<journal::Journal> inner_;
    Death death_;
    Meanwhile meanwhile_;
    std::function<bool()> full_;
    std::uint64_t records_ = 0;
    bool slept_ = false;
};

// What has left when it strikes arrives.
class MortalTransport final : public transport::Transport {
public:
    // `before_wait` may be empty.
    MortalTransport(transport::Transport& inner,
                    MortalJournal& journal,
                    std::function<void()> before_wait)
        : inner_(inner)
        , journal_(journal)
        , before_wait_(std::move(before_wait)) {}

    [[nodiscard]] Result<std::unique_ptr<transport::Conversation>>
    open(const transport::HostAddress& host) override {
        return inner_.open(host);
    }

    void wait(const std::vector<transport::Conversation*>& on, std::int64_t timeout_ms) override {
        journal_.pass(Death::Where::after_send);
        if (before_wait_) {
            before_wait_();
            timeout_ms = std::min(timeout_ms, k_directed_ms_max);
        }
        inner_.wait(on, timeout_ms);
    }

private:
    static constexpr std::int64_t k_directed_ms_max = 50;  // whoever directs is asked soon again

    transport::Transport& inner_;
    MortalJournal& journal_;
    std::function<void()> before_wait_;
};

}  // namespace drydock::sim
