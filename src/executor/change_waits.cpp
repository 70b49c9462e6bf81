// Waits for changes: which facts tell them, and what an agent is asked.
#include "executor/change_waits.h"

#include <algorithm>

namespace drydock::executor {
namespace {

using model::ObservationStatus;

constexpr std::int64_t k_wait_ms_min = 3'000;  // a shorter wait is not worth its requests

// Returns the probes of the reading by host; null if it has facts of other kinds besides.
const std::map<std::string, ReadPlan::Probes>* probes_of(const ReadPlan& plan) {
    const auto asks_nothing = [](const ReadPlan::Round& round) {
        return round.probes.empty() && round.parameterised.empty();
    };
    const auto& rounds = plan.rounds;
    const bool is_one_round = !rounds.empty() && rounds.front().parameterised.empty()
                              && std::all_of(rounds.begin() + 1, rounds.end(), asks_nothing);
    return is_one_round ? &rounds.front().probes : nullptr;
}

std::size_t count(const std::map<std::string, ReadPlan::Probes>& by_host) {
    std::size_t number = 0;
    for (const auto& [host, probes] : by_host) {
        number += probes.list.items().size();
    }
    return number;
}

}  // namespace

// A fact that was not known has to be read again anyway.
bool ChangeWaits::is_told(const Json& probe, const model::FactBook& seen) const {
    const std::string& key = probe["id"].as_string();
    const auto fact = seen.find(key);
    const auto wait = waits_.find(key);
    return probe["kind"].as_string() == "kubernetes" && !probe.contains("may")
           && !probe.contains("dry_run") && fact != seen.end()
           && fact->second.status != ObservationStatus::unknown
           && (wait == waits_.end() || wait->second.retry_ms <= clock_.monotonic_ms());
}

bool ChangeWaits::open(std::size_t action,
                       const ReadPlan& plan,
                       const model::FactBook& seen,
                       std::int64_t deadline_ms) {
    const std::int64_t within_ms = std::min(k_change_wait_ms, deadline_ms - clock_.monotonic_ms());
    const auto* by_host = probes_of(plan);
    if (by_host == nullptr || count(*by_host) > k_changes_max || within_ms < k_wait_ms_min) {
        return false;
    }
    for (const auto& [host, probes] : *by_host) {
        const auto& list = probes.list.items();
        if (!std::all_of(list.begin(), list.end(), [&](const Json& probe) {
                return is_told(probe, seen);
            })) {
            return false;
        }
    }
    for (const auto& [host, probes] : *by_host) {
        for (const Json& probe : probes.list.items()) {
            submit(host, probe, seen, within_ms);
            waits_[probe["id"].as_string()].actions.insert(action);
        }
    }
    return true;
}

// Does nothing if the fact is asked about already: that wait tells each change since.
void ChangeWaits::submit(const std::string& host,
                         const Json& probe,
                         const model::FactBook& seen,
                         std::int64_t within_ms) {
    const std::string& key = probe["id"].as_string();
    Wait& wait = waits_[key];
    if (std::exchange(wait.is_open, true)) {
        return;
    }
    const model::Observation& fact = seen.find(key)->second;
    Json change;
    change.set("kind", "change").set("id", key).set("type", "bool").set("deadline_ms", within_ms);
    change.set("of", probe);
    change.set("seen", Json().set("status", model::name_of(fact.status)).set("value", fact.value));
    Json request;
    request.set("do", "probe").set("probes", Json(Json::Array{std::move(change)}));
    const std::int64_t deadline_ms = clock_.monotonic_ms() + within_ms + k_probe_grace_ms;
    keys_by_request_.emplace(hosts_.submit(host, std::move(request), deadline_ms), key);
}

std::optional<ChangeWaits::End> ChangeWaits::on_reply(const Reply& reply) {
    const auto request = keys_by_request_.find(reply.ticket);
    if (request == keys_by_request_.end()) {
        return std::nullopt;
    }
    if (reply.kind == Reply::Kind::progress) {
        return End{};
    }
    Wait& wait = waits_[request->second];
    keys_by_request_.erase(request);
    const auto& facts = reply.body["facts"].items();
    const bool is_told = reply.kind == Reply::Kind::answer && facts.size() == 1
                         && facts.front()["status"].as_string() == "known";
    wait.is_open = false;
    wait.retry_ms = is_told ? 0 : clock_.monotonic_ms() + k_change_retry_ms;
    return End{std::exchange(wait.actions, {}), !is_told};
}

}  // namespace drydock::executor
