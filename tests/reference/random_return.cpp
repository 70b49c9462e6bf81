#include "reference/random_return.h"

#include <fmt/format.h>

namespace drydock::reference {

namespace {

using model::Action;
using model::Plan;
using model::Verb;

class Back {
public:
    Back(const Plan& plan, const model::FactBook& facts) : facts_(facts), back_(plan) {
        back_.procedure = "downgrade";
        std::swap(back_.from_version, back_.to_version);
        back_.actions.clear();
        for (const auto& [key, fact] : facts) {
            if (back_.sources.contains(key)) {
                back_.bound_facts[key] = fact;
            }
        }
    }

    Plan make(const WayBack& way) {
        for (const std::string& member : back_.members()) {
            if (value(member, "running") != Json(back_.to_version)) {
                add_member(member, way.start);
            }
        }
        if (way.reset) {
            reset_temporaries();
        }
        return back_;
    }

private:
    [[nodiscard]] Json value(const std::string& member, const std::string& fact) const {
        const auto it = facts_.find(model::fact_key(member, fact));
        return it == facts_.end() ? Json() : it->second.value;
    }

    void add(Verb verb, const std::string& member, std::vector<std::pair<std::string, Json>> what) {
        Action action;
        action.id = fmt::format("{}-{}", name_of(verb), member);
        action.title = action.id;
        action.verb = verb;
        action.member = member;
        action.request.set("run", action.id);
        for (auto& [fact, becomes] : what) {
            if (back_.sources.contains(model::fact_key(member, fact))) {
                action.effects.push_back({model::EffectKind::becomes, member, fact, becomes});
            }
        }
        if (!back_.actions.empty()) {
            action.predecessors = {back_.actions.size() - 1};
        }
        back_.actions.push_back(action);
    }

    void add_member(const std::string& member, bool start) {
        if (!value(member, "running").is_null()) {
            add(Verb::stop, member, {{"running", {}}, {"ready", {}}, {"service", "stopped"}});
        }
        if (value(member, "installed") != Json(back_.to_version)) {
            add(Verb::install, member, {{"installed", back_.to_version}});
        }
        if (start) {
            add(Verb::start,
                member,
                {{"running", back_.to_version}, {"ready", true}, {"service", "running"}});
        }
    }

    void reset_temporaries() {
        for (const model::TemporaryFact& fact : back_.temporaries) {
            const auto now = facts_.find(fact.key);
            if (now != facts_.end() && now->second.value != fact.value.value) {
                add(Verb::run, "", {{fact.key, fact.value.value}});
            }
        }
    }

    const model::FactBook& facts_;
    Plan back_;
};

}  // namespace

Plan make_back(const Plan& plan, const model::FactBook& facts, const WayBack& way) {
    return Back(plan, facts).make(way);
}

}  // namespace drydock::reference
