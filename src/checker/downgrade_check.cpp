// The downgrade from a state: compiled by the planner, searched without faults, judged by the
// result.
//
// The order of attempt(): a state in which no step has left anything needs no downgrade. Else the
// planner compiles one from the facts of the state. A nested search visits its states, and
// verdict_of() looks for a violation, a wrong final state or a halt without a way on. What such a
// downgrade leaves switched is asked last, since it does not close the way back. Each distinct
// state of the cluster is tried once.
#include "checker/downgrade_check.h"

#include "checker/backward_reachability.h"
#include "checker/counterexample.h"
#include "checker/termination.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace drydock::checker {

namespace {

using run::Phase;
using run::Status;

constexpr std::size_t k_back_bytes_max = std::size_t{64} << 20U;

// Decides a row as a game. After a halt the operator chooses the step, and one good successor is
// enough. Else the environment chooses: laws and the order of events may do harm, so all must be
// good. There are two exceptions. A `when` that is not modelled: skipping and doing are one choice
// in favour of the run. And a promise that is not kept yet while another action may begin: the
// conductor begins within milliseconds, and waits longer for what was promised.
bool is_sure(const Successors& batch, bool halted, const std::vector<bool>& good) {
    const auto is_judged = [&](std::size_t k, Index action) {
        const Transition choice = batch.transition(k);
        return choice.index == action
               && (choice.kind == TransitionKind::skipped
                   || choice.kind == TransitionKind::judged_yes);
    };
    const auto begins = [&](std::size_t k) {
        const TransitionKind kind = batch.transition(k).kind;
        return kind == TransitionKind::begun || kind == TransitionKind::judged_yes;
    };
    bool may_begin = false;
    for (std::size_t k = 0; k < good.size(); ++k) {
        may_begin = may_begin || begins(k);
    }
    bool all_good = !good.empty();
    bool any_good = false;
    for (std::size_t k = 0; k < good.size(); ++k) {
        bool is_good = good[k] || (may_begin && batch.transition(k).kind == TransitionKind::broken);
        for (std::size_t alternative = 0; alternative < good.size() && !is_good; ++alternative) {
            const Index action = batch.transition(k).index;
            is_good = good[alternative] && is_judged(k, action) && is_judged(alternative, action);
        }
        all_good = all_good && is_good;
        any_good = any_good || is_good;
    }
    return halted ? any_good : all_good;
}

// Returns for each row, by its id, whether it is certain to reach the finished phase: the attractor
// of the finished rows in that game.
std::vector<bool> surely_finish(const Model& model, const Options& options, const Search& search) {
    std::vector<bool> good;
    return backward_reachable(
        model,
        options,
        search,
        [&](const Byte* row) { return phase_of(row) == Phase::finished; },
        [&](const Byte* row, const Successors& batch, const auto& leads_to_end) {
            good.clear();
            for (std::size_t k = 0; k < batch.size(); ++k) {
                good.push_back(leads_to_end(k));
            }
            return is_sure(batch, phase_of(row) == Phase::halted, good);
        });
}

// Returns an error if the downgrade may halt for good, as when a law fires half-way. The fixpoint
// is computed only if a halted row exists at all.
std::string where_it_stops(const Model& model, const Options& options, const Search& search) {
    const auto ids = search.in_order();
    const auto halted = [&](std::uint32_t id) { return phase_of(search.row(id)) == Phase::halted; };
    if (std::none_of(ids.begin(), ids.end(), halted)) {
        return {};
    }
    const std::vector<bool> good = surely_finish(model, options, search);
    for (const std::uint32_t id : good[ids.front()] ? std::vector<std::uint32_t>() : ids) {
        for (std::size_t i = 0; halted(id) && !good[id] && i < model.actions.size(); ++i) {
            const auto status = model.status(search.row(id), i);
            if (has_failed(status)) {
                return fmt::format("it may halt at \"{}\" and cannot go on",
                                   model.plan.actions[i].title);
            }
        }
    }
    return {};
}

// Returns an error if a member runs on a store that it cannot read. A member that was never taken
// down may stand on a store that changed under it.
std::string cannot_read(const Model& model, const Byte* row) {
    for (const Member& member : model.members) {
        const bool runs = member.running != k_no_offset && row[member.running] != k_absent;
        if (runs && misreads(model, member, row)) {
            return fmt::format("at its end {} runs on a store that it cannot read", member.name);
        }
    }
    return {};
}

// Returns how the downgrade violates the property; empty: it does not.
std::string
breach_of(const Model& model, const Options& options, const Search& search, Property property) {
    const auto& breach = search.violation(property);
    if (!breach) {
        return {};
    }
    const Path walk = walk_to(model, options, search, *breach, property);
    return fmt::format(
        "{}: {}", name_of(property), describe_violation(model, property, walk).because);
}

// Returns the first error that the search of a downgrade shows, but for what it leaves switched;
// empty: none. Violated properties come first, then wrong final states, then halts.
std::string verdict_of(const Model& model, const Options& options, const Search& search) {
    for (const Property property : {Property::unreadable_start,
                                    Property::lost_writes,
                                    Property::quorum,
                                    Property::skew,
                                    Property::unverified_destroy,
                                    Property::alone}) {
        if (std::string broken = breach_of(model, options, search, property); !broken.empty()) {
            return broken;
        }
    }
    for (const std::uint32_t id : search.in_order()) {
        const Byte* row = search.row(id);
        if (phase_of(row) != Phase::finished) {
            continue;
        }
        if (std::string wrong = final_state_error(model, row); !wrong.empty()) {
            return wrong;
        }
        if (std::string wrong = cannot_read(model, row); !wrong.empty()) {
            return wrong;
        }
    }
    return where_it_stops(model, options, search);
}

// True if the plan has one order only. Then no two members are interchangeable half-way, and the
// costly search for symmetries is skipped.
bool is_chain(const Model& model) {
    for (std::size_t i = 1; i < model.actions.size(); ++i) {
        const auto prerequisites = model.program.predecessors(i);
        if (std::find(prerequisites.begin(), prerequisites.end(), i - 1) == prerequisites.end()) {
            return false;
        }
    }
    return true;
}

}  // namespace

DowngradeChecker::DowngradeChecker(const Model& model, const Options& options)
    : model_(model)
    , options_(options) {
}

// The key of a cluster state: the row without the run and the fault usage. Rows that differ in
// these need the same downgrade.
std::string DowngradeChecker::downgrade_start_of(const Byte* row) const {
    std::string world(reinterpret_cast<const char*>(row), model_.size);
    world[0] = 0;
    for (const Offset cell : model_.cells) {
        world[cell] = 0;
    }
    for (const ActionModel& act : model_.actions) {
        if (act.ran != k_no_offset) {
            world[act.ran] = 0;
        }
    }
    if (model_.closed != k_no_offset) {
        world[model_.closed] = 0;
    }
    world.resize(model_.fault_usage);
    return world;
}

bool DowngradeChecker::applies(const Byte* row) const {
    for (Index i = 0; i < model_.actions.size(); ++i) {
        const Status status = model_.status(row, i);
        if (status == Status::intended || status == Status::lost || status == Status::ready) {
            return false;
        }
    }
    const bool all_answer =
        std::all_of(model_.members.begin(), model_.members.end(), [&](const Member& member) {
            return row[member.unreachable] == 0;
        });
    // A law that could close the way back before the first action leaves nothing to promise.
    const bool open_at_first = std::none_of(
        model_.format_transitions.begin(),
        model_.format_transitions.end(),
        [](const FormatTransition& rise) { return rise.blocks_downgrade && rise.holds_at_start; });
    const bool has_closed = is_approved(model_, row) && row[model_.closed] != 0;
    return open_at_first && all_answer && !has_closed && !is_closing(model_, row);
}

// Facts that start and stop move (running, installed, ready, service, leads, clean stores) are
// compared by release, so a member that died does not count as touched. All other facts and formats
// are compared with the initial row.
bool DowngradeChecker::is_untouched(const Byte* row) const {
    const auto is_old = [&](Offset offset) {
        return offset == k_no_offset || row[offset] == k_absent
               || model_.values.at(row[offset]).value.show() == model_.plan.from_version;
    };
    std::vector<bool> is_release_dependent(model_.size,
                                           false);  // by the release that runs or is installed
    for (const Member& member : model_.members) {
        if (!is_old(member.running) || !is_old(member.installed)) {
            return false;
        }
        for (const Offset offset :
             {member.running, member.installed, member.ready, member.service, member.leads}) {
            is_release_dependent[offset == k_no_offset ? 0 : offset] = true;
        }
    }
    for (const Store& store : model_.stores) {
        for (const auto& facts : store.clean_facts) {
            for (const Offset offset : facts) {
                is_release_dependent[offset] = true;
            }
        }
    }
    const auto as_at_first = [&](Offset offset) {
        return is_release_dependent[offset] || row[offset] == model_.initial[offset];
    };
    return std::all_of(model_.offsets.begin(),
                       model_.offsets.end(),
                       [&](const auto& fact) { return as_at_first(fact.second); })
           && std::all_of(model_.stores.begin(), model_.stores.end(), [&](const Store& store) {
                  return std::all_of(store.offset.begin(), store.offset.end(), as_at_first);
              });
}

// The nested search has no faults, one thread and little memory: it is run for up to thousands of
// states. A downgrade that exceeds the memory counts as failed.
// A way back restores the temporary facts of the plan that it reverts.
DowngradeChecker::Outcome DowngradeChecker::attempt(const Byte* row) {
    if (is_untouched(row)) {
        return {};
    }
    InitialState start = model_.start(row);
    auto plan = options_.compile_downgrade(start.facts);
    if (!plan) {
        return {fmt::format("drydock downgrade is refused: {}", plan.error().message), {}};
    }
    // What this model does not hold, such as the state of a service, follows from what it holds.
    for (const auto& [key, value] : plan->bound_facts) {
        start.facts[key] = value;
    }
    plan->temporaries = model_.plan.temporaries;
    plan->reverts_run = model_.plan.run.empty() ? "the run" : model_.plan.run;
    const Model downgrade_model(*plan, &start);
    Options options;
    options.faults = k_no_faults;
    options.memory_max = k_back_bytes_max;
    options.threads = 1;
    options.judges_restarts = false;
    options.symmetry = options_.symmetry && !is_chain(downgrade_model);
    options.resolve_local = options_.resolve_local;
    Search search(downgrade_model, options);
    if (!search.run(~PropertySet{0})) {
        return {"the downgrade from here is too large to look at", {}};
    }
    Outcome outcome = {verdict_of(downgrade_model, options, search),
                       breach_of(downgrade_model, options, search, Property::left_behind)};
    if (outcome.failure().empty()) {
        note_conditions(downgrade_model);
    }
    return outcome;
}

// A condition that nothing models is answered both ways, and the person chooses the best. The facts
// are noted, since the way back is certain only if they hold.
void DowngradeChecker::note_conditions(const Model& downgrade) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const std::size_t action : downgrade.unmodelled) {
        const ActionModel& act = downgrade.actions[action];
        const model::Action& planned = downgrade.plan.actions[action];
        const auto note = [&](const auto& conditions, const std::vector<Predicate>& predicates) {
            for (Index i = 0; i < conditions.size(); ++i) {
                if (!predicates[i].is_modelled || predicates[i].may_be_open) {
                    hangs_on_.insert(conditions[i].fact);
                }
            }
        };
        note(planned.applies_if, act.applies_if);
        note(planned.preconditions, act.preconditions);
        note(planned.postconditions, act.postconditions);
    }
}

const DowngradeChecker::Outcome& DowngradeChecker::outcome_of(const Byte* row) {
    const auto [entry, is_new] = results_.try_emplace(downgrade_start_of(row));
    if (is_new) {
        entry->second = attempt(row);
    }
    return entry->second;
}

const std::string& DowngradeChecker::failure_reason(const Byte* row) {
    return outcome_of(row).failure();
}

const std::string& DowngradeChecker::closing_reason(const Byte* row) {
    return outcome_of(row).closed;
}

void DowngradeChecker::add(const Byte* row) {
    const auto [entry, is_new] = results_.try_emplace(downgrade_start_of(row));
    if (is_new) {
        added_.emplace_back(row, &entry->second);
    }
}

// Each thread takes every second row: plans of neighbours have about the same length, so both
// threads finish together.
void DowngradeChecker::check_added() {
    const auto try_from = [&](std::size_t first, std::size_t step) {
        for (std::size_t i = first; i < added_.size(); i += step) {
            *added_[i].second = attempt(added_[i].first);
        }
    };
    if (options_.threads < 2 || added_.size() < 2) {
        try_from(0, 1);
    } else {
        std::thread second_thread([&] { try_from(1, 2); });
        try_from(0, 2);
        second_thread.join();
    }
    added_.clear();
}

}  // namespace drydock::checker
