// Execute: one typed command, carried out through app and shown. Knows no implementation.
#pragma once

#include "cli/invocation.h"
#include "cli/screen.h"
#include "os/clock.h"

#include <iosfwd>
#include <string>

namespace drydock::cli {

// Where a command speaks, and what it knows of its surroundings.
struct Console {
    std::ostream& out;
    std::ostream& err;
    os::Clock& clock;
    std::string program;    // path of the running drydock
    bool terminal = false;  // `out` is one
    std::size_t width = 100;
    const char* no_color = nullptr;  // the variable NO_COLOR
};

// Answers the exit code (docs/commands.md).
[[nodiscard]] int execute(const Invocation& invocation, Console& console);
// Parses, then executes.
[[nodiscard]] int run(std::vector<std::string> arguments, Console& console);

}  // namespace drydock::cli
