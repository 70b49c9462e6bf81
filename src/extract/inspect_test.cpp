// Counts and findings of small streams, and of random ones that were cut.
#include "base/hash.h"
#include "extract/digest.h"
#include "extract/fingerprints.h"
#include "extract/inspect.h"
#include "extract/test_stream.h"
#include "extract/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drydock::extract {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Inspection inspect_bytes(std::string_view bytes) {
    MemorySource source(bytes);
    auto inspection = inspect_source(source);
    EXPECT_TRUE(inspection) << inspection.error().text();
    return inspection ? *inspection : Inspection{};
}

Inspection inspect_ops(const std::vector<std::string>& ops) {
    return inspect_bytes(framed(records(ops)));
}

std::string repo_op(std::string_view name, int minor = 11) {
    return op(minor, OpKind::repo, named(name));
}

std::string commit_op(std::string_view repo, std::string_view id, std::string_view parent = "") {
    return op(11, OpKind::commit, commit(repo, id, parent));
}

std::string block_op(std::string_view hash, std::string_view value) {
    return op(11, OpKind::block, (hash.empty() ? "" : named(hash)) + field(2, value));
}

std::int64_t found(const Inspection& inspection, FindingKind kind) {
    return inspection.finding(kind).count;
}

std::string damage_of(const Inspection& inspection) {
    return inspection.damage ? inspection.damage->code : "";
}

TEST(Inspect, CountsASoundStream) {
    const auto inspection = inspect_ops({repo_op("__spec__"),
                                         repo_op("images"),
                                         commit_op("images", "c1"),
                                         commit_op("images", "c2", "c1"),
                                         op(11, OpKind::branch, branch("images", "master", "c2")),
                                         op(11, OpKind::pipeline, named("edges")),
                                         op(11, OpKind::job, field(2, field(1, "edges")))});
    EXPECT_TRUE(inspection.is_sound());
    EXPECT_EQ(inspection.ops, 7);
    EXPECT_EQ(inspection.count_of(OpKind::commit), 2);
    EXPECT_EQ(inspection.versions[4], 7);
    EXPECT_EQ(inspection.repos.at("images").commits, 2);
    EXPECT_EQ(inspection.repos.at("images").branches, 1);
    EXPECT_EQ(inspection.jobs.at("edges"), 1);
    EXPECT_EQ(inspection.objects_referenced, 1);
    EXPECT_FALSE(inspection.has_objects);
    EXPECT_TRUE(inspection.has_times);
}

TEST(Inspect, FindsNamesThatComeTooLateOrNever) {
    const std::string provenance = field(6, field(1, commit_id("images", "gone")));
    const auto inspection =
        inspect_ops({repo_op("images"),
                     commit_op("images", "c2", "c1"),
                     commit_op("images", "c1"),
                     op(11, OpKind::commit, commit("images", "c3", "") + provenance),
                     commit_op("other", "c1"),
                     op(11, OpKind::branch, branch("images", "master", "c9")),
                     op(11, OpKind::job, field(2, field(1, "edges")))});
    EXPECT_EQ(found(inspection, FindingKind::missing_parent), 1);
    EXPECT_THAT(inspection.finding(FindingKind::missing_parent).examples,
                ElementsAre("op 2: images@c2 needs images@c1"));
    EXPECT_EQ(found(inspection, FindingKind::missing_provenance), 1);
    EXPECT_EQ(found(inspection, FindingKind::missing_repo), 1);
    EXPECT_EQ(found(inspection, FindingKind::missing_head), 1);
    EXPECT_EQ(found(inspection, FindingKind::missing_pipeline), 1);
    EXPECT_FALSE(inspection.is_sound());
    EXPECT_FALSE(inspection.damage);
}

// Up to 1.8, provenance has another field number and one level less.
TEST(Inspect, ReadsTheProvenanceOfOldVersions) {
    const std::string old = field(2, commit_id("images", "c1"));
    const auto stream = [&](bool has_first) {
        return inspect_ops({repo_op("images", 8),
                            op(8, OpKind::commit, commit("images", has_first ? "c1" : "c0", "")),
                            op(8, OpKind::commit, commit("images", "c2", "") + old)});
    };
    EXPECT_EQ(found(stream(true), FindingKind::missing_provenance), 0);
    EXPECT_EQ(found(stream(false), FindingKind::missing_provenance), 1);
}

TEST(Inspect, TellsOpenCommitsWhereTheVersionDoes) {
    const std::string begun = field(1, commit_id("images", "")) + field(5, "c1") + field(10, "");
    const std::string bare = field(1, commit_id("images", "")) + field(5, "c1");
    const auto open = [](int minor, const std::string& body) {
        const auto inspection =
            inspect_ops({repo_op("images", minor), op(minor, OpKind::commit, body)});
        EXPECT_EQ(inspection.commits_without_tree, 1);
        return found(inspection, FindingKind::open_commit);
    };
    EXPECT_EQ(open(11, begun), 1);
    EXPECT_EQ(open(11, bare), 1);
    EXPECT_EQ(open(10, begun), 1);
    EXPECT_EQ(open(10, bare), 0);
    EXPECT_EQ(open(9, bare), 0);
}

TEST(Inspect, FindsMixedVersionsAndStrangeOps) {
    const auto inspection = inspect_ops({repo_op("a", 9), repo_op("b", 10), repo_op("c", 9), ""});
    EXPECT_EQ(found(inspection, FindingKind::mixed_versions), 1);
    EXPECT_THAT(inspection.finding(FindingKind::mixed_versions).examples,
                ElementsAre("op 2: op version 1.10"));
    EXPECT_EQ(found(inspection, FindingKind::unknown_op), 1);
}

TEST(Inspect, FollowsBlocksThroughTheirParts) {
    const std::string object = named("sha") + field(2, named("b1"));
    const auto whole = inspect_ops({block_op("b1", "12345"),
                                    block_op("", "678"),
                                    block_op("b1", ""),
                                    op(11, OpKind::create_object, object)});
    EXPECT_TRUE(whole.is_sound());
    EXPECT_EQ(whole.blocks.count, 1);
    EXPECT_EQ(whole.blocks.bytes, 8);

    const auto cut = inspect_ops({block_op("b1", "12345")});
    EXPECT_EQ(damage_of(cut), "extract.truncated");
    EXPECT_THAT(cut.damage->message, HasSubstr("inside of a block"));
    const auto unended = inspect_ops({block_op("b1", "12345"), repo_op("a")});
    EXPECT_EQ(found(unended, FindingKind::unended_block), 1);
    const auto missing = inspect_ops({op(11, OpKind::create_object, object)});
    EXPECT_EQ(found(missing, FindingKind::missing_block), 1);
}

// Up to 1.8, objects have no name in the stream: it is the SHA-512 of their bytes.
TEST(Inspect, NamesOldObjectsByTheirBytes) {
    StreamDigest digest(StreamDigest::Algorithm::sha512);
    digest.update("bytes of a tree");
    const std::string hash = digest.finish_hex();
    const auto stream = [&](std::string_view named_hash) {
        const std::string body =
            field(1, commit_id("a", "")) + field(3, field(1, named_hash)) + field(5, "c1");
        return inspect_ops({op(8, OpKind::object, field(1, "bytes of ")),
                            op(8, OpKind::object, field(1, "a tree")),
                            op(8, OpKind::object, ""),
                            repo_op("a", 8),
                            op(8, OpKind::commit, body)});
    };
    EXPECT_EQ(hash.size(), 128U);
    EXPECT_TRUE(stream(hash).is_sound());
    EXPECT_EQ(stream(hash).objects.bytes, 15);
    EXPECT_EQ(found(stream("other"), FindingKind::missing_object), 1);
}

TEST(Inspect, MissesTheEndOfAuth) {
    const auto with = [](bool is_activated) {
        return inspect_ops({op(12, OpKind::check_auth_token, ""),
                            repo_op("a", 12),
                            op(12, is_activated ? OpKind::activate_auth : OpKind::set_acl, "")});
    };
    EXPECT_TRUE(with(true).is_sound());
    EXPECT_TRUE(with(true).holds_secrets);
    EXPECT_EQ(found(with(false), FindingKind::missing_auth), 1);
}

TEST(Inspect, TellsHowFarDamageLets) {
    std::string bytes = framed(records({repo_op("a")})) + plain_chunk(record(repo_op("b")));
    bytes.back() = 'X';
    const auto inspection = inspect_bytes(bytes);
    EXPECT_EQ(damage_of(inspection), "extract.crc");
    EXPECT_EQ(inspection.ops, 1);
    EXPECT_EQ(inspection.damage->op, 2);
    EXPECT_EQ(inspection.damage->offset,
              static_cast<std::int64_t>(framed(records({repo_op("a")})).size()));
    EXPECT_EQ(damage_of(inspect_bytes("")), "extract.truncated");
    EXPECT_EQ(damage_of(inspect_ops({"no message"})), "extract.protobuf");
    EXPECT_EQ(damage_of(inspect_ops({repo_op("a") + repo_op("b")})), "extract.protobuf");
}

// Every prefix is either damaged or ends between two ops; then exactly those were counted.
RC_GTEST_PROP(Inspect, NeverTakesACutOpForAWholeOne, (std::uint8_t count)) {
    std::vector<std::string> ops = {repo_op("a")};
    for (int i = 0; i < count % 8; ++i) {
        ops.push_back(commit_op("a", "c" + std::to_string(i)));
    }
    const std::string whole = records(ops);
    const auto size = *rc::gen::inRange<std::size_t>(0, whole.size() + 1);
    const auto inspection = inspect_bytes(framed(whole.substr(0, size), 7));
    std::size_t complete = 0;
    std::size_t end = 0;
    while (complete < ops.size() && end + 8 + ops[complete].size() <= size) {
        end += 8 + ops[complete++].size();
    }
    RC_ASSERT(inspection.ops == static_cast<std::int64_t>(complete));
    RC_ASSERT(inspection.damage.has_value() == (end != size || size == 0));
    RC_ASSERT(inspection.stream_bytes == static_cast<std::int64_t>(end));
}

RC_GTEST_PROP(Inspect, EndsWithAnyBytes, (const std::vector<std::string>& garbage)) {
    MemorySource source("");
    const std::string bytes = framed(records(garbage));
    MemorySource again(bytes);
    RC_ASSERT(inspect_source(again).has_value());
}

TEST(Wire, PassesOverGroupsAndNumbers) {
    const std::string group = "\x1b" + field(1, "inside") + "\x1b\x1c\x1c";  // 3 { 1, 3 {} }
    const std::string message = varint(8) + varint(300) + group + field(2, "text")
                                + "\x25"
                                  "1234";
    FieldReader fields(message);
    ASSERT_TRUE(fields.next());
    EXPECT_EQ(fields.field().value, 300U);
    ASSERT_TRUE(fields.next());
    EXPECT_EQ(fields.field().number, 3U);
    EXPECT_FALSE(fields.field().bytes);
    ASSERT_TRUE(fields.next());
    EXPECT_EQ(fields.field().bytes, "text");
    ASSERT_TRUE(fields.next());
    EXPECT_EQ(fields.field().value, 0x34333231U);
    EXPECT_FALSE(fields.next());
    EXPECT_FALSE(fields.is_broken());
}

TEST(Wire, FindsBrokenMessages) {
    for (const std::string_view message : {"\x0a\x05"
                                           "abc",
                                           "\x0f",
                                           "\x80",
                                           "\x0b\x0a",
                                           "\x09"
                                           "abc"}) {
        FieldReader fields(message);
        EXPECT_FALSE(fields.next());
        EXPECT_TRUE(fields.is_broken());
    }
}

RC_GTEST_PROP(FingerprintTable, RemembersAllMarks, (const std::vector<std::uint16_t>& numbers)) {
    FingerprintTable table;
    std::map<std::uint64_t, std::uint64_t> marks;
    for (const std::uint64_t number : numbers) {
        const auto mark =
            number % 2 == 0 ? FingerprintTable::k_defined : FingerprintTable::k_referenced;
        const std::uint64_t key = number / 2 * 4;  // low bits are not kept
        RC_ASSERT(table.mark(key, mark) == marks[key == 0 ? 4 : key]);
        marks[key == 0 ? 4 : key] |= mark;
    }
    for (int i = 0; i < 1000; ++i) {  // random names spread over all parts, and make them grow
        RC_ASSERT(table.mark(fingerprint(std::to_string(i)), FingerprintTable::k_defined) == 0);
        RC_ASSERT(table.has(fingerprint(std::to_string(i / 2)), FingerprintTable::k_defined));
    }
    const auto both = std::count_if(
        marks.begin(), marks.end(), [](const auto& entry) { return entry.second == 3; });
    RC_ASSERT(table.count_exactly(3) == both);
}

// Marks that wait are seen by all questions, in whatever order both kinds of marks come.
RC_GTEST_PROP(FingerprintTable, SeesMarksThatWait, (const std::vector<std::uint8_t>& numbers)) {
    FingerprintTable table;
    std::map<std::uint64_t, std::uint64_t> marks;
    std::int64_t repeats = 0;
    for (const std::uint64_t number : numbers) {
        const auto mark =
            number % 2 == 0 ? FingerprintTable::k_defined : FingerprintTable::k_referenced;
        const std::uint64_t name = fingerprint(std::to_string(number / 4));
        RC_ASSERT(table.has(name, mark) == ((marks[name] & mark) != 0));
        if (number % 4 == 3) {
            RC_ASSERT(table.mark(name, mark) == marks[name]);
        } else {
            table.mark_later(name, mark);
            const bool is_defined = (marks[name] & FingerprintTable::k_defined) != 0;
            repeats += mark == FingerprintTable::k_defined && is_defined ? 1 : 0;
        }
        marks[name] |= mark;
    }
    const auto both = std::count_if(
        marks.begin(), marks.end(), [](const auto& entry) { return entry.second == 3; });
    RC_ASSERT(table.count_exactly(3) == both);
    RC_ASSERT(table.repeats() == repeats);
}

}  // namespace
}  // namespace drydock::extract
