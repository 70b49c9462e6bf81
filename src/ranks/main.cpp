// `drydock-ranks`: what a launcher of MPI starts on each node for `drydock copy --nodes`.
//
// Rank 0 runs the command as drydock does; the others help it with the copy. Memory is not kept
// private as in drydock: MPI passes messages between processes of one host through it, and a copy
// knows no secrets.
#include "base/hash.h"
#include "cli/execute.h"
#include "mover/tree/helper.h"
#include "os/stop_request.h"
#include "ranks/mpi_team.h"

#include <sys/random.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace {

std::string random_key() {
    std::array<std::uint8_t, 8> bytes{};
    const bool filled =
        getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    return filled ? drydock::to_hex(bytes) : std::string("00");
}

int run_command(std::vector<std::string> arguments,
                const char* program,
                drydock::ranks::MpiTeam& team) {
    drydock::cli::set_escape_key(random_key());
    drydock::os::RealClock clock;
    drydock::cli::Console console = {std::cout, std::cerr, clock, program};
    console.no_color = std::getenv("NO_COLOR");
    console.team = &team;
    const int exit_code = drydock::cli::run(std::move(arguments), console);
    std::cout.flush();
    drydock::mover::tree::end_help(team);
    return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    drydock::ranks::MpiTeam team(&argc, &argv);
    drydock::os::accept_stop_requests();
    int exit_code = 0;
    if (team.rank() == 0) {
        exit_code = run_command({argv + 1, argv + argc}, argv[0], team);
    } else {
        drydock::mover::tree::help(team, drydock::os::is_stop_requested);
    }
    team.end(exit_code);
    return exit_code;
}
