// Reading: one reading of a set of facts, in as few requests as there are hosts and rounds.
//
// Facts that need other facts first (a hash at a revision that all members have) come in later
// rounds. What cannot be read is `unknown` with the reason as evidence; a reading always ends. One
// thread.
#pragma once

#include "conduct/hosts.h"
#include "model/fact.h"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace drydock::conduct {

// Probes as they are sent, for one who asks the same again and again. The sources must outlive it.
class Probes {
public:
    [[nodiscard]] const Json& of(const model::FactSource& source);

private:
    std::unordered_map<const model::FactSource*, Json> probes_;
};

class Reading {
public:
    // `sources` must outlive the reading; `probes`, if there are any, too.
    Reading(const model::FactSources& sources,
            const std::vector<std::string>& wanted,
            Hosts& hosts,
            Probes* probes = nullptr);

    // True if the reply belonged to this reading.
    bool take(const Reply& reply, Hosts& hosts);

    [[nodiscard]] bool done() const { return round_ >= rounds_.size(); }

    [[nodiscard]] const model::FactBook& book() const { return book_; }

    // What was read, for good; the reading has nothing any more.
    [[nodiscard]] model::FactBook take_book() { return std::move(book_); }

private:
    void start_round(Hosts& hosts);
    void end_round();
    void add_probe(const model::FactSource& source, std::map<std::string, Json>& by_host);
    void take_facts(const Json& facts);

    const model::FactSources& sources_;
    Probes* probes_;
    std::vector<std::vector<std::string>> rounds_;
    std::size_t round_ = 0;
    std::map<Ticket, std::vector<std::string>> asked_;  // the keys that each question is for
    model::FactBook book_;
};

// Reads and waits for the end: what a survey does.
[[nodiscard]] model::FactBook
read_now(const model::FactSources& sources, const std::vector<std::string>& wanted, Hosts& hosts);

}  // namespace drydock::conduct
