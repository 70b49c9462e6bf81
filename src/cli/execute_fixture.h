// Commands as they are typed, on a fake app: what they print, and their exit code.
#pragma once

#include "cli/execute.h"
#include "cli/sample.h"

#include <cstdlib>
#include <sstream>

namespace drydock::cli {

class StandingClock final : public os::Clock {
public:
    std::int64_t wall_ms() override { return 1'700'000'000'000; }

    std::int64_t monotonic_ms() override { return 0; }
};

// One console, and a fake app that nothing was asked of yet.
class Typist {
public:
    Typist() {
        unsetenv("DRYDOCK_CLUSTER");
        fake_app() = FakeApp();
    }

    int type(std::vector<std::string> arguments,
             bool terminal = false,
             const char* no_color = nullptr) {
        out_.str("");
        err_.str("");
        Console console = {out_, err_, clock_, "drydock", terminal, 100, no_color};
        return run(std::move(arguments), console);
    }

    static void answer_at_gate() {
        const auto plan = sample_plan();
        auto status = sample_status(sample_state(plan, "finish/gate", run::Status::open));
        status.open_gate = "point-of-no-return";
        status.open_gate_words = "behind this there is no way back";
        status.exit_code = app::k_exit_waiting;
        fake_app().run = status;
    }

protected:
    StandingClock clock_;
    std::ostringstream out_;
    std::ostringstream err_;
};

}  // namespace drydock::cli
