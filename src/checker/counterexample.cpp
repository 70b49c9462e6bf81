// Counterexamples: the path is rebuilt step by step.
//
// The search knows sorted rows and parents. PathBuilder starts at the initial row and takes, for
// each parent edge, a successor that sorts to the stored row. Two things complicate this. Lazy
// identities: another member may have come next, so the identities of both are swapped in the whole
// path. Local actions: the search may have resolved a step that no real order shows, so its row is
// taken over as a step without a transition.
#include "checker/counterexample.h"

#include "base/check.h"
#include "checker/transition_text.h"
#include "checker/violation_cause.h"
#include "checker/violation_remedy.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace drydock::checker {

namespace {

// Rebuilds a path. The full generator is tried first, then the reduced one of the search. Its
// steps may be about another member of an orbit. If neither has a successor that fits, the row of
// the search is taken over. Such a path has no events, because no run could record it.
class PathBuilder {
public:
    PathBuilder(const Model& model, const Options& options, const Search& search)
        : model_(model)
        , search_(search)
        , explorer_(
              model, options.faults, options.operator_repairs, options.compile_downgrade != nullptr)
        , reduced_(model,
                   options.faults,
                   options.operator_repairs,
                   options.compile_downgrade != nullptr,
                   options.resolve_local)
        , shortcuts_(options.resolve_local)
        , symmetry_(search.symmetry())
        , rows_{model.initial} {
        if (options.judges_restarts) {
            explorer_.judge_restarts();
            reduced_.judge_restarts();
        }
    }

    // Goes from the initial row to the row `id`, along the parents.
    void extend_to(std::uint32_t id) {
        std::vector<std::uint32_t> path;
        for (std::uint32_t ancestor = id; ancestor != k_no_state;
             ancestor = search_.parent(ancestor)) {
            path.push_back(ancestor);
        }
        for (std::size_t i = path.size() - 1; i > 0; --i) {
            const Byte* target_row = search_.row(path[i - 1]);
            const bool walked = step([&](const Successors& batch, std::size_t index) {
                return batch.is_followed(index) && leads_to(batch.row(index), target_row);
            });
            if (!walked) {
                CHECK(shortcuts_);
                transitions_.emplace_back(std::nullopt);
                rows_.emplace_back(target_row, target_row + model_.size);
            }
        }
    }

    // Takes the first transition that passes the test. Returns false if none does.
    template <class Test>
    bool step(const Test& is_it) {
        return step_of(explorer_, is_it) || (shortcuts_ && step_of(reduced_, is_it));
    }

    [[nodiscard]] Path path() const {
        Path walk;
        for (std::size_t i = 0; i < transitions_.size(); ++i) {
            walk.steps.push_back(transitions_[i]
                                     ? trace_step_of(model_, rows_[i].data(), *transitions_[i])
                                     : settled_step());
        }
        walk.row = rows_.back();
        walk.previous_row = rows_.size() > 1 ? rows_[rows_.size() - 2] : rows_.back();
        walk.last_transition =
            transitions_.empty() ? Transition() : transitions_.back().value_or(Transition());
        const bool is_whole = std::all_of(transitions_.begin(),
                                          transitions_.end(),
                                          [](const auto& choice) { return choice.has_value(); });
        walk.events = is_whole ? events_of(model_, events_) : std::vector<run::CompactEvent>();
        return walk;
    }

private:
    // Expands the last row. next_ is the successor under test: leads_to() may swap members in it.
    template <class Test>
    bool step_of(SuccessorGenerator& explorer, const Test& is_it) {
        Successors batch(model_.size, true);
        explorer.expand(rows_.back().data(), batch);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            next_.assign(batch.row(i), batch.row(i) + model_.size);
            if (is_it(batch, i)) {
                transitions_.emplace_back(batch.transition(i));
                rows_.push_back(next_);
                const auto events = batch.events(i);
                events_.insert(events_.end(), events.begin(), events.end());
                return true;
            }
        }
        return false;
    }

    // True if `row` sorts to the target, perhaps after a swap of two members in the whole path.
    bool leads_to(const Byte* row, const Byte* target_row) {
        if (is_sorted_as(target_row)) {
            return true;
        }
        const auto& naming = symmetry_.lazy_identity();
        const auto exchanges = naming ? naming->exchanges(rows_.back().data(), row)
                                      : std::vector<std::pair<Index, Index>>();
        for (const auto& [first, second] : exchanges) {
            naming->exchange(first, second, next_.data());
            if (is_sorted_as(target_row)) {
                swap_identities(first, second);
                return true;
            }
            naming->exchange(first, second, next_.data());
        }
        return false;
    }

    // Sorts a copy: next_ keeps the true names.
    bool is_sorted_as(const Byte* target_row) {
        sorted_ = next_;
        symmetry_.sort(sorted_.data());
        return std::memcmp(sorted_.data(), target_row, model_.size) == 0;
    }

    // Swaps two members in the path so far: rows, deaths, starts and hosts. No action of either has
    // begun, so transitions of actions stay.
    void swap_identities(Index first, Index second) {
        for (auto& row : rows_) {
            symmetry_.lazy_identity()->exchange(first, second, row.data());
        }
        const auto host = [&](Index member) { return model_.members[member].host; };
        for (auto& choice : transitions_) {
            const TransitionKind kind = choice ? choice->kind : TransitionKind::begun;
            if (is_about_member(kind)) {
                choice->index = swapped(choice->index, first, second);
            } else if (kind == TransitionKind::host_lost || kind == TransitionKind::host_back) {
                choice->index = swapped(choice->index, host(first), host(second));
            }
        }
    }

    static Index swapped(Index index, Index first, Index second) {
        return index == first ? second : index == second ? first : index;
    }

    const Model& model_;
    const Search& search_;
    SuccessorGenerator explorer_;
    SuccessorGenerator reduced_;  // as in the search
    bool shortcuts_;
    Symmetry symmetry_;
    std::vector<std::vector<Byte>> rows_;
    std::vector<std::optional<Transition>>
        transitions_;  // nothing: a row of the search was taken over
    std::vector<run::CompactEvent> events_;
    std::vector<Byte> next_;
    std::vector<Byte> sorted_;
};

}  // namespace

// The model drops attempt numbers, so they are counted here. An operator resumes with a new
// conductor.
std::vector<run::CompactEvent> events_of(const Model& model,
                                         const std::vector<run::CompactEvent>& walked) {
    using run::EventType;
    std::vector<int> attempts(model.actions.size() + 1,
                              0);  // events of the run name the first action
    std::vector<run::CompactEvent> events = {{EventType::run_created},
                                             {EventType::conductor_started}};
    for (run::CompactEvent event : walked) {
        if (event.type == EventType::run_resumed) {
            events.push_back({EventType::conductor_started});
        }
        attempts[event.action] += event.type == EventType::action_intended ? 1 : 0;
        event.attempt = event.attempt == 0 ? 0 : attempts[event.action];
        events.push_back(event);
    }
    return events;
}

Path path_to(const Model& model, const Options& options, const Search& search, std::uint32_t id) {
    PathBuilder walker(model, options, search);
    walker.extend_to(id);
    return walker.path();
}

Path walk_to(const Model& model,
             const Options& options,
             const Search& search,
             const ViolatingStep& breach,
             Property property) {
    PathBuilder walker(model, options, search);
    walker.extend_to(breach.source);
    const bool walked = walker.step([&](const Successors& batch, std::size_t index) {
        return (batch.violated(index) & mask_of(property)) != 0
               && batch.transition(index).kind == breach.transition.kind;
    });
    CHECK(walked || options.resolve_local);
    return walker.path();
}

Violation describe_violation(const Model& model, Property property, Path walk) {
    Violation violation;
    violation.property = property;
    violation.because = because_of(model, property, walk);
    violation.hint = remedy_of(model, property, walk);
    if (is_about_action(walk.last_transition.kind)) {
        violation.action = model.plan.actions[walk.last_transition.index].id;
        violation.source = model.plan.actions[walk.last_transition.index].source;
    }
    violation.story = std::move(walk.steps);
    violation.events = std::move(walk.events);
    return violation;
}

}  // namespace drydock::checker
