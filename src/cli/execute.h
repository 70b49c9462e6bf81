// Start here: one typed command is parsed (invocation.h, commands.cpp), executed by a method of
// Command (command.h, execute*.cpp), and shown. Then render.h (the screens as pure functions),
// json.h (the same for machines), and observers.h (a run while it goes). screen.h and visible.h are
// the layer below: columns, colour, harmless text.
//
// This folder calls app/ and knows no implementation. All text for people is formatted by say()
// (say.h).
#pragma once

#include "cli/invocation.h"
#include "cli/screen.h"
#include "os/clock.h"

#include <iosfwd>
#include <string>

namespace drydock::mover::tree {
class Team;
}

namespace drydock::cli {

// The streams that a command writes to, and the facts about its terminal.
struct Console {
    std::ostream& output;
    std::ostream& errors;
    os::Clock& clock;
    std::string program;    // path of the running drydock
    bool terminal = false;  // `output` is one
    std::size_t width = 100;
    const char* no_color = nullptr;     // the variable NO_COLOR
    mover::tree::Team* team = nullptr;  // this process is rank 0 of it
};

// Executes the command and returns the exit code (docs/commands.md).
[[nodiscard]] int execute(const Invocation& invocation, Console& console);
// Parses the arguments, then executes the command.
[[nodiscard]] int run(std::vector<std::string> arguments, Console& console);

}  // namespace drydock::cli
