// drydock_sim_runs --runs N --seed S [--verbose] [--quiet-worlds] [--json] [--scratch FOLDER]: N
// hostile worlds from seed S on; exit code 1 and the command that replays it for each seed that
// went wrong. With --must-hit FILE also for each mark of that list that no world reached.
#include "base/coverage_mark.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/run.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string_view>

namespace {

struct Options {
    std::uint64_t runs = 100;
    std::uint64_t seed = 1;
    bool verbose = false;
    bool json = false;
    std::string must_hit;
    drydock::sim::Hardship hardship;
    bool good = true;
};

struct Sum {
    std::uint64_t bad = 0;
    std::uint64_t faults = 0;
    std::uint64_t halts = 0;
    std::uint64_t conductors = 0;
    std::uint64_t on_disk = 0;
    double seconds = 0;  // of processor time
};

bool read_number(std::string_view text, std::uint64_t& number) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

// True if it took the value behind the name.
bool read_valued(Options& options, std::string_view name, std::string_view value) {
    if (name == "--scratch") {
        options.hardship.scratch = value;
    } else if (name == "--must-hit") {
        options.must_hit = value;
    } else {
        options.good = options.good && (name == "--runs" || name == "--seed")
                       && read_number(value, name == "--runs" ? options.runs : options.seed);
    }
    return true;
}

Options read_options(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view name = arguments[i];
        if (name == "--verbose") {
            options.verbose = true;
        } else if (name == "--json") {
            options.json = true;
        } else if (name == "--quiet-worlds") {
            options.hardship.hostile = false;
        } else {
            i += read_valued(options, name, i + 1 < count ? arguments[i + 1] : "") ? 1 : 0;
        }
    }
    if (options.verbose && options.runs == 1) {
        options.hardship.tell = [](const std::string& line) { fmt::print("{}\n", line); };
    }
    return options;
}

void tell(std::uint64_t seed, const drydock::sim::Outcome& outcome, const Options& options) {
    fmt::print("seed {}: {}, {} conductors, {} halts, {} faults\n",
               seed,
               outcome.finished ? "finished" : "not finished",
               outcome.conductors,
               outcome.halts,
               outcome.faults);
    for (const auto& wrong : outcome.wrong) {
        fmt::print("  WRONG {}: {}\n", wrong.property, wrong.description);
    }
    if (!outcome.wrong.empty()) {
        fmt::print("  replay: ./dev sim --runs 1 --seed {} --verbose{}\n",
                   seed,
                   options.hardship.hostile ? "" : " --quiet-worlds");
    }
}

Sum run_all(const Options& options) {
    Sum sum;
    const std::clock_t began = std::clock();
    for (std::uint64_t seed = options.seed; seed < options.seed + options.runs; ++seed) {
        const auto outcome = drydock::sim::run_seed(seed, options.hardship);
        sum.faults += static_cast<std::uint64_t>(outcome.faults);
        sum.halts += static_cast<std::uint64_t>(outcome.halts);
        sum.conductors += static_cast<std::uint64_t>(outcome.conductors);
        sum.on_disk += outcome.on_disk ? 1U : 0U;
        sum.bad += outcome.wrong.empty() ? 0U : 1U;
        if (options.verbose || !outcome.wrong.empty()) {
            tell(seed, outcome, options);
        }
    }
    sum.seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
    return sum;
}

// How many marks of the list were never reached; they are printed.
int never_hit(const std::string& file) {
    const auto hits = drydock::marks_hit();
    std::ifstream list(file);
    int missing = 0;
    for (std::string line; std::getline(list, line);) {
        const std::string name = drydock::trim(line);
        if (!name.empty() && !name.starts_with('#') && !hits.contains(name)) {
            fmt::print("never reached: {}\n", name);
            ++missing;
        }
    }
    return missing;
}

void print_sum(const Options& options, const Sum& sum) {
    if (options.json) {
        drydock::Json json;
        json.set("worlds", options.runs).set("faults", sum.faults).set("halts", sum.halts);
        json.set("conductors", sum.conductors).set("on_disk", sum.on_disk);
        json.set("went_wrong", sum.bad).set("seconds", sum.seconds);
        json.set("worlds_a_second", static_cast<double>(options.runs) / sum.seconds);
        fmt::print("{}\n", json.dump());
        return;
    }
    fmt::print("{} worlds, {} faults, {} conductors, {} halts, {} went wrong ({} with the journal "
               "on disk; {:.0f} worlds a second of processor time)\n",
               options.runs,
               sum.faults,
               sum.conductors,
               sum.halts,
               sum.bad,
               sum.on_disk,
               static_cast<double>(options.runs) / sum.seconds);
}

}  // namespace

int main(int count, char** arguments) {
    const Options options = read_options(count, arguments);
    if (!options.good) {
        fmt::print(stderr,
                   "usage: drydock_sim_runs [--runs N] [--seed S] [--verbose] [--json] "
                   "[--quiet-worlds] [--scratch FOLDER] [--must-hit FILE]\n");
        return 2;
    }
    const Sum sum = run_all(options);
    print_sum(options, sum);
    const int missing = options.must_hit.empty() ? 0 : never_hit(options.must_hit);
    return sum.bad == 0 && missing == 0 ? 0 : 1;
}
