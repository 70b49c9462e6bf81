// The effects that a step declares: changes of facts and stores that its verb does not imply. The
// checker cannot see a change that the pack does not declare.
//
// `effect` lists what the step has done when it ended well. A half-done effect stands in `while`:
// it holds from the begin of the step and stays if it is cut off. A value must be of its fact's
// type. What follows from the release that runs, such as `ready`, needs an effect on `running`
// beside it: the model moves a member by that.
#include "model/effect_kinds.h"
#include "pack/fact_values.h"
#include "pack/read_step.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

namespace {

using model::EffectKind;
using model::EffectSpec;
using model::FactSpec;
using model::StandardFact;

bool has_value(EffectKind kind) {
    return kind == EffectKind::becomes || kind == EffectKind::adds || kind == EffectKind::removes;
}

// Returns true if the fact tells whether the member is up, beside what it runs.
bool follows_running(const FactSpec& fact) {
    return fact.standard_fact == StandardFact::ready || fact.kind == "service";
}

class EffectReader {
public:
    EffectReader(const NameScope& scope, model::StepSpec& step, PackReader& reader)
        : scope_(scope)
        , step_(step)
        , reader_(reader) {}

    void read(const Node& step) {
        step_.effects = read_list(step["effect"]);
        step_.meanwhile = read_list(step["while"]);
        step_.alone = boolean_of(step["alone"]);
        check_running();
        check_while(step);
        check_alone(step["alone"]);
    }

private:
    void
    error(const char* code, const Position& position, std::string summary, std::string suggestion) {
        reader_.diagnostics.error(code, position, std::move(summary), std::move(suggestion));
    }

    std::vector<EffectSpec> read_list(const Node& effects) {
        std::vector<EffectSpec> list;
        for (const Node* item : items_of(effects)) {
            for (const Entry& entry : item->entries) {
                if (entry.key != "side" && entry.key != "own") {
                    list.push_back(read_effect(entry, *item));
                }
            }
        }
        return list;
    }

    // Returns the side of an effect on `role`: as written, else the side of the step.
    [[nodiscard]] std::string effect_side(const Node& node, const std::string& role) {
        return role.empty()
                   ? ""
                   : read_side(node, role, role == scope_.role ? scope_.side : "", reader_);
    }

    // Effects on stores name no fact: the model has the format and copies of each store by itself.
    EffectSpec read_store_effect(EffectKind kind, const Entry& entry, const Node& item) {
        const std::string store = text_of(entry.value);
        const bool is_known = require_store(entry.value, reader_);
        const std::string role = is_known ? reader_.pack.stores.at(store).role : "";
        if (is_known && kind == EffectKind::raises) {
            check_has_law(store, entry.value.position);
        }
        return {.kind = kind,
                .name = model::sided(store, effect_side(item, role)),
                .value = {},
                .role = "",
                .own = boolean_of(item["own"]),
                .position = entry.position};
    }

    // A store rises to what the law of a release says.
    void check_has_law(const std::string& store, const Position& position) {
        const auto raises = [&](const auto& release) {
            const auto law = release.find(store);
            return law != release.end() && law->second.trigger != model::FormatTrigger::never;
        };
        if (!any_release(store, raises)) {
            error("effect.raises",
                  position,
                  fmt::format("no release raises the store `{}`, so that this changes nothing",
                              store),
                  "write `raises: on_migrate` at the law of the release that does, or remove the "
                  "effect");
        }
    }

    // Returns true if the laws of a release pass the test: of an axis, if one reads the store.
    template <class Test>
    [[nodiscard]] bool any_release(const std::string& store, const Test& test) const {
        const std::string& axis = reader_.pack.stores.at(store).read_by;
        if (axis.empty()) {
            return std::any_of(reader_.pack.releases.begin(),
                               reader_.pack.releases.end(),
                               [&](const auto& release) { return test(release.second.laws); });
        }
        const auto& releases = reader_.pack.axes.at(axis).releases;
        return std::any_of(releases.begin(), releases.end(), [&](const auto& release) {
            return test(release.second);
        });
    }

    // `becomes`, `adds` and `removes` give a fact a known value; `changes` gives it an unknown one.
    EffectSpec read_effect(const Entry& entry, const Node& item) {
        const EffectKind kind =
            model::k_effect_kinds.parse(entry.key).value_or(EffectKind::becomes);
        if (!has_value(kind) && kind != EffectKind::changes) {
            return read_store_effect(kind, entry, item);
        }
        const Node& fact = has_value(kind) ? entry.value["fact"] : entry.value;
        const FactSpec* spec = find(fact, entry.value["role"]);
        EffectSpec effect;
        effect.kind = kind;
        effect.own = boolean_of(item["own"]);
        effect.position = entry.position;
        effect.name = text_of(fact);
        effect.reach = read_reach(entry.value);
        if (spec != nullptr) {
            effect.role = model::sided(spec->role, effect_side(entry.value, spec->role));
            effect.value = has_value(kind) ? read_value(kind, *spec, entry) : Json();
            check_fact(*spec, fact.position);
        }
        return effect;
    }

    // A role that is said must have the fact itself.
    const FactSpec* find(const Node& fact, const Node& said_role) {
        const std::string role = text_of(said_role, scope_.role);
        const FactSpec* spec = said_role.kind == Node::Kind::scalar
                                   ? find_own_fact(reader_.pack, role, text_of(fact))
                                   : find_fact(reader_.pack, role, text_of(fact));
        if (fact.kind == Node::Kind::scalar && spec == nullptr) {
            report_unknown_fact(fact, role, reader_);
        }
        return spec;
    }

    // Returns the value that the fact gets. Null makes it absent. The items of a list are texts, as
    // in the relation `has`.
    Json read_value(EffectKind kind, const FactSpec& fact, const Entry& entry) {
        const Node& value = entry.value["value"];
        if (kind != EffectKind::becomes) {
            check_is_list(fact, entry);
            return text_of(value);
        }
        if (value.kind == Node::Kind::nothing) {
            check_is_no_axis(fact, value);
            return {};
        }
        if (!fits(value, fact.type)) {
            error("value.wrong",
                  value.position,
                  fmt::format("`{}` is of type {} and becomes {}",
                              fact.name,
                              name_of(fact.type),
                              value.kind == Node::Kind::scalar ? "`" + value.scalar + "`"
                                                               : "no such value"),
                  fmt::format("expected {}", example_of(fact.type)));
        }
        check_is_of_axis(fact, value);
        return typed_value(value, fact.type);
    }

    // A release that the axis does not have would read every format.
    void check_is_of_axis(const FactSpec& fact, const Node& value) {
        for (const auto& [name, axis] : reader_.pack.axes) {
            const bool is_told = axis.fact == fact.name && !fact.role.empty();
            const bool is_template = value.scalar.find("${") != std::string::npos;
            if (is_told && !is_template && !axis.releases.contains(value.scalar)) {
                report_unknown_name(reader_.diagnostics,
                                    value.position,
                                    fmt::format("release of the axis {}", name),
                                    value.scalar,
                                    keys_of(axis.releases));
            }
        }
    }

    // Without a release no law of the axis would be asked.
    void check_is_no_axis(const FactSpec& fact, const Node& value) {
        for (const auto& [name, axis] : reader_.pack.axes) {
            if (axis.fact == fact.name && !fact.role.empty()) {
                error(
                    "effect.axis",
                    value.position,
                    fmt::format("`{}` tells the release of the axis `{}`, and becomes nothing: no "
                                "law of that axis would be asked",
                                fact.name,
                                name),
                    "name the release of the axis that the step brings");
            }
        }
    }

    void check_is_list(const FactSpec& fact, const Entry& entry) {
        if (fact.type != model::FactType::list) {
            error(
                "effect.type",
                entry.position,
                fmt::format(
                    "`{}` of `{}`, which is of type {}", entry.key, fact.name, name_of(fact.type)),
                "write `becomes`, or name a fact of type list");
        }
    }

    // Remembers what the step says of the member's being up, and refuses what only a law may write.
    void check_fact(const FactSpec& fact, const Position& position) {
        sets_running_ = sets_running_ || fact.standard_fact == StandardFact::running;
        if (follows_running(fact) && consequence_.empty()) {
            consequence_ = fact.name;
            consequence_position_ = position;
        }
        for (const auto& [name, store] : reader_.pack.stores) {
            if (store.clean_stop == fact.name && store.role == fact.role) {
                error("effect.clean_stop",
                      position,
                      fmt::format("`{}` follows from how the member went down: it is `clean_stop` "
                                  "of the store `{}`",
                                  fact.name,
                                  name),
                      "remove the effect");
            }
        }
    }

    void check_running() {
        const bool moves_member = step_.verb == model::Verb::stop
                                  || step_.verb == model::Verb::start
                                  || step_.verb == model::Verb::restart;
        if (!consequence_.empty() && !sets_running_ && !moves_member) {
            error("effect.running",
                  consequence_position_,
                  fmt::format("`{}` changes, and no effect says what runs then", consequence_),
                  "add `{becomes: {fact: RUNNING, value: RELEASE}}` for the fact that is bound to "
                  "`running` (`value: null` if nothing runs), or use `stop`, `start` or `restart`");
        }
    }

    // A step that only looks changes nothing, and has no time in which it is half done.
    void check_while(const Node& step) {
        for (const char* key : {"effect", "while"}) {
            if (step.has(key) && is_read_only(step_.verb)) {
                error(
                    (std::string("step.") + key).c_str(),
                    step[key].position,
                    fmt::format("`{}` in a step `{}`, which only looks", key, name_of(step_.verb)),
                    "use the verb `run`");
            }
        }
        check_while_is_needed(step["while"]);
        for (const Node* item : items_of(step["while"])) {
            if (item->has("copies")) {
                error("effect.while",
                      (*item)["copies"].position,
                      "half a copy is no copy",
                      "write `copies` in `effect`");
            }
        }
    }

    // An empty list takes a default of the role away; without one it says nothing.
    void check_while_is_needed(const Node& node) {
        const auto defaults = reader_.step_defaults.find(scope_.role);
        const bool takes_away = defaults != reader_.step_defaults.end()
                                && defaults->second[name_of(step_.verb)].has("while");
        if (node.kind == Node::Kind::list && node.entries.empty() && !takes_away) {
            error("step.while",
                  node.position,
                  "`while` without an effect",
                  "say what holds until the step ends, or remove it");
        }
    }

    // `alone` is about the stores that the step changes, else about the role of its member.
    void check_alone(const Node& node) {
        const bool looks = is_read_only(step_.verb);
        const bool is_about_something =
            changes_store(step_.effects) || changes_store(step_.meanwhile) || !scope_.role.empty();
        if (step_.alone && (looks || !is_about_something)) {
            error("step.alone",
                  node.position,
                  looks
                      ? fmt::format("`alone` in a step `{}`, which only looks", name_of(step_.verb))
                      : "`alone` where neither a member nor a store is meant",
                  looks ? "remove it"
                        : "say which store it changes, as in `effect: {raises: STORE}`");
        }
    }

    static bool changes_store(const std::vector<EffectSpec>& effects) {
        return std::any_of(effects.begin(), effects.end(), [](const EffectSpec& effect) {
            return model::moves_store(effect.kind);
        });
    }

    // Returns the members that an effect reaches: this member, all on its host, or all of a role.
    static model::Reach read_reach(const Node& effect) {
        if (text_of(effect["of"]) == "host") {
            return model::Reach::host;
        }
        return effect.has("of") || effect.has("role") ? model::Reach::role : model::Reach::member;
    }

    const NameScope& scope_;
    model::StepSpec& step_;
    PackReader& reader_;
    bool sets_running_ = false;
    std::string consequence_;  // the first fact that follows from what runs
    Position consequence_position_;
};

}  // namespace

void read_effects(const Node& node,
                  const NameScope& scope,
                  model::StepSpec& step,
                  PackReader& reader) {
    EffectReader(scope, step, reader).read(node);
}

}  // namespace drydock::pack
