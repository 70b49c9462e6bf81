// Independence: which actions are local, and which commute with each other. Decided once, from the
// plan alone.
//
// A local action touches only bytes that no concurrent action reads or writes. So no other step can
// observe whether it is in flight, lost or not begun. An independent action moves nothing at all.
// The conditions are sufficient, not necessary; each stands in docs/design/0004, "Quiet actions"
// and "One order".
#include "checker/model_builder.h"

#include <algorithm>

namespace drydock::checker {

namespace {

// The transitive closure of the prerequisites.
class Order {
public:
    explicit Order(const run::Program& program)
        : size_(program.actions())
        , is_before_(size_ * size_, false) {
        for (std::size_t i = 0; i < size_; ++i) {
            for (const std::size_t prerequisite : program.predecessors(i)) {
                is_before_[i * size_ + prerequisite] = true;
                for (std::size_t k = 0; k < size_; ++k) {
                    is_before_[i * size_ + k] =
                        is_before_[i * size_ + k] || is_before_[prerequisite * size_ + k];
                }
            }
        }
    }

    // True if both may be in flight at once.
    [[nodiscard]] bool side_by_side(std::size_t a, std::size_t b) const {
        return a != b && !is_before_[a * size_ + b] && !is_before_[b * size_ + a];
    }

private:
    std::size_t size_;
    std::vector<bool> is_before_;
};

// True if the byte may change without an action that writes it: by a death, a start or a law.
bool moves_by_itself(const Model& model, Offset offset) {
    const bool of_member =
        std::any_of(model.members.begin(), model.members.end(), [&](const auto& m) {
            return offset == m.running || offset == m.ready || offset == m.service;
        });
    return of_member
           || std::any_of(model.stores.begin(), model.stores.end(), [&](const Store& store) {
                  return std::any_of(
                      store.levels.begin(), store.levels.end(), [&](const auto& levels) {
                          return std::find(levels.begin(), levels.end(), offset) != levels.end();
                      });
              });
}

bool asks(const std::vector<Predicate>& questions, Offset offset) {
    return std::any_of(questions.begin(), questions.end(), [&](const Predicate& question) {
        return std::any_of(question.targets.begin(),
                           question.targets.end(),
                           [&](const auto& target) { return target.offset == offset; });
    });
}

bool writes(const ActionModel& act, Offset offset) {
    const auto is_there = [&](const auto& change) { return change.offset == offset; };
    return std::any_of(act.writes.begin(), act.writes.end(), is_there)
           || std::any_of(act.meanwhile.begin(), act.meanwhile.end(), is_there);
}

bool touches(const ActionModel& act, Offset offset) {
    return writes(act, offset) || asks(act.applies_if, offset) || asks(act.preconditions, offset)
           || asks(act.postconditions, offset) || asks(act.completion_check, offset);
}

bool is_about(const std::vector<Predicate>& questions, Index member) {
    return std::any_of(questions.begin(), questions.end(), [&](const Predicate& question) {
        return std::any_of(question.targets.begin(),
                           question.targets.end(),
                           [&](const auto& target) { return target.member == member; });
    });
}

class LocalActions {
public:
    explicit LocalActions(const Model& model) : model_(model), order_(model.program) {}

    [[nodiscard]] bool is_quiet(std::size_t action) const {
        const ActionModel& act = model_.actions[action];
        const bool alone = is_member_unobserved(action);
        return is_plain(action) && (alone || (!act.starts && !act.stops_members))
               && asks_itself(action, act.postconditions, alone)
               && asks_itself(action, act.completion_check, alone) && !shows_half_done(action)
               && std::all_of(act.writes.begin(), act.writes.end(), [&](const Write& write) {
                      return is_own(action, write.offset, alone);
                  });
    }

    // True if a concurrent action may notice what holds while this one is under way.
    [[nodiscard]] bool shows_half_done(std::size_t action) const {
        const std::vector<HalfDone>& meanwhile = model_.actions[action].meanwhile;
        return std::any_of(meanwhile.begin(), meanwhile.end(), [&](const HalfDone& half_done) {
            return half_done.is_format || !is_own(action, half_done.offset, false);
        });
    }

    // True if no other action of the plan writes the byte, and it does not move by itself.
    [[nodiscard]] bool is_written_by_none_but(std::size_t action, Offset offset) const {
        for (std::size_t i = 0; i < model_.actions.size(); ++i) {
            if (i != action && writes(model_.actions[i], offset)) {
                return false;
            }
        }
        return !model_.has_mutual_laws && !moves_by_itself(model_, offset);
    }

    // True if an effect can violate a property of who runs together, or on which format.
    [[nodiscard]] bool moves_releases(const ActionModel& act) const {
        return act.starts || act.stops_members || !act.changes.empty() || model_.has_mutual_laws
               || model_.depends_on_clients || moves_members_meanwhile(act)
               || std::any_of(act.writes.begin(), act.writes.end(), [&](const Write& write) {
                      return moves_by_itself(model_, write.offset);
                  });
    }

private:
    // True if the action may be repeated, needs not be alone, and only sets facts, starts or stops.
    // Serving facts are excluded where sides are switched: writes depend on them.
    [[nodiscard]] bool is_plain(std::size_t action) const {
        const ActionModel& act = model_.actions[action];
        const bool facts_only = act.raises.empty() && act.lowers.empty() && act.copies.empty()
                                && act.destroyed.empty() && !act.destroys && !act.restores
                                && act.alone.empty() && !model_.has_alone;
        return facts_only && !model_.has_mutual_laws && !model_.depends_on_clients
               && !act.moves_votes && model_.program.acts(action) && act.ran == k_no_offset
               && act.applies_if.empty() && (!act.moves_world || model_.serving == k_no_offset);
    }

    // True if no concurrent action passes the test.
    template <class Test>
    [[nodiscard]] bool none_concurrent(std::size_t action, const Test& test) const {
        for (std::size_t i = 0; i < model_.actions.size(); ++i) {
            if (order_.side_by_side(i, action) && test(model_.actions[i])) {
                return false;
            }
        }
        return true;
    }

    // True if no concurrent action depends on whether the member is up: by a condition, by a quorum
    // or by a store. Laws that read `running` rule it out, too.
    [[nodiscard]] bool is_member_unobserved(std::size_t action) const {
        const Index member = model_.actions[action].member;
        if (member == k_no_index
            || std::any_of(model_.format_transitions.begin(),
                           model_.format_transitions.end(),
                           [](const FormatTransition& rise) {
                               return rise.raises == model::FormatTrigger::when_all
                                      || rise.raises == model::FormatTrigger::on_start;
                           })) {
            return false;
        }
        const Index role = model_.members[member].role;
        const bool counted = model_.quorum[role] > 0 || !model_.groups[role].empty();
        return none_concurrent(action, [&](const ActionModel& act) {
            return (counted && (act.stops_members || act.moves_votes)) || !act.changes.empty()
                   || moves_members_meanwhile(act) || is_about(act.applies_if, member)
                   || is_about(act.preconditions, member) || is_about(act.postconditions, member)
                   || is_about(act.completion_check, member);
        });
    }

    // True if a half-done effect is about members or stores, and not about some other fact.
    [[nodiscard]] bool moves_members_meanwhile(const ActionModel& act) const {
        return std::any_of(
            act.meanwhile.begin(), act.meanwhile.end(), [&](const HalfDone& half_done) {
                return half_done.is_format || moves_by_itself(model_, half_done.offset);
            });
    }

    // True if no concurrent action reads or writes the byte.
    [[nodiscard]] bool is_own(std::size_t action, Offset offset, bool alone) const {
        const Index member = model_.actions[action].member;
        return may_move(action, offset, alone)
               && none_concurrent(action, [&](const ActionModel& act) {
                      return touches(act, offset) || (member != k_no_index && act.member == member);
                  });
    }

    // True if all targets are facts of its own member that no concurrent action writes.
    [[nodiscard]] bool
    asks_itself(std::size_t action, const std::vector<Predicate>& questions, bool alone) const {
        const auto is_own_target = [&](const Predicate::Target& target) {
            if (target.offset == k_no_offset) {  // nondeterministic in any state
                return target.member == k_no_index
                       || target.member == model_.actions[action].member;
            }
            return target.member != k_no_index && target.member == model_.actions[action].member
                   && may_move(action, target.offset, alone)
                   && none_concurrent(
                       action, [&](const ActionModel& act) { return writes(act, target.offset); });
        };
        return std::all_of(questions.begin(), questions.end(), [&](const Predicate& question) {
            return !question.only_expected_up
                   && std::all_of(question.targets.begin(), question.targets.end(), is_own_target);
        });
    }

    // True if the byte cannot move by itself, or is an up-down fact of an unobserved member.
    [[nodiscard]] bool may_move(std::size_t action, Offset offset, bool alone) const {
        if (!moves_by_itself(model_, offset)) {
            return true;
        }
        const Index index = model_.actions[action].member;
        if (!alone || index == k_no_index) {
            return false;
        }
        const Member& member = model_.members[index];
        return offset == member.running || offset == member.ready || offset == member.service;
    }

    const Model& model_;
    Order order_;
};

}  // namespace

void add_local_actions(Model& model) {
    const LocalActions quiet(model);
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        ActionModel& act = model.actions[i];
        act.local = quiet.is_quiet(i);
        act.shows_half_done = quiet.shows_half_done(i);
        act.moves_releases = quiet.moves_releases(act);
        for (HalfDone& half_done : act.meanwhile) {
            half_done.is_own =
                !half_done.is_format && quiet.is_written_by_none_but(i, half_done.offset);
        }
    }
}

// Plans with interchangeable actions have no independent ones: the surplus of a group depends on
// the budgets, and a failure changes them.
void add_independent_actions(Model& model) {
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        ActionModel& act = model.actions[i];
        act.independent = model.interchangeable_groups == 0 && model.program.acts(i)
                          && act.ran == k_no_offset && !act.moves_world && !act.stops_members
                          && act.postconditions.empty() && act.alone.empty();
    }
}

}  // namespace drydock::checker
