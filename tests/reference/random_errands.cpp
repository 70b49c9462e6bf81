// Errands: steps that move nothing and ask nothing, beside whatever else a drawn plan does.
#include "reference/random.h"
#include "reference/random_plan.h"

#include <fmt/format.h>

#include <numeric>

namespace drydock::reference {

namespace {

class Errands : Random {
public:
    Errands(std::uint64_t seed, model::Plan& plan) : Random(seed), plan_(plan) {}

    void draw() {
        before_ = plan_.actions.size();
        behind_ = !one_in(4);
        const model::PlanRole& role = plan_.roles[any(plan_.roles.size())];
        const bool on_all = one_in(2);
        if (on_all) {
            add_on_all(role);
        }
        for (std::size_t count = on_all ? any(2) : 2 + any(2); count > 0; --count) {
            add(one_in(5) ? "" : role.members[any(role.members.size())]);
        }
    }

private:
    // The same for each, so that they stay alike.
    void add_on_all(const model::PlanRole& role) {
        const std::mt19937_64 lots = random_;
        const std::vector<std::size_t> after = behind_ ? all_before() : std::vector<std::size_t>{};
        for (const std::string& member : role.members) {
            random_ = lots;
            plan_.actions.push_back(errand(member));
            plan_.actions.back().predecessors = after;
        }
    }

    void add(const std::string& member) {
        model::Action action = errand(member);
        if (one_in(3)) {
            take_from_another(action);
        }
        for (std::size_t i = before_; i < plan_.actions.size(); ++i) {
            if (one_in(4)) {
                action.predecessors.push_back(i);
            }
        }
        if (behind_ && action.predecessors.empty()) {
            action.predecessors = all_before();
        }
        plan_.actions.push_back(action);
    }

    [[nodiscard]] std::vector<std::size_t> all_before() const {
        std::vector<std::size_t> all(before_);
        std::iota(all.begin(), all.end(), 0);
        return all;
    }

    model::Action errand(const std::string& member) {
        model::Action action;
        action.id = fmt::format("errand-{}", plan_.actions.size());
        action.title = action.id;
        action.verb = model::Verb::run;
        action.member = member;
        action.phase = "roll";
        action.request.set("run", action.id);
        action.attempts = one_in(3) ? 2 : 1;
        action.optional = one_in(5);
        action.repeatable = one_in(4) ? model::Repeatable::probe : model::Repeatable::yes;
        action.remedy = one_in(8) ? "" : "a person does it";
        return action;
    }

    // Then it is no errand any more, and nothing that concerns it may be left out.
    void take_from_another(model::Action& action) {
        const model::Action& other = plan_.actions[any(before_)];
        if (other.member != action.member) {
            return;
        }
        if (one_in(2)) {
            action.preconditions = other.preconditions;
        }
        if (one_in(2)) {
            action.postconditions = other.postconditions;
        }
        if (one_in(2)) {
            action.effects = other.effects;
        }
    }

    std::size_t before_ = 0;  // actions that were drawn
    bool behind_ = true;      // behind all of these; or beside them, which makes many worlds
    model::Plan& plan_;
};

}  // namespace

Drawn draw_errands(std::uint64_t seed) {
    Drawn drawn = draw(seed);
    Errands(seed, drawn.plan).draw();
    drawn.faults.crashes += static_cast<int>(seed % 2);
    drawn.faults.failures += static_cast<int>(seed / 2 % 2);
    return drawn;
}

}  // namespace drydock::reference
