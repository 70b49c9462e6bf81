// What reading chains costs: `chain_bench WHEEL CATALOGUE` prints one line of JSON.
//
// - milliseconds from the path of a wheel to its graph, of the clock and of the processor, and how
//   many revisions that has
// - milliseconds for the verdicts on all pairs of adjacent releases of a catalogue, from its text
#include "base/text.h"
#include "bench/must.h"
#include "chain/catalogue.h"
#include "chain/zip.h"
#include "os/files.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace {

using drydock::bench::must;
namespace chain = drydock::chain;

constexpr int k_rounds = 51;
constexpr std::size_t k_catalogue_max = 16 << 20;  // bytes

double now_ms() {
    using Clock = std::chrono::steady_clock;
    return std::chrono::duration<double, std::milli>(Clock::now().time_since_epoch()).count();
}

double processor_ms() {
    return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

template <class Work>
std::pair<double, double> median_and_worst(int rounds, Work work) {
    std::vector<double> took;
    for (int i = 0; i < rounds; ++i) {
        const double begin = now_ms();
        work();
        took.push_back(now_ms() - begin);
    }
    std::sort(took.begin(), took.end());
    return {took[took.size() / 2], took.back()};
}

// "23.09.10" is of "23.09".
std::string series_of(const std::string& release) {
    return release.substr(0, release.rfind('.'));
}

// All pairs of a release and one of the next series; by verdict.
std::map<std::string_view, int> count_pairs(const std::string& text) {
    std::vector<std::vector<chain::Reading>> series;
    for (const chain::CatalogueEntry& entry : must(chain::read_catalogue(text))) {
        if (series.empty()
            || series_of(series.back().front().package) != series_of(entry.release)) {
            series.emplace_back();
        }
        series.back().push_back(chain::reading_of(entry));
    }
    std::map<std::string_view, int> counts;
    for (std::size_t i = 1; i < series.size(); ++i) {
        for (const chain::Reading& before : series[i - 1]) {
            for (const chain::Reading& after : series[i]) {
                ++counts[chain::name_of(chain::compare(before, after).verdict)];
            }
        }
    }
    return counts;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: chain_bench WHEEL CATALOGUE\n");
        return 2;
    }
    chain::keep_time_zone();  // as `drydock chain` does
    std::size_t revisions = 0;
    const double began = processor_ms();
    const auto read = median_and_worst(k_rounds, [&] {
        const chain::Reading reading = chain::read_chain(argv[1]);
        revisions = reading.problems.empty() ? reading.graph.revisions.size() : 0;
    });
    const double busy = (processor_ms() - began) / k_rounds;
    const std::string text = must(drydock::os::read_file(argv[2], k_catalogue_max));
    std::map<std::string_view, int> counts;
    const auto pairs = median_and_worst(5, [&] { counts = count_pairs(text); });
    std::printf(
        "{\"bench\": \"chain\", \"revisions\": %zu, \"read_ms\": {\"median\": %.2f, \"worst\": "
        "%.2f, \"processor\": %.2f}, \"pairs_ms\": {\"median\": %.0f, \"worst\": %.0f}, "
        "\"verdicts\": {",
        revisions,
        read.first,
        read.second,
        busy,
        pairs.first,
        pairs.second);
    const char* comma = "";
    for (const auto& [verdict, count] : counts) {
        std::printf("%s\"%s\": %d", comma, std::string(verdict).c_str(), count);
        comma = ", ";
    }
    std::printf("}}\n");
    return 0;
}
