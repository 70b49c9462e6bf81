#include "base/hash.h"
#include "base/text.h"

namespace drydock {
namespace {

TEST(Text, ClipsBehindAWholeCharacter) {
    EXPECT_EQ(clip("abc", 3), "abc");
    EXPECT_EQ(clip("abcd", 3), "abc... (4 bytes)");
    EXPECT_EQ(clip("ab\xc3\xa4", 3), "ab... (4 bytes)");
    EXPECT_EQ(clip(std::string(9, '\x80'), 4), "... (9 bytes)");
}

TEST(Text, nearest_finds_a_typing_error_and_nothing_far) {
    EXPECT_EQ(nearest("servce", {"service", "release"}), "service");
    EXPECT_EQ(nearest("banana", {"service", "release"}), "");
}

TEST(Text, durations) {
    EXPECT_EQ(parse_duration_ms("10m"), 600'000);
    EXPECT_EQ(parse_duration_ms("150ms"), 150);
    EXPECT_FALSE(parse_duration_ms("10"));
    EXPECT_FALSE(parse_duration_ms("-1s"));
    EXPECT_FALSE(parse_duration_ms("99999999999999999999s"));
    EXPECT_EQ(show_duration(400), "0.4 s");
    EXPECT_EQ(show_duration(581'000), "9:41 min");
    EXPECT_EQ(show_duration(26 * 3'600'000), "26 h 0 min");
    EXPECT_EQ(show_duration(171 * 3'600'000), "7 d 3 h");
}

TEST(Text, interpolates_names_only) {
    const auto look = [](std::string_view name) -> Result<std::string> {
        if (name == "a") {
            return "1";
        }
        return fail("x", "unknown");
    };
    EXPECT_EQ(interpolate("${a}$${a}x", look), "1${a}x");
    EXPECT_FALSE(interpolate("${b}", look));
    EXPECT_FALSE(interpolate("${a", look));
}

TEST(Text, base64_and_zstd_round_trip_every_length) {
    std::string bytes;
    for (int i = 0; i < 70; ++i) {
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
        EXPECT_EQ(decompress(compress(bytes), 100), bytes);
        bytes += static_cast<char>(i * 7);
    }
    EXPECT_FALSE(decompress(compress(bytes), 10));
    EXPECT_FALSE(decompress("rubbish", 10));
}

TEST(Hash, sha256_is_the_published_one) {
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace drydock
