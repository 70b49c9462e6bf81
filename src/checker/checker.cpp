// One check from plan to report. The order: search all states, describe the first violation of each
// step property, try downgrades, look for stuck states, compare the return points.
//
// Step properties (quorum, skew, ...) are noted by the search itself. `no-way-back` and `stuck` are
// properties of states and need the finished search. A check that finds a violation may run twice:
// see check() at the end. The design is in docs/design/0004.
#include "checker/checker.h"

#include "checker/backward_reachability.h"
#include "checker/cluster_effects.h"
#include "checker/counterexample.h"
#include "checker/downgrade_check.h"
#include "checker/return_point_search.h"
#include "checker/termination.h"
#include "checker/violation_cause.h"
#include "checker/violation_remedy.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::checker {

namespace {

using run::Phase;

constexpr std::size_t k_worlds_at_once = 32;
constexpr const char* k_still_open = ", and it is open still: the point of no return is approved, "
                                     "and not passed";

// True if some member may come back by itself.
bool may_any_restart(const Model& model) {
    return std::any_of(model.members.begin(), model.members.end(), [&](const Member& member) {
        return model.restarts[member.role] && member.running != k_no_offset
               && member.installed != k_no_offset;
    });
}

// One check, with the parts that all of its steps share.
class Check {
public:
    Check(const model::Plan& plan, const Options& options)
        : options_(options)
        , model_(plan)
        , search_(model_, options)
        , downgrade_checker_(model_, options)
        , forward_(model::compare_versions(plan.from_version, plan.to_version) < 0
                   && downgrade_checker_.is_enabled()) {}

    Report run() {
        report_.faults = options_.faults;
        const bool is_complete = search_.run(wanted());
        for (std::size_t i = 0; i < k_properties; ++i) {
            const auto property = property_at(i);
            if (const auto& breach = search_.violation(property)) {
                add(property, walk_to(model_, options_, search_, *breach, property));
            }
        }
        examine_states(is_complete);
        fill(is_complete);
        return std::move(report_);
    }

private:
    [[nodiscard]] bool wants(Property property) const {
        const auto& properties = options_.properties;
        return properties.empty()
               || std::find(properties.begin(), properties.end(), property) != properties.end();
    }

    [[nodiscard]] PropertySet wanted() const {
        PropertySet properties = 0;
        for (std::size_t i = 0; i < k_properties; ++i) {
            properties |= wants(property_at(i)) ? mask_of(property_at(i)) : PropertySet{0};
        }
        return properties;
    }

    void add(Property property, Path walk) {
        report_.violations.push_back(describe_violation(model_, property, std::move(walk)));
    }

    // Checks the properties of states. `stuck` needs a complete search: a row without successors in
    // the store may only be unexpanded.
    void examine_states(bool is_complete) {
        if (wants(Property::no_way_back) && forward_) {
            check_ways_back();
        }
        if (wants(Property::stuck) && is_complete) {
            find_stuck();
        }
    }

    // Tries downgrades in the order of the search, in batches for two threads. So the first state
    // without a downgrade has a shortest path. Beyond a limit the report says that the rest was not
    // tried.
    void check_ways_back() {
        std::vector<std::uint32_t> start_ids;
        for (const std::uint32_t id : search_.in_order()) {
            const Byte* row = search_.row(id);
            if (!downgrade_checker_.applies(row) || downgrade_checker_.is_known(row)) {
                continue;
            }
            if (downgrade_checker_.tried() >= options_.downgrade_starts_max) {
                report_.not_modelled.push_back(
                    fmt::format("ways back were tried from the first {} worlds only",
                                downgrade_checker_.tried()));
                break;
            }
            downgrade_checker_.add(row);
            start_ids.push_back(id);
            if (start_ids.size() == k_worlds_at_once) {
                if (!check_downgrades(start_ids)) {
                    return;
                }
                start_ids.clear();
            }
        }
        (void)check_downgrades(start_ids);
    }

    // Returns false if a state has no downgrade; the first one is reported.
    bool check_downgrades(const std::vector<std::uint32_t>& start_ids) {
        downgrade_checker_.check_added();
        for (const std::uint32_t id : start_ids) {
            const std::string& reason = downgrade_checker_.failure_reason(search_.row(id));
            if (!reason.empty()) {
                add(Property::no_way_back, path_to(model_, options_, search_, id));
                report_.violations.back().because +=
                    (is_approved(model_, search_.row(id)) ? k_still_open : "") + (": " + reason);
                report_.violations.back().hint = remedy_of_way_back(reason);
                return false;
            }
        }
        return true;
    }

    // True if the operator has a way out beside going on: a downgrade that works, or a recovery
    // option of the plan for after the point of no return.
    [[nodiscard]] bool has_way_out(const Byte* row) {
        if (forward_ && downgrade_checker_.applies(row)
            && (!is_approved(model_, row) || downgrade_checker_.failure_reason(row).empty())) {
            return downgrade_checker_.failure_reason(row).empty();
        }
        const auto& ways = model_.plan.ways_back;
        return std::any_of(ways.begin(), ways.end(), [](const model::RecoveryOption& way) {
            return way.kind != model::RecoveryKind::downgrade;
        });
    }

    // Reports the first halted row from which no end is reachable. The fault-free run is checked
    // first, since its counterexample has no faults.
    void find_stuck() {
        if (check_fault_free_end()) {
            return;
        }
        const std::vector<bool> ends = can_terminate(model_, options_, search_);
        for (const std::uint32_t id : search_.in_order()) {
            const Byte* row = search_.row(id);
            const bool halted = phase_of(row) == Phase::halted;
            if (!ends[id] && halted && !has_way_out(row)) {
                add(Property::stuck, path_to(model_, options_, search_, id));
                return;
            }
        }
    }

    // Checks the run without faults: it must finish, and leave every member on the release that the
    // plan leads to. Returns true if it reported a violation, at the last halt or at the wrong
    // final state.
    bool check_fault_free_end() {
        Options fault_free = options_;
        fault_free.faults = k_no_faults;
        fault_free.judges_restarts = false;
        Search search(model_, fault_free);
        (void)search.run(0);
        const auto ids = search.in_order();
        bool finished = false;
        std::uint32_t last = ids.front();
        for (const std::uint32_t id : ids) {
            const Byte* row = search.row(id);
            last = phase_of(row) == Phase::halted ? id : last;
            if (phase_of(row) != Phase::finished) {
                continue;
            }
            finished = true;
            if (const std::string wrong = final_state_error(model_, row); !wrong.empty()) {
                report_fault_free(fault_free, search, id, "the plan is finished, but " + wrong);
                return true;
            }
        }
        if (!finished) {
            report_fault_free(
                fault_free, search, last, "the plan cannot be finished, even if nothing fails");
        }
        return !finished;
    }

    void report_fault_free(const Options& fault_free,
                           const Search& search,
                           std::uint32_t id,
                           const std::string& because) {
        Path walk = path_to(model_, fault_free, search, id);
        const std::string halt = reason_of_halt(model_, walk);
        const std::string hint = remedy_of_dead_end(model_, walk);
        add(Property::stuck, std::move(walk));
        report_.violations.back().hint = hint;
        report_.violations.back().because = because + (halt.empty() ? "" : ": ") + halt;
    }

    void fill(bool is_complete) {
        report_.states = search_.size();
        report_.transitions = search_.transitions();
        report_.bytes = search_.bytes();
        report_.depth = search_.depth();
        compare_return_points();
        report_.downgrade_starts = downgrade_checker_.tried();
        const auto& facts = downgrade_checker_.hangs_on();
        report_.hangs_on.assign(facts.begin(), facts.end());
        report_.verdict = !report_.violations.empty() ? Verdict::violated
                          : is_complete               ? Verdict::holds
                                                      : Verdict::unfinished;
        tell_not_modelled();
    }

    // Compares the planner's return point with the result of the search. Trying downgrades
    // overrides the laws: a downgrade shows every cause. If a law could fire before the plan
    // begins, the points are not compared.
    void compare_return_points() {
        const std::string planned = model_.plan.point_of_no_return.action;
        const bool closes_at_start =
            std::any_of(model_.format_transitions.begin(),
                        model_.format_transitions.end(),
                        [](const FormatTransition& rise) {
                            return rise.blocks_downgrade && rise.holds_at_start;
                        });
        if (search_.return_point()) {
            report_.return_point = model_.plan.actions[search_.return_point()->transition.index].id;
        }
        const bool is_searched = forward_ && !closes_at_start && wants(Property::no_way_back);
        auto hint = is_searched ? find_closing(model_, options_, downgrade_checker_) : std::nullopt;
        if (hint) {
            report_.return_point = hint->actions.empty() ? "" : hint->actions.front();
        }
        // Of several actions that may come first, the plan names one; so does the report.
        const auto& others = model_.plan.point_of_no_return.further_actions;
        if (is_like(report_.return_point, planned)
            || std::find(others.begin(), others.end(), report_.return_point) != others.end()) {
            report_.return_point = planned;
        }
        if (report_.return_point == planned || closes_at_start) {
            return;
        }
        report_.return_point_hint = std::move(hint);
        report_.note =
            fmt::format("the planner takes {} for the point of no return, the exploration finds {}",
                        planned.empty() ? "nothing" : planned,
                        report_.return_point.empty() ? "nothing" : report_.return_point);
    }

    // True for the same step of the pack, perhaps on another member.
    [[nodiscard]] bool is_like(const std::string& id, const std::string& other_id) const {
        const model::Action* a = model_.plan.find(id);
        const model::Action* b = model_.plan.find(other_id);
        return a != nullptr && b != nullptr && a->source == b->source;
    }

    void tell_not_modelled() {
        auto& list = report_.not_modelled;
        if (!model_.unmodelled.empty()) {
            list.push_back(
                fmt::format("conditions of {} actions are about facts without a law: they "
                            "were answered both ways, each \"no\" as a failure",
                            model_.unmodelled.size()));
        }
        list.emplace_back("time: how long anything takes, soaks, deadlines");
        list.emplace_back(
            "what a resume compares with the expected world, and two conductors at once");
        list.emplace_back("faults inside the system that its facts do not show");
        if (options_.faults.restart == 0 && may_any_restart(model_)) {
            list.emplace_back("what follows later from a member that starts by itself: such starts "
                              "are judged, and not followed");
        }
        if (model_.plan.kind != "rolling") {
            list.push_back(fmt::format("quorum: the procedure is {}", model_.plan.kind));
        }
        if (!downgrade_checker_.is_enabled()) {
            list.emplace_back("ways back: none was compiled");
        }
    }

    const Options& options_;
    Model model_;
    Search search_;
    DowngradeChecker downgrade_checker_;
    bool forward_;  // the plan upgrades, and its downgrade can be compiled
    Report report_;
};

bool finds(const Report& report, Property property) {
    return std::any_of(report.violations.begin(),
                       report.violations.end(),
                       [&](const Violation& violation) { return violation.property == property; });
}

}  // namespace

// Two reductions need a second look. Resolving local actions at once keeps verdicts but not
// lengths, so a violation is searched again without it, for the shortest counterexample. With lazy
// identities, `stuck` is asked of all members that may come next at once. That is stricter than
// asking each, so a stuck state is searched again with all identities. If the second search runs
// out of memory, the first report stands.
//
// A member that comes back by itself observes what is installed, so no action is local then.
Report check(const model::Plan& plan, const Options& asked) {
    Options options = asked;
    options.resolve_local = asked.resolve_local && asked.faults.restart == 0;
    Report first = Check(plan, options).run();
    if (!options.resolve_local || first.verdict != Verdict::violated) {
        return first;
    }
    Options whole = options;
    whole.resolve_local = false;
    whole.lazy_identity = options.lazy_identity && !finds(first, Property::stuck);
    Report second = Check(plan, whole).run();
    return second.verdict == Verdict::unfinished ? first : second;
}

}  // namespace drydock::checker
