// Plans of many members: what is left out because members are alike, and that it stays small.
#include "checker/plans.h"
#include "checker/search.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace drydock::checker {
namespace {

// All rows to which a sorted row leads, sorted.
std::set<std::string> successors(SuccessorGenerator& explorer,
                                 Symmetry& symmetry,
                                 const Byte* row,
                                 std::size_t size,
                                 std::span<const Index> first,
                                 std::size_t& transitions) {
    Successors batch(size);
    explorer.expand(row, batch, first);
    transitions += batch.size();
    std::set<std::string> found;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto versions = symmetry.instantiate(row, batch.row(i));
        for (std::size_t at = 0; at < versions.size(); at += size) {
            found.emplace(reinterpret_cast<const char*>(&versions[at]), size);
        }
    }
    return found;
}

// What happens to the first of several members in the same state stands for all of them.
void expect_first_tells_all(const model::Plan& plan, const CompileDowngrade& back) {
    const Model site(plan);
    Options options;
    options.faults = {1, 1, 1, 1, 1};
    options.compile_downgrade = back;
    options.threads = 1;
    Search search(site, options);
    ASSERT_TRUE(search.run(0));
    Symmetry symmetry = search.symmetry();
    SuccessorGenerator explorer(site, options.faults, true, true, options.resolve_local);
    std::vector<Index> first;
    std::size_t told = 0;
    std::size_t all = 0;
    for (const std::uint32_t id : search.in_order()) {
        const Byte* row = search.row(id);
        symmetry.find_first(row, first);
        ASSERT_EQ(successors(explorer, symmetry, row, site.size, first, told),
                  successors(explorer, symmetry, row, site.size, {}, all));
    }
    EXPECT_LT(told, all);
}

TEST(Wide, TheFirstOfThoseInTheSameStateTellsAll) {
    const auto small = planner::small_site("when-all", 4, "1.0");
    for (const char* procedure : {"all", "batch", "serial"}) {
        SCOPED_TRACE(procedure);
        expect_first_tells_all(plan_of(small, "1.0", "2.0", procedure), {});
    }
    const auto etcd = planner::etcd_site(4);
    expect_first_tells_all(plan_of(etcd, "3.4.23", "3.5.21"), back_of(etcd, "3.4.23", "3.5.21"));
}

Report check_with_one_of_each(const planner::Fixture& site, const char* from, const char* to) {
    Options options;
    options.faults = {1, 1, 1, 1, 1};
    options.compile_downgrade = back_of(site, from, to);
    return check(plan_of(site, from, to), options);
}

// Before members that are alike were told once, and crowds were thinned out, states grew with the
// fourth power of the members.
TEST(Wide, StatesGrowWithTheMembers) {
    const Report nine = check_with_one_of_each(planner::etcd_site(9), "3.4.23", "3.5.21");
    const Report eighteen = check_with_one_of_each(planner::etcd_site(18), "3.4.23", "3.5.21");
    EXPECT_EQ(nine.verdict, Verdict::holds) << text(nine);
    EXPECT_EQ(eighteen.verdict, Verdict::holds) << text(eighteen);
    EXPECT_LT(nine.states, 100'000U);
    EXPECT_LT(eighteen.states, 2 * nine.states);
}

TEST(Wide, NodesWithoutAGroup) {
    const Report report =
        check_with_one_of_each(planner::small_site("storage", 25, "1.0"), "1.0", "2.0");
    EXPECT_EQ(report.verdict, Verdict::holds) << text(report);
}

}  // namespace
}  // namespace drydock::checker
