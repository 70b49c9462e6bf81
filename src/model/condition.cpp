// Evaluates conditions with three truth values, and words the reasons.
//
// A condition asks one relation of one fact of several members. Each member answers yes, no or
// cannot_tell; then the quantifier counts. If the yes answers are enough by themselves, the result
// is yes. If they would not be enough with all undecided members added, it is no. Anything between
// is cannot_tell. So an unknown value never turns into a yes or a no
// (docs/design/0001-the-core.md).
//
// Two relations look at a second reading: `stands` compares a member with itself, `reaches` with
// the other members. `planned` compares with the values that the plan is bound to; with the operand
// false it asks whether a value is certainly another one.
#include "model/condition.h"

#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::model {

namespace {

// A fact that was never read is unknown, not absent.
const Observation& look_up(const FactBook& book, const std::string& key) {
    static const Observation k_never_read = {ObservationStatus::unknown, {}, "was not read", 0};
    const auto entry = book.find(key);
    return entry == book.end() ? k_never_read : entry->second;
}

// Orders values of one type. Text is compared as versions, so that "10" stands above "9".
int compare(const Json& a, const Json& b, FactType type) {
    if (type == FactType::release || type == FactType::text) {
        return compare_versions(a.as_string(), b.as_string());
    }
    return a.as_int() < b.as_int() ? -1 : (b.as_int() < a.as_int() ? 1 : 0);
}

// A release equals the prefix of its series: "3.5.16" is "3.5".
bool equal(const Json& value, const Json& operand, FactType type) {
    if (type == FactType::release && version_in_series(value.as_string(), operand.as_string())) {
        return true;
    }
    return value == operand;
}

// A list contains a release if one of its elements is the release or its series.
bool contains(const Json& list, const Json& value, FactType type) {
    return std::any_of(list.items().begin(), list.items().end(), [&](const Json& element) {
        return equal(value, element, type);
    });
}

// A role that the roster does not have has no members here; evaluate() reports it before.
const std::vector<std::string>& of_role(const Roster& members, const std::string& role) {
    static const std::vector<std::string> k_nobody;
    const auto entry = members.find(role);
    return entry == members.end() ? k_nobody : entry->second;
}

// Pointers into the roster, or to the member of the action: names are not copied for each
// evaluation.
using Names = std::vector<const std::string*>;

// Returns the members that a condition asks: the system, the member itself, or members of the role.
Names members_of(const Condition& condition, const Roster& roster, const std::string& self) {
    static const std::string k_system;
    if (condition.quantifier == Quantifier::system) {
        return {&k_system};
    }
    if (condition.quantifier == Quantifier::self) {
        return {&self};
    }
    const auto& members = of_role(roster, condition.role);
    Names names;
    names.reserve(members.size());
    for (const std::string& member : members) {
        if (asks(condition, member, self)) {
            names.push_back(&member);
        }
    }
    return names;
}

// A value is known here, so the answer is never cannot_tell.
Truth tri(bool holds) {
    return holds ? Truth::yes : Truth::no;
}

// True if the role has another member. A member that is alone has no other to catch up with.
bool has_others(const Condition& condition, const FactView& view, const std::string& self) {
    const Roster& roster = view.all_members == nullptr ? view.members : *view.all_members;
    const auto& members = of_role(roster, condition.role);
    return std::any_of(
        members.begin(), members.end(), [&](const auto& member) { return member != self; });
}

// Compares with the largest value that members other than `self` had in the reading before. Without
// any such value the answer is cannot_tell, since a member that was just started may be far behind.
Truth reaches(const Condition& condition,
              const FactView& view,
              const std::string& self,
              const Json& value) {
    const std::string& fact = condition.fact;
    const auto& members = of_role(view.members, condition.role);
    bool is_comparable = !has_others(condition, view, self);
    for (const std::string& member : members) {
        const Observation& earlier = look_up(view.previous, fact_key(member, fact));
        // Members without a value say nothing about how far the others are.
        if (member == self || earlier.status != ObservationStatus::known) {
            continue;
        }
        is_comparable = true;
        if (compare(value, earlier.value, condition.type) < 0) {
            return Truth::no;
        }
    }
    return is_comparable ? Truth::yes : Truth::cannot_tell;
}

// Compares with a reference value. Two absent values are equal, and an unknown reference decides
// nothing.
Truth against(const Observation& now, const Observation& reference) {
    if (reference.status == ObservationStatus::unknown) {
        return Truth::cannot_tell;
    }
    return tri(now.status == reference.status && now.value == reference.value);
}

// Compares with the bound value. A member that was down at planning time had no value, so any
// present value is accepted.
Truth as_planned(const Observation& now, const Observation& planned) {
    const bool was_down =
        planned.status == ObservationStatus::absent && now.status == ObservationStatus::known;
    return was_down ? Truth::yes : against(now, planned);
}

// Negates an answer. What cannot be told stays so.
Truth opposite(Truth answer) {
    return answer == Truth::cannot_tell ? answer : tri(answer == Truth::no);
}

// Decides the four order relations by one comparison.
Truth ordered(const Condition& condition, const Json& value) {
    const int order = compare(value, condition.operand, condition.type);
    const bool is_upper_bound =
        condition.relation == Relation::below || condition.relation == Relation::at_most;
    const bool or_equal =
        condition.relation == Relation::at_least || condition.relation == Relation::at_most;
    return tri((or_equal && order == 0) || (is_upper_bound ? order < 0 : order > 0));
}

// Decides one member. An absent value answers `present`, `is_not`, `planned` and `stands`; all
// other relations need a value and say no.
Truth judge_one(const Condition& condition, const FactView& view, const std::string& member) {
    const std::string key = fact_key(member, condition.fact);
    const Observation& now = look_up(view.current, key);
    if (now.status == ObservationStatus::unknown) {
        return Truth::cannot_tell;
    }
    const bool is_known = now.status == ObservationStatus::known;
    switch (condition.relation) {
    case Relation::present:
        return tri(is_known == condition.operand.as_bool(true));
    case Relation::as_planned:
        return condition.operand.as_bool(true)
                   ? as_planned(now, look_up(view.bound, key))
                   : opposite(as_planned(now, look_up(view.bound, key)));
    case Relation::unchanged:
        return against(now, look_up(view.previous, key));
    case Relation::is:
        return tri(is_known && equal(now.value, condition.operand, condition.type));
    case Relation::is_not:
        return tri(!is_known || !equal(now.value, condition.operand, condition.type));
    case Relation::in:
        return tri(is_known && contains(condition.operand, now.value, condition.type));
    case Relation::caught_up:
        return is_known ? reaches(condition, view, member, now.value) : Truth::no;
    case Relation::has:
        return tri(is_known && contains(now.value, condition.operand, FactType::text));
    case Relation::same:
        return tri(is_known);
    case Relation::below:
    case Relation::at_least:
    case Relation::above:
    case Relation::at_most:
        break;
    }
    return is_known ? ordered(condition, now.value) : Truth::no;
}

// Words the operand as a sentence needs it after "expected".
std::string expected(const Condition& condition, const FactView& view, const std::string& member) {
    switch (condition.relation) {
    case Relation::present:
        return condition.operand.as_bool(true) ? "a value" : "nothing";
    case Relation::as_planned:
        return fmt::format("{}{} as when the plan was made",
                           condition.operand.as_bool(true) ? "" : "not ",
                           to_text(look_up(view.bound, fact_key(member, condition.fact))));
    case Relation::unchanged:
        return "no change between two readings";
    case Relation::caught_up:
        return "to have caught up with the others";
    case Relation::is:
        return condition.operand.show();
    case Relation::same:
        return "the same on all members";
    case Relation::is_not:
        return fmt::format("not {}", condition.operand.show());
    case Relation::in:
        return fmt::format("one of {}", condition.operand.dump());
    case Relation::has:
        return fmt::format("{} among others", condition.operand.show());
    case Relation::below:
    case Relation::at_least:
    case Relation::above:
    case Relation::at_most:
        break;
    }
    std::string relation(name_of(condition.relation));
    std::replace(relation.begin(), relation.end(), '_', ' ');
    return fmt::format("{} {}", relation, condition.operand.show());
}

// Words a member's answer: its value and the expected one.
std::string finding(const Condition& condition, const FactView& view, const std::string& member) {
    const std::string key = fact_key(member, condition.fact);
    return fmt::format("{} is {}, expected {}",
                       key,
                       to_text(look_up(view.current, key)),
                       expected(condition, view, member));
}

// Words the case that no member says no, but too few can be asked.
std::string too_few(const Condition& condition, const Names& members) {
    std::string names;
    for (const std::string* member : members) {
        names.append(names.empty() ? "" : ", ").append(*member);
    }
    return fmt::format(
        "{} is expected, and {}",
        describe(condition),
        members.empty()
            ? "nobody is up to be asked"
            : fmt::format("only {} {} up to be asked", names, members.size() == 1 ? "is" : "are"));
}

// Decides `same`: all members must have known, equal values. The sentence names the two that
// differ.
Verdict judge_same(const Condition& condition, const FactView& view, const Names& members) {
    for (const std::string* member : members) {
        const Truth outcome = judge_one(condition, view, *member);
        if (outcome != Truth::yes) {
            return {outcome, finding(condition, view, *member), condition.remedy};
        }
        const std::string key = fact_key(*member, condition.fact);
        const std::string first = fact_key(*members.front(), condition.fact);
        if (!(look_up(view.current, key).value == look_up(view.current, first).value)) {
            return {Truth::no,
                    fmt::format("{} is {} but {} is {}",
                                first,
                                to_text(look_up(view.current, first)),
                                key,
                                to_text(look_up(view.current, key))),
                    condition.remedy};
        }
    }
    return {};
}

Json::Array list_of(const std::vector<std::string>& names) {
    return {names.begin(), names.end()};
}

std::vector<std::string> names_of(const Json& list) {
    std::vector<std::string> names;
    for (const Json& name : list.items()) {
        names.push_back(name.as_string());
    }
    return names;
}

}  // namespace

bool asks(const Condition& condition, const std::string& member, const std::string& self) {
    const auto& besides = condition.excluded_members;
    return condition.quantifier != Quantifier::others
           || (member != self
               && std::find(besides.begin(), besides.end(), member) == besides.end());
}

// Counts the members' answers. A role without an entry in the roster is an error of the plan, and
// is reported as unknown; a role with an empty entry has no members.
Verdict evaluate(const Condition& condition, const FactView& view) {
    if (condition.quantifier > Quantifier::self && !view.members.contains(condition.role)) {
        return {Truth::cannot_tell,
                fmt::format("nobody knows who the members of role \"{}\" are", condition.role),
                condition.remedy};
    }
    const auto members = members_of(condition, view.members, view.this_member);
    if (condition.relation == Relation::same) {
        return judge_same(condition, view, members);
    }
    // Only `any` needs one member by default; every other quantifier needs all that it asks. A
    // system fact and the member itself count as a list of one.
    std::size_t needed = condition.members_min > 0 ? static_cast<std::size_t>(condition.members_min)
                                                   : members.size();
    needed = condition.quantifier == Quantifier::any && condition.members_min == 0 ? 1 : needed;
    std::size_t yes = 0;
    std::size_t undecided = 0;
    std::string why_no;
    std::string why_open;
    for (const std::string* member : members) {
        const Truth outcome = judge_one(condition, view, *member);
        yes += outcome == Truth::yes ? 1U : 0U;
        undecided += outcome == Truth::cannot_tell ? 1U : 0U;
        std::string& reason = outcome == Truth::no ? why_no : why_open;
        if (outcome != Truth::yes && reason.empty()) {
            reason = finding(condition, view, *member);
        }
    }
    if (yes >= needed) {
        return {};
    }
    // The reason of a plain no is preferred: it is certain, and it names the member to look at.
    const bool can_tell = yes + undecided < needed;
    std::string because = can_tell && !why_no.empty() ? why_no : why_open;
    if (because.empty()) {
        because = too_few(condition, members);
    }
    return {can_tell ? Truth::no : Truth::cannot_tell, std::move(because), condition.remedy};
}

// Returns the first no at once: it decides, whatever stands behind it.
Verdict evaluate_all(const std::vector<Condition>& conditions, const FactView& view) {
    Verdict worst;
    for (const Condition& condition : conditions) {
        Verdict verdict = evaluate(condition, view);
        if (verdict.outcome == Truth::no) {
            return verdict;
        }
        if (verdict.outcome == Truth::cannot_tell && worst.outcome == Truth::yes) {
            worst = std::move(verdict);
        }
    }
    return worst;
}

std::vector<std::string>
facts_of(const Condition& condition, const Roster& members, const std::string& this_member) {
    std::vector<std::string> keys;
    if (condition.relation
        == Relation::caught_up) {  // the others' values are needed, whichever fact is asked about
        for (const std::string& member : of_role(members, condition.role)) {
            keys.push_back(fact_key(member, condition.fact));
        }
        return keys;
    }
    for (const std::string* member : members_of(condition, members, this_member)) {
        keys.push_back(fact_key(*member, condition.fact));
    }
    return keys;
}

namespace {

// Turns "server@source" into "source server".
std::string role_in_words(const std::string& role) {
    const auto separator = role.find('@');
    return separator == role.npos ? role
                                  : role.substr(separator + 1) + " " + role.substr(0, separator);
}

// Names the members that do not count: " (a1, a2 do not count)".
std::string left_out(const std::vector<std::string>& besides) {
    constexpr std::size_t k_named_max = 4;
    if (besides.empty()) {
        return {};
    }
    const std::size_t named = std::min(besides.size(), k_named_max);
    const std::string more =
        besides.size() > named ? fmt::format(" and {} more", besides.size() - named) : "";
    return fmt::format(
        " ({}{} {} not count)",
        fmt::join(besides.begin(), besides.begin() + static_cast<std::ptrdiff_t>(named), ", "),
        more,
        besides.size() == 1 ? "does" : "do");
}

}  // namespace

// Words a condition without any facts, for plans and guides.
std::string describe(const Condition& condition) {
    static const FactBook k_none;
    static const Roster k_nobody;
    const std::string role = condition.role.empty() ? "member" : role_in_words(condition.role);
    std::string subject;
    switch (condition.quantifier) {
    case Quantifier::system:
        break;
    case Quantifier::self:
        subject = "this member's ";
        break;
    case Quantifier::every:
        subject = fmt::format("every {}'s ", role);
        break;
    case Quantifier::others:
        subject = fmt::format("the other {}s' ", role);
        break;
    case Quantifier::any:
        subject = fmt::format("one {}'s ", role);
        break;
    }
    // A minimum replaces the words of the quantifier.
    if (condition.members_min > 0) {
        subject = condition.quantifier == Quantifier::others
                      ? fmt::format("at least {} of {}", condition.members_min, subject)
                      : fmt::format("at least {} {}s' ", condition.members_min, role);
    }
    if (condition.relation == Relation::as_planned) {
        return fmt::format("{}{} is {} when the plan was made",
                           subject,
                           condition.fact,
                           condition.operand.as_bool(true) ? "as" : "not as");
    }
    return fmt::format("{}{} is {}{}",
                       subject,
                       condition.fact,
                       expected(condition, {k_none, k_none, k_none, k_nobody, ""}, ""),
                       left_out(condition.excluded_members));
}

// The keys are those of docs/formats/plan.md; a plan's digest covers them.
Json to_json(const Condition& condition) {
    Json json;
    json.set("fact", condition.fact);
    json.set("role", condition.role);
    json.set("of", std::string(name_of(condition.quantifier)));
    json.set("relation", std::string(name_of(condition.relation)));
    json.set("operand", condition.operand);
    json.set("type", std::string(name_of(condition.type)));
    json.set("members_min", condition.members_min);
    if (!condition.excluded_members.empty()) {
        json.set("besides", Json(list_of(condition.excluded_members)));
    }
    json.set("remedy", condition.remedy);
    json.set("where", condition.position.text());
    return json;
}

// Reads a condition of a plan. The digest has been compared already, so a bad condition was written
// by another program.
Result<Condition> condition_from_json(const Json& json) {
    const auto quantifier = k_quantifiers.parse(json["of"].as_string());
    const auto relation = k_relations.parse(json["relation"].as_string());
    if (!quantifier || !relation || json["fact"].as_string().empty()) {
        return fail("plan.condition",
                    fmt::format("a condition that cannot be read: {}", json.dump()));
    }
    Condition condition;
    condition.fact = json["fact"].as_string();
    condition.role = json["role"].as_string();
    condition.quantifier = *quantifier;
    condition.relation = *relation;
    condition.operand = json["operand"];
    condition.type = k_fact_types.parse(json["type"].as_string()).value_or(FactType::text);
    condition.members_min = static_cast<int>(json["members_min"].as_int());
    condition.excluded_members = names_of(json["besides"]);
    condition.remedy = json["remedy"].as_string();
    condition.position.file = json["where"].as_string();
    return condition;
}

}  // namespace drydock::model
