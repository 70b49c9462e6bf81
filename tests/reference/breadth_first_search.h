// Walk: breadth first through every world, with the shortest way to each.
#pragma once

#include "reference/reference.h"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace drydock::reference {

[[nodiscard]] inline bool is_in(const World& world, run::Phase phase) {
    return world.run.front() == static_cast<run::State::Cell>(phase);
}

struct Place {
    int depth = 0;
    const World* from = nullptr;
    std::string how;
};

// Every world that is reached, with the shortest way to it; and each broken property, likewise.
class Walk {
public:
    Walk(Model& model,
         const checker::Faults& faults,
         const Request& request,
         bool first_only = false)
        : model_(model)
        , faults_(faults)
        , pace_(request.pace)
        , worlds_max_(request.downgrade_starts_max)
        , first_only_(first_only) {}

    // False: there were too many.
    bool run() {
        order_.push_back(&places_.emplace(model_.first, Place{}).first->first);
        for (std::size_t i = 0; i < order_.size(); ++i) {
            if (places_.size() > worlds_max_) {
                return false;
            }
            for (Step& step : steps(model_, *order_[i], faults_, pace_)) {
                take(*order_[i], std::move(step));
            }
            if (first_only_ && !broken_.empty()) {
                return true;
            }
        }
        return true;
    }

    [[nodiscard]] const std::vector<const World*>& order() const { return order_; }

    [[nodiscard]] const std::map<checker::Property, Finding>& broken() const { return broken_; }

    [[nodiscard]] Finding way_to(const World& world) const {
        Finding finding;
        for (const World* at = &world; at != nullptr; at = places_.at(*at).from) {
            const Place& place = places_.at(*at);
            if (place.from != nullptr) {
                finding.story.insert(finding.story.begin(), place.how);
            }
        }
        finding.length = static_cast<int>(finding.story.size());
        return finding;
    }

    [[nodiscard]] int depth(const World& world) const { return places_.at(world).depth; }

    [[nodiscard]] const World* find(const World& world) const {
        const auto it = places_.find(world);
        return it == places_.end() ? nullptr : &it->first;
    }

private:
    void take(const World& from, Step step) {
        for (const checker::Property property : step.broken) {
            if (!broken_.contains(property)) {
                Finding finding = way_to(from);
                ++finding.length;
                finding.story.push_back(step.what);
                broken_.emplace(property, std::move(finding));
            }
        }
        const int depth = places_.at(from).depth + 1;
        const auto [at, fresh] =
            places_.try_emplace(std::move(step.to), Place{depth, &from, step.what});
        if (fresh) {
            order_.push_back(&at->first);
        }
    }

    Model& model_;
    checker::Faults faults_;
    Pace pace_;
    std::size_t worlds_max_;
    bool first_only_;
    std::map<World, Place> places_;
    std::vector<const World*> order_;  // as reached: by depth
    std::map<checker::Property, Finding> broken_;
};

}  // namespace drydock::reference
