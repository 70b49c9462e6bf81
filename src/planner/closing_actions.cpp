// Finds the starts that can be the last one of a series.
//
// A start can complete `when_all` if all other members can run the series right after it. The test
// builds the smallest prefix of the plan that makes it so: the start with its ancestors, and then,
// for each member that does not run the series yet, the next start of that member with its
// ancestors. The prefix only grows, so the first one that serves is the smallest. If it needs an
// action that waits for the start in question, that start can never be the last one.
// docs/design/0001-the-core.md, "The point of no return is computed on the graph".
#include "planner/closing_actions.h"

#include "model/version.h"

#include <algorithm>
#include <map>

namespace drydock::planner {

namespace {

using model::Action;
using model::Effect;
using model::Plan;

// Adds an action and all its ancestors to the prefix.
void require(const Plan& plan, std::size_t action, std::vector<bool>& prefix) {
    std::vector<std::size_t> open = {action};
    while (!open.empty()) {
        const std::size_t index = open.back();
        open.pop_back();
        if (!prefix[index]) {
            prefix[index] = true;
            const auto& predecessors = plan.actions[index].predecessors;
            open.insert(open.end(), predecessors.begin(), predecessors.end());
        }
    }
}

// A change of one member: after `action` it is as the rule wants it, or is not.
struct Change {
    std::size_t action = 0;
    bool runs = false;
};

// The state of a member that a rule wants.
enum class Wanted : std::uint8_t { on_series, on_series_or_down };

// The changes of one member along the plan.
struct Track {
    bool runs_at_first = false;
    std::vector<Change> changes;

    // Returns how many of the changes lie in the prefix.
    [[nodiscard]] std::size_t reached(const std::vector<bool>& prefix) const {
        std::size_t count = 0;
        while (count < changes.size() && prefix[changes[count].action]) {
            ++count;
        }
        return count;
    }

    // True if the member runs the series after that many changes.
    [[nodiscard]] bool runs_after(std::size_t count) const {
        return count == 0 ? runs_at_first : changes[count - 1].runs;
    }
};

std::vector<Track> tracks_of(const Plan& plan,
                             const std::vector<MemberRelease>& members,
                             const std::string& running,
                             const std::string& series,
                             Wanted wanted) {
    const bool counts_down = wanted == Wanted::on_series_or_down;
    std::map<std::string, std::size_t> index;
    std::vector<Track> tracks;
    for (const MemberRelease& member : members) {
        index.emplace(member.member, tracks.size());
        tracks.push_back({member.runs || (counts_down && member.is_down), {}});
    }
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        for (const Effect& effect : plan.actions[i].effects) {
            const auto track = index.find(effect.member);
            if (effect.kind == model::EffectKind::becomes && effect.name == running
                && track != index.end()) {
                const bool runs = model::version_in_series(effect.value.as_string(), series)
                                  || (counts_down && effect.value.is_null());
                tracks[track->second].changes.push_back({i, runs});
            }
        }
    }
    return tracks;
}

// True if all members can run the series right after `last`. The prefix only grows, so the first
// one that serves is the smallest. If it needs an action behind `last`, so does every other.
bool can_hold_after(const Plan& plan, const std::vector<Track>& tracks, std::size_t last) {
    std::vector<bool> prefix(plan.actions.size(), false);
    require(plan, last, prefix);
    for (bool moved = true; moved;) {
        moved = false;
        for (const Track& track : tracks) {
            std::size_t count = track.reached(prefix);
            if (track.runs_after(count)) {
                continue;
            }
            while (count < track.changes.size() && !track.changes[count].runs) {
                ++count;
            }
            if (count == track.changes.size()) {
                return false;
            }
            require(plan, track.changes[count].action, prefix);
            moved = true;
        }
    }
    // `last` comes last only if no action of the prefix waits for it.
    for (std::size_t i = last + 1; i < plan.actions.size(); ++i) {
        const auto& predecessors = plan.actions[i].predecessors;
        if (prefix[i]
            && std::find(predecessors.begin(), predecessors.end(), last) != predecessors.end()) {
            return false;
        }
    }
    return true;
}

// True if the action is a start of the series, or may come behind one.
bool can_follow_start(const Plan& plan,
                      std::size_t action,
                      const std::string& running,
                      const std::string& series) {
    std::vector<bool> is_behind(plan.actions.size(), false);
    for (std::size_t i = action + 1; i < plan.actions.size(); ++i) {
        const auto& predecessors = plan.actions[i].predecessors;
        is_behind[i] = std::any_of(predecessors.begin(), predecessors.end(), [&](std::size_t one) {
            return one == action || is_behind[one];
        });
    }
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (!is_behind[i] && starts_series(plan.actions[i], running, series)) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool starts_series(const Action& action, const std::string& running, const std::string& series) {
    return std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& effect) {
        return effect.kind == model::EffectKind::becomes && effect.name == running
               && model::version_in_series(effect.value.as_string(), series);
    });
}

// Marks the ancestors of all actions in one array.
std::vector<bool> ancestors(const Plan& plan, const std::vector<std::size_t>& actions) {
    std::vector<bool> is_ancestor(plan.actions.size(), false);
    for (const std::size_t action : actions) {
        for (const std::size_t predecessor : plan.actions[action].predecessors) {
            require(plan, predecessor, is_ancestor);
        }
    }
    return is_ancestor;
}

// Predecessors stand in front.
std::vector<bool> descendants(const Plan& plan, const std::vector<std::size_t>& actions) {
    std::vector<bool> is_descendant(plan.actions.size(), false);
    for (const std::size_t action : actions) {
        is_descendant[action] = true;
    }
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto& predecessors = plan.actions[i].predecessors;
        is_descendant[i] =
            is_descendant[i]
            || std::any_of(predecessors.begin(), predecessors.end(), [&](std::size_t before) {
                   return is_descendant[before];
               });
    }
    return is_descendant;
}

// Actions stand in an order that respects dependencies, so one pass over them is enough.
std::vector<std::size_t> first_of(const Plan& plan, const std::vector<std::size_t>& actions) {
    std::vector<bool> is_descendant(plan.actions.size(), false);
    std::vector<bool> is_listed(plan.actions.size(), false);
    for (const std::size_t action : actions) {
        is_listed[action] = true;
    }
    std::vector<std::size_t> first;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto& predecessors = plan.actions[i].predecessors;
        is_descendant[i] =
            std::any_of(predecessors.begin(), predecessors.end(), [&](std::size_t predecessor) {
                return is_descendant[predecessor] || is_listed[predecessor];
            });
        if (is_listed[i] && !is_descendant[i]) {
            first.push_back(i);
        }
    }
    return first;
}

// Tries each start that brings a member from another release to the series.
std::vector<std::size_t> closing_when_all(const Plan& plan,
                                          const std::vector<MemberRelease>& members,
                                          const std::string& running,
                                          const std::string& series) {
    const auto tracks = tracks_of(plan, members, running, series, Wanted::on_series);
    const bool holds = std::all_of(
        tracks.begin(), tracks.end(), [](const Track& track) { return track.runs_at_first; });
    std::vector<std::size_t> closing;
    for (const Track& track : tracks) {
        bool runs = track.runs_at_first;
        for (const Change& turn : track.changes) {
            if (!holds && turn.runs && !runs && can_hold_after(plan, tracks, turn.action)) {
                closing.push_back(turn.action);
            }
            runs = turn.runs;
        }
    }
    return first_of(plan, closing);
}

// Tries each change of a member to a wanted state. A stop counts only if a start of the series can
// come before it.
std::vector<std::size_t> closing_when_all_running(const Plan& plan,
                                                  const std::vector<MemberRelease>& members,
                                                  const std::string& running,
                                                  const std::string& series) {
    const auto tracks = tracks_of(plan, members, running, series, Wanted::on_series_or_down);
    const bool runs_at_first =
        std::any_of(members.begin(), members.end(), [](const auto& member) { return member.runs; });
    const bool holds =
        runs_at_first && std::all_of(tracks.begin(), tracks.end(), [](const Track& track) {
            return track.runs_at_first;
        });
    std::vector<std::size_t> closing;
    for (const Track& track : tracks) {
        for (const Change& turn : track.changes) {
            if (!holds && turn.runs && can_hold_after(plan, tracks, turn.action)
                && (runs_at_first || can_follow_start(plan, turn.action, running, series))) {
                closing.push_back(turn.action);
            }
        }
    }
    std::sort(closing.begin(), closing.end());
    return first_of(plan, closing);
}

}  // namespace drydock::planner
