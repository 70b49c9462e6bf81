// Reads facts: which probe goes to which host in which round, and which replies are believed.
//
// A read plan is made once for a set of keys. Round 0 has the facts that need no other; each later
// round has the facts whose inputs came before. A round ends when all its requests have ended, and
// then its derived facts are computed. A fact that cannot be read becomes unknown with a reason, so
// a reading always ends.
//
// A host is believed only as far as it was asked. A fact counts if its id is the one requested, it
// came once, and its value has the declared type and a bounded size (docs/design/0007-trust.md).
#include "executor/facts_reader.h"

#include "agent/action_key.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::executor {

namespace {

using model::FactSource;
using model::ObservationStatus;

constexpr std::int64_t k_probe_ms = 5'000;  // as the agent has it, when a probe names no deadline
constexpr std::size_t k_evidence_bytes_max = 4096;  // of one fact, as a host tells it
constexpr std::size_t k_keys_kept_max = 200'000;    // of facts, in inquiries that are kept

bool has_blanks(const Json& value) {
    const auto& items = value.items();
    const auto& members = value.members();
    return value.as_string().find("${") != std::string::npos
           || std::any_of(items.begin(), items.end(), has_blanks)
           || std::any_of(members.begin(), members.end(), [](const auto& member) {
                  return has_blanks(member.second);
              });
}

// Replaces ${fact.NAME} in a probe by a system fact of an earlier round. A string that consists of
// one such name keeps the fact's type.
Result<Json> fill_facts(const Json& value, const model::FactBook& book) {
    if (!has_blanks(value)) {
        return value;
    }
    const auto look_up = [&](std::string_view name) -> Result<std::string> {
        if (!name.starts_with("fact.")) {
            return fmt::format("${{{}}}", name);
        }
        const auto entry = book.find(name.substr(5));
        if (entry == book.end() || entry->second.status != ObservationStatus::known) {
            return fail("fact.input", fmt::format("needs {}, which is not known", name.substr(5)));
        }
        return entry->second.value.show();
    };
    if (value.is_string()) {
        DRYDOCK_TRY_ASSIGN(std::string text, interpolate(value.as_string(), look_up));
        const bool number = value.as_string().starts_with("${fact.") && text != value.as_string()
                            && Json::parse(text).has_value();
        return number ? *Json::parse(text) : Json(std::move(text));
    }
    Json result = value;
    if (value.is_array()) {
        result = Json(Json::Array{});
        for (const Json& item : value.items()) {
            DRYDOCK_TRY_ASSIGN(Json element, fill_facts(item, book));
            result.push(std::move(element));
        }
    }
    for (const auto& [key, item] : value.members()) {
        DRYDOCK_TRY_ASSIGN(Json element, fill_facts(item, book));
        result.set(key, std::move(element));
    }
    return result;
}

// Returns the one answer with id `key`, which should stand at `index`. Null if there is none, or
// more than one.
const Json* fact_of(const Json::Array& facts, std::size_t index, const std::string& key) {
    const auto is_answer = [&](const Json& fact) { return fact["id"].as_string() == key; };
    if (index < facts.size() && is_answer(facts[index])) {
        return &facts[index];
    }
    const auto first = std::find_if(facts.begin(), facts.end(), is_answer);
    const bool is_only = first != facts.end() && std::none_of(first + 1, facts.end(), is_answer);
    return is_only ? &*first : nullptr;
}

model::Observation not_told() {
    return {ObservationStatus::unknown,
            {},
            "the host did not answer this question, or answered it twice",
            0};
}

// A value of another type, or one that is too large, is unknown, whatever the host reports.
model::Observation checked_observation(const Json& probe, const Json& fact) {
    auto observation = model::observation_from_json(fact);
    if (observation.evidence.size() > k_evidence_bytes_max) {
        observation.evidence.resize(k_evidence_bytes_max);
        observation.evidence = agent::to_utf8(observation.evidence);  // a character may be cut
    }
    if (observation.status != ObservationStatus::known) {
        observation.value = {};
        return observation;
    }
    const std::string& type = probe["type"].as_string();
    if (!type.empty()
        && !model::is_of_type(observation.value,
                              model::k_fact_types.parse(type).value_or(model::FactType::text))) {
        return {ObservationStatus::unknown,
                {},
                fmt::format("the host told a value that is no {}: {}", type, observation.evidence),
                observation.at_ms};
    }
    return observation;
}

}  // namespace

const Json& ProbeCache::of(const model::FactSource& source) {
    Json& probe = probes_[source.key];
    if (probe.is_null()) {
        probe = source.probe;
        probe.set("id", source.key);
    }
    return probe;
}

void ReadPlan::Probes::add(const Json& probe) {
    within_ms = std::max(within_ms, probe["deadline_ms"].as_int(k_probe_ms));
    list.push(probe);
}

// Sorts each key into the way it is read: unknown name, derived, filled from facts, or plain probe.
ReadPlan::ReadPlan(const model::FactSources& sources,
                   const std::vector<std::string>& wanted_keys,
                   ProbeCache& cache) {
    for (const auto& keys : model::reading_rounds(sources, wanted_keys)) {
        Round& round = rounds.emplace_back();
        for (const std::string& key : keys) {
            const auto entry = sources.find(key);
            if (entry == sources.end()) {
                round.unknown_facts.push_back(key);
                continue;
            }
            const FactSource& source = entry->second;
            if (source.is_derived()) {
                round.derived.push_back(&source);
            } else if (!source.inputs.empty()) {
                round.parameterised.push_back(&source);
            } else {
                round.probes[source.host].add(cache.of(source));
            }
        }
    }
}

// Empties the cache when it holds too many keys: the questions of a large plan do not all fit.
void ReadPlanCache::keep(std::size_t keys) {
    cached_keys_ += keys;
    if (cached_keys_ > k_keys_kept_max) {
        cached_keys_ = keys;
        probes_ = {};
        read_plans_.clear();
        questions_.clear();
    }
}

std::shared_ptr<const ReadPlan> ReadPlanCache::of(const std::vector<std::string>& keys) {
    if (const auto entry = read_plans_.find(keys); entry != read_plans_.end()) {
        return entry->second;
    }
    keep(keys.size());
    return read_plans_[keys] = std::make_shared<const ReadPlan>(sources_, keys, probes_);
}

// Asks for a question's keys once; later calls need no list of conditions.
std::shared_ptr<const CachedRead>
ReadPlanCache::of(std::size_t question, const std::function<std::vector<std::string>()>& keys) {
    if (const auto entry = questions_.find(question); entry != questions_.end()) {
        return entry->second;
    }
    auto cached_read = std::make_shared<CachedRead>();
    cached_read->keys = keys();
    cached_read->read_plan = cached_read->keys.empty() ? nullptr : of(cached_read->keys);
    keep(cached_read->keys.size());
    return questions_[question] = std::move(cached_read);
}

void sort_keys(std::vector<std::string>& keys) {
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

std::int64_t fresh_until(const std::vector<std::string>& keys, const model::FactBook& book) {
    std::int64_t until = std::numeric_limits<std::int64_t>::max();
    for (const std::string& key : keys) {
        const auto entry = book.find(key);
        until = entry == book.end() ? until : std::min(until, entry->second.fresh_until_ms);
    }
    return until;
}

// If one fact with inputs is old, all facts with inputs are read again: they may share inputs, and
// a mixture of two readings could contradict itself.
std::vector<std::string> ReadPlanCache::too_old(const std::vector<std::string>& keys,
                                                const model::FactBook& book,
                                                std::int64_t now_ms) const {
    const auto is_old = [&](const std::string& key) {
        const auto entry = book.find(key);
        return entry != book.end() && entry->second.fresh_until_ms < now_ms;
    };
    const auto rests_on_others = [&](const std::string& key) {
        const auto source = sources_.find(key);
        return source != sources_.end() && !source->second.inputs.empty();
    };
    const bool all_of_those = std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
        return is_old(key) && rests_on_others(key);
    });
    std::vector<std::string> old;
    std::copy_if(keys.begin(), keys.end(), std::back_inserter(old), [&](const auto& key) {
        return is_old(key) || (all_of_those && rests_on_others(key));
    });
    return old;
}

FactRead::FactRead(std::shared_ptr<const ReadPlan> inquiry, AgentPool& hosts, os::Clock& clock)
    : inquiry_(std::move(inquiry))
    , clock_(&clock)
    , begun_ms_(clock.monotonic_ms()) {
    start_round(hosts);
}

// Sends the probes of one host. The deadline leaves the agent time to answer at its own deadline.
void FactRead::submit(const std::string& host, const ReadPlan::Probes& probes, AgentPool& hosts) {
    static const Json k_probe = "probe";
    Json::Object request;
    request.reserve(6);  // with its number, identity, and secrets
    request.append("do", k_probe);
    request.append("probes", probes.list);
    const std::int64_t deadline = clock_->monotonic_ms() + probes.within_ms + k_probe_grace_ms;
    probes_by_request_.emplace(hosts.submit(host, std::move(request), deadline), probes.list);
}

// Sends probes whose names stand for facts of earlier rounds. A probe that cannot be filled makes
// its fact unknown.
void FactRead::ask_filled(const ReadPlan::Round& round, AgentPool& hosts) {
    std::map<std::string, ReadPlan::Probes> by_host = round.probes;
    for (const FactSource* source : round.parameterised) {
        auto probe = fill_facts(source->probe, book_);
        if (!probe) {
            book_[source->key] = {ObservationStatus::unknown, {}, probe.error().message, 0};
            continue;
        }
        by_host[source->host].add(probe->set("id", source->key));
    }
    for (const auto& [host, probes] : by_host) {
        submit(host, probes, hosts);
    }
}

// Starts rounds until one needs a host; a round without requests ends at once.
void FactRead::start_round(AgentPool& hosts) {
    while (!done() && probes_by_request_.empty()) {
        const ReadPlan::Round& round = inquiry_->rounds[round_];
        for (const std::string& key : round.unknown_facts) {
            book_[key] = {ObservationStatus::unknown, {}, "no such fact", 0};
        }
        if (!round.parameterised.empty()) {
            ask_filled(round, hosts);
        } else {
            for (const auto& [host, probes] : round.probes) {
                submit(host, probes, hosts);
            }
        }
        if (probes_by_request_.empty()) {
            end_round();
        }
    }
}

void FactRead::end_round() {
    for (const FactSource* source : inquiry_->rounds[round_].derived) {
        if (!book_.contains(source->key)) {
            book_.emplace(source->key, model::derive(*source, book_));
        }
    }
    ++round_;
}

// Derives facts whose inputs are in, so that they do not wait for a host that they do not need.
void FactRead::derive_early() {
    for (std::size_t index = round_ + 1; index < inquiry_->rounds.size(); ++index) {
        for (const FactSource* source : inquiry_->rounds[index].derived) {
            const auto is_in = [&](const std::string& input) { return book_.contains(input); };
            if (!is_in(source->key)
                && std::all_of(source->inputs.begin(), source->inputs.end(), is_in)) {
                book_.emplace(source->key, model::derive(*source, book_));
            }
        }
    }
}

// Takes the facts that were asked for. Other facts in the answer count for nothing.
void FactRead::take_facts(const Reply& reply, const Json& probes) {
    const std::int64_t took_ms = clock_->monotonic_ms() - reply.asked_ms;
    const auto& probe_list = probes.items();
    for (std::size_t index = 0; index < probe_list.size(); ++index) {
        const std::string& key = probe_list[index]["id"].as_string();
        const Json* fact = fact_of(reply.body["facts"].items(), index, key);
        auto observation =
            fact == nullptr ? not_told() : checked_observation(probe_list[index], *fact);
        // A fact cannot be read later than its answer came.
        const std::int64_t after_ms =
            fact == nullptr ? 0
                            : std::clamp<std::int64_t>((*fact)["after_ms"].as_int(0), 0, took_ms);
        observation.fresh_until_ms = reply.asked_ms + 2 * after_ms + k_fresh_ms;
        fresh_until_ms_ = std::min(fresh_until_ms_, observation.fresh_until_ms);
        book_.insert_or_assign(book_.end(), key, std::move(observation));
    }
}

bool FactRead::on_reply(const Reply& reply, AgentPool& hosts) {
    const auto request = probes_by_request_.find(reply.ticket);
    if (request == probes_by_request_.end()) {
        return false;
    }
    if (reply.kind == Reply::Kind::progress) {
        return true;
    }
    if (reply.kind == Reply::Kind::answer) {
        take_facts(reply, request->second);
    } else {
        for (const Json& probe : request->second.items()) {
            book_[probe["id"].as_string()] = {
                ObservationStatus::unknown, {}, reply.error.message, 0};
        }
    }
    probes_by_request_.erase(request);
    if (!probes_by_request_.empty()) {
        derive_early();
        return true;
    }
    end_round();
    start_round(hosts);
    return true;
}

model::FactBook
read_now(std::shared_ptr<const ReadPlan> inquiry, AgentPool& hosts, os::Clock& clock) {
    FactRead reading(std::move(inquiry), hosts, clock);
    while (!reading.done()) {
        for (const Reply& reply : hosts.poll(1000)) {
            reading.on_reply(reply, hosts);
        }
    }
    return reading.take_book();
}

model::FactBook read_now(const model::FactSources& sources,
                         const std::vector<std::string>& keys,
                         AgentPool& hosts,
                         os::Clock& clock) {
    ProbeCache cache;
    return read_now(std::make_shared<const ReadPlan>(sources, keys, cache), hosts, clock);
}

}  // namespace drydock::executor
