// Builds the environment of a command. It is small and the same for every way in which an agent is
// started, so that a step that works by ssh works under a service manager as well.
//
// HOME is in it because programs look there for what a person has set up: kubectl for the plugins
// that give it a token, git and pip for their configuration. The agent's own HOME may be that of
// the person who has called sudo, so the passwd entry decides.
#include "agent/command_environment.h"

#include "agent/action.h"
#include "os/process.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace drydock::agent {
namespace {

constexpr std::size_t k_entry_bytes_max = 16U << 10U;

// Returns the home folder of the effective user; nothing without an entry.
std::optional<std::string> read_home() {
    std::vector<char> buffer(k_entry_bytes_max);
    passwd entry = {};
    passwd* found = nullptr;
    const int error = ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
    const bool has_home = error == 0 && found != nullptr && found->pw_dir != nullptr;
    return has_home ? std::optional<std::string>(found->pw_dir) : std::nullopt;
}

}  // namespace

std::vector<std::string> command_environment(const Json& given) {
    static const std::optional<std::string> home = read_home();  // asking may go over the network
    auto variables = read_pairs(given);
    const bool has_home = std::any_of(variables.begin(), variables.end(), [](const auto& variable) {
        return variable.first == "HOME";
    });
    if (home && !has_home) {
        variables.emplace_back("HOME", *home);
    }
    return os::clean_environment(variables);
}

}  // namespace drydock::agent
