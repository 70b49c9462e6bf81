// drydock_sim_runs --runs N --seed S [--verbose]: N hostile worlds from seed S on; exit code 1 and
// the command that replays it for each seed that went wrong.
#include "sim/run.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <string_view>

namespace {

struct Options {
    std::uint64_t runs = 100;
    std::uint64_t seed = 1;
    bool verbose = false;
    bool good = true;
};

bool read_number(std::string_view text, std::uint64_t& number) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

Options read_options(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view name = arguments[i];
        const std::string_view value = i + 1 < count ? arguments[i + 1] : "";
        if (name == "--verbose") {
            options.verbose = true;
        } else {
            options.good = options.good && (name == "--runs" || name == "--seed")
                           && read_number(value, name == "--runs" ? options.runs : options.seed);
            ++i;
        }
    }
    return options;
}

void tell(std::uint64_t seed, const drydock::sim::Outcome& outcome) {
    fmt::print("seed {}: {}, {} conductors, {} halts, {} faults\n",
               seed,
               outcome.finished ? "finished" : "not finished",
               outcome.conductors,
               outcome.halts,
               outcome.faults);
    for (const std::string& what : outcome.wrong) {
        fmt::print("  WRONG: {}\n", what);
    }
    if (!outcome.wrong.empty()) {
        fmt::print("  replay: drydock_sim_runs --runs 1 --seed {}\n", seed);
    }
}

}  // namespace

int main(int count, char** arguments) {
    const Options options = read_options(count, arguments);
    if (!options.good) {
        fmt::print(stderr, "usage: drydock_sim_runs [--runs N] [--seed S] [--verbose]\n");
        return 2;
    }
    std::uint64_t bad = 0;
    std::uint64_t faults = 0;
    std::uint64_t halts = 0;
    for (std::uint64_t seed = options.seed; seed < options.seed + options.runs; ++seed) {
        const auto outcome = drydock::sim::run_seed(seed);
        faults += static_cast<std::uint64_t>(outcome.faults);
        halts += static_cast<std::uint64_t>(outcome.halts);
        bad += outcome.wrong.empty() ? 0U : 1U;
        if (options.verbose || !outcome.wrong.empty()) {
            tell(seed, outcome);
        }
    }
    fmt::print("{} worlds, {} faults, {} halts, {} went wrong\n", options.runs, faults, halts, bad);
    return bad == 0 ? 0 : 1;
}
