// FactRead reads one set of facts, in as few requests as there are hosts and rounds.
//
// A fact that needs other facts first comes in a later round: a hash at a revision that all members
// have, say. A fact that cannot be read is `unknown`, with the reason as evidence. Every reading
// ends. One thread.
#pragma once

#include "executor/agent_pool.h"
#include "model/fact.h"

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drydock::executor {

// The time for which a fact counts as fresh. While some facts are awaited, others grow old and are
// read once more: a connection may hold an answer back for minutes. A fact that takes long to read
// (a digest) stays fresh for as long again, since it describes all that time.
inline constexpr std::int64_t k_fresh_ms = 6'000;

// The agent answers a probe at its deadline; the conductor gives it up this much later.
inline constexpr std::int64_t k_probe_grace_ms = 10'000;

// Holds each probe with its fact's key as id: one value, shared by all requests.
class ProbeCache {
public:
    [[nodiscard]] const Json& of(const model::FactSource& source);

private:
    std::map<std::string, Json, std::less<>> probes_;
};

// ReadPlan: the requests that read a set of facts, in rounds. The sources must outlive it.
struct ReadPlan {
    // The probes of one request, as they are sent, and the longest deadline among them.
    struct Probes {
        Json list = Json::Array{};
        std::int64_t within_ms = 0;

        void add(const Json& probe);
    };

    struct Round {
        std::map<std::string, Probes> probes;  // by host
        std::vector<const model::FactSource*>
            parameterised;                              // probes that need earlier facts first
        std::vector<const model::FactSource*> derived;  // computed at the end of the round
        std::vector<std::string> unknown_facts;         // keys of facts that do not exist
    };

    ReadPlan(const model::FactSources& sources,
             const std::vector<std::string>& wanted_keys,
             ProbeCache& cache);

    std::vector<Round> rounds;
};

// The facts that one question of a plan looks at, sorted, each once, and the way to read them.
struct CachedRead {
    std::vector<std::string> keys;
    std::shared_ptr<const ReadPlan> read_plan;  // null if there are no keys
};

// ReadPlanCache makes one read plan for each set of facts, since conditions are read again and
// again. The sources must outlive it.
class ReadPlanCache {
public:
    explicit ReadPlanCache(const model::FactSources& sources) : sources_(sources) {}

    // Returns the read plan of a set of keys.
    [[nodiscard]] std::shared_ptr<const ReadPlan> of(const std::vector<std::string>& keys);
    // Returns the read of a question by its number; `keys` is called once, for the facts it looks
    // at.
    [[nodiscard]] std::shared_ptr<const CachedRead>
    of(std::size_t question, const std::function<std::vector<std::string>()>& keys);

    // Returns the keys that have to be read again because their facts have grown old. Facts that
    // are read or computed from others go together: they may share inputs.
    [[nodiscard]] std::vector<std::string> too_old(const std::vector<std::string>& keys,
                                                   const model::FactBook& book,
                                                   std::int64_t now_ms) const;

private:
    void keep(std::size_t keys);

    const model::FactSources& sources_;
    ProbeCache probes_;
    std::map<std::vector<std::string>, std::shared_ptr<const ReadPlan>> read_plans_;
    std::map<std::size_t, std::shared_ptr<const CachedRead>> questions_;
    std::size_t cached_keys_ = 0;  // in all of these
};

// Sorts the keys of facts and removes duplicates.
void sort_keys(std::vector<std::string>& keys);

// Returns the time (monotonic) until which all these facts are fresh, of those in the book.
[[nodiscard]] std::int64_t fresh_until(const std::vector<std::string>& keys,
                                       const model::FactBook& book);

class FactRead {
public:
    // `inquiry` is shared by all readers of the same facts. `clock` must outlive the reading.
    FactRead(std::shared_ptr<const ReadPlan> inquiry, AgentPool& hosts, os::Clock& clock);

    // True if the reply belongs to this reading.
    bool on_reply(const Reply& reply, AgentPool& hosts);

    [[nodiscard]] bool done() const { return round_ >= inquiry_->rounds.size(); }

    [[nodiscard]] const model::FactBook& book() const { return book_; }

    // Returns the time until which all facts are fresh.
    [[nodiscard]] std::int64_t fresh_until_ms() const { return fresh_until_ms_; }

    // Returns the monotonic time of its start.
    [[nodiscard]] std::int64_t begun_ms() const { return begun_ms_; }

    // Moves the facts out of the reading.
    [[nodiscard]] model::FactBook take_book() { return std::move(book_); }

private:
    void start_round(AgentPool& hosts);
    void end_round();
    void derive_early();
    void submit(const std::string& host, const ReadPlan::Probes& probes, AgentPool& hosts);
    void ask_filled(const ReadPlan::Round& round, AgentPool& hosts);
    void take_facts(const Reply& reply, const Json& probes);

    std::shared_ptr<const ReadPlan> inquiry_;
    os::Clock* clock_;
    std::int64_t begun_ms_;
    std::size_t round_ = 0;
    std::map<RequestId, Json> probes_by_request_;  // the probes of each request
    std::int64_t fresh_until_ms_ = std::numeric_limits<std::int64_t>::max();
    model::FactBook book_;
};

// Reads and waits for the end, as a survey does.
[[nodiscard]] model::FactBook
read_now(std::shared_ptr<const ReadPlan> inquiry, AgentPool& hosts, os::Clock& clock);
[[nodiscard]] model::FactBook read_now(const model::FactSources& sources,
                                       const std::vector<std::string>& keys,
                                       AgentPool& hosts,
                                       os::Clock& clock);

}  // namespace drydock::executor
