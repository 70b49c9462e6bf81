// The laws of what happens in a drawn plan: of its roles and stores here, of its steps in
// random_law_steps.cpp.
#pragma once

#include "reference/random_cluster.h"
#include "reference/random_plan.h"

namespace drydock::reference {

class LawDrawer : ClusterDrawer {
public:
    // Starts that must be alone need much at once, so some plans are made for them.
    LawDrawer(std::uint64_t seed, Plan plan) : ClusterDrawer(seed), starts_alone_(seed % 8 >= 5) {
        plan_ = std::move(plan);
    }

    Drawn draw(Drawn drawn);
    // Adds laws that came later: plans of the first ones stay as they were.
    Drawn draw_later(Drawn drawn);

private:
    void draw_role(PlanRole& role);
    void draw_groups(PlanRole& role);
    void draw_voters(const PlanRole& role);
    void draw_leaders(const PlanRole& role);
    void draw_store(PlanStore& store);
    void draw_triggers(PlanStore& store);
    void draw_starts_on(PlanStore& store);
    void draw_clean_stop(PlanStore& store);
    void draw_axis(PlanStore& store);

    void stop_all_first();
    void draw_steps();
    void draw_temporary();
    void draw_copies_and_restores();
    void draw_half_done();
    void draw_alone();
    void draw_plain_run();
    void let_starts_be_alone();
    void draw_own_raises();
    void draw_votes();
    void draw_return_point();
    void draw_half_done_together();
    void draw_down_meanwhile();

    [[nodiscard]] PlanStore& any_store() { return plan_.stores[any(plan_.stores.size())]; }

    [[nodiscard]] std::string any_member();
    [[nodiscard]] std::vector<std::size_t> steps_on_hosts() const;
    [[nodiscard]] bool has_fact(const std::string& member, const std::string& name) const;
    [[nodiscard]] Json value_of(const std::string& key) const;
    // Adds an action that does something, at this place of the plan.
    model::Action& insert(std::size_t place, model::Verb verb, const std::string& member);
    void becomes(model::Action& action, const std::string& fact, const Json& value);
    [[nodiscard]] checker::CompileDowngrade draw_back();

    bool starts_alone_;
};

}  // namespace drydock::reference
