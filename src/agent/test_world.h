// Shared by the agent's tests: a scratch folder with its files, and JSON from text.
//
// The folder goes with the test. Every process that works in it, or names it in its arguments, is
// ended first.
#pragma once

#include "base/check.h"
#include "base/json.h"
#include "os/files.h"
#include "os/process.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace drydock::agent {

inline Json json(const std::string& text) {
    auto value = Json::parse(text);
    CHECK(value.has_value());
    return *value;
}

// Waits until the condition holds. A test fails after 20 s and never hangs.
template <typename Condition>
void wait_until(const Condition& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            throw std::runtime_error("20 s went by, and what was waited for did not come");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

class Scratch {
public:
    Scratch() {
        std::string name = std::filesystem::temp_directory_path() / "drydock-agent.XXXXXX";
        CHECK(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
    }

    ~Scratch() {
        for (const pid_t pid : os::list_processes().value_or(os::ProcessList()).pids) {
            end_if_ours(pid);
        }
        std::error_code error;
        std::filesystem::remove_all(folder_, error);
    }

    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

    void write(const std::string& name, const std::string& text) const {
        CHECK(os::write_file_durable(path(name), text, 0755).has_value());
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        return os::read_file(path(name), 1U << 24U).value_or("");
    }

protected:
    std::string folder_;

private:
    void end_if_ours(pid_t pid) const {
        const auto result = os::find_process(pid);
        const auto process = result ? *result : std::nullopt;
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

}  // namespace drydock::agent
