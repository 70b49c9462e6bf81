// What every journal backend must do, run on each of them. A new backend adds one Backend below.
#include "journal/memory/memory_journal.h"
#include "journal/sqlite/sqlite_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <random>

namespace drydock::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

// A place where journals can be opened again and again.
class Backend {
public:
    Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
    virtual ~Backend() = default;
    virtual std::unique_ptr<Journal> open() = 0;
};

class Memory final : public Backend {
public:
    std::unique_ptr<Journal> open() override { return open_memory(store_); }

private:
    std::shared_ptr<MemoryStore> store_ = make_memory_store();
};

class Sqlite final : public Backend {
public:
    Sqlite() {
        std::string name = (fs::temp_directory_path() / "drydock-journal-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }

    Sqlite(const Sqlite&) = delete;
    Sqlite& operator=(const Sqlite&) = delete;

    ~Sqlite() override { fs::remove_all(folder_); }

    std::unique_ptr<Journal> open() override { return open_sqlite(folder_ / "journal.db").value(); }

private:
    fs::path folder_;
};

struct Kind {
    std::string name;
    std::function<std::unique_ptr<Backend>()> make;
};

void PrintTo(const Kind& kind, std::ostream* out) {  // NOLINT: GoogleTest looks for this name
    *out << kind.name;
}

class JournalConformance : public testing::TestWithParam<Kind> {
protected:
    std::unique_ptr<Backend> backend = GetParam().make();
    std::unique_ptr<Journal> journal = backend->open();
    const NewRun run{"roll-1", 1'700'000'000'000, "sha256:abc"};
    const Holder me{"here", 11, 1'700'000'000'001};

    void start() {
        ASSERT_TRUE(journal->create_run(run));
        ASSERT_TRUE(journal->take_lease(run.id, me));
    }

    void reopen() {
        journal.reset();
        journal = backend->open();
    }
};

Json event(const std::string& type, std::int64_t action) {
    return Json::Object{{"type", type}, {"action", action}};
}

std::vector<std::uint64_t> sequences(const std::vector<Record>& records) {
    std::vector<std::uint64_t> all;
    std::ranges::transform(records, std::back_inserter(all), &Record::sequence);
    return all;
}

// What was appended is what a later reader gets: values, order, times and hashes.
TEST_P(JournalConformance, ReadsBackWhatWasAppendedAfterReopening) {
    start();
    const std::vector<Json> first{event("a", 1), event("b", std::numeric_limits<int64_t>::max())};
    const auto one = journal->append(run.id, 5, first);
    const auto two = journal->append(run.id, -3, {event("c", 2)});
    ASSERT_TRUE(one && two);
    reopen();
    const auto records = journal->read(run.id);
    ASSERT_TRUE(records) << records.error().text();
    EXPECT_THAT(
        *records,
        ElementsAre(Record{1, 5, first, one->hash}, Record{2, -3, {event("c", 2)}, two->hash}));
    EXPECT_EQ(journal->verify(run.id), Result<Head>(*two));
}

// A resumed conductor goes on where the dead one stopped, also in the chain.
TEST_P(JournalConformance, ContinuesTheChainAfterReopening) {
    start();
    ASSERT_TRUE(journal->append(run.id, 1, {event("a", 1)}));
    reopen();
    ASSERT_TRUE(journal->take_lease(run.id, me));
    const auto head = journal->append(run.id, 2, {event("b", 1)});
    ASSERT_TRUE(head);
    EXPECT_EQ(head->records, 2);
    EXPECT_TRUE(journal->verify(run.id));
}

TEST_P(JournalConformance, ReadsFromASequenceOn) {
    start();
    for (int i = 1; i <= 5; ++i) {
        ASSERT_TRUE(journal->append(run.id, i, {event("a", i)}));
    }
    EXPECT_THAT(sequences(journal->read(run.id, 4).value()), ElementsAre(4, 5));
    EXPECT_THAT(sequences(journal->read(run.id, 1).value()), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(sequences(journal->read(run.id, 6).value()), ElementsAre());
    EXPECT_THAT(sequences(journal->read(run.id, 60).value()), ElementsAre());
}

// Equal histories have equal hashes on every backend: a head hash kept elsewhere stays checkable.
TEST_P(JournalConformance, HashesAreTheSameEverywhere) {
    start();
    const auto head = journal->append(run.id, 7, {event("a", 1)});
    ASSERT_TRUE(head);
    EXPECT_EQ(to_hex(head->hash),
              "3602f89649e2a62cb20c10b7e7523fdfbbe5b54b2be38ba4561e95c33077141c");
}

TEST_P(JournalConformance, HashDependsOnRunTimeAndEvents) {
    start();
    ASSERT_TRUE(journal->create_run({"roll-2", run.created_ms, run.plan_digest}));
    ASSERT_TRUE(journal->take_lease("roll-2", me));
    const auto here = journal->append(run.id, 7, {event("a", 1)});
    const auto there = journal->append("roll-2", 7, {event("a", 1)});
    ASSERT_TRUE(here && there);
    EXPECT_NE(here->hash, there->hash);
}

// Runs lie side by side: what one holds never shows in another.
TEST_P(JournalConformance, KeepsRunsApart) {
    start();
    ASSERT_TRUE(journal->create_run({"roll-2", 2, "d"}));
    ASSERT_TRUE(journal->take_lease("roll-2", me));
    ASSERT_TRUE(journal->append(run.id, 1, {event("mine", 1)}));
    ASSERT_TRUE(journal->append("roll-2", 1, {event("other", 1)}));
    ASSERT_TRUE(journal->append(run.id, 2, {event("mine", 2)}));
    EXPECT_THAT(sequences(journal->read(run.id).value()), ElementsAre(1, 2));
    EXPECT_EQ(journal->read("roll-2").value().front().events.front(), event("other", 1));
}

TEST_P(JournalConformance, ListsRunsInOrderOfCreation) {
    start();
    ASSERT_TRUE(journal->create_run({"a-later-one", 2, "d"}));
    ASSERT_TRUE(journal->set_state(run.id, "paused"));
    const auto head = journal->append(run.id, 1, {event("a", 1)});
    const auto runs = journal->list_runs();
    ASSERT_TRUE(runs && runs->size() == 2);
    EXPECT_EQ((*runs)[0].run, run);
    EXPECT_EQ((*runs)[0].state, "paused");
    EXPECT_EQ((*runs)[0].head, *head);
    EXPECT_EQ((*runs)[0].holder, me);
    EXPECT_EQ((*runs)[1].run.id, "a-later-one");
    EXPECT_EQ((*runs)[1].head.records, 0);
    EXPECT_EQ((*runs)[1].holder, std::nullopt);
}

TEST_P(JournalConformance, RefusesABadOrKnownRunName) {
    for (const std::string name : {"", "..", "a/b", "a b", "caf\xc3\xa9", ".hidden"}) {
        EXPECT_EQ(journal->create_run({name, 0, ""}).error().code, "journal.run.id") << name;
    }
    EXPECT_EQ(journal->create_run({std::string(65, 'a'), 0, ""}).error().code, "journal.run.id");
    start();
    EXPECT_EQ(journal->create_run(run).error().code, "journal.run.exists");
}

TEST_P(JournalConformance, NamesTheNearestRunWhenOneIsUnknown) {
    start();
    for (const Error& error : {journal->read("rol-1").error(),
                               journal->verify("rol-1").error(),
                               journal->append("rol-1", 0, {event("a", 1)}).error(),
                               journal->find_run("rol-1").error(),
                               journal->take_lease("rol-1", me).error()}) {
        EXPECT_EQ(error.code, "journal.run.unknown");
        EXPECT_THAT(error.remedy, HasSubstr("roll-1"));
    }
}

TEST_P(JournalConformance, RefusesRecordsThatSayNothing) {
    start();
    EXPECT_EQ(journal->append(run.id, 0, {}).error().code, "journal.record");
    EXPECT_EQ(journal->append(run.id, 0, {Json(7)}).error().code, "journal.record");
    EXPECT_EQ(journal->append(run.id, 0, {event("", 1)}).error().code, "journal.record");
    EXPECT_EQ(journal->verify(run.id)->records, 0);
}

TEST_P(JournalConformance, KeepsALargeRecord) {
    start();
    std::vector<Json> events;
    events.reserve(5000);
    for (int i = 0; i < 5000; ++i) {
        events.push_back(event("action.intended", i));
    }
    ASSERT_TRUE(journal->append(run.id, 1, events));
    EXPECT_EQ(journal->read(run.id)->front().events, events);
}

// Only the conductor writes: nobody appends without the lease.
TEST_P(JournalConformance, WritingNeedsTheLease) {
    ASSERT_TRUE(journal->create_run(run));
    EXPECT_EQ(journal->append(run.id, 0, {event("a", 1)}).error().code, "journal.lease.none");
    EXPECT_EQ(journal->set_state(run.id, "x").error().code, "journal.lease.none");
    EXPECT_EQ(journal->verify(run.id)->records, 0);
}

// Two conductors started at once: the second is told who holds the run.
TEST_P(JournalConformance, RefusesASecondConductorAndNamesTheFirst) {
    start();
    const auto other = backend->open();
    const auto refused = other->take_lease(run.id, {"there", 12, 0});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "journal.lease.held");
    EXPECT_THAT(refused.error().message, HasSubstr("process 11 on here since 20"));
    EXPECT_EQ(other->append(run.id, 0, {event("a", 1)}).error().code, "journal.lease.none");
    EXPECT_EQ(other->find_run(run.id)->holder, me);
    EXPECT_TRUE(journal->append(run.id, 0, {event("a", 1)}));
    EXPECT_EQ(other->read(run.id)->size(), 1) << "others may read while one writes";
    EXPECT_EQ(journal->take_lease(run.id, me).error().code, "journal.lease.held");
}

// The hosts refuse lower epochs, so each lease must have a higher one, also after reopening.
TEST_P(JournalConformance, EveryLeaseHasAHigherEpoch) {
    ASSERT_TRUE(journal->create_run(run));
    std::vector<std::uint64_t> epochs;
    for (int i = 0; i < 3; ++i) {
        epochs.push_back(journal->take_lease(run.id, me).value());
        journal->release_lease(run.id);
        EXPECT_EQ(journal->find_run(run.id)->holder, std::nullopt);
    }
    reopen();
    epochs.push_back(journal->take_lease(run.id, me).value());
    EXPECT_THAT(epochs, ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(journal->find_run(run.id)->epoch, 4);
    ASSERT_TRUE(journal->create_run({"roll-back", 0, ""}));
    EXPECT_EQ(journal->take_lease("roll-back", me), 5) << "hosts know one fence for all runs";
}

TEST_P(JournalConformance, LeasesOfTwoRunsAreIndependent) {
    start();
    ASSERT_TRUE(journal->create_run({"roll-2", 0, ""}));
    const auto other = backend->open();
    EXPECT_TRUE(other->take_lease("roll-2", {"there", 12, 0}));
    EXPECT_TRUE(other->append("roll-2", 0, {event("a", 1)}));
    EXPECT_TRUE(journal->append(run.id, 0, {event("a", 1)}));
}

// Random histories, by a fixed seed: appends, leases given back and reopenings in any order leave
// exactly the appended records.
TEST_P(JournalConformance, AnyHistoryReadsBackAsItHappened) {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        const std::string id = "any-" + std::to_string(seed);
        ASSERT_TRUE(journal->create_run({id, 0, ""}));
        std::vector<std::vector<Json>> expected;
        for (int i = 0; i < 40; ++i) {
            if (random() % 5 == 0) {
                reopen();
            }
            const bool held = journal->find_run(id)->holder.has_value();
            if (!held) {
                ASSERT_TRUE(journal->take_lease(id, me));
            }
            std::vector<Json> events(1 + random() % 20,
                                     event("e", static_cast<std::int64_t>(random())));
            ASSERT_TRUE(journal->append(id, static_cast<std::int64_t>(random()), events));
            expected.push_back(std::move(events));
        }
        const auto records = journal->read(id);
        ASSERT_TRUE(records);
        std::vector<std::vector<Json>> actual;
        std::ranges::transform(*records, std::back_inserter(actual), &Record::events);
        EXPECT_EQ(actual, expected);
        EXPECT_EQ(journal->verify(id)->hash, records->back().hash);
    }
}

INSTANTIATE_TEST_SUITE_P(Every,
                         JournalConformance,
                         testing::Values(Kind{"memory", [] { return std::make_unique<Memory>(); }},
                                         Kind{"sqlite", [] { return std::make_unique<Sqlite>(); }}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace drydock::journal
