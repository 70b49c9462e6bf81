// Observer: the one interface through which a run reports its progress. The executor calls it for
// each durable event, app for each hop of a journey. The live table is one; a test may be another.
//
// All calls come on the conductor's thread, and a slow observer slows the run. The plan and the
// state are borrowed for the call only.
#pragma once

#include "run/event.h"
#include "run/journey.h"
#include "run/state.h"

#include <string>

namespace drydock::run {

class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    // Called before the first event of a session that begins, continues or drains a run.
    virtual void on_start(const model::Plan& /*plan*/, const State& /*state*/) {}

    // Called for each event once it is durable. `state` is the state after its whole record.
    virtual void
    on_event(const Event& /*event*/, const model::Plan& /*plan*/, const State& /*state*/) {}

    // Called about twice a second while the run waits. `description` names the cause in a few
    // words: "m3: caught up with the others".
    virtual void on_wait(const std::string& /*description*/,
                         const model::Plan& /*plan*/,
                         const State& /*state*/) {}

    // Called up to twice a second with the progress of an action in flight. The event is not
    // durable.
    virtual void
    on_progress(const Event& /*progress*/, const model::Plan& /*plan*/, const State& /*state*/) {}

    // Called before a run of a journey begins or continues.
    virtual void on_journey(const Journey& /*journey*/) {}
};

}  // namespace drydock::run
