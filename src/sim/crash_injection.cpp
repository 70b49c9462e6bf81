// The places at which a conductor can crash, and the order of events around a commit.
//
// A commit counts its record, may crash before it, loses time, may fail by its fault, writes, loses
// time and may crash after it. The third crash point follows in wait(): the commands have left by
// then. Where the session tries a commit again, its record is not counted twice.
#include "sim/crash_injection.h"

#include "base/coverage_mark.h"

namespace drydock::sim {

namespace {

// A conversation that may stand still before each frame that it sends.
class CrashInjectingConversation final : public transport::Conversation {
public:
    CrashInjectingConversation(std::unique_ptr<transport::Conversation> inner,
                               CrashInjectingJournal& journal)
        : inner_(std::move(inner))
        , journal_(journal) {}

    [[nodiscard]] Status send(const Json& frame) override {
        journal_.stand_still();
        return inner_->send(frame);
    }

    [[nodiscard]] Result<std::vector<Json>> receive() override { return inner_->receive(); }

    [[nodiscard]] int descriptor() const override { return inner_->descriptor(); }

    [[nodiscard]] bool wants_write() const override { return inner_->wants_write(); }

private:
    std::unique_ptr<transport::Conversation> inner_;
    CrashInjectingJournal& journal_;
};

}  // namespace

CrashInjectingJournal::CrashInjectingJournal(std::unique_ptr<journal::Journal> inner,
                                             const CrashPoint& death,
                                             Meanwhile meanwhile,
                                             std::function<CommitFault()> fault,
                                             Delays delays)
    : inner_(std::move(inner))
    , crash_point_(death)
    , meanwhile_(std::move(meanwhile))
    , fault_(std::move(fault))
    , delays_(std::move(delays)) {
}

// A conductor hangs once: after it wakes up, its crash point has no further effect.
void CrashInjectingJournal::maybe_crash(CrashPoint::Moment moment) {
    if (records_ != crash_point_.record || moment != crash_point_.moment
        || crash_point_.record == 0) {
        return;
    }
    if (!crash_point_.hangs) {
        throw SimulatedCrash{};
    }
    if (!std::exchange(slept_, true)) {
        COVERAGE_MARK("sim: a conductor hangs");
        meanwhile_(*inner_);
    }
}

// Wraps one write of the journal. With CommitFault::unknown the record is written but the call
// fails, so the session has to find out.
template <class T>
Result<T> CrashInjectingJournal::commit(const std::function<Result<T>()>& write) {
    ++records_;
    maybe_crash(CrashPoint::Moment::before_commit);
    delays_.commit();
    const CommitFault fault = fault_();
    if (fault == CommitFault::full) {
        COVERAGE_MARK("sim: the journal's disk is full");
        return fail("journal.full", "the journal's disk is full", "free some, then drydock resume");
    }
    if (fault == CommitFault::busy) {
        --records_;  // it is tried again
        return fail("journal.busy", "another process keeps it locked", "", ErrorClass::transient);
    }
    auto written = write();
    delays_.standstill();
    maybe_crash(CrashPoint::Moment::after_commit);
    if (fault == CommitFault::unknown && written) {
        COVERAGE_MARK("sim: the answer of a commit is lost");
        --records_;
        return fail("journal.io", "the answer is lost", "", ErrorClass::unknown_outcome);
    }
    return written;
}

Result<journal::Lease> CrashInjectingJournal::begin_run(const journal::RunCreation& birth) {
    return commit<journal::Lease>([&] { return inner_->begin_run(birth); });
}

Result<journal::Head> CrashInjectingJournal::append(const std::string& run,
                                                    const journal::Head& head,
                                                    const journal::Entry& entry) {
    return commit<journal::Head>([&] { return inner_->append(run, head, entry); });
}

Result<std::unique_ptr<transport::Conversation>>
CrashInjectingTransport::open(const transport::HostAddress& host) {
    journal_.stand_still();
    DRYDOCK_TRY_ASSIGN(auto inner, inner_.open(host));
    return std::make_unique<CrashInjectingConversation>(std::move(inner), journal_);
}

// All frames of this turn have left when a conductor waits.
void CrashInjectingTransport::wait(const std::vector<transport::Conversation*>& conversations,
                                   std::int64_t timeout_ms) {
    journal_.maybe_crash(CrashPoint::Moment::after_send);
    journal_.stand_still();
    if (before_wait_) {
        before_wait_();
        timeout_ms = std::min(timeout_ms, k_directed_ms_max);
    }
    inner_.wait(conversations, timeout_ms);
}

}  // namespace drydock::sim
