// The framing format: each chunk is checked, and every way to break it has its own answer.
#include "extract/crc32c.h"
#include "extract/records.h"
#include "extract/test_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drydock::extract {
namespace {

// Returns all data, or the code of the error.
std::string read_all(std::string_view bytes) {
    MemorySource source(bytes);
    FrameReader frames(source);
    std::string data;
    for (;;) {
        const auto chunk = frames.next();
        if (!chunk) {
            return chunk.error().code;
        }
        if (chunk->empty()) {
            return data;
        }
        data += *chunk;
    }
}

// The values of RFC 3720, B.4.
TEST(Crc32c, HasTheValuesOfTheStandard) {
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
    EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
    EXPECT_EQ(crc32c(""), 0U);
}

RC_GTEST_PROP(Crc32c, TablesAndInstructionAgree, (const std::string& bytes)) {
    RC_ASSERT(crc32c(bytes) == crc32c_by_tables(bytes));
}

RC_GTEST_PROP(FrameReader, ReturnsWhatWasFramed, (const std::string& data)) {
    const auto chunk_bytes = *rc::gen::inRange<std::size_t>(1, 40);
    RC_ASSERT(read_all(framed(data, chunk_bytes)) == data);
}

TEST(FrameReader, KeepsTheLargestChunks) {
    std::string data(200'000, 'x');
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<char>(i * i >> 3);
    }
    EXPECT_EQ(read_all(framed(data)), data);
}

TEST(FrameReader, SkipsPaddingAndJoinsStreams) {
    const std::string long_padding(300'000, 'p');
    EXPECT_EQ(read_all(framed("one") + chunk(0xfe, long_padding) + chunk(0x80, "") + framed("two")),
              "onetwo");
}

TEST(FrameReader, RefusesOtherFiles) {
    EXPECT_EQ(read_all("{\"a\": 1}"), "extract.not_snappy");
    EXPECT_EQ(read_all(plain_chunk("data")), "extract.not_snappy");
}

TEST(FrameReader, FindsEachFlippedBit) {
    const std::string whole = framed("some data that is compressed, data, data, data, data");
    for (std::size_t i = k_identifier_chunk.size(); i < whole.size(); ++i) {
        std::string bytes = whole;
        bytes[i] = static_cast<char>(bytes[i] ^ 1);
        EXPECT_THAT(read_all(bytes), testing::StartsWith("extract.")) << i;
    }
}

TEST(FrameReader, FindsEachCut) {
    const std::string whole = framed("data");
    EXPECT_EQ(read_all(""), "");
    EXPECT_EQ(read_all(whole.substr(0, k_identifier_chunk.size())), "");
    for (std::size_t size = 1; size < whole.size(); ++size) {
        if (size != k_identifier_chunk.size()) {
            EXPECT_EQ(read_all(whole.substr(0, size)), "extract.truncated") << size;
        }
    }
}

TEST(FrameReader, BelievesNoLength) {
    const std::string head = k_identifier_chunk;
    const std::string bomb = varint(0xffffffffU) + "bytes";
    EXPECT_EQ(read_all(head + chunk(0, "crc")), "extract.chunk");
    EXPECT_EQ(read_all(head + chunk(0, "crc." + bomb)), "extract.chunk");
    EXPECT_EQ(read_all(head + chunk(1, std::string(65'541, 'x'))), "extract.chunk");
    EXPECT_EQ(read_all(head + chunk(0, std::string(200'000, 'x'))), "extract.chunk");
    EXPECT_EQ(read_all(head + chunk(2, "crc.data")), "extract.chunk");
    EXPECT_EQ(read_all(head + chunk(0xff, "sNaPpy")), "extract.chunk");
    EXPECT_EQ(read_all(head + chunk(0xff, "sNaPp")), "extract.chunk");
}

// Returns the records, or the code of the error at the end.
std::vector<std::string> records_of(const std::string& bytes) {
    MemorySource source(bytes);
    FrameReader frames(source);
    RecordReader reader(frames);
    std::vector<std::string> found;
    for (;;) {
        const auto next = reader.next();
        if (!next) {
            found.push_back(next.error().code);
            return found;
        }
        if (!*next) {
            return found;
        }
        found.emplace_back(**next);
    }
}

RC_GTEST_PROP(RecordReader, ReturnsWhatWasWritten, (const std::vector<std::string>& written)) {
    const auto chunk_bytes = *rc::gen::inRange<std::size_t>(1, 40);
    RC_ASSERT(records_of(framed(records(written), chunk_bytes)) == written);
}

TEST(RecordReader, TellsWhereTheEndIsMissing) {
    const std::string data = records({"first", "second"});
    using testing::ElementsAre;
    EXPECT_THAT(records_of(framed(data.substr(0, 13))), ElementsAre("first"));
    EXPECT_THAT(records_of(framed(data.substr(0, 20))), ElementsAre("first", "extract.truncated"));
    EXPECT_THAT(records_of(framed(data.substr(0, 26))), ElementsAre("first", "extract.truncated"));
}

TEST(RecordReader, RefusesLengthsThatCannotBe) {
    using testing::ElementsAre;
    const auto with_length = [](std::uint64_t length) {
        return records_of(framed(little_endian(length, 8) + "bytes"));
    };
    EXPECT_THAT(with_length(1ULL << 63), ElementsAre("extract.length"));
    EXPECT_THAT(with_length(1ULL << 31), ElementsAre("extract.too_large"));
    EXPECT_THAT(with_length(k_record_bytes_max), ElementsAre("extract.truncated"));
}

}  // namespace
}  // namespace drydock::extract
