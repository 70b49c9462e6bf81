// Conditions as sets of values. model::evaluate() decides each value, so there is one meaning of a
// condition in the program.
//
// A predicate is built once: for each target the set of values that satisfy it. To evaluate it is
// to count targets with a byte in the set. Relations to earlier values, and facts without an
// offset, have no set. They are nondeterministic.
#include "checker/site_parts.h"

#include <algorithm>
#include <map>
#include <optional>

namespace drydock::checker {

namespace {

using model::Condition;
using model::Relation;
using model::Tri;
using model::Whose;

// Evaluates the condition for one value of one member alone. Quantifiers are counted elsewhere.
Tri ask(const Site& site,
        const Condition& condition,
        const std::string& member,
        const model::Observation& value) {
    const std::string key = model::fact_key(member, condition.fact);
    const model::FactBook facts = {{key, value}};
    const model::FactBook earlier_facts;
    const model::Roster roster = {{condition.role, {member}}};
    Condition member_condition = condition;
    member_condition.whose = condition.whose == Whose::system ? Whose::system : Whose::this_member;
    member_condition.members_min = 0;
    return model::evaluate(member_condition,
                           {facts, earlier_facts, site.plan.planned, roster, member})
        .outcome;
}

const std::string& name_at(const Site& site, int member) {
    static const std::string k_system;
    return member < 0 ? k_system : site.members[static_cast<std::size_t>(member)].name;
}

std::vector<int> members_asked(const Site& site, const Condition& condition, int self) {
    if (condition.whose == Whose::system) {
        return {-1};
    }
    if (condition.whose == Whose::this_member) {
        return {self};
    }
    const auto role = std::find(site.roles.begin(), site.roles.end(), condition.role);
    std::vector<int> members;
    if (role != site.roles.end()) {
        members = site.members_of[static_cast<std::size_t>(role - site.roles.begin())];
    }
    const std::string& own_name = name_at(site, self);
    std::erase_if(members, [&](int member) {
        return !model::asks(condition, name_at(site, member), own_name);
    });
    return members;
}

// Builds predicates. Plans repeat conditions for each member, so offsets and sets are cached.
class Asker {
public:
    explicit Asker(Site& site) : site_(site) {}

    std::vector<Question> ask_all(const std::vector<Condition>& conditions, std::size_t action) {
        std::vector<Question> questions;
        for (const Condition& condition : conditions) {
            questions.push_back(make(condition, site_.acts[action].member));
            if (!questions.back().modelled
                && (site_.unmodelled.empty() || site_.unmodelled.back() != action)) {
                site_.unmodelled.push_back(action);
            }
        }
        return questions;
    }

private:
    Question make(const Condition& condition, int self) {
        Question question;
        question.same = condition.relation == Relation::same;
        question.any = condition.whose == Whose::any;
        question.only_up =
            condition.whose != Whose::system && condition.whose != Whose::this_member;
        question.needed = condition.members_min;
        question.modelled =
            condition.relation != Relation::reaches && condition.relation != Relation::stands;
        const std::vector<Place>& places = places_of(condition.fact);
        // `as_planned` compares with a value of each member; other relations need the value alone.
        const bool is_per_member = condition.relation == Relation::planned;
        std::optional<Question::Target> sets;
        for (const int member : members_asked(site_, condition, self)) {
            const int place = member + 1;  // the system's first
            const Place offset = places[static_cast<std::size_t>(place)];
            question.modelled = question.modelled && offset != k_nowhere;
            if (question.modelled && (is_per_member || !sets)) {
                sets = is_per_member ? find_sets(condition, member) : sets_of(condition, member);
            }
            Question::Target target = question.modelled ? *sets : Question::Target();
            target.member = member;
            target.at = question.modelled ? offset : k_nowhere;
            question.targets.push_back(target);
        }
        return question;
    }

    // Returns the fact's offsets by member, after that of the system.
    const std::vector<Place>& places_of(const std::string& fact) {
        const auto [entry, is_new] = places_.try_emplace(fact);
        if (is_new) {
            const auto look_up = [&](const std::string& member) {
                const auto place = site_.places.find(model::fact_key(member, fact));
                return place == site_.places.end() ? k_nowhere : place->second;
            };
            entry->second.push_back(look_up(""));
            for (const Member& member : site_.members) {
                entry->second.push_back(look_up(member.name));
            }
        }
        return entry->second;
    }

    Question::Target sets_of(const Condition& condition, int member) {
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

    [[nodiscard]] Question::Target find_sets(const Condition& condition, int member) const {
        const std::string& name = name_at(site_, member);
        Question::Target sets;
        for (std::size_t i = 0; i < site_.values.size(); ++i) {
            const Tri truth = ask(site_, condition, name, site_.values.at(static_cast<Byte>(i)));
            sets.yes |= truth == Tri::yes ? 1ULL << i : 0;
            sets.cannot_tell |= truth == Tri::cannot_tell ? 1ULL << i : 0;
        }
        return sets;
    }

    // True if both conditions have the same sets, apart from their targets.
    static bool asks_the_same(const Condition& condition, const Condition& other_condition) {
        return condition.relation == other_condition.relation
               && condition.fact == other_condition.fact && condition.type == other_condition.type
               && (condition.whose == Whose::system) == (other_condition.whose == Whose::system)
               && condition.operand == other_condition.operand;
    }

    Site& site_;
    std::map<std::string, std::vector<Place>> places_;
    std::vector<std::pair<const Condition*, Question::Target>> cached_sets_;
};

// All targets that count must be reachable, satisfy the condition and have one value.
Tri answer_same(const Question& question, const Site& site, const Byte* row) {
    Byte first = k_absent;
    bool has_value = false;
    for (const Question::Target& target : question.targets) {
        if (question.only_up && !site.expected_up(row, target.member)) {
            continue;
        }
        const Byte value = row[target.at];
        const auto& member = site.members[static_cast<std::size_t>(target.member)];
        if (row[member.away] != 0 || ((target.cannot_tell >> value) & 1U) != 0) {
            return Tri::cannot_tell;
        }
        if (((target.yes >> value) & 1U) == 0 || (has_value && value != first)) {
            return Tri::no;
        }
        first = value;
        has_value = true;
    }
    return Tri::yes;
}

// Counts targets. An unreachable member or an unknown value may still turn out either way, so it
// decides only if the known targets do not.
Tri answer_one(const Question& question, const Site& site, const Byte* row) {
    if (question.same) {
        return answer_same(question, site, row);
    }
    int target_count = 0;
    int yes = 0;
    int open = 0;
    for (const Question::Target& target : question.targets) {
        if (question.only_up && !site.expected_up(row, target.member)) {
            continue;
        }
        ++target_count;
        const Byte value = row[target.at];
        const bool is_away =
            target.member >= 0
            && row[site.members[static_cast<std::size_t>(target.member)].away] != 0;
        if (is_away || ((target.cannot_tell >> value) & 1U) != 0) {
            ++open;
        } else if (((target.yes >> value) & 1U) != 0) {
            ++yes;
        }
    }
    const int needed_by_default = question.any ? 1 : target_count;
    const int needed = question.needed > 0 ? question.needed : needed_by_default;
    if (yes >= needed) {
        return Tri::yes;
    }
    return yes + open < needed ? Tri::no : Tri::cannot_tell;
}

std::vector<int> members_in(const Site& site,
                            const std::vector<const std::vector<Question>*>& lists) {
    std::vector<bool> is_target(site.members.size() + 1, false);  // the system first
    for (const auto* questions : lists) {
        for (const Question& question : *questions) {
            for (const Question::Target& target : question.targets) {
                const int place = target.member + 1;
                is_target[static_cast<std::size_t>(place)] = true;
            }
        }
    }
    std::vector<int> members;
    for (std::size_t i = 0; i < site.members.size(); ++i) {
        if (is_target[i + 1]) {
            members.push_back(static_cast<int>(i));
        }
    }
    return members;
}

// Adds all members of the roles that lose members: the quorum depends on each.
std::vector<int>
with_roles_of(const Site& site, const std::vector<int>& leaving, std::vector<int> members) {
    for (const int index : leaving) {
        const int role = site.members[static_cast<std::size_t>(index)].role;
        const auto& role_members = site.members_of[static_cast<std::size_t>(role)];
        members.insert(members.end(), role_members.begin(), role_members.end());
    }
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    return members;
}

// True if the host of a target is unreachable.
bool somebody_is_away(const Question& question, const Site& site, const Byte* row) {
    return std::any_of(
        question.targets.begin(), question.targets.end(), [&](const Question::Target& target) {
            return target.member >= 0
                   && row[site.members[static_cast<std::size_t>(target.member)].away] != 0
                   && (!question.only_up || site.expected_up(row, target.member));
        });
}

}  // namespace

// Members that matter before a begin are those of its conditions, and the quorum of members that it
// stops.
void add_questions(Site& site) {
    Asker asker(site);
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        const model::Action& action = site.plan.actions[i];
        Act& act = site.acts[i];
        act.when = asker.ask_all(action.when, i);
        act.guard = asker.ask_all(action.guard, i);
        act.then = asker.ask_all(action.then, i);
        act.happened = asker.ask_all(action.happened, i);
        act.concerns_before = members_in(site, {&act.when, &act.guard});
        act.concerns_after = members_in(site, {&act.then, &act.happened});
        if (act.takes_down) {
            act.concerns_before = with_roles_of(site, act.leaving, act.concerns_before);
        }
    }
}

// A predicate that is not modelled leaves the result open, but an unreachable target makes it
// unknown. One false predicate decides.
Answer answer(const Site& site, const std::vector<Question>& questions, const Byte* row) {
    Answer result;
    for (const Question& question : questions) {
        if (!question.modelled) {
            result.open = true;
            result.modelled =
                somebody_is_away(question, site, row) ? Tri::cannot_tell : result.modelled;
            continue;
        }
        const Tri truth = answer_one(question, site, row);
        if (truth == Tri::no) {
            return {Tri::no, false};
        }
        result.modelled = truth == Tri::cannot_tell ? truth : result.modelled;
    }
    return result;
}

}  // namespace drydock::checker
