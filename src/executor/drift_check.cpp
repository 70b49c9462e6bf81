// Compares the expected facts of a run with the facts that are read before its first write.
//
// Two things count as drift: a fact whose value differs from the value that finished actions left,
// and a standing requirement (`keep`) that held once and holds no more. A difference has to last
// for some seconds before it counts, because a cluster elects a new leader in that time.
#include "executor/drift_check.h"

#include "base/coverage_mark.h"

#include <algorithm>

namespace drydock::executor {

namespace {

constexpr std::int64_t k_drift_ms_max =
    5'000;  // a difference that lasts this long counts: elections pass
constexpr std::int64_t k_drift_poll_ms = 100;

// Adds standing requirements of the plan that were met once and are broken now. A requirement is
// left out if a fact that it reads differs already: one cause is reported once.
void add_broken_requirements(const model::Plan& plan,
                             const run::State& state,
                             const model::FactBook& facts,
                             std::vector<run::Drift>& drift) {
    const auto live_members = run::members_up(plan, state);
    const model::Roster roster = plan.roster();
    const model::FactView view = {facts, facts, plan.bound_facts, live_members, "", &roster};
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (!plan.actions[i].standing || state.status(i) != run::Status::done) {
            continue;
        }
        for (const model::Condition& condition : plan.actions[i].preconditions) {
            const auto verdict = model::evaluate(condition, view);
            const auto keys = model::facts_of(condition, roster, "");
            const bool is_reported =
                std::any_of(drift.begin(), drift.end(), [&](const run::Drift& difference) {
                    return std::find(keys.begin(), keys.end(), difference.key) != keys.end();
                });
            if (verdict.outcome != model::Truth::yes && !is_reported) {
                drift.push_back({condition.fact,
                                 model::describe(condition),
                                 verdict.because,
                                 plan.actions[i].title,
                                 verdict.outcome == model::Truth::cannot_tell});
            }
        }
    }
}

// Lists the keys to read: facts with an expected value and a source, and facts of standing
// requirements.
std::vector<std::string> facts_to_compare(const model::Plan& plan, const run::State& state) {
    std::vector<std::string> keys;
    for (const auto& [key, expectation] : run::expected_facts(plan, state)) {
        if (plan.sources.contains(key)) {
            keys.push_back(key);
        }
    }
    for (const model::Action& action : plan.actions) {
        if (action.standing) {
            auto required_keys = model::facts_of(action.preconditions, plan, "");
            std::move(required_keys.begin(), required_keys.end(), std::back_inserter(keys));
        }
    }
    sort_keys(keys);
    return keys;
}

}  // namespace

Json to_json(const std::vector<run::Drift>& drift) {
    Json list = Json::Array{};
    for (const run::Drift& difference : drift) {
        Json json;
        json.set("fact", difference.key).set("expected", difference.expected);
        json.set("found", difference.actual).set("evidence", difference.evidence);
        list.push(std::move(json));
    }
    return list;
}

std::vector<run::Drift> look_for_drift(const model::Plan& plan,
                                       const run::State& state,
                                       AgentPool& hosts,
                                       os::Clock& clock,
                                       ReadPlanCache& inquiries) {
    const auto inquiry = inquiries.of(facts_to_compare(plan, state));
    const std::int64_t deadline = clock.monotonic_ms() + k_drift_ms_max;
    while (true) {
        const auto facts = read_now(inquiry, hosts, clock);
        auto drift = run::find_drift(plan, state, facts);
        add_broken_requirements(plan, state, facts, drift);
        if (drift.empty() || clock.monotonic_ms() >= deadline) {
            return drift;
        }
        COVERAGE_MARK("drift: something differs at first");
        (void)hosts.poll(k_drift_poll_ms);  // no request is open: only time passes
    }
}

std::vector<run::Drift> look_for_drift(const model::Plan& plan,
                                       const run::State& state,
                                       AgentPool& hosts,
                                       os::Clock& clock) {
    ReadPlanCache inquiries(plan.sources);
    return look_for_drift(plan, state, hosts, clock, inquiries);
}

}  // namespace drydock::executor
