#include "sim/mortal.h"

#include "base/probe.h"

namespace drydock::sim {

MortalJournal::MortalJournal(std::unique_ptr<journal::Journal> inner,
                             const Death& death,
                             Meanwhile meanwhile,
                             std::function<bool()> full)
    : inner_(std::move(inner))
    , death_(death)
    , meanwhile_(std::move(meanwhile))
    , full_(std::move(full)) {
}

void MortalJournal::pass(Death::Where where) {
    if (records_ != death_.record || where != death_.where || death_.record == 0) {
        return;
    }
    if (!death_.hangs) {
        throw Killed{};
    }
    if (!std::exchange(slept_, true)) {
        PROBE("sim: a conductor hangs");
        meanwhile_(*inner_);
    }
}

Result<journal::Head> MortalJournal::append(const std::string& run,
                                            std::int64_t wall_ms,
                                            const std::vector<Json>& events) {
    ++records_;
    pass(Death::Where::before_commit);
    if (full_()) {
        PROBE("sim: the journal's disk is full");
        return fail("journal.full", "the journal's disk is full", "free some, then drydock resume");
    }
    auto head = inner_->append(run, wall_ms, events);
    pass(Death::Where::after_commit);
    return head;
}

}  // namespace drydock::sim
