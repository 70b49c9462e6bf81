// Laws of stores: each kind with a plan that breaks it and a plan that keeps it.
#include "checker/law_plans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::checker {
namespace {

using model::EffectKind;
using model::FormatTrigger;
using model::StandardFact;
using model::Verb;
using testing::HasSubstr;

void migrate(LawPlan& law) {
    law.act("migrate", Verb::migrate, "m1").effects = {on_store(EffectKind::raises)};
}

// The migration may be done twice by a repeat: formats rise once.
LawPlan migration(bool rolls_first) {
    LawPlan law(2);
    law.store(true, FormatTrigger::on_migrate);
    law.gate();
    if (rolls_first) {
        law.roll("m1");
        law.roll("m2");
    }
    migrate(law);
    if (!rolls_first) {
        law.roll("m1");
        law.roll("m2");
    }
    return law;
}

TEST(Misread, AMigrationUnderMembersThatCannotReadIt) {
    const Report report = check_law(migration(false).plan);
    EXPECT_EQ(broken(report), "unreadable-start") << text(report);
    EXPECT_EQ(report.violations[0].action, "migrate");
    EXPECT_THAT(report.violations[0].because, HasSubstr("m1 runs 1.0 on data, which is 2"));
    const Report after = check_law(migration(true).plan);
    EXPECT_EQ(broken(after), "nothing") << text(after);
}

LawPlan closed_for_migration(bool opens_late) {
    LawPlan law(1);
    auto& store = law.store(true, FormatTrigger::on_migrate);
    store.laws["2.0"].reads = {"2"};
    store.laws["2.0"].starts_on = {"1"};
    law.fact("", "clients", "accepted", StandardFact::writes);
    law.gate();
    law.act("close", Verb::quiesce, "m1").effects = {becomes("", "clients", "refused")};
    law.roll("m1");
    if (opens_late) {
        migrate(law);
    }
    law.act("open", Verb::release, "m1").effects = {becomes("", "clients", "accepted")};
    if (!opens_late) {
        migrate(law);
    }
    return law;
}

TEST(Misread, AReleaseThatStartsMayNotServeBeforeTheMigration) {
    const Report early = check_law(closed_for_migration(false).plan);
    EXPECT_EQ(broken(early), "unreadable-start") << text(early);
    EXPECT_EQ(early.violations[0].action, "open");
    EXPECT_THAT(early.violations[0].because, HasSubstr("not serve clients"));
    const Report late = check_law(closed_for_migration(true).plan);
    EXPECT_EQ(broken(late), "nothing") << text(late);
}

// "Make it rise now" does nothing before every member runs the release.
TEST(Raises, FiresALawOnlyIfItsConditionHolds) {
    for (const bool early : {true, false}) {
        LawPlan law(2);
        law.store(true, FormatTrigger::when_all).levels = {"level"};
        law.fact("", "level", "1");
        law.gate();
        law.roll("m1");
        if (!early) {
            law.roll("m2");
        }
        auto& rise = law.act("rise", Verb::run, "m1");
        rise.effects = {on_store(EffectKind::raises)};
        rise.postconditions = {is("level", "2", false)};
        rise.remedy.clear();
        if (early) {
            law.roll("m2");
        }
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), early ? "stuck" : "nothing") << text(report);
        if (early) {
            EXPECT_THAT(report.violations[0].because, HasSubstr("\"rise\" waits"));
        }
    }
}

model::Effect own(EffectKind kind, const std::string& member) {
    return {kind, member, "data", {}, true};
}

// Each member migrates its own while the next one still runs the old release.
TEST(Raises, MovesNothingOfOthersIfItSaysSo) {
    for (const bool is_own : {true, false}) {
        LawPlan law(2);
        law.store(false, FormatTrigger::on_migrate).laws["2.0"].reads = {"2"};
        law.gate();
        for (const std::string member : {"m1", "m2"}) {
            law.stop(member);
            law.install(member);
            law.act("migrate " + member, Verb::migrate, member).effects = {
                is_own ? own(EffectKind::raises, member) : on_store(EffectKind::raises, member)};
            law.start(member);
        }
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), is_own ? "nothing" : "unreadable-start") << text(report);
    }
}

// All are down, and one alone is migrated: a command that is told one member does for all.
TEST(Raises, LeavesWhatNobodyMigrates) {
    for (const bool is_own : {true, false}) {
        LawPlan law(3);
        law.plan.roles.front().restarts = false;
        law.store(false, FormatTrigger::on_migrate).laws["2.0"].reads = {"2"};
        law.gate();
        for (const char* member : {"m1", "m2", "m3"}) {
            law.stop(member);
            law.install(member);
        }
        law.act("migrate", Verb::migrate, "m1").effects = {
            is_own ? own(EffectKind::raises, "m1") : on_store(EffectKind::raises, "m1")};
        for (const char* member : {"m1", "m2", "m3"}) {
            law.start(member);
        }
        const Report report = check_law(law.plan);
        EXPECT_THAT(broken(report), HasSubstr(is_own ? "unreadable-start" : "nothing"))
            << text(report);
        if (is_own) {
            EXPECT_EQ(report.violations[0].action, "start m2");
        }
    }
}

// What holds while a migration of one's own runs is one's own, too.
TEST(Raises, HoldsOfOnesOwnMeanwhile) {
    for (const bool is_own : {true, false}) {
        LawPlan law(2);
        law.store(false, FormatTrigger::on_migrate);
        law.gate();
        law.stop("m1");
        law.act("migrate", Verb::migrate, "m1").meanwhile = {
            is_own ? own(EffectKind::raises, "m1") : on_store(EffectKind::raises, "m1")};
        law.install("m1");
        law.start("m1");
        law.roll("m2");
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), is_own ? "nothing" : "unreadable-start") << text(report);
    }
}

TEST(Lowers, MovesNothingOfOthersIfItSaysSo) {
    for (const bool is_own : {true, false}) {
        LawPlan law(2);
        auto& store = law.store(false, FormatTrigger::never);
        store.laws["1.0"] = {.reads = {"2"}, .writes = "2"};
        store.laws["2.0"] = {.reads = {"1"}, .writes = "1"};
        for (const std::string member : {"m1", "m2"}) {
            law.stop(member);
            law.install(member);
            law.act("lower " + member, Verb::migrate, member).effects = {
                is_own ? own(EffectKind::lowers, member) : on_store(EffectKind::lowers, member)};
            law.start(member);
        }
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), is_own ? "nothing" : "unreadable-start") << text(report);
    }
}

TEST(Destroyed, IsNotEmpty) {
    for (const bool restores : {false, true}) {
        LawPlan law(1);
        law.store(false, FormatTrigger::never);
        law.fact("", "saved", false);
        auto& backup = law.act("backup", Verb::backup, "m1");
        backup.effects = {on_store(EffectKind::copies, "m1"), becomes("", "saved", true)};
        backup.postconditions = {is("saved", true, false)};
        law.stop("m1");
        law.act("wipe", Verb::destroy, "m1").effects = {on_store(EffectKind::destroys, "m1")};
        if (restores) {
            law.act("restore", Verb::restore, "m1").effects = {
                on_store(EffectKind::restores, "m1")};
        }
        law.install("m1");
        law.start("m1");
        const Report report = check_law(law.plan);
        EXPECT_THAT(broken(report), restores ? HasSubstr("nothing") : HasSubstr("unreadable-start"))
            << text(report);
    }
}

// Of two stores, the story names the one that keeps the release down.
TEST(Destroyed, TheStoryNamesTheStore) {
    LawPlan law(1);
    law.store(false, FormatTrigger::never).name = "cache";
    law.store(false, FormatTrigger::never);
    law.stop("m1");
    law.act("wipe", Verb::run, "m1").effects = {on_store(EffectKind::destroys, "m1")};
    law.install("m1");
    law.start("m1");
    const Report report = check_law(law.plan);
    ASSERT_THAT(broken(report), HasSubstr("unreadable-start")) << text(report);
    EXPECT_THAT(text(report), HasSubstr("cannot read (data is destroyed)"));
}

TEST(Destroyed, NamesTheStoreThatHasNoCopy) {
    LawPlan law(1);
    law.store(false, FormatTrigger::never);
    law.stop("m1");
    law.act("wipe", Verb::destroy, "m1").effects = {on_store(EffectKind::destroys, "m1")};
    const Report report = check_law(law.plan);
    ASSERT_THAT(broken(report), HasSubstr("unverified-destroy")) << text(report);
    EXPECT_THAT(report.violations[0].because, HasSubstr("a verified copy of data"));
}

// The copy was made before the migration: what comes back is its format.
TEST(Restored, BringsBackTheFormatOfTheCopy) {
    for (const bool restores : {true, false}) {
        LawPlan law(1);
        law.store(false, FormatTrigger::on_migrate).laws["2.0"].reads = {"2"};
        law.gate();
        law.fact("", "saved", false);
        auto& backup = law.act("backup", Verb::backup, "m1");
        backup.effects = {on_store(EffectKind::copies, "m1"), becomes("", "saved", true)};
        backup.postconditions = {is("saved", true, false)};
        law.stop("m1");
        migrate(law);
        law.install("m1");
        if (restores) {
            law.act("restore", Verb::restore, "m1");
        }
        law.start("m1");
        const Report report = check_law(law.plan);
        EXPECT_THAT(broken(report), restores ? HasSubstr("unreadable-start") : HasSubstr("nothing"))
            << text(report);
    }
}

LawPlan dumped(bool stops_first) {
    LawPlan law(1);
    law.store(false, FormatTrigger::never);
    if (stops_first) {
        law.stop("m1");
    }
    law.act("rewrite", Verb::migrate, "m1").meanwhile = {on_store(EffectKind::destroys, "m1")};
    if (!stops_first) {
        law.stop("m1");
    }
    law.install("m1");
    law.start("m1");
    return law;
}

TEST(While, HoldsFromTheBegin) {
    const Report under_it = check_law(dumped(false).plan);
    EXPECT_EQ(broken(under_it), "unreadable-start") << text(under_it);
    EXPECT_EQ(under_it.violations[0].action, "rewrite");
    const Report stopped = check_law(dumped(true).plan);
    EXPECT_EQ(broken(stopped), "nothing") << text(stopped);
}

TEST(While, StaysAfterAFailure) {
    LawPlan law = dumped(true);
    action_of(law.plan, "rewrite").optional = true;
    action_of(law.plan, "rewrite").attempts = 1;
    const Report failed = check_law(law.plan);
    EXPECT_EQ(broken(failed), "unreadable-start") << text(failed);
    EXPECT_EQ(failed.violations[0].action, "start m1");
    const Report calm = check_law(law.plan, {0, 0, 1, 0, 0});
    EXPECT_EQ(broken(calm), "nothing") << text(calm);
}

// A fact is as before when the action has ended, also after a second attempt.
TEST(While, IsPutBackByAnEnd) {
    LawPlan law(1);
    law.fact("", "dirty", false);
    law.act("migrate", Verb::migrate, "m1").meanwhile = {becomes("", "dirty", true)};
    auto& next = law.act("look", Verb::run, "m1");
    next.preconditions = {is("dirty", false, false)};
    next.remedy.clear();
    const Report report = check_law(law.plan, {2, 1, 1, 0, 0});
    EXPECT_EQ(broken(report), "nothing") << text(report);
    law.plan.actions.front().effects = {becomes("", "dirty", true)};
    EXPECT_EQ(broken(check_law(law.plan)), "stuck");
}

// The second rewrites the store only while the first does. If it is cut off, half a store stays,
// though the first ends well.
TEST(While, IsPutBackByTheLastThatEnds) {
    LawPlan law(1);
    law.store(true, FormatTrigger::never);
    law.fact("", "dirty", false);
    law.stop("m1");
    law.act("rewrite", Verb::migrate, "m1").meanwhile = {on_store(EffectKind::destroys),
                                                         becomes("", "dirty", true)};
    auto& beside = law.act("rewrite beside", Verb::migrate, "m1");
    beside.meanwhile = {on_store(EffectKind::destroys)};
    beside.preconditions = {is("dirty", true, false)};
    beside.optional = true;
    beside.attempts = 1;
    LawPlan::beside(law.plan);
    law.install("m1");
    law.plan.actions.back().predecessors = {1, 2};
    law.start("m1");
    const Report calm = check_law(law.plan, {0, 0, 1, 0, 0});
    EXPECT_EQ(broken(calm), "nothing") << text(calm);
    const Report failed = check_law(law.plan, {1, 0, 0, 0, 0});
    EXPECT_EQ(broken(failed), "unreadable-start") << text(failed);
    EXPECT_EQ(failed.violations[0].action, "start m1");
}

TEST(CleanStop, ADeathLeavesItUnclean) {
    LawPlan law(1);
    law.store(false, FormatTrigger::never).clean_stop = {"m1/clean"};
    law.fact("m1", "clean", false);
    law.roll("m1");
    const Report died = check_law(law.plan, {0, 0, 0, 1, 0});
    EXPECT_EQ(broken(died), "unreadable-start") << text(died);
    EXPECT_THAT(died.violations[0].because, HasSubstr("(data is 1, and was not left clean)"));
    const Report calm = check_law(law.plan, {1, 0, 1, 0, 0});
    EXPECT_EQ(broken(calm), "nothing") << text(calm);
}

// A stop moves the fact that tells it, and the lead. There is nothing to take back yet.
TEST(CleanStop, AloneNeedsNoWayBack) {
    LawPlan law(1);
    law.store(false, FormatTrigger::never).clean_stop = {"m1/clean"};
    law.fact("m1", "clean", false);
    law.fact("m1", "leads", true, model::StandardFact::leads);
    law.stop("m1");
    law.start("m1");
    Options options;
    options.faults = {0, 0, 0, 0, 0};
    options.compile_downgrade = [](const model::FactBook&) -> Result<model::Plan> {
        return fail("plan.back", "there is none");
    };
    const Report stopped = check(law.plan, options);
    EXPECT_EQ(broken(stopped), "stuck") << text(stopped);
    law.install("m1");
    const Report installed = check(law.plan, options);
    EXPECT_EQ(broken(installed), "no-way-back stuck") << text(installed);
}

LawPlan full_stop(const std::string& first_up) {
    LawPlan law(2);
    law.store(false, FormatTrigger::never).newest_last_stopped = true;
    law.stop("m1");
    law.stop("m2");
    law.install("m1");
    law.install("m2");
    law.start(first_up);
    law.start(first_up == "m1" ? "m2" : "m1");
    return law;
}

TEST(Newest, WhoStoppedLastStartsFirst) {
    const Report wrong = check_law(full_stop("m1").plan);
    EXPECT_EQ(broken(wrong), "lost-writes") << text(wrong);
    EXPECT_EQ(wrong.violations[0].action, "start m1");
    const Report right = check_law(full_stop("m2").plan);
    EXPECT_EQ(broken(right), "nothing") << text(right);
}

// Returns a plan in which the libc of m1 changes. What the store has then is told by its level, or
// by the libc that m1 has at first.
LawPlan with_another_libc(bool reads_both, bool has_level) {
    LawPlan law(1);
    auto& store = law.store(false, FormatTrigger::never);
    store.read_by = "libc";
    store.laws.clear();
    store.laws["2.31"] = {.reads = {"1"}, .writes = "1"};
    store.laws["2.36"] = {.reads = {"2"}, .writes = "2"};
    if (reads_both) {
        store.laws["2.36"].reads = {"1", "2"};
    }
    if (has_level) {
        store.levels = {"m1/collation"};
        law.fact("m1", "collation", "1");
    }
    law.fact("m1", "libc", "2.31");
    law.act("upgrade libc", Verb::run, "m1").effects = {becomes("m1", "libc", "2.36")};
    return law;
}

TEST(Axis, ASecondReleaseReadsTheStore) {
    for (const bool has_level : {true, false}) {
        const Report refuses = check_law(with_another_libc(false, has_level).plan);
        EXPECT_EQ(broken(refuses), "unreadable-start") << text(refuses);
        const Report reads = check_law(with_another_libc(true, has_level).plan);
        EXPECT_EQ(broken(reads), "nothing") << text(reads);
    }
}

// A command makes an index anew by the release that the member has on the axis: so a way back
// leads to the format of the older one, though a newer one would raise it.
LawPlan back_to_another_libc(bool goes_back, bool makes_anew) {
    LawPlan law(1);
    auto& store = law.store(false, FormatTrigger::never);
    store.read_by = "libc";
    store.laws = {{"2.31", {.reads = {"1"}, .writes = "1"}},
                  {"2.36", {.reads = {"2"}, .writes = "2", .trigger = FormatTrigger::on_migrate}}};
    law.fact("m1", "libc", "2.36");
    model::Action& dump = law.act("dump", Verb::backup, "m1");
    dump.effects = {on_store(EffectKind::copies)};
    dump.postconditions = {is("libc", "2.36")};
    law.stop("m1");
    if (goes_back) {
        law.act("take libc back", Verb::run, "m1").effects = {becomes("m1", "libc", "2.31")};
    }
    if (makes_anew) {
        auto& reindex = law.act("reindex", Verb::run, "m1");
        reindex.effects = {on_store(EffectKind::destroys, "m1"),
                           on_store(EffectKind::raises, "m1")};
    }
    law.install("m1");
    law.start("m1");
    return law;
}

TEST(Axis, ACommandRaisesByTheReleaseOfItsMember) {
    for (const bool goes_back : {true, false}) {
        const Report anew = check_law(back_to_another_libc(goes_back, true).plan);
        EXPECT_EQ(broken(anew), "nothing") << text(anew);
    }
    const Report as_it_was = check_law(back_to_another_libc(true, false).plan);
    EXPECT_EQ(broken(as_it_was), "unreadable-start stuck") << text(as_it_was);
}

// Members that share a store and have releases apart: nobody knows what it has.
TEST(Axis, TellsNoFormatWhereItsReleasesDiffer) {
    for (const bool is_shared : {true, false}) {
        LawPlan law(2);
        law.store(is_shared, FormatTrigger::never).read_by = "libc";
        auto& store = law.plan.stores.front();
        store.laws = {{"2.31", store.laws["1.0"]}, {"2.36", store.laws["2.0"]}};
        store.laws["2.36"].reads = {"2"};
        law.fact("m1", "libc", "2.31");
        law.fact("m2", "libc", "2.36");
        law.act("upgrade libc", Verb::run, "m1").effects = {becomes("m1", "libc", "2.36")};
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), is_shared ? "nothing" : "unreadable-start") << text(report);
    }
}

}  // namespace
}  // namespace drydock::checker
