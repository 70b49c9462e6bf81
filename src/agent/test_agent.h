// AgentFixture: a scratch folder and a conversation with a real agent process, for tests of the
// whole agent.
#pragma once

#include "agent/test_world.h"
#include "os/clock.h"
#include "transport/transport.h"

#include <map>
#include <memory>

namespace drydock::agent {

// Returns the local transport; defined beside the tests, as only they may use it.
[[nodiscard]] std::unique_ptr<transport::Transport> make_test_transport();
// Returns the path of the agent's program.
[[nodiscard]] std::string test_agent_program();

constexpr int k_first_of_calls = 1'000'000;

class AgentFixture : protected Scratch {
protected:
    void connect(std::vector<std::string> environment = {}) {
        std::vector<std::string> argv = {"env"};
        argv.insert(argv.end(), environment.begin(), environment.end());
        conversation_.reset();
        conversation_ =
            transport_->open({"here", argv, {}, test_agent_program(), path("state")}).value();
    }

    void ask(Json request, int number) {
        request.set("n", number);
        CHECK(conversation_->send(request).has_value());
    }

    // Returns the answer to that number; null if the stream ends or 20 s pass.
    Json answer(int number) {
        os::RealClock clock;
        const auto deadline_ms = clock.monotonic_ms() + 20'000;
        while (clock.monotonic_ms() < deadline_ms) {
            if (const auto hit = answers_.find(number); hit != answers_.end()) {
                return hit->second;
            }
            transport_->wait({conversation_.get()}, 100);
            const auto frames = conversation_->receive();
            if (!frames) {
                ended_ = frames.error();
                return {};
            }
            for (const auto& frame : *frames) {
                const auto key = static_cast<int>(frame["n"].as_int());
                (frame.contains("progress") ? progress_ : answers_)[key] = frame;
            }
        }
        return {};
    }

    // Sends a request and returns its answer. Its number is above all numbers that a test gives.
    Json call(Json request) {
        ask(std::move(request), ++last_);
        return answer(last_);
    }

    static Json exec(const std::string& action, Json request, int epoch = 1) {
        Json frame = json(R"({"do":"exec","run":"r1","attempt":1})");
        frame.set("action", action);
        frame.set("epoch", epoch);
        return frame.set("request", std::move(request));
    }

    static Json attach(const std::string& action) {
        return json(R"({"do":"attach","run":"r1","attempt":1})").set("action", action);
    }

    static Json shell(const std::string& script) {
        Json request = json(R"({"kind":"command","timeout_ms":10000})");
        return request.set("argv", Json(Json::Array{"sh", "-c", script}));
    }

    std::unique_ptr<transport::Transport> transport_ = make_test_transport();
    std::unique_ptr<transport::Conversation> conversation_;
    std::map<int, Json> answers_;
    std::map<int, Json> progress_;
    std::optional<Error> ended_;
    int last_ = k_first_of_calls;
};

}  // namespace drydock::agent
