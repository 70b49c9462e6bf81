// Dealer: rank 0 of a team. It gives work to its helpers as long as they have room for more,
// answers what they ask, and counts what they did.
//
// The work comes from the stack of rank 0's own threads (workers.h): an idle helper gets the oldest
// task that may be given away, and while it has room, what is pushed goes to it at once. So rank 0
// walks while others copy, and copies itself when all have enough. Without a team nothing happens.
// Thread-safe.
#pragma once

#include "mover/tree/copier.h"
#include "mover/tree/team.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace drydock::mover::tree {

class Dealer {
public:
    explicit Dealer(Team* team);
    Dealer(const Dealer&) = delete;
    Dealer& operator=(const Dealer&) = delete;

    [[nodiscard]] std::size_t helpers() const { return helpers_.size(); }

    // Waits until all helpers have said who they are. Error: "tree.rank_silent", "tree.rank".
    [[nodiscard]] Status visit_name();
    // The boots of all hosts, this one's, too.
    [[nodiscard]] std::set<std::string> boots() const;

    // Tells the helpers what is copied. Each of them has to see the same source, and the same
    // staging folder. Errors: "tree.rank_silent", "tree.rank".
    [[nodiscard]] Status begin(const CopierParts& parts);

    // Serves the helpers in a thread of its own, until what is returned is destroyed.
    [[nodiscard]] std::jthread
    serve(Copier& copier, Workers& workers, Notes& notes, SharedReport& report);

    // Gives an offer to a helper that has room for it.
    [[nodiscard]] Taken take(const Offer& offer);
    // Waits until each helper has brought to its disk what it copied. Error: "tree.sync",
    // "tree.rank_silent".
    [[nodiscard]] Status sync();

    [[nodiscard]] Progress progress() const;
    // What each helper has copied, in the order of their ranks.
    [[nodiscard]] std::vector<RankReport> ranks() const;

private:
    using Clock = std::chrono::steady_clock;

    struct Helper {
        std::size_t rank = 0;
        RankReport done;
        std::string boot;
        Clock::time_point heard;
        std::map<std::int64_t, Offer> parcels;  // that it works on
        std::int64_t parcels_max = 0;
        std::int64_t synced = 0;  // number of the last barrier
        Progress progress;
        bool is_known = false;
        bool is_ready = false;
        bool is_lost = false;
    };

    [[nodiscard]] std::string name_of(const Helper& helper) const;
    [[nodiscard]] Status greet(Helper& helper, PacketReader& reader);
    // Receives until all helpers are as `is_done` says.
    template <class Done, class Read>
    [[nodiscard]] Status gather(const Done& is_done, const Read& read);
    void listen(const std::stop_token& stop);
    void hear(const Message& message);
    void hear_answer(Helper& helper, PacketReader& reader);
    void hear_synced(Helper& helper, PacketReader& reader);
    [[nodiscard]] Result<std::string> answer(std::size_t rank, PacketReader& reader);
    void look_after();
    void lose(Helper& helper);
    void tell_all(ByDealer what);

    Team* team_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Helper> helpers_;  // helper i is rank i + 1
    std::int64_t parcels_ = 0;
    std::int64_t barriers_ = 0;
    Status sync_failure_;
    std::atomic<bool> has_stopped_ = false;
    Copier* copier_ = nullptr;
    Workers* workers_ = nullptr;
    Notes* notes_ = nullptr;
    SharedReport* report_ = nullptr;
};

}  // namespace drydock::mover::tree
