// A hostile plan.json. What is accepted must give the same plan again when it is written and read.
#include "base/check.h"
#include "model/plan.h"

#include <cstdint>

using namespace drydock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto json = Json::parse({reinterpret_cast<const char*>(data), size});
    if (!json) {
        return 0;
    }
    if (const auto plan = model::plan_from_json(*json)) {
        const auto again = model::plan_from_json(model::to_json(*plan));
        CHECK(again.has_value());
        CHECK(again->digest() == plan->digest());
    }
    return 0;
}
