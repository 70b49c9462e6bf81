// The rules of the fence registry: admission, refusal, and the notice of a take-over.
#include "agent/fences.h"

namespace drydock::agent {
namespace {

Owner owner(const std::string& cluster,
            const std::string& journal,
            std::int64_t epoch,
            std::vector<std::string> claims = {}) {
    return {cluster, journal, epoch, "anna@deploy1", 1'700'000'000'000, std::move(claims)};
}

std::string code(const Status& status) {
    return status ? "" : status.error().code;
}

class Fences : public testing::Test {
protected:
    std::string fence(const Owner& who, bool take_over = false) {
        const auto answer = registry_.fence(who, take_over);
        return answer ? std::to_string(*answer) : answer.error().code;
    }

    std::string admit(const std::string& journal, std::int64_t epoch) {
        return code(registry_.admit({journal, epoch}, 7));
    }

    FenceRegistry registry_;
};

TEST_F(Fences, answer_the_higher_epoch_of_the_same_journal) {
    EXPECT_EQ(fence(owner("prod", "a", 5)), "5");
    EXPECT_EQ(fence(owner("prod", "a", 3)), "5");
    EXPECT_EQ(admit("a", 4), "agent.fenced");
    EXPECT_EQ(admit("a", 5), "");
    EXPECT_EQ(admit("a", 6), "agent.fenced") << "it fences before it commands";
    EXPECT_EQ(registry_.owners().items()[0]["cluster"].as_string(), "prod");
}

// Two journals of one cluster, both with epoch 1, once rolled the same hosts side by side.
TEST_F(Fences, refuse_another_journal_of_the_same_cluster) {
    EXPECT_EQ(fence(owner("prod", "0123456789", 1)), "1");
    const auto refused = registry_.fence(owner("prod", "b", 9), false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "agent.owned");
    EXPECT_EQ(refused.error().message,
              "this host belongs to cluster `prod` (journal 01234567, anna@deploy1, since "
              "2023-11-14 22:13:20 UTC, epoch 1)");
    EXPECT_THAT(refused.error().remedy, testing::HasSubstr("--take-over"));
}

// A cluster may be renamed; its claims stay the same.
TEST_F(Fences, refuse_an_overlapping_claim_under_another_name) {
    EXPECT_EQ(fence(owner("opa", "a", 1, {"pid_file /x/pid", "link /x/current"})), "1");
    EXPECT_EQ(fence(owner("opb", "b", 1, {"link /x/current"})), "agent.owned");
    EXPECT_EQ(fence(owner("opb", "b", 1, {"link /y/current"})), "1");
    EXPECT_EQ(fence(owner("opb", "b", 2, {"pid_file /x/pid"})), "agent.owned");
}

TEST_F(Fences, let_two_clusters_share_a_host) {
    EXPECT_EQ(fence(owner("left", "a", 7)), "7");
    EXPECT_EQ(fence(owner("right", "b", 1)), "1");
    EXPECT_EQ(admit("b", 1), "");
    EXPECT_EQ(admit("a", 7), "");
    EXPECT_EQ(registry_.highest(), 7);
}

// A displaced conductor must notice at whatever it does next, also when it only reads.
TEST_F(Fences, tell_a_displaced_journal_of_the_take_over) {
    EXPECT_EQ(fence(owner("prod", "a", 5)), "5");
    EXPECT_EQ(fence(owner("prod", "b", 1), true), "1");
    EXPECT_EQ(admit("a", 6), "agent.fenced");
    const auto reads = registry_.check({"a", 6});
    EXPECT_EQ(code(reads), "agent.fenced");
    EXPECT_THAT(reads.error().message, testing::HasSubstr("journal b, anna@deploy1"));
    EXPECT_EQ(fence(owner("prod", "a", 6)), "agent.owned");
    EXPECT_EQ(fence(owner("prod", "a", 6), true), "6");
    EXPECT_EQ(admit("a", 6), "");
    EXPECT_EQ(admit("b", 1), "agent.fenced");
}

// Its entry was removed by hand, and another conductor may have come since.
TEST_F(Fences, refuse_a_journal_that_commands_without_a_fence) {
    EXPECT_EQ(code(registry_.check({"new", 2})), "");
    EXPECT_EQ(admit("new", 2), "agent.fenced");
    EXPECT_EQ(registry_.owners(), Json(Json::Array{}));
}

Owner with_leases(std::int64_t epoch, std::vector<LeaseMark> leases) {
    Owner made = owner("prod", "a", epoch);
    made.leases = std::move(leases);
    return made;
}

// A copied state folder has the journal's id and gives out the same epochs.
TEST_F(Fences, tell_two_copies_of_a_journal_apart) {
    EXPECT_EQ(fence(with_leases(4, {{4, "x4"}})), "4");
    EXPECT_EQ(fence(with_leases(5, {{4, "x4"}, {5, "x5"}})), "5");
    EXPECT_EQ(fence(with_leases(5, {{4, "x4"}, {5, "x5"}})), "5") << "another connection";
    EXPECT_EQ(fence(with_leases(5, {{4, "x4"}, {5, "y5"}})), "agent.other_copy");
    EXPECT_EQ(fence(with_leases(6, {{5, "y5"}, {6, "y6"}})), "agent.other_copy");
    EXPECT_EQ(fence(with_leases(7, {{4, "x4"}, {7, "y7"}})), "agent.other_copy");
    EXPECT_EQ(fence(with_leases(4, {{4, "x4"}})), "5") << "an earlier conductor";
    EXPECT_EQ(fence(with_leases(6, {{5, "x5"}, {6, "x6"}})), "6");
    EXPECT_EQ(FenceRegistry::parse(registry_.text()), registry_);
}

TEST_F(Fences, let_go_of_leases_too_old_to_be_told) {
    EXPECT_EQ(fence(with_leases(4, {{4, "x4"}})), "4");
    EXPECT_EQ(fence(with_leases(600, {{599, "x599"}, {600, "x600"}})), "600");
}

// What was begun before a registry knew a journal is not remembered; a later epoch changes nothing.
TEST_F(Fences, know_since_which_epoch_they_remember_a_journal) {
    const auto since = [&] { return registry_.owners().items()[0]["since_epoch"].as_int(); };
    ASSERT_TRUE(
        registry_.fence({.cluster = "c", .journal = "a", .epoch = 3, .since_epoch = 3}, false));
    EXPECT_EQ(since(), 3);
    ASSERT_TRUE(
        registry_.fence({.cluster = "c", .journal = "a", .epoch = 5, .since_epoch = 5}, false));
    EXPECT_EQ(since(), 3);
    EXPECT_EQ(FenceRegistry::parse(registry_.text())->owners(), registry_.owners());
    // A journal that takes over was perhaps renewed: its actions are remembered as long.
    ASSERT_TRUE(
        registry_.fence({.cluster = "c", .journal = "b", .epoch = 6, .since_epoch = 6}, true));
    EXPECT_EQ(since(), 3);
}

// A conductor from before there were owners could be of any journal.
TEST_F(Fences, hold_an_anonymous_conductor_to_the_highest_epoch) {
    EXPECT_EQ(fence(owner("prod", "a", 3)), "3");
    EXPECT_EQ(admit("", 2), "agent.fenced");
    EXPECT_EQ(fence(owner("", "", 2)), "3");
    EXPECT_EQ(admit("", 4), "");
    EXPECT_EQ(admit("", 3), "agent.fenced");
    EXPECT_EQ(admit("a", 3), "");
}

TEST_F(Fences, survive_as_text) {
    EXPECT_EQ(fence(owner("prod", "a", 5, {"pid_file /x"})), "5");
    EXPECT_EQ(fence(owner("prod", "b", 1), true), "1");
    EXPECT_EQ(FenceRegistry::parse(registry_.text()), registry_);
    EXPECT_EQ(FenceRegistry::parse("12\n")->highest(), 12);
    EXPECT_EQ(FenceRegistry::parse("rubbish").error().code, "agent.fence_damaged");
    EXPECT_EQ(FenceRegistry::parse("").error().code, "agent.fence_damaged");
}

TEST_F(Fences, remember_a_bounded_number_of_journals) {
    for (std::size_t i = 0; i < k_owners_max; ++i) {
        EXPECT_EQ(fence(owner("", std::to_string(i), 1)), "1");
    }
    EXPECT_EQ(fence(owner("", "more", 1)), "agent.owners_full");
    for (std::size_t i = 0; i < 2 * k_displacements_max; ++i) {
        (void)fence(owner("prod", i % 2 == 0 ? "0" : "1", 1), true);
    }
    EXPECT_LT(registry_.text().size(), 64U << 10U);
}

// Each epoch notes its head once, and no conductor can replace it: the host's note outlives a
// journal that was forged.
TEST_F(Fences, keep_the_first_head_of_each_epoch) {
    const auto head = [](std::int64_t epoch, std::int64_t sequence) {
        return NotedHead{"a", epoch, "r", sequence, std::string(64, 'f')};
    };
    registry_.note(head(1, 3));
    EXPECT_TRUE(registry_.heads().empty()) << "nobody is registered";
    EXPECT_EQ(fence(owner("prod", "a", 1)), "1");
    registry_.note(head(1, 3));
    registry_.note(head(1, 5));
    EXPECT_EQ(registry_.heads(), std::set<NotedHead>{head(1, 3)});
    Owner later = owner("prod", "a", 2);
    later.head = head(2, 99);
    EXPECT_EQ(fence(later), "2");
    EXPECT_EQ(registry_.heads(), std::set<NotedHead>{head(1, 3)});
    EXPECT_EQ(FenceRegistry::parse(registry_.text())->heads(), std::set<NotedHead>{head(1, 3)});
    registry_.note(head(2, 9));
    EXPECT_EQ(registry_.heads(), std::set<NotedHead>{head(2, 9)});
    later = owner("other", "b", 1);
    later.head = head(1, 1);
    EXPECT_EQ(fence(later), "1");
    EXPECT_EQ(registry_.heads().size(), 1U)
        << "a head comes with an action, and never with a fence";
}

TEST(Owners, are_read_with_limits) {
    EXPECT_EQ(read_owner(Json())->journal, "");
    const auto value = Json::parse(R"({"cluster":"c","journal":"j","who":"w","claims":["x"]})");
    EXPECT_EQ(read_owner(*value)->claims, std::vector<std::string>{"x"});
    const auto leases = Json::parse(R"({"leases":[[1,"x"],[2,"y"]]})");
    EXPECT_EQ(read_owner(*leases)->leases, (std::vector<LeaseMark>{{1, "x"}, {2, "y"}}));
    EXPECT_FALSE(read_owner(*Json::parse(R"({"leases":[["x"]]})")));
    EXPECT_FALSE(read_owner(Json("text")));
    EXPECT_FALSE(read_owner(Json(Json::Object{{"claims", Json::Array{1}}})));
    EXPECT_FALSE(read_owner(Json(Json::Object{{"journal", std::string(5000, 'x')}})));
}

}  // namespace
}  // namespace drydock::agent
