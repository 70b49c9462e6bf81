// The effects that a step declares: changes of facts and stores that its verb does not imply. The
// checker cannot see a change that the pack does not declare.
#include "pack/read_step.h"

namespace drydock::pack {

namespace {

using model::EffectKind;

class EffectReader {
public:
    EffectReader(const NameScope& scope, model::StepSpec& step, PackReader& reader)
        : scope_(scope)
        , step_(step)
        , reader_(reader) {}

    void read(const Node& effects) {
        for (const Node* item : items_of(effects)) {
            for (const Entry& entry : item->entries) {
                if (entry.key != "side") {
                    read_effect(entry, *item);
                }
            }
        }
    }

private:
    // Returns the side of an effect on `role`: as written, else the side of the step.
    [[nodiscard]] std::string effect_side(const Node& node, const std::string& role) {
        return role.empty()
                   ? ""
                   : read_side(node, role, role == scope_.role ? scope_.side : "", reader_);
    }

    // Effects on stores name no fact: the model has the format and copies of each store by itself.
    void read_store_effect(EffectKind kind, const Entry& entry, const Node& item) {
        const std::string store = text_of(entry.value);
        const std::string role =
            require_store(entry.value, reader_) ? reader_.pack.stores.at(store).role : "";
        step_.effects.push_back(
            {kind, model::sided(store, effect_side(item, role)), {}, "", model::Reach::member});
    }

    // `becomes`, `adds` and `removes` give a fact a known value; `changes` gives it an unknown one.
    void read_effect(const Entry& entry, const Node& item) {
        const EffectKind kind =
            model::k_effect_kinds.parse(entry.key).value_or(EffectKind::becomes);
        const bool becomes =
            kind == EffectKind::becomes || kind == EffectKind::adds || kind == EffectKind::removes;
        if (!becomes && kind != EffectKind::changes) {
            return read_store_effect(kind, entry, item);
        }
        const Node& fact = becomes ? entry.value["fact"] : entry.value;
        const std::string role = text_of(entry.value["role"], scope_.role);
        const model::FactSpec* spec = find_fact(reader_.pack, role, text_of(fact));
        if (fact.kind == Node::Kind::scalar && spec == nullptr) {
            report_unknown_name(reader_.diagnostics,
                                fact.where,
                                "fact",
                                fact.scalar,
                                fact_names(reader_.pack, role));
        }
        step_.effects.push_back(
            {kind,
             text_of(fact),
             becomes ? to_json(entry.value["value"]) : Json(),
             spec == nullptr ? "" : model::sided(spec->role, effect_side(entry.value, spec->role)),
             read_reach(entry.value)});
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
};

}  // namespace

void read_effects(const Node& effects,
                  const NameScope& scope,
                  model::StepSpec& step,
                  PackReader& reader) {
    EffectReader(scope, step, reader).read(effects);
}

}  // namespace drydock::pack
