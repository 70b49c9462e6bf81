#include "planner/plan_of.h"

#include <gtest/gtest.h>

#include <utility>

namespace drydock::planner {

Compiled compile_on(const Fixture& site, const char* procedure, const char* from, const char* to) {
    return compile({site.pack, site.cluster, site.facts, procedure, from, to, "run", "", ""});
}

model::Plan plan_of(const Fixture& site, const char* procedure, const char* from, const char* to) {
    auto compiled = compile_on(site, procedure, from, to);
    EXPECT_TRUE(compiled.plan) << text(compiled);
    return compiled.plan ? std::move(*compiled.plan) : model::Plan();
}

}  // namespace drydock::planner
