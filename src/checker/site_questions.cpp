// Conditions as sets of values. What a value answers is asked of model::evaluate(), so there is no
// second opinion of what a condition means.
#include "checker/site_parts.h"

#include <algorithm>
#include <set>

namespace drydock::checker {

namespace {

using model::Condition;
using model::Relation;
using model::Tri;
using model::Whose;

// What one value answers, asked of one member alone.
Tri ask(const Site& site,
        const Condition& condition,
        const std::string& member,
        const model::Observation& value) {
    const std::string key = model::fact_key(member, condition.fact);
    const model::FactBook now = {{key, value}};
    const model::FactBook before;
    const model::Roster roster = {{condition.role, {member}}};
    Condition one = condition;
    one.whose = condition.whose == Whose::system ? Whose::system : Whose::this_member;
    one.members_min = 0;
    return model::evaluate(one, {now, before, site.plan.planned, roster, member}).outcome;
}

void fill_sets(const Site& site,
               const Condition& condition,
               const std::string& member,
               Question::Target& target) {
    for (std::size_t i = 0; i < site.values.size(); ++i) {
        const Tri one = ask(site, condition, member, site.values.at(static_cast<Byte>(i)));
        target.yes |= one == Tri::yes ? 1ULL << i : 0;
        target.cannot_tell |= one == Tri::cannot_tell ? 1ULL << i : 0;
    }
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
    if (condition.whose == Whose::others) {
        std::erase(members, self);
    }
    return members;
}

Question make_question(const Site& site, const Condition& condition, int self) {
    Question question;
    question.same = condition.relation == Relation::same;
    question.any = condition.whose == Whose::any;
    question.only_up = condition.whose != Whose::system && condition.whose != Whose::this_member;
    question.needed = condition.members_min;
    question.modelled =
        condition.relation != Relation::reaches && condition.relation != Relation::stands;
    Question::Target sets;
    for (const int member : members_asked(site, condition, self)) {
        const std::string name =
            member < 0 ? "" : site.members[static_cast<std::size_t>(member)].name;
        const auto place = site.places.find(model::fact_key(name, condition.fact));
        question.modelled = question.modelled && place != site.places.end();
        // `planned` is about each member's own value; all else is about the value alone.
        if (question.modelled
            && (question.targets.empty() || condition.relation == Relation::planned)) {
            sets = {};
            fill_sets(site, condition, name, sets);
        }
        const Place at = question.modelled ? place->second : k_nowhere;
        question.targets.push_back({member, at, sets.yes, sets.cannot_tell});
    }
    return question;
}

std::vector<Question>
make_questions(Site& site, const std::vector<Condition>& conditions, std::size_t action) {
    std::vector<Question> questions;
    for (const Condition& condition : conditions) {
        questions.push_back(make_question(site, condition, site.acts[action].member));
        if (!questions.back().modelled
            && (site.unmodelled.empty() || site.unmodelled.back() != action)) {
            site.unmodelled.push_back(action);
        }
    }
    return questions;
}

Tri answer_same(const Question& question, const Site& site, const Byte* row) {
    Byte first = k_absent;
    bool any = false;
    for (const Question::Target& target : question.targets) {
        if (question.only_up && !site.expected_up(row, target.member)) {
            continue;
        }
        const Byte value = row[target.at];
        const auto& member = site.members[static_cast<std::size_t>(target.member)];
        if (row[member.away] != 0 || ((target.cannot_tell >> value) & 1U) != 0) {
            return Tri::cannot_tell;
        }
        if (((target.yes >> value) & 1U) == 0 || (any && value != first)) {
            return Tri::no;
        }
        first = value;
        any = true;
    }
    return Tri::yes;
}

Tri answer_one(const Question& question, const Site& site, const Byte* row) {
    if (question.same) {
        return answer_same(question, site, row);
    }
    int asked = 0;
    int yes = 0;
    int open = 0;
    for (const Question::Target& target : question.targets) {
        if (question.only_up && !site.expected_up(row, target.member)) {
            continue;
        }
        ++asked;
        const Byte value = row[target.at];
        const bool away = target.member >= 0
                          && row[site.members[static_cast<std::size_t>(target.member)].away] != 0;
        if (away || ((target.cannot_tell >> value) & 1U) != 0) {
            ++open;
        } else if (((target.yes >> value) & 1U) != 0) {
            ++yes;
        }
    }
    const int all = question.any ? 1 : asked;
    const int needed = question.needed > 0 ? question.needed : all;
    if (yes >= needed) {
        return Tri::yes;
    }
    return yes + open < needed ? Tri::no : Tri::cannot_tell;
}

std::vector<int> members_in(const std::vector<const std::vector<Question>*>& all) {
    std::set<int> members;
    for (const auto* questions : all) {
        for (const Question& question : *questions) {
            for (const Question::Target& target : question.targets) {
                members.insert(target.member);
            }
        }
    }
    members.erase(-1);
    return {members.begin(), members.end()};
}

// Whether one that is asked does not answer.
bool somebody_is_away(const Question& question, const Site& site, const Byte* row) {
    return std::any_of(
        question.targets.begin(), question.targets.end(), [&](const Question::Target& target) {
            return target.member >= 0
                   && row[site.members[static_cast<std::size_t>(target.member)].away] != 0
                   && (!question.only_up || site.expected_up(row, target.member));
        });
}

}  // namespace

void add_questions(Site& site) {
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        const model::Action& action = site.plan.actions[i];
        Act& act = site.acts[i];
        act.when = make_questions(site, action.when, i);
        act.guard = make_questions(site, action.guard, i);
        act.then = make_questions(site, action.then, i);
        act.happened = make_questions(site, action.happened, i);
        act.concerns_before = members_in({&act.when, &act.guard});
        act.concerns_after = members_in({&act.then, &act.happened});
        if (act.takes_down) {
            const int role = site.members[static_cast<std::size_t>(act.member)].role;
            act.concerns_before = site.members_of[static_cast<std::size_t>(role)];
        }
    }
}

Answer answer(const Site& site, const std::vector<Question>& questions, const Byte* row) {
    Answer all;
    for (const Question& question : questions) {
        if (!question.modelled) {
            all.open = true;
            all.modelled = somebody_is_away(question, site, row) ? Tri::cannot_tell : all.modelled;
            continue;
        }
        const Tri one = answer_one(question, site, row);
        if (one == Tri::no) {
            return {Tri::no, false};
        }
        all.modelled = one == Tri::cannot_tell ? one : all.modelled;
    }
    return all;
}

}  // namespace drydock::checker
