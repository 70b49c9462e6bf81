// IdleSystem: fake software on which every effect succeeds and does nothing. It serves tests of one
// kind of action, and systems that perform actions in another way (act()).
#pragma once

#include "transport/fake/fake_system.h"

namespace drydock::transport {

class IdleSystem : public FakeSystem {
public:
    void advance(std::int64_t) override {}

    agent::ActionResult start(const std::string&, const Json&) override { return {}; }

    agent::ActionResult stop(const std::string&, const Json&) override { return {}; }

    agent::ActionResult link(const std::string&, const std::string&, const std::string&) override {
        return {};
    }

    agent::ActionResult command(const std::string&, const Json&) override { return {}; }

    agent::ActionResult http(const std::string&, const Json&) override { return {}; }

    [[nodiscard]] std::int64_t takes_ms(const Json&) override { return 100; }

    bool kill_one(std::int64_t) override { return false; }

    bool host_dies(const std::string&) override { return true; }
};

}  // namespace drydock::transport
