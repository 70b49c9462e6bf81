#include "transport/frames.h"

namespace drydock::transport {
namespace {

Json frame(int number) {
    Json value;
    value.set("n", number);
    return value;
}

std::string stream() {
    return std::string(k_greeting) + *encode_frame(frame(1)) + *encode_frame(frame(2));
}

// However the bytes are cut, the same frames come out, and none before it is whole.
TEST(Frames, come_out_whole_however_the_stream_is_cut) {
    const std::string bytes = "Welcome to host a\n" + stream();
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        FrameReader reader(FrameReader::Side::conductor);
        auto first = reader.feed(bytes.substr(0, cut));
        auto second = reader.feed(bytes.substr(cut));
        ASSERT_TRUE(first && second) << cut;
        first->insert(first->end(), second->begin(), second->end());
        EXPECT_EQ(*first, (std::vector<Json>{frame(1), frame(2)})) << cut;
        EXPECT_EQ(reader.banner(), "Welcome to host a\n");
        EXPECT_TRUE(reader.between_frames());
    }
}

TEST(Frames, come_byte_by_byte) {
    FrameReader reader(FrameReader::Side::conductor);
    std::vector<Json> all;
    for (const char byte : stream()) {
        const auto frames = reader.feed({&byte, 1});
        ASSERT_TRUE(frames);
        all.insert(all.end(), frames->begin(), frames->end());
    }
    EXPECT_EQ(all, (std::vector<Json>{frame(1), frame(2)}));
}

// A length is refused before anything of that size is waited for.
TEST(Frames, refuse_hostile_lengths) {
    using namespace std::string_literals;
    for (const auto& length : {"\xff\xff\xff\xff"s, "\x00\x80\x00\x01"s, "\x80\x00\x00\x00"s}) {
        FrameReader reader(FrameReader::Side::agent);
        const auto frames = reader.feed(length);
        ASSERT_FALSE(frames);
        EXPECT_EQ(frames.error().code, "frame.too_large");
    }
    EXPECT_FALSE(encode_frame(Json(std::string(k_frame_bytes_max, 'x'))));
}

// Frames before the broken frame are not lost, and a broken reader stays broken.
TEST(Frames, answer_what_came_before_an_error) {
    FrameReader reader(FrameReader::Side::agent);
    const auto frames = reader.feed(*encode_frame(frame(1)) + *encode_frame(Json("no object")));
    ASSERT_TRUE(frames);
    EXPECT_EQ(frames->size(), 1U);
    EXPECT_EQ(reader.feed("").error().code, "frame.json");
    EXPECT_EQ(reader.feed(*encode_frame(frame(2))).error().code, "frame.json");
}

TEST(Frames, refuse_another_version_and_an_endless_banner) {
    FrameReader old(FrameReader::Side::conductor);
    EXPECT_EQ(old.feed("drydock-agent 2\n").error().code, "frame.version");
    FrameReader chatty(FrameReader::Side::conductor);
    EXPECT_TRUE(chatty.feed(std::string(k_banner_bytes_max, 'x')));
    EXPECT_EQ(chatty.feed("y").error().code, "frame.greeting");
}

}  // namespace
}  // namespace drydock::transport
