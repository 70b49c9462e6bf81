#include "checker/checker.h"

#include "checker/back.h"
#include "checker/story.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::checker {

namespace {

using run::Phase;

// One check: the parts that all of it needs.
class Check {
public:
    Check(const model::Plan& plan, const Options& options)
        : options_(options)
        , site_(plan)
        , search_(site_, options)
        , back_(site_, options) {}

    Report run() {
        report_.faults = options_.faults;
        const bool all = search_.run(wanted());
        for (std::size_t i = 0; i < k_properties; ++i) {
            const auto property = static_cast<Property>(i);
            if (const auto& breach = search_.breach(property)) {
                add(property, walk_to(site_, options_, search_, *breach, property));
            }
        }
        look_at_states(all);
        fill(all);
        return std::move(report_);
    }

private:
    [[nodiscard]] bool wants(Property property) const {
        const auto& some = options_.properties;
        return some.empty() || std::find(some.begin(), some.end(), property) != some.end();
    }

    [[nodiscard]] Broken wanted() const {
        Broken all = 0;
        for (std::size_t i = 0; i < k_properties; ++i) {
            all |= wants(static_cast<Property>(i)) ? bit_of(static_cast<Property>(i)) : Broken{0};
        }
        return all;
    }

    void add(Property property, Walk walk) {
        report_.violations.push_back(tell(site_, property, std::move(walk)));
    }

    // What no single step breaks: ways back from each world, and ends.
    void look_at_states(bool all) {
        const bool forward =
            model::compare_versions(site_.plan.from, site_.plan.to) < 0 && back_.are_there();
        if (wants(Property::no_way_back) && forward) {
            try_ways_back();
        }
        if (wants(Property::stuck) && all) {
            find_stuck(forward);
        }
    }

    void try_ways_back() {
        for (const std::uint32_t id : search_.in_order()) {
            const Byte* row = search_.row(id);
            if (!back_.is_asked(row) || back_.is_known(row)) {
                continue;
            }
            if (back_.tried() >= options_.worlds_max) {
                report_.not_modelled.push_back(fmt::format(
                    "ways back were tried from the first {} worlds only", back_.tried()));
                return;
            }
            const std::string& why = back_.why_not(row);
            if (!why.empty()) {
                add(Property::no_way_back, walk_to(site_, options_, search_, id));
                report_.violations.back().because += ": " + why;
                return;
            }
        }
    }

    // A person may still go back from where it halted, or use what the plan names for after the
    // point of no return.
    [[nodiscard]] bool has_other_end(const Byte* row, bool forward) {
        if (forward && back_.is_asked(row)) {
            return back_.why_not(row).empty();
        }
        const auto& ways = site_.plan.ways_back;
        return std::any_of(ways.begin(), ways.end(), [](const model::WayBack& way) {
            return way.kind != "downgrade";
        });
    }

    void find_stuck(bool forward) {
        if (!can_finish(site_, options_)) {
            tell_never_finished();
            return;
        }
        const std::vector<bool> ends = can_end(site_, options_, search_);
        for (const std::uint32_t id : search_.in_order()) {
            const Byte* row = search_.row(id);
            const bool halted = row[0] == static_cast<Byte>(Phase::halted);
            if (!ends[id] && halted && !has_other_end(row, forward)) {
                add(Property::stuck, walk_to(site_, options_, search_, id));
                return;
            }
        }
    }

    // Even if nothing fails: the first place at which it halts.
    void tell_never_finished() {
        Options calm = options_;
        calm.faults = {0, 0, 0, 0, 0};
        Search search(site_, calm);
        (void)search.run(0);
        std::uint32_t last = k_nobody;
        for (const std::uint32_t id : search.in_order()) {
            const bool halted = search.row(id)[0] == static_cast<Byte>(Phase::halted);
            last = halted ? id : last;
        }
        add(Property::stuck,
            walk_to(site_, calm, search, last == k_nobody ? search.in_order().front() : last));
        report_.violations.back().because = "the plan cannot be finished, even if nothing fails";
    }

    void fill(bool all) {
        report_.states = search_.size();
        report_.transitions = search_.transitions();
        report_.bytes = search_.bytes();
        report_.depth = search_.depth();
        report_.worlds = back_.tried();
        report_.verdict = !report_.violations.empty() ? Verdict::violated
                          : all                       ? Verdict::holds
                                                      : Verdict::unfinished;
        compare_return_points();
        tell_not_modelled();
    }

    void compare_return_points() {
        const std::string planned = site_.plan.point_of_no_return.action;
        if (search_.closing()) {
            report_.closes = site_.plan.actions[search_.closing()->choice.index].id;
        }
        const auto own = std::any_of(site_.rises.begin(), site_.rises.end(), [](const Rise& rise) {
            return rise.closes && rise.from_the_start;
        });
        if (report_.closes != planned && !own && !is_like(report_.closes, planned)) {
            report_.note = fmt::format(
                "the planner takes {} for the point of no return, the exploration finds {}",
                planned.empty() ? "nothing" : planned,
                report_.closes.empty() ? "nothing" : report_.closes);
        }
    }

    // The same step on another member that the plan treats alike.
    [[nodiscard]] bool is_like(const std::string& one, const std::string& other) const {
        const model::Action* a = site_.plan.find(one);
        const model::Action* b = site_.plan.find(other);
        return a != nullptr && b != nullptr && a->source == b->source;
    }

    void tell_not_modelled() {
        auto& list = report_.not_modelled;
        if (!site_.unmodelled.empty()) {
            list.push_back(
                fmt::format("conditions of {} actions are about facts without a law: they "
                            "were answered both ways, each \"no\" as a failure",
                            site_.unmodelled.size()));
        }
        list.emplace_back("time: how long anything takes, soaks, deadlines");
        list.emplace_back(
            "what a resume compares with the expected world, and two conductors at once");
        list.emplace_back("faults inside the system that its facts do not show");
        if (site_.plan.kind != "rolling") {
            list.push_back(fmt::format("quorum: the procedure is {}", site_.plan.kind));
        }
        if (!back_.are_there()) {
            list.emplace_back("ways back: none was compiled");
        }
    }

    const Options& options_;
    Site site_;
    Search search_;
    WaysBack back_;
    Report report_;
};

}  // namespace

Report check(const model::Plan& plan, const Options& options) {
    return Check(plan, options).run();
}

}  // namespace drydock::checker
