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
        std::swap(back_.from, back_.to);
        back_.actions.clear();
        for (const auto& [key, fact] : facts) {
            if (back_.sources.contains(key)) {
                back_.planned[key] = fact;
            }
        }
    }

    Plan make(bool start) {
        for (const std::string& member : back_.members()) {
            if (value(member, "running") != Json(back_.to)) {
                add_member(member, start);
            }
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
            action.after = {back_.actions.size() - 1};
        }
        back_.actions.push_back(action);
    }

    void add_member(const std::string& member, bool start) {
        if (!value(member, "running").is_null()) {
            add(Verb::stop, member, {{"running", {}}, {"ready", {}}, {"service", "stopped"}});
        }
        if (value(member, "installed") != Json(back_.to)) {
            add(Verb::install, member, {{"installed", back_.to}});
        }
        if (start) {
            add(Verb::start,
                member,
                {{"running", back_.to}, {"ready", true}, {"service", "running"}});
        }
    }

    const model::FactBook& facts_;
    Plan back_;
};

}  // namespace

Plan make_back(const Plan& plan, const model::FactBook& facts, bool start) {
    return Back(plan, facts).make(start);
}

}  // namespace drydock::reference
