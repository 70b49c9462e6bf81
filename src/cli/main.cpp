// The program. A command line that begins with `agent` starts the agent at once.
//
// An agent is started often and must be small, so it is served before the parser and the screens
// are built. Every other command line goes to cli::run().
#include "agent/serve.h"
#include "base/hash.h"
#include "cli/execute.h"
#include "os/process.h"

#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace {

// Returns the path of this program, from which agents on this machine are started.
std::string program_path(const char* argv0) {
    const std::string path = drydock::os::own_program();
    return path.empty() ? argv0 : path;
}

// Draws the key of this process's escape sequences, so that no text of a host can look like one
// (screen.h).
std::string random_key() {
    std::array<std::uint8_t, 8> bytes{};
    const bool filled =
        getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    return filled ? drydock::to_hex(bytes) : std::string("00");
}

// A window below 40 columns is treated as unknown: tables would be cut to nothing.
std::size_t terminal_width() {
    winsize size{};
    const bool has_width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40;
    return has_width ? size.ws_col : 100;
}

}  // namespace

// The order matters: nothing secret is in memory before keep_memory_private(), and no text is
// printed before the escape key is set.
int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool asks_for_help =
        arguments.size() == 2 && (arguments[1] == "--help" || arguments[1] == "-h");
    if (!arguments.empty() && arguments.front() == "agent" && !asks_for_help) {
        arguments.erase(arguments.begin());
        return drydock::agent::agent_main(arguments);
    }
    drydock::os::keep_memory_private();
    drydock::cli::set_escape_key(random_key());
    drydock::os::RealClock clock;
    drydock::cli::Console console = {
        std::cout,
        std::cerr,
        clock,
        program_path(argc > 0 ? argv[0] : "drydock"),
        isatty(STDOUT_FILENO) == 1,
        terminal_width(),
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
        std::getenv("NO_COLOR")};
    return drydock::cli::run(std::move(arguments), console);
}
