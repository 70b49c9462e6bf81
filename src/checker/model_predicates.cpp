// Conditions as sets of values. model::evaluate() decides each value, so there is one meaning of a
// condition in the program.
//
// A predicate is built once: for each target the set of values that satisfy it. To evaluate it is
// to count targets with a byte in the set. Relations to earlier values, and facts without an
// offset, have no set. They are nondeterministic.
#include "checker/model_builder.h"

#include <algorithm>
#include <map>
#include <optional>

namespace drydock::checker {

namespace {

using model::Condition;
using model::Quantifier;
using model::Relation;
using model::Truth;

// Evaluates a condition for one value after the other, of one member alone. Quantifiers are counted
// elsewhere.
class ValueTest {
public:
    ValueTest(const Model& model, const Condition& condition, const std::string& member)
        : model_(model)
        , condition_(condition)
        , member_(member)
        , roster_({{condition.role, {member}}})
        , value_(facts_[model::fact_key(member, condition.fact)]) {
        condition_.quantifier =
            condition.quantifier == Quantifier::system ? Quantifier::system : Quantifier::self;
        condition_.members_min = 0;
    }

    ValueTest(const ValueTest&) = delete;

    [[nodiscard]] Truth ask(const model::Observation& value) {
        value_ = value;
        return model::evaluate(condition_,
                               {facts_, earlier_facts_, model_.plan.bound_facts, roster_, member_})
            .outcome;
    }

private:
    const Model& model_;
    Condition condition_;
    const std::string& member_;
    model::Roster roster_;
    model::FactBook facts_;
    model::FactBook earlier_facts_;
    model::Observation& value_;  // in facts_
};

const std::string& name_at(const Model& model, Index member) {
    static const std::string k_system;
    return member == k_no_index ? k_system : model.members[member].name;
}

std::vector<Index> members_asked(const Model& model, const Condition& condition, Index self) {
    if (condition.quantifier == Quantifier::system) {
        return {k_no_index};
    }
    if (condition.quantifier == Quantifier::self) {
        return {self};
    }
    const Index role = index_in(model.roles, condition.role);
    std::vector<Index> members = role == k_no_index ? std::vector<Index>() : model.members_of[role];
    const std::string& own_name = name_at(model, self);
    std::erase_if(members, [&](Index member) {
        return !model::asks(condition, name_at(model, member), own_name);
    });
    return members;
}

// Builds predicates. Plans repeat conditions for each member, so offsets and sets are cached.
class PredicateBuilder {
public:
    explicit PredicateBuilder(Model& model) : model_(model) {}

    std::vector<Predicate> ask_all(const std::vector<Condition>& conditions, std::size_t action) {
        std::vector<Predicate> questions;
        for (const Condition& condition : conditions) {
            questions.push_back(make(condition, model_.actions[action].member));
            if ((!questions.back().is_modelled || questions.back().may_be_open)
                && (model_.unmodelled.empty() || model_.unmodelled.back() != action)) {
                model_.unmodelled.push_back(action);
            }
        }
        return questions;
    }

private:
    Predicate make(const Condition& condition, Index self) {
        Predicate question;
        question.requires_equal = condition.relation == Relation::same;
        question.one_suffices = condition.quantifier == Quantifier::any;
        question.only_expected_up =
            condition.quantifier != Quantifier::system && condition.quantifier != Quantifier::self;
        question.needed_count = condition.members_min;
        question.is_modelled =
            condition.relation != Relation::caught_up && condition.relation != Relation::unchanged;
        const std::vector<Offset>& places = places_of(condition.fact);
        // `planned` compares with a value of each member; other relations need the value alone.
        const bool is_per_member = condition.relation == Relation::as_planned;
        std::optional<Predicate::Target> sets;
        for (const Index member : members_asked(model_, condition, self)) {
            const Index place = member + 1;  // the system's first
            const Offset offset = places[place];
            question.is_modelled = question.is_modelled && offset != k_no_offset;
            if (question.is_modelled && (is_per_member || !sets)) {
                sets = is_per_member ? find_sets(condition, member) : sets_of(condition, member);
            }
            Predicate::Target target = question.is_modelled ? *sets : Predicate::Target();
            target.member = member;
            target.offset = question.is_modelled ? offset : k_no_offset;
            question.may_be_open = question.may_be_open || may_be_open(target.offset);
            question.targets.push_back(target);
        }
        return question;
    }

    // True if the value at this offset is open at first, or a step leaves it so.
    [[nodiscard]] bool may_be_open(Offset offset) const {
        const auto opens = [&](const auto& write) {
            return write.offset == offset && write.value == model_.value_open;
        };
        if (model_.value_open == k_absent || offset == k_no_offset) {
            return false;
        }
        return model_.initial[offset] == model_.value_open
               || std::any_of(
                   model_.actions.begin(), model_.actions.end(), [&](const ActionModel& act) {
                       return std::any_of(act.writes.begin(), act.writes.end(), opens)
                              || std::any_of(act.meanwhile.begin(), act.meanwhile.end(), opens);
                   });
    }

    // Returns the fact's offsets by member, after that of the system.
    const std::vector<Offset>& places_of(const std::string& fact) {
        const auto [entry, is_new] = places_.try_emplace(fact);
        if (is_new) {
            const auto look_up = [&](const std::string& member) {
                const auto place = model_.offsets.find(model::fact_key(member, fact));
                return place == model_.offsets.end() ? k_no_offset : place->second;
            };
            entry->second.push_back(look_up(""));
            for (const Member& member : model_.members) {
                entry->second.push_back(look_up(member.name));
            }
        }
        return entry->second;
    }

    Predicate::Target sets_of(const Condition& condition, Index member) {
        const auto entry =
            std::find_if(cached_sets_.begin(), cached_sets_.end(), [&](const auto& candidate) {
                return asks_the_same(*candidate.first, condition);
            });
        if (entry == cached_sets_.end()) {
            cached_sets_.emplace_back(&condition, find_sets(condition, member));
            return cached_sets_.back().second;
        }
        return entry->second;
    }

    [[nodiscard]] Predicate::Target find_sets(const Condition& condition, Index member) const {
        ValueTest test(model_, condition, name_at(model_, member));
        Predicate::Target sets;
        for (std::size_t i = 0; i < model_.values.size(); ++i) {
            const Truth truth = test.ask(model_.values.at(i));
            sets.satisfying_values |= truth == Truth::yes ? 1ULL << i : 0;
            sets.cannot_tell |= truth == Truth::cannot_tell ? 1ULL << i : 0;
        }
        return sets;
    }

    // True if both conditions have the same sets, apart from their targets.
    static bool asks_the_same(const Condition& condition, const Condition& other_condition) {
        return condition.relation == other_condition.relation
               && condition.fact == other_condition.fact && condition.type == other_condition.type
               && (condition.quantifier == Quantifier::system)
                      == (other_condition.quantifier == Quantifier::system)
               && condition.operand == other_condition.operand;
    }

    Model& model_;
    std::map<std::string, std::vector<Offset>> places_;
    std::vector<std::pair<const Condition*, Predicate::Target>> cached_sets_;
};

// All targets that count must be reachable, satisfy the condition and have one value.
Truth answer_same(const Predicate& question, const Model& model, const Byte* row) {
    Byte first = k_absent;
    bool has_value = false;
    for (const Predicate::Target& target : question.targets) {
        if (question.only_expected_up && !model.expected_up(row, target.member)) {
            continue;
        }
        const Byte value = row[target.offset];
        const auto& member = model.members[target.member];
        if (row[member.unreachable] != 0 || ((target.cannot_tell >> value) & 1U) != 0) {
            return Truth::cannot_tell;
        }
        if (((target.satisfying_values >> value) & 1U) == 0 || (has_value && value != first)) {
            return Truth::no;
        }
        first = value;
        has_value = true;
    }
    return Truth::yes;
}

// Counts targets. An unreachable member or an unknown value may still turn out either way, so it
// decides only if the known targets do not.
Truth answer_one(const Predicate& question, const Model& model, const Byte* row) {
    if (question.requires_equal) {
        return answer_same(question, model, row);
    }
    int target_count = 0;
    int yes = 0;
    int open = 0;
    for (const Predicate::Target& target : question.targets) {
        if (question.only_expected_up && !model.expected_up(row, target.member)) {
            continue;
        }
        ++target_count;
        const Byte value = row[target.offset];
        const bool is_away =
            target.member != k_no_index && row[model.members[target.member].unreachable] != 0;
        if (is_away || ((target.cannot_tell >> value) & 1U) != 0) {
            ++open;
        } else if (((target.satisfying_values >> value) & 1U) != 0) {
            ++yes;
        }
    }
    const int needed_by_default = question.one_suffices ? 1 : target_count;
    const int needed = question.needed_count > 0 ? question.needed_count : needed_by_default;
    if (yes >= needed) {
        return Truth::yes;
    }
    return yes + open < needed ? Truth::no : Truth::cannot_tell;
}

std::vector<Index> members_in(const Model& model,
                              const std::vector<const std::vector<Predicate>*>& lists) {
    std::vector<bool> is_target(model.members.size() + 1, false);  // the system first
    for (const auto* questions : lists) {
        for (const Predicate& question : *questions) {
            for (const Predicate::Target& target : question.targets) {
                const Index place = target.member + 1;
                is_target[place] = true;
            }
        }
    }
    std::vector<Index> members;
    for (std::size_t i = 0; i < model.members.size(); ++i) {
        if (is_target[i + 1]) {
            members.push_back(i);
        }
    }
    return members;
}

// Adds all members of the roles that lose members or votes: the quorum depends on each.
std::vector<Index>
with_roles_of(const Model& model, const ActionModel& act, std::vector<Index> members) {
    for (const Index role : act.roles_short_of) {
        const auto& role_members = model.members_of[role];
        members.insert(members.end(), role_members.begin(), role_members.end());
    }
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    return members;
}

// True if a step has left the value of a target open.
bool is_open(const Predicate& question, const Model& model, const Byte* row) {
    return question.may_be_open
           && std::any_of(question.targets.begin(),
                          question.targets.end(),
                          [&](const Predicate::Target& target) {
                              return row[target.offset] == model.value_open
                                     && (!question.only_expected_up
                                         || model.expected_up(row, target.member));
                          });
}

// True if the host of a target is unreachable.
bool is_any_target_unreachable(const Predicate& question, const Model& model, const Byte* row) {
    return std::any_of(
        question.targets.begin(), question.targets.end(), [&](const Predicate::Target& target) {
            return target.member != k_no_index && row[model.members[target.member].unreachable] != 0
                   && (!question.only_expected_up || model.expected_up(row, target.member));
        });
}

}  // namespace

// Members that matter before a begin are those of its conditions, and the quorum of members that it
// stops.
void add_predicates(Model& model) {
    PredicateBuilder asker(model);
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        const model::Action& action = model.plan.actions[i];
        ActionModel& act = model.actions[i];
        act.applies_if = asker.ask_all(action.applies_if, i);
        act.preconditions = asker.ask_all(action.preconditions, i);
        act.postconditions = asker.ask_all(action.postconditions, i);
        act.completion_check = asker.ask_all(action.completion_check, i);
        act.observed_before = members_in(model, {&act.applies_if, &act.preconditions});
        act.observed_after = members_in(model, {&act.postconditions, &act.completion_check});
        if (act.stops_members || act.moves_votes) {
            act.observed_before = with_roles_of(model, act, act.observed_before);
        }
    }
}

// A predicate that is not modelled leaves the result open, but an unreachable target makes it
// unknown. One false predicate decides.
Evaluation evaluate(const Model& model, const std::vector<Predicate>& questions, const Byte* row) {
    Evaluation result;
    for (const Predicate& question : questions) {
        if (!question.is_modelled || is_open(question, model, row)) {
            result.nondeterministic = true;
            result.modelled = is_any_target_unreachable(question, model, row) ? Truth::cannot_tell
                                                                              : result.modelled;
            continue;
        }
        const Truth truth = answer_one(question, model, row);
        if (truth == Truth::no) {
            return {Truth::no, false};
        }
        result.modelled = truth == Truth::cannot_tell ? truth : result.modelled;
    }
    return result;
}

}  // namespace drydock::checker
