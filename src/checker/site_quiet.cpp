// Independence: which actions are local, and which commute with each other. Decided once, from the
// plan alone.
//
// A local action touches only bytes that no concurrent action reads or writes. So no other step can
// observe whether it is in flight, lost or not begun. An independent action moves nothing at all.
// The conditions are sufficient, not necessary; each stands in docs/design/0004, "Quiet actions"
// and "One order".
#include "checker/site_parts.h"

#include <algorithm>

namespace drydock::checker {

namespace {

// The transitive closure of the prerequisites.
class Order {
public:
    explicit Order(const run::Program& program)
        : size_(program.actions())
        , is_before_(size_ * size_, false) {
        for (std::size_t i = 0; i < size_; ++i) {
            for (const std::size_t prerequisite : program.after(i)) {
                is_before_[i * size_ + prerequisite] = true;
                for (std::size_t k = 0; k < size_; ++k) {
                    is_before_[i * size_ + k] =
                        is_before_[i * size_ + k] || is_before_[prerequisite * size_ + k];
                }
            }
        }
    }

    // True if both may be in flight at once.
    [[nodiscard]] bool side_by_side(std::size_t a, std::size_t b) const {
        return a != b && !is_before_[a * size_ + b] && !is_before_[b * size_ + a];
    }

private:
    std::size_t size_;
    std::vector<bool> is_before_;
};

// True if the byte may change without an action that writes it: by a death, a start or a law.
bool moves_by_itself(const Site& site, Place offset) {
    const bool of_member =
        std::any_of(site.members.begin(), site.members.end(), [&](const auto& m) {
            return offset == m.running || offset == m.ready || offset == m.service;
        });
    return of_member
           || std::any_of(site.stores.begin(), site.stores.end(), [&](const Store& store) {
                  return std::any_of(
                      store.levels.begin(), store.levels.end(), [&](const auto& levels) {
                          return std::find(levels.begin(), levels.end(), offset) != levels.end();
                      });
              });
}

bool asks(const std::vector<Question>& questions, Place offset) {
    return std::any_of(questions.begin(), questions.end(), [&](const Question& question) {
        return std::any_of(question.targets.begin(),
                           question.targets.end(),
                           [&](const auto& target) { return target.at == offset; });
    });
}

bool writes(const Act& act, Place offset) {
    return std::any_of(act.writes.begin(), act.writes.end(), [&](const Write& write) {
        return write.at == offset;
    });
}

bool touches(const Act& act, Place offset) {
    return writes(act, offset) || asks(act.when, offset) || asks(act.guard, offset)
           || asks(act.then, offset) || asks(act.happened, offset);
}

bool is_about(const std::vector<Question>& questions, int member) {
    return std::any_of(questions.begin(), questions.end(), [&](const Question& question) {
        return std::any_of(question.targets.begin(),
                           question.targets.end(),
                           [&](const auto& target) { return target.member == member; });
    });
}

class Quiet {
public:
    explicit Quiet(const Site& site) : site_(site), order_(site.program) {}

    [[nodiscard]] bool is_quiet(std::size_t action) const {
        const Act& act = site_.acts[action];
        const bool alone = is_member_unobserved(action);
        return is_plain(action) && (alone || (!act.starts && !act.takes_down))
               && asks_itself(action, act.then, alone) && asks_itself(action, act.happened, alone)
               && std::all_of(act.writes.begin(), act.writes.end(), [&](const Write& write) {
                      return is_own(action, write.at, alone);
                  });
    }

private:
    // True if the action may be repeated, and only sets facts, starts or stops. Serving facts are
    // excluded where sides are switched: writes depend on them.
    [[nodiscard]] bool is_plain(std::size_t action) const {
        const Act& act = site_.acts[action];
        const bool facts_only = act.raises.empty() && act.lowers.empty() && act.copies.empty()
                                && act.destroyed.empty() && !act.destroys && !act.restores;
        return facts_only && site_.program.acts(action) && act.ran == k_nowhere && act.when.empty()
               && (!act.moves_world || site_.serving == k_nowhere);
    }

    // True if no concurrent action passes the test.
    template <class Test>
    [[nodiscard]] bool none_concurrent(std::size_t action, const Test& test) const {
        for (std::size_t i = 0; i < site_.acts.size(); ++i) {
            if (order_.side_by_side(i, action) && test(site_.acts[i])) {
                return false;
            }
        }
        return true;
    }

    // True if no concurrent action depends on whether the member is up: by a condition, by a quorum
    // or by a store. Laws that read `running` rule it out, too.
    [[nodiscard]] bool is_member_unobserved(std::size_t action) const {
        const int member = site_.acts[action].member;
        if (member < 0
            || std::any_of(
                site_.rises.begin(),
                site_.rises.end(),
                [](const Rise& rise) {
                    return rise.raises == model::Raises::when_all
                           || rise.raises == model::Raises::on_start;
                })) {
            return false;
        }
        const int role = site_.members[static_cast<std::size_t>(member)].role;
        const bool counted = site_.quorum[static_cast<std::size_t>(role)] > 0;
        return none_concurrent(action, [&](const Act& act) {
            return (counted && act.takes_down) || !act.raises.empty() || !act.lowers.empty()
                   || is_about(act.when, member) || is_about(act.guard, member)
                   || is_about(act.then, member) || is_about(act.happened, member);
        });
    }

    // True if no concurrent action reads or writes the byte.
    [[nodiscard]] bool is_own(std::size_t action, Place offset, bool alone) const {
        const int member = site_.acts[action].member;
        return may_move(action, offset, alone) && none_concurrent(action, [&](const Act& act) {
                   return touches(act, offset) || (member >= 0 && act.member == member);
               });
    }

    // True if all targets are facts of its own member that no concurrent action writes.
    [[nodiscard]] bool
    asks_itself(std::size_t action, const std::vector<Question>& questions, bool alone) const {
        const auto is_own_target = [&](const Question::Target& target) {
            if (target.at == k_nowhere) {  // nondeterministic in any state
                return target.member < 0 || target.member == site_.acts[action].member;
            }
            return target.member >= 0 && target.member == site_.acts[action].member
                   && may_move(action, target.at, alone)
                   && none_concurrent(action,
                                      [&](const Act& act) { return writes(act, target.at); });
        };
        return std::all_of(questions.begin(), questions.end(), [&](const Question& question) {
            return !question.only_up
                   && std::all_of(question.targets.begin(), question.targets.end(), is_own_target);
        });
    }

    // True if the byte cannot move by itself, or is an up-down fact of an unobserved member.
    [[nodiscard]] bool may_move(std::size_t action, Place offset, bool alone) const {
        if (!moves_by_itself(site_, offset)) {
            return true;
        }
        const int index = site_.acts[action].member;
        if (!alone || index < 0) {
            return false;
        }
        const Member& member = site_.members[static_cast<std::size_t>(index)];
        return offset == member.running || offset == member.ready || offset == member.service;
    }

    const Site& site_;
    Order order_;
};

}  // namespace

void add_quiet(Site& site) {
    const Quiet quiet(site);
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        site.acts[i].quiet = quiet.is_quiet(i);
    }
}

// Plans with interchangeable actions have no independent ones: the surplus of a group depends on
// the budgets, and a failure changes them.
void add_apart(Site& site) {
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        Act& act = site.acts[i];
        act.apart = site.crowds == 0 && site.program.acts(i) && act.ran == k_nowhere
                    && !act.moves_world && !act.takes_down && act.then.empty();
    }
}

}  // namespace drydock::checker
