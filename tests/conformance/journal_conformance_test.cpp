// What every journal backend must do, run on each of them. A new backend adds one Backend below.
#include "journal/memory/memory_journal.h"
#include "journal/sqlite/sqlite_journal.h"
#include "journal/test_writer.h"

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
    TestWriter writer{*journal};
    const NewRun run{"roll-1", 1'700'000'000'000, "sha256:abc"};
    const Holder me{"here", 11, 1'700'000'000'001};

    void start() { ASSERT_TRUE(writer.begin(run, me)); }

    void reopen() {
        journal.reset();
        journal = backend->open();
        writer.use(*journal);
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
    const Head born = writer.head(run.id);
    const std::vector<Json> first{event("a", 1), event("b", std::numeric_limits<int64_t>::max())};
    const auto one = writer.append(run.id, 5, first);
    const auto two = writer.append(run.id, -3, {event("c", 2)});
    ASSERT_TRUE(one && two);
    reopen();
    const auto records = journal->read(run.id);
    ASSERT_TRUE(records) << records.error().text();
    EXPECT_THAT(*records,
                ElementsAre(Record{1, 0, {Json::Object{{"type", "run.created"}}}, born.hash},
                            Record{2, 5, first, one->hash},
                            Record{3, -3, {event("c", 2)}, two->hash}));
    EXPECT_EQ(journal->verify(run.id), Result<Head>(*two));
}

// A resumed conductor goes on where the dead one stopped, also in the chain.
TEST_P(JournalConformance, ContinuesTheChainAfterReopening) {
    start();
    ASSERT_TRUE(writer.append(run.id, 1, {event("a", 1)}));
    reopen();
    ASSERT_TRUE(writer.take(run.id, me));
    const auto head = writer.append(run.id, 2, {event("b", 1)});
    ASSERT_TRUE(head);
    EXPECT_EQ(head->records, 3);
    EXPECT_TRUE(journal->verify(run.id));
}

TEST_P(JournalConformance, ReadsFromASequenceOn) {
    start();
    for (int i = 2; i <= 5; ++i) {
        ASSERT_TRUE(writer.append(run.id, i, {event("a", i)}));
    }
    EXPECT_THAT(sequences(journal->read(run.id, 4).value()), ElementsAre(4, 5));
    EXPECT_THAT(sequences(journal->read(run.id, 1).value()), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(sequences(journal->read(run.id, 6).value()), ElementsAre());
    EXPECT_THAT(sequences(journal->read(run.id, 60).value()), ElementsAre());
}

// Equal histories have equal hashes on every backend: a head hash kept elsewhere stays checkable.
TEST_P(JournalConformance, HashesAreTheSameEverywhere) {
    start();
    const auto head = writer.append(run.id, 7, {event("a", 1)});
    ASSERT_TRUE(head);
    EXPECT_EQ(to_hex(head->hash),
              "da97d50fc7dfa6726de48073cb2e1ca786fd6b81498c8d2e6aaf6660605e64f6");
}

TEST_P(JournalConformance, HashDependsOnRunTimeAndEvents) {
    start();
    const auto here = writer.append(run.id, 7, {event("a", 1)});
    ASSERT_TRUE(writer.finish(run.id));
    ASSERT_TRUE(writer.begin({"roll-2", run.created_ms, run.plan_digest}));
    const auto there = writer.append("roll-2", 7, {event("a", 1)});
    ASSERT_TRUE(here && there);
    EXPECT_NE(here->hash, there->hash);
}

// Runs lie side by side: what one holds never shows in another.
TEST_P(JournalConformance, KeepsRunsApart) {
    start();
    ASSERT_TRUE(writer.append(run.id, 1, {event("mine", 1)}));
    ASSERT_TRUE(writer.finish(run.id));
    ASSERT_TRUE(writer.begin({"roll-2", 2, "d"}));
    ASSERT_TRUE(writer.append("roll-2", 1, {event("other", 1)}));
    EXPECT_THAT(sequences(journal->read(run.id).value()), ElementsAre(1, 2, 3));
    EXPECT_EQ(journal->read("roll-2").value().back().events.front(), event("other", 1));
    EXPECT_TRUE(journal->verify(run.id) && journal->verify("roll-2"));
}

TEST_P(JournalConformance, ListsRunsInOrderOfCreation) {
    start();
    ASSERT_TRUE(writer.append(run.id, {1, {event("a", 1)}, RunState{"paused"}}));
    EXPECT_EQ(journal->find_run(run.id)->state, RunState{"paused"});
    ASSERT_TRUE(writer.append(run.id, {1, {event("a", 1)}}));
    EXPECT_EQ(journal->find_run(run.id)->state, RunState{"paused"}) << "kept until another is set";
    const auto head = writer.finish(run.id);
    ASSERT_TRUE(writer.begin({"a-later-one", 2, "d"}));
    const auto runs = journal->list_runs();
    ASSERT_TRUE(runs && runs->size() == 2);
    EXPECT_EQ((*runs)[0].run, run);
    EXPECT_EQ((*runs)[0].state, (RunState{"finished", true}));
    EXPECT_EQ((*runs)[0].head, *head);
    EXPECT_EQ((*runs)[1].run.id, "a-later-one");
    EXPECT_EQ((*runs)[1].head.records, 1);
}

TEST_P(JournalConformance, RefusesABadOrKnownRunName) {
    for (const std::string name : {"", "..", "a/b", "a b", "caf\xc3\xa9", ".hidden"}) {
        EXPECT_EQ(writer.begin({name, 0, ""}).error().code, "journal.run.id") << name;
    }
    EXPECT_EQ(writer.begin({std::string(65, 'a'), 0, ""}).error().code, "journal.run.id");
    start();
    EXPECT_EQ(writer.begin(run).error().code, "journal.run.exists");
}

TEST_P(JournalConformance, NamesTheNearestRunWhenOneIsUnknown) {
    start();
    for (const Error& error : {journal->read("rol-1").error(),
                               journal->verify("rol-1").error(),
                               writer.append("rol-1", 0, {event("a", 1)}).error(),
                               journal->find_run("rol-1").error(),
                               journal->post_request("rol-1", {}).error(),
                               journal->take_lease("rol-1", me).error()}) {
        EXPECT_EQ(error.code, "journal.run.unknown");
        EXPECT_THAT(error.remedy, HasSubstr("roll-1"));
    }
}

TEST_P(JournalConformance, RefusesRecordsThatSayNothing) {
    start();
    EXPECT_EQ(writer.append(run.id, 0, {}).error().code, "journal.record");
    EXPECT_EQ(writer.append(run.id, 0, {Json(7)}).error().code, "journal.record");
    EXPECT_EQ(writer.append(run.id, 0, {event("", 1)}).error().code, "journal.record");
    EXPECT_EQ(journal->verify(run.id)->records, 1);
    ASSERT_TRUE(writer.finish(run.id));
    EXPECT_EQ(journal->begin_run({{"empty", 0, ""}, {}, me}).error().code, "journal.record");
    EXPECT_EQ(journal->find_run("empty").error().code, "journal.run.unknown");
}

TEST_P(JournalConformance, KeepsALargeRecord) {
    start();
    std::vector<Json> events;
    events.reserve(5000);
    for (int i = 0; i < 5000; ++i) {
        events.push_back(event("action.intended", i));
    }
    ASSERT_TRUE(writer.append(run.id, 1, events));
    EXPECT_EQ(journal->read(run.id)->back().events, events);
}

// Only the conductor writes: nobody appends without the lease.
TEST_P(JournalConformance, WritingNeedsTheLease) {
    start();
    journal->release_lease(run.id);
    EXPECT_EQ(writer.append(run.id, 0, {event("a", 1)}).error().code, "journal.lease.none");
    EXPECT_EQ(journal->verify(run.id)->records, 1);
}

// Two conductors started at once: the second is told who holds the run.
TEST_P(JournalConformance, RefusesASecondConductorAndNamesTheFirst) {
    start();
    const auto other = backend->open();
    const auto refused = other->take_lease(run.id, {"there", 12, 0});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "journal.lease.held");
    EXPECT_THAT(refused.error().message, HasSubstr("process 11 on here since 20"));
    EXPECT_EQ(other->append(run.id, writer.head(run.id), {0, {event("a", 1)}}).error().code,
              "journal.lease.none");
    EXPECT_EQ(other->find_run(run.id)->holder, me);
    EXPECT_TRUE(writer.append(run.id, 0, {event("a", 1)}));
    EXPECT_EQ(other->read(run.id)->size(), 2) << "others may read while one writes";
    EXPECT_EQ(journal->take_lease(run.id, me).error().code, "journal.lease.held");
}

// The hosts refuse lower epochs, so each lease must have a higher one, also after reopening.
TEST_P(JournalConformance, EveryLeaseHasAHigherEpoch) {
    std::vector<std::uint64_t> epochs = {writer.begin(run, me)->epoch};
    for (int i = 0; i < 2; ++i) {
        journal->release_lease(run.id);
        EXPECT_EQ(journal->find_run(run.id)->holder, std::nullopt);
        epochs.push_back(writer.take(run.id, me)->epoch);
    }
    reopen();
    epochs.push_back(writer.take(run.id, me)->epoch);
    EXPECT_THAT(epochs, ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(journal->find_run(run.id)->epoch, 4);
    ASSERT_TRUE(writer.finish(run.id));
    EXPECT_EQ(writer.begin({"roll-back", 0, ""})->epoch, 5) << "hosts know one fence for all runs";
}

// An append whose answer was lost is made again, and is there once.
TEST_P(JournalConformance, WritesTheSameEntryOnce) {
    start();
    const Head before = writer.head(run.id);
    const Entry entry = {3, {event("a", 1)}, RunState{"paused"}};
    const auto first = journal->append(run.id, before, entry);
    const auto again = journal->append(run.id, before, entry);
    ASSERT_TRUE(first && again);
    EXPECT_EQ(*first, *again);
    EXPECT_EQ(journal->read(run.id)->size(), 2);
    EXPECT_EQ(journal->append(run.id, before, {3, {event("a", 2)}}).error().code, "journal.head");
    EXPECT_EQ(journal->append(run.id, {9, {}}, entry).error().code, "journal.head");
    EXPECT_EQ(*journal->verify(run.id), *first);
}

// A run that is over stays as it is, but for the repeat of its last record.
TEST_P(JournalConformance, ARunThatIsOverTakesNothingMore) {
    start();
    const Head before = writer.head(run.id);
    const Entry last = {3, {event("run.finished", 0)}, RunState{"finished", true}};
    const auto over = journal->append(run.id, before, last);
    ASSERT_TRUE(over);
    EXPECT_TRUE(journal->append(run.id, before, last));
    EXPECT_EQ(journal->append(run.id, *over, {4, {event("a", 1)}}).error().code,
              "journal.run.over");
    EXPECT_TRUE(journal->post_request(run.id, {}));  // whoever holds it may be on a journey
    journal->release_lease(run.id);
    EXPECT_EQ(journal->post_request(run.id, {}).error().code, "journal.run.over");
    EXPECT_EQ(journal->take_lease(run.id, me).error().code, "journal.run.over");
}

// Two people begin a run at once: one of them does.
TEST_P(JournalConformance, AtMostOneRunIsOpen) {
    start();
    const auto other = backend->open();
    TestWriter second(*other);
    const auto refused = second.begin({"roll-2", 0, ""});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "journal.run.open");
    EXPECT_THAT(refused.error().message, HasSubstr("roll-1"));
    EXPECT_THAT(refused.error().message, HasSubstr("process 11 on here"));
    EXPECT_EQ(journal->list_runs()->size(), 1);
    ASSERT_TRUE(writer.finish(run.id));
    EXPECT_TRUE(second.begin({"roll-2", 0, ""}));
}

// Two people go on with a journey at once: the second birth finds a newer run than it follows.
TEST_P(JournalConformance, ABirthFollowsTheNewestRunOnly) {
    start();
    ASSERT_TRUE(writer.finish(run.id));
    const auto birth = [&](const std::string& id, const std::string& follows) {
        const Entry first = {0, {event("run.created", 0)}, RunState{"finished", true}};
        return journal->begin_run({{id, 1, ""}, first, me, "", {}, follows});
    };
    EXPECT_TRUE(birth("roll-2", run.id));
    const auto refused = birth("roll-3", run.id);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "journal.run.newer");
    EXPECT_THAT(refused.error().message, HasSubstr("roll-2"));
    EXPECT_EQ(journal->list_runs()->size(), 2);
    EXPECT_TRUE(birth("roll-3", "roll-2"));
    EXPECT_TRUE(birth("roll-4", ""));
}

Entry returned() {
    return {7, {event("run.returned", 0)}, RunState{"returned", true}};
}

// The way back begins and the way forward ends in one commit.
TEST_P(JournalConformance, TheWayBackClosesTheRunThatItReturns) {
    start();
    const auto lease = journal->begin_run(
        {{"back", 1, ""}, {0, {event("run.created", 0)}}, me, run.id, returned()});
    ASSERT_TRUE(lease) << lease.error().text();
    EXPECT_EQ(lease->epoch, 2);
    EXPECT_EQ(journal->find_run(run.id)->state, (RunState{"returned", true}));
    EXPECT_EQ(journal->find_run(run.id)->holder, std::nullopt);
    EXPECT_EQ(journal->read(run.id)->back().events.front(), event("run.returned", 0));
    EXPECT_EQ(journal->find_run("back")->holder, me);
    EXPECT_TRUE(journal->append("back", lease->head, {1, {event("a", 1)}}));
    EXPECT_TRUE(journal->verify(run.id) && journal->verify("back"));
}

// While somebody conducts the way forward, no way back begins, and nothing of it stays behind.
TEST_P(JournalConformance, NoWayBackOfARunThatAnotherConducts) {
    start();
    const auto other = backend->open();
    const RunCreation birth = {
        {"back", 1, ""}, {0, {event("run.created", 0)}}, me, run.id, returned()};
    EXPECT_EQ(other->begin_run(birth).error().code, "journal.lease.held");
    EXPECT_EQ(journal->list_runs()->size(), 1);
    EXPECT_TRUE(writer.append(run.id, 1, {event("a", 1)}));
    journal->release_lease(run.id);
    EXPECT_TRUE(other->begin_run(birth));
    EXPECT_EQ(journal->take_lease(run.id, me).error().code, "journal.run.over");
}

// A person leaves a wish; the conductor answers it together with what came of it.
TEST_P(JournalConformance, RequestsAreAnsweredInTheCommitOfTheirRecord) {
    start();
    const auto other = backend->open();
    const Request pause = {0, "pause", "ann", 5, Json::Object{{"why", "lunch"}}};
    const auto first = other->post_request(run.id, pause);
    const auto second = other->post_request(run.id, {0, "note", "bob", 6});
    ASSERT_TRUE(first && second);
    const auto open = journal->open_requests(run.id);
    ASSERT_TRUE(open && open->size() == 2);
    EXPECT_EQ(open->front().kind, "pause");
    EXPECT_EQ(open->front().author, "ann");
    EXPECT_EQ(open->front().detail, pause.detail);
    ASSERT_TRUE(writer.append(
        run.id, {1, {event("run.paused", 0)}, RunState{"paused"}, {{*first, "paused"}}}));
    EXPECT_EQ(other->find_request(*first)->answer, "paused");
    EXPECT_EQ(journal->open_requests(run.id)->size(), 1);
    ASSERT_TRUE(writer.finish(run.id));
    EXPECT_EQ(other->find_request(*second)->answer, "the run is over");
    EXPECT_EQ(other->find_request(99).error().code, "journal.request.unknown");
}

TEST_P(JournalConformance, HasOneIdForEver) {
    const std::string id = journal->id();
    EXPECT_FALSE(id.empty());
    reopen();
    EXPECT_EQ(journal->id(), id);
}

TEST_P(JournalConformance, TakesAnotherIdForGood) {
    const std::string id = journal->id();
    ASSERT_TRUE(journal->renew_id());
    const std::string renewed = journal->id();
    EXPECT_NE(renewed, id);
    reopen();
    EXPECT_EQ(journal->id(), renewed);
}

// By its nonce a lease is told from that of a copy with the same epoch.
TEST_P(JournalConformance, RemembersTheLeasesThatItGave) {
    EXPECT_TRUE(journal->given_leases()->empty());
    start();
    reopen();
    ASSERT_TRUE(journal->take_lease(run.id, {"host", 1, 0}));
    const auto leases = *journal->given_leases();
    ASSERT_EQ(leases.size(), 2U);
    EXPECT_LT(leases[0].epoch, leases[1].epoch);
    EXPECT_NE(leases[0].nonce, leases[1].nonce);
    EXPECT_EQ(leases[1].epoch, journal->find_run(run.id)->epoch);
}

// Random histories, by a fixed seed: appends, leases given back and reopenings in any order leave
// exactly the appended records.
TEST_P(JournalConformance, AnyHistoryReadsBackAsItHappened) {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        const std::string id = "any-" + std::to_string(seed);
        ASSERT_TRUE(writer.begin({id, 0, ""}));
        std::vector<std::vector<Json>> expected = {{Json::Object{{"type", "run.created"}}}};
        for (int i = 0; i < 40; ++i) {
            if (random() % 5 == 0) {
                reopen();
            }
            const bool held = journal->find_run(id)->holder.has_value();
            if (!held) {
                ASSERT_TRUE(writer.take(id, me));
            }
            std::vector<Json> events(1 + random() % 20,
                                     event("e", static_cast<std::int64_t>(random())));
            ASSERT_TRUE(writer.append(id, static_cast<std::int64_t>(random()), events));
            expected.push_back(std::move(events));
        }
        const auto records = journal->read(id);
        ASSERT_TRUE(records);
        std::vector<std::vector<Json>> actual;
        std::ranges::transform(*records, std::back_inserter(actual), &Record::events);
        EXPECT_EQ(actual, expected);
        EXPECT_EQ(journal->verify(id)->hash, records->back().hash);
        const bool held = journal->find_run(id)->holder.has_value();
        ASSERT_TRUE(held || writer.take(id, me));
        ASSERT_TRUE(writer.finish(id));
    }
}

INSTANTIATE_TEST_SUITE_P(Every,
                         JournalConformance,
                         testing::Values(Kind{"memory", [] { return std::make_unique<Memory>(); }},
                                         Kind{"sqlite", [] { return std::make_unique<Sqlite>(); }}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace drydock::journal
