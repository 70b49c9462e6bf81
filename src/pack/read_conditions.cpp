// Conditions: one relation of one fact to one operand, checked against the types of the facts.
//
// A condition is read in this order: the fact (own role, system, the only other role), the
// quantifier (`of`), the operand. Each step reports its own problems, and the condition is kept if
// the fact is known. Operands may contain ${names}, which the planner replaces. docs/packs.md lists
// the relations.
#include "model/condition.h"
#include "pack/fact_values.h"
#include "pack/pack_reader.h"
#include "pack/schemas.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

using model::FactType;
using model::Quantifier;
using model::Relation;

namespace {

// Only integers and releases are ordered; read_operand() refuses these relations for other types.
bool has_order(Relation relation) {
    return relation == Relation::below || relation == Relation::at_least
           || relation == Relation::above || relation == Relation::at_most
           || relation == Relation::caught_up;
}

bool takes_value(Relation relation) {
    return relation == Relation::is || relation == Relation::is_not || relation == Relation::in
           || (has_order(relation) && relation != Relation::caught_up);
}

class ConditionReader {
public:
    ConditionReader(const Node& node, const NameScope& scope, PackReader& reader)
        : node_(node)
        , scope_(scope)
        , reader_(reader) {}

    std::optional<model::Condition> read() {
        const Entry* relation = relation_entry();
        const Node& fact_node = node_["fact"];
        if (relation == nullptr || fact_node.kind != Node::Kind::scalar) {
            return std::nullopt;  // reported by check(), or by read_guard()
        }
        const model::FactSpec* fact = find(fact_node);
        if (fact == nullptr) {
            return std::nullopt;
        }
        condition_.fact = fact->name;
        condition_.role = fact->role;
        condition_.type = fact->type;
        condition_.position = node_.position;
        condition_.remedy = text_of(node_["remedy"]);
        read_whose(*fact);
        condition_.role = model::sided(
            fact->role,
            read_side(node_, fact->role, fact->role == scope_.role ? scope_.side : "", reader_));
        read_operand(*relation);
        read_members();
        return condition_;
    }

private:
    // A name that several roles have is reported with the list of roles, any other as unknown.
    const model::FactSpec* find(const Node& fact_node) {
        const Node& role = node_["role"];
        if (role.kind == Node::Kind::scalar && !require_role(role, reader_)) {
            return nullptr;
        }
        const std::string role_name = text_of(role, scope_.role);
        const model::FactSpec* fact = find_fact(reader_.pack, role_name, fact_node.scalar);
        // A `role` that does not have the fact is an error, even if find_fact() came upon the fact
        // elsewhere.
        const bool has_other_role =
            fact != nullptr && role.kind == Node::Kind::scalar && fact->role != role_name;
        if (fact != nullptr && !has_other_role) {
            return fact;
        }
        const auto roles = roles_with(fact_node.scalar);
        if (roles.size() > 1 && role.kind != Node::Kind::scalar) {
            error("fact.role",
                  fact_node,
                  fmt::format("`{}` is a fact of several roles", fact_node.scalar),
                  fmt::format("say which: `role: {}`", fmt::join(roles, "` or `role: ")));
        } else {
            report_unknown_fact(fact_node, role_name, reader_);
        }
        return nullptr;
    }

    [[nodiscard]] std::vector<std::string> roles_with(const std::string& name) const {
        std::vector<std::string> roles;
        for (const model::FactSpec& fact : reader_.pack.facts) {
            if (fact.name == name) {
                roles.push_back(fact.role);
            }
        }
        return roles;
    }

    const Entry* relation_entry() {
        for (const Entry& entry : node_.entries) {
            if (model::k_relations.parse(entry.key)) {
                return &entry;
            }
        }
        return nullptr;
    }

    void error(const char* code, const Node& node, std::string summary, std::string suggestion) {
        reader_.diagnostics.error(code, node.position, std::move(summary), std::move(suggestion));
    }

    // The usual quantifier depends on the place. In a step on members of the fact's role the
    // condition is about this member. Anywhere else it must hold for every member.
    void read_whose(const model::FactSpec& fact) {
        const bool of_member = !fact.role.empty();
        const bool of_this = of_member && fact.role == scope_.role;
        const Quantifier usual = !of_member ? Quantifier::system
                                 : of_this  ? Quantifier::self
                                            : Quantifier::every;
        const Node& quantifier = node_["of"];
        condition_.quantifier = model::k_quantifiers.parse(text_of(quantifier)).value_or(usual);
        const bool says_system = condition_.quantifier == Quantifier::system;
        if (says_system == of_member) {
            error("fact.scope",
                  quantifier,
                  fmt::format("`{}` is a fact of {}",
                              fact.name,
                              of_member ? "members" : "the system as a whole"),
                  of_member ? "write `of: every`, `this`, `others` or `any`" : "remove `of`");
        }
        const bool about_one = condition_.quantifier == Quantifier::self
                               || condition_.quantifier == Quantifier::others;
        if (of_member && about_one && !of_this) {
            error("fact.scope",
                  quantifier,
                  fmt::format("`of: {}` where no member is meant", text_of(quantifier)),
                  "write `of: every` or `of: any`");
        }
    }

    // Relations fall into three groups. `in` takes a list, `has` one item of a list fact, the rest
    // one value of the fact's type. Flags such as `same` and `present` take no typed value.
    void read_operand(const Entry& entry) {
        condition_.relation = model::k_relations.parse(entry.key).value_or(Relation::is);
        const bool ordered_type =
            condition_.type == FactType::integer || condition_.type == FactType::release;
        if (has_order(condition_.relation) && !ordered_type) {
            error("relation.type",
                  entry.value,
                  fmt::format("`{}` of `{}`, which is of type {} and has no order",
                              entry.key,
                              condition_.fact,
                              name_of(condition_.type)),
                  "write `is`, `is_not` or `in`");
        }
        if (condition_.relation == Relation::in) {
            return read_list(entry);
        }
        if (condition_.relation == Relation::has) {
            return read_item(entry);
        }
        if (takes_value(condition_.relation) && !fits(entry.value, condition_.type)) {
            return wrong_operand(entry, entry.value);
        }
        condition_.operand = takes_value(condition_.relation)
                                 ? typed_value(entry.value, condition_.type)
                                 : to_json(entry.value);
        check_names(entry.value, scope_, reader_);
    }

    // Each wrong item is reported, so that one run shows all of them.
    void read_list(const Entry& entry) {
        condition_.operand = Json::Array();
        for (const Node* item : items_of(entry.value)) {
            if (!fits(*item, condition_.type)) {
                wrong_operand(entry, *item);
            }
            condition_.operand.push(typed_value(*item, condition_.type));
        }
        check_names(entry.value, scope_, reader_);
    }

    // `has` asks whether a list contains one item, so that its fact must be a list and its operand
    // a scalar.
    void read_item(const Entry& entry) {
        if (condition_.type != FactType::list) {
            error("relation.type",
                  entry.value,
                  fmt::format("`has` of `{}`, which is of type {}",
                              condition_.fact,
                              name_of(condition_.type)),
                  "write `is`, or `in` with a list");
        } else if (entry.value.kind != Node::Kind::scalar) {
            error("value.wrong", entry.value, "`has` of more than one value", "write one of them");
        }
        condition_.operand = entry.value.scalar;
        check_names(entry.value, scope_, reader_);
    }

    void wrong_operand(const Entry& entry, const Node& operand) {
        error("value.wrong",
              operand,
              fmt::format("`{}` of `{}` is compared with {}",
                          entry.key,
                          condition_.fact,
                          operand.kind == Node::Kind::scalar ? "`" + operand.scalar + "`"
                                                             : "no such value"),
              fmt::format("expected {}", example_of(condition_.type)));
    }

    // `members_at_least` counts members, so it is refused where the condition is about a single
    // value.
    void read_members() {
        const Node& minimum = node_["members_at_least"];
        condition_.members_min =
            static_cast<int>(std::min<std::int64_t>(integer_of(minimum), 10'000));
        const bool is_single = condition_.quantifier == Quantifier::system
                               || condition_.quantifier == Quantifier::self;
        if (minimum.kind == Node::Kind::scalar && is_single) {
            error("fact.scope",
                  minimum,
                  "`members_at_least` where only one value is meant",
                  "remove it, or write `of: every`");
        }
    }

    const Node& node_;
    const NameScope& scope_;
    PackReader& reader_;
    model::Condition condition_;
};

}  // namespace

std::optional<model::Condition>
read_condition(const Node& node, const NameScope& scope, PackReader& reader) {
    return ConditionReader(node, scope, reader).read();
}

std::vector<model::Condition>
read_conditions(const Node& node, const NameScope& scope, PackReader& reader) {
    std::vector<model::Condition> conditions;
    for (const Node* item : items_of(node)) {
        if (auto condition = read_condition(*item, scope, reader)) {
            conditions.push_back(*std::move(condition));
        }
    }
    return conditions;
}

}  // namespace drydock::pack
