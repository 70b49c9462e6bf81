// What the agent's tests share: a scratch folder, an agent to talk to through the real transport,
// and programs that are ended with the test.
#pragma once

#include "agent/key.h"
#include "os/clock.h"
#include "os/files.h"
#include "os/process.h"
#include "transport/local/local.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace drydock::agent {

inline Json json(const std::string& text) {
    auto value = Json::parse(text);
    EXPECT_TRUE(value) << text;
    return value.value_or(Json());
}

class Scratch : public testing::Test {
protected:
    Scratch() {
        std::string name = testing::TempDir() + "drydock-agent.XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }

    ~Scratch() override {
        for (const pid_t pid : os::all_processes()) {
            end_if_ours(pid);
        }
        std::error_code error;
        std::filesystem::remove_all(folder_, error);
    }

    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

    void write(const std::string& name, const std::string& text) const {
        EXPECT_TRUE(os::write_file_durable(path(name), text, 0755));
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        return os::read_file(path(name), 1U << 24U).value_or("");
    }

    std::string folder_;

private:
    // All that the tests start has the scratch folder in its arguments or works in it.
    void end_if_ours(pid_t pid) const {
        const auto process = os::read_process(pid);
        const auto mentions = [this](const std::string& text) {
            return text.find(folder_) != std::string::npos;
        };
        if (process && pid != ::getpid()
            && (mentions(process->folder)
                || std::any_of(process->arguments.begin(), process->arguments.end(), mentions))) {
            ::kill(pid, SIGKILL);
        }
    }
};

// A conversation with a real agent process.
class AgentTest : public Scratch {
protected:
    void connect(std::vector<std::string> environment = {}) {
        std::vector<std::string> argv = {"env"};
        argv.insert(argv.end(), environment.begin(), environment.end());
        conversation_.reset();
        conversation_ = transport_.open({"here", argv, {}, DRYDOCK_AGENT, path("state")}).value();
    }

    void ask(Json request, int number) {
        request.set("n", number);
        ASSERT_TRUE(conversation_->send(request));
    }

    // The answer to that number; null when the stream ends or 20 s pass.
    Json answer(int number) {
        os::RealClock clock;
        const auto deadline_ms = clock.monotonic_ms() + 20'000;
        while (clock.monotonic_ms() < deadline_ms) {
            if (const auto hit = answers_.find(number); hit != answers_.end()) {
                return hit->second;
            }
            transport_.wait({conversation_.get()}, 100);
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

    transport::LocalTransport transport_;
    std::unique_ptr<transport::Conversation> conversation_;
    std::map<int, Json> answers_;
    std::map<int, Json> progress_;
    std::optional<Error> ended_;
    int last_ = 0;
};

}  // namespace drydock::agent
