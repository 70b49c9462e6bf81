// Reading: one reading of a set of facts, in as few requests as there are hosts and rounds.
//
// Facts that need other facts first (a hash at a revision that all members have) come in later
// rounds. What cannot be read is `unknown` with the reason as evidence; a reading always ends. One
// thread.
#pragma once

#include "conduct/hosts.h"
#include "model/fact.h"

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drydock::conduct {

// So long a fact counts as fresh. While some are waited for, others grow old and are read once
// more: a connection may hold an answer back for minutes. What takes long to read (a digest) is
// fresh for as long again, for it tells of all that time.
inline constexpr std::int64_t k_fresh_ms = 6'000;

// The agent answers a probe at its deadline; so much later the conductor gives it up.
inline constexpr std::int64_t k_probe_grace_ms = 10'000;

// Probes with the keys of their facts as ids: one value each, whoever sends it.
class ProbeCache {
public:
    [[nodiscard]] const Json& of(const model::FactSource& source);

private:
    std::map<std::string, Json, std::less<>> made_;
};

// What is asked of whom to know a set of facts, in rounds. The sources must outlive it.
struct Inquiry {
    // The probes of one request, as they are sent, and the longest deadline among them.
    struct Probes {
        Json list = Json::Array{};
        std::int64_t within_ms = 0;

        void add(const Json& probe);
    };

    struct Round {
        std::map<std::string, Probes> probes;           // by host
        std::vector<const model::FactSource*> filled;   // probes that need earlier facts first
        std::vector<const model::FactSource*> derived;  // computed at the end of the round
        std::vector<std::string> nameless;              // there are no such facts
    };

    Inquiry(const model::FactSources& sources,
            const std::vector<std::string>& wanted_keys,
            ProbeCache& cache);

    std::vector<Round> rounds;
};

// A question of a plan: the facts that it looks at, sorted, each once, and how they are read.
struct Wanted {
    std::vector<std::string> keys;
    std::shared_ptr<const Inquiry> inquiry;  // null if there are no keys
};

// Inquiries, made once for each set of facts: for those who read the same again and again. The
// sources must outlive it.
class Inquiries {
public:
    explicit Inquiries(const model::FactSources& sources) : sources_(sources) {}

    [[nodiscard]] std::shared_ptr<const Inquiry> of(const std::vector<std::string>& keys);
    // By the number that its plan's judges give a question; `keys` tells what it looks at.
    [[nodiscard]] std::shared_ptr<const Wanted>
    of(std::size_t question, const std::function<std::vector<std::string>()>& keys);

    // Of `wanted` what has to be read again because it has grown old. Facts that are read or
    // computed from others go together: they may have those in common.
    [[nodiscard]] std::vector<std::string> too_old(const std::vector<std::string>& keys,
                                                   const model::FactBook& book,
                                                   std::int64_t now_ms) const;

private:
    void keep(std::size_t keys);

    const model::FactSources& sources_;
    ProbeCache probes_;
    std::map<std::vector<std::string>, std::shared_ptr<const Inquiry>> made_;
    std::map<std::size_t, std::shared_ptr<const Wanted>> questions_;
    std::size_t kept_ = 0;  // keys in all of these
};

// Sorts the keys of facts, and leaves each once.
void sort_keys(std::vector<std::string>& keys);

// Until when (monotonic) all of these are fresh, of those that the book has.
[[nodiscard]] std::int64_t fresh_until(const std::vector<std::string>& keys,
                                       const model::FactBook& book);

class Reading {
public:
    // `inquiry` is shared by all who read the same facts; `clock` must outlive the reading.
    Reading(std::shared_ptr<const Inquiry> inquiry, Hosts& hosts, os::Clock& clock);

    // True if the reply belonged to this reading.
    bool take(const Reply& reply, Hosts& hosts);

    [[nodiscard]] bool done() const { return round_ >= inquiry_->rounds.size(); }

    [[nodiscard]] const model::FactBook& book() const { return book_; }

    // Until when all of it is fresh.
    [[nodiscard]] std::int64_t fresh_until_ms() const { return fresh_until_ms_; }

    // When it was begun, monotonic.
    [[nodiscard]] std::int64_t begun_ms() const { return begun_ms_; }

    // What was read, for good; the reading has nothing any more.
    [[nodiscard]] model::FactBook take_book() { return std::move(book_); }

private:
    void start_round(Hosts& hosts);
    void end_round();
    void derive_early();
    void ask(const std::string& host, const Inquiry::Probes& probes, Hosts& hosts);
    void ask_filled(const Inquiry::Round& round, Hosts& hosts);
    void take_facts(const Reply& reply, const Json& probes);

    std::shared_ptr<const Inquiry> inquiry_;
    os::Clock* clock_;
    std::int64_t begun_ms_;
    std::size_t round_ = 0;
    std::map<Ticket, Json> asked_;  // the probes of each question
    std::int64_t fresh_until_ms_ = std::numeric_limits<std::int64_t>::max();
    model::FactBook book_;
};

// Reads and waits for the end: what a survey does.
[[nodiscard]] model::FactBook
read_now(std::shared_ptr<const Inquiry> inquiry, Hosts& hosts, os::Clock& clock);
[[nodiscard]] model::FactBook read_now(const model::FactSources& sources,
                                       const std::vector<std::string>& keys,
                                       Hosts& hosts,
                                       os::Clock& clock);

}  // namespace drydock::conduct
