// Pass: the point of no return, along every order that the plan allows, and the gate before it.
//
// A law that fires by itself fires some time after its condition can hold; so the point of no
// return is the action with which the condition can first hold in SOME order of the plan, never the
// moment at which a level was seen to move. `when_all` holds once the last member runs the new
// series: a start can be that last one exactly if no other member's start has to come after it.
// That is decided on the graph, without walking through its orders.
#include "model/version.h"
#include "planner/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Law;
using model::Plan;
using model::Raises;

bool lists(const std::vector<std::string>& formats, const std::string& format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

const model::StoreLaw*
law_of(const model::Pack& pack, const std::string& version, const std::string& store) {
    const auto release = pack.releases.find(version);
    if (release != pack.releases.end() && release->second.laws.contains(store)) {
        return &release->second.laws.at(store);
    }
    const auto series = pack.series.find(series_of(pack, version));
    if (series == pack.series.end() || !series->second.contains(store)) {
        return nullptr;
    }
    return &series->second.at(store);
}

void add_law(Draft& draft, const model::StoreSpec& store) {
    const model::Pack& pack = draft.request.pack;
    const auto* before = law_of(pack, draft.request.from, store.name);
    const auto* after = law_of(pack, draft.request.to, store.name);
    if (before == nullptr || after == nullptr || after->raises == Raises::never) {
        return;
    }
    const bool readable = lists(before->reads, after->writes);
    draft.plan.laws.push_back({store.name,
                               store.level,
                               std::string(name_of(after->raises)),
                               series_of(pack, draft.request.to),
                               after->writes,
                               !readable && !after->lowers_on_request,
                               place(pack, after->where)});
}

// The actions after `from`, by any path.
std::vector<bool> descendants(const Plan& plan, std::size_t from) {
    std::vector<bool> reached(plan.actions.size(), false);
    reached[from] = true;
    for (std::size_t i = from + 1; i < plan.actions.size(); ++i) {
        const auto& after = plan.actions[i].after;
        reached[i] = std::any_of(
            after.begin(), after.end(), [&](std::size_t before) { return reached[before]; });
    }
    reached[from] = false;
    return reached;
}

bool starts_series(const Action& action, const std::string& running, const std::string& series) {
    return std::any_of(
        action.effects.begin(), action.effects.end(), [&](const model::Effect& effect) {
            return effect.kind == "becomes" && effect.name == running
                   && model::version_in_series(effect.value.as_string(), series);
        });
}

bool raises_store(const Action& action, const std::string& store) {
    return std::any_of(
        action.effects.begin(), action.effects.end(), [&](const model::Effect& effect) {
            return effect.kind == "raises" && effect.name == store;
        });
}

std::vector<std::size_t> all_that(const Plan& plan,
                                  const std::function<bool(const Action&)>& test) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (test(plan.actions[i])) {
            found.push_back(i);
        }
    }
    return found;
}

bool runs_series(const Draft& draft,
                 const std::string& member,
                 const std::string& running,
                 const std::string& series) {
    const auto it = draft.request.facts.find(model::fact_key(member, running));
    return it != draft.request.facts.end() && it->second.status == model::Known::known
           && model::version_in_series(it->second.value.as_string(), series);
}

// Whether each member either runs the series already or is started on it by the plan.
bool reaches_everyone(const Draft& draft,
                      const std::vector<std::size_t>& starts,
                      const std::string& running,
                      const std::string& series) {
    return std::all_of(
        draft.plan.members.begin(), draft.plan.members.end(), [&](const std::string& member) {
            const bool started = std::any_of(starts.begin(), starts.end(), [&](std::size_t index) {
                return draft.plan.actions[index].member == member;
            });
            return started || runs_series(draft, member, running, series);
        });
}

// Of the starts, those that can be the last one in some order.
std::vector<std::size_t> possible_last(const Plan& plan, const std::vector<std::size_t>& starts) {
    std::vector<std::size_t> last;
    for (const std::size_t start : starts) {
        const auto after = descendants(plan, start);
        if (std::none_of(
                starts.begin(), starts.end(), [&](std::size_t other) { return after[other]; })) {
            last.push_back(start);
        }
    }
    return last;
}

// The actions after which the law can fire, in some order of the plan.
std::vector<std::size_t> closing_actions(const Draft& draft, const Law& law) {
    const Plan& plan = draft.plan;
    const std::string running = bound_fact(draft.request.pack, plan.role, "running");
    if (law.raises == "on_finalize" || law.raises == "on_migrate") {
        return all_that(plan,
                        [&](const Action& action) { return raises_store(action, law.store); });
    }
    auto starts = all_that(
        plan, [&](const Action& action) { return starts_series(action, running, law.series); });
    if (law.raises == "on_start") {
        return starts;
    }
    return reaches_everyone(draft, starts, running, law.series) ? possible_last(plan, starts)
                                                                : std::vector<std::size_t>();
}

std::string reason_of(const Draft& draft, const Law& law) {
    const auto& from = draft.request.from;
    const std::string whose =
        law.raises == "when_all" ? fmt::format("when every member runs {}, {} raises its {} level "
                                               "to {} by itself, within seconds",
                                               law.series,
                                               draft.request.pack.title,
                                               law.store,
                                               law.becomes)
        : law.raises == "on_start"
            ? fmt::format(
                  "the first start of {} converts {} to {}", law.series, law.store, law.becomes)
            : fmt::format("this step raises {} to {}", law.store, law.becomes);
    return fmt::format("{}; {} cannot read that", whose, from);
}

// The first action of the block (the steps of one member in one phase) that an action belongs to.
std::size_t block_front(const Plan& plan, std::size_t index) {
    const Action& action = plan.actions[index];
    if (action.member.empty()) {
        return index;
    }
    for (std::size_t i = 0; i < index; ++i) {
        if (plan.actions[i].phase == action.phase && plan.actions[i].member == action.member) {
            return i;
        }
    }
    return index;
}

// A gate that everything in `fronts` waits for already.
std::optional<std::size_t> gate_before(const Plan& plan, const std::set<std::size_t>& fronts) {
    for (std::size_t i = plan.actions.size(); i-- > 0;) {
        if (!plan.actions[i].is_gate()) {
            continue;
        }
        const auto after = descendants(plan, i);
        if (std::all_of(
                fronts.begin(), fronts.end(), [&](std::size_t front) { return after[front]; })) {
            return i;
        }
    }
    return std::nullopt;
}

void shift_indices(Plan& plan, std::size_t from) {
    for (Action& action : plan.actions) {
        for (std::size_t& before : action.after) {
            before += before >= from ? 1U : 0U;
        }
    }
}

Action make_gate(const Draft& draft, const Law& law, const Action& front) {
    Action gate;
    gate.id = front.phase + "/gate";
    gate.phase = front.phase;
    gate.verb = model::Verb::gate;
    gate.gate = "point-of-no-return";
    gate.title = fmt::format("point of no return: {}", reason_of(draft, law));
    gate.reason = gate.title;
    gate.why = "before this, `drydock downgrade` takes the cluster back with nothing lost";
    gate.source = law.source;
    gate.repeatable = model::Repeatable::yes;
    gate.patience_ms = 30'000;
    return gate;
}

// Puts the gate before the blocks that hold the closing actions: these members stay as they are
// until it is approved.
std::size_t insert_gate(Draft& draft, const Law& law, const std::set<std::size_t>& fronts) {
    Plan& plan = draft.plan;
    const std::size_t at = *fronts.begin();
    std::set<std::size_t> after;
    for (const std::size_t front : fronts) {
        for (const std::size_t before : plan.actions[front].after) {
            if (before < at) {
                after.insert(before);
            }
        }
    }
    Action gate = make_gate(draft, law, plan.actions[at]);
    gate.after.assign(after.begin(), after.end());
    shift_indices(plan, at);
    plan.actions.insert(plan.actions.begin() + static_cast<std::ptrdiff_t>(at), std::move(gate));
    for (const std::size_t front : fronts) {
        auto& waits_for = plan.actions[front + 1].after;
        std::erase_if(waits_for, [&](std::size_t before) { return after.contains(before); });
        waits_for.insert(waits_for.begin(), at);
    }
    return at;
}

void guard_by_gate(Draft& draft, const Law& law, const std::vector<std::size_t>& closing) {
    Plan& plan = draft.plan;
    const std::string first = plan.actions[closing.front()].id;
    std::set<std::size_t> fronts;
    for (const std::size_t index : closing) {
        fronts.insert(block_front(plan, index));
    }
    const auto own = gate_before(plan, fronts);
    Action& gate = plan.actions[own ? *own : insert_gate(draft, law, fronts)];
    gate.returns_here = true;
    gate.soak_ms = draft.request.cluster.policy.soak_ms;
    plan.point_of_no_return = {
        true, first, gate.gate, law.store, law.raises, reason_of(draft, law), law.source};
}

}  // namespace

void place_return_point(Draft& draft) {
    for (const auto& [name, store] : draft.request.pack.stores) {
        add_law(draft, store);
    }
    for (const Law& law : draft.plan.laws) {
        const auto closing = law.closes ? closing_actions(draft, law) : std::vector<std::size_t>();
        if (!closing.empty() && !draft.plan.point_of_no_return.exists) {
            guard_by_gate(draft, law, closing);
        }
    }
}

}  // namespace drydock::planner
