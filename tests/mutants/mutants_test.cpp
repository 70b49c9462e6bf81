#include "mutants/bases.h"
#include "reference/reference.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace drydock::mutants {
namespace {

TEST(Bases, Hold) {
    for (const Base& base : all_bases()) {
        const auto plan = base.plan();
        if (!plan) {
            std::fprintf(stderr, "%s: %s\n", base.name.c_str(), plan.error().text().c_str());
            continue;
        }
        for (const checker::Faults faults : {checker::Faults{1, 0, 0, 0, 0},
                                             checker::Faults{0, 1, 1, 0, 0},
                                             checker::Faults{0, 0, 0, 1, 0},
                                             checker::Faults{0, 0, 0, 0, 1},
                                             checker::Faults{1, 1, 1, 1, 0}}) {
            const bool big = faults.failures + faults.unknown > 1;
            const auto t0 = std::chrono::steady_clock::now();
            checker::Options options;
            options.faults = faults;
            options.back = base.back();
            options.threads = 1;
            const auto fast = checker::check(*plan, options);
            const auto t1 = std::chrono::steady_clock::now();
            reference::Verdict slow;
            if (!big) {
                slow = reference::explore(*plan, {faults, base.back(), 20'000});
            }
            const auto t2 = std::chrono::steady_clock::now();
            if (const char* only = std::getenv("ONLY");
                only && base.name == only && reference::show(slow) != "nothing") {
                for (auto& [pr, f] : slow.broken) {
                    for (auto& x : f.story) {
                        std::fprintf(stderr, "   %s\n", x.c_str());
                    }
                }
            }
            using ms = std::chrono::duration<double, std::milli>;
            std::string names;
            for (const auto& v : fast.violations) {
                names += fmt::format(
                    "{} {} ({}) ", checker::name_of(v.property), v.story.size(), v.because);
            }
            std::fprintf(
                stderr,
                "%s [%zu] %s: fast %zu states %.0f ms %s| slow %zu%s %.0f ms %s ways %zu\n",
                base.name.c_str(),
                plan->actions.size(),
                checker::show(faults).c_str(),
                std::size_t(fast.states),
                ms(t1 - t0).count(),
                names.c_str(),
                slow.worlds,
                slow.whole ? "" : "+",
                ms(t2 - t1).count(),
                reference::show(slow).c_str(),
                slow.ways_back);
        }
    }
}

}  // namespace
}  // namespace drydock::mutants
