// Reads an object by ranges, one after the other, each under the condition that it is still the
// same object.
#include "mover/s3/content_digest.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr std::int64_t k_piece_bytes = 8LL << 20U;

// Keeps itself alive until `done` was called.
class Reader : public std::enable_shared_from_this<Reader> {
public:
    Reader(ContentPlace place,
           DigestKind kind,
           std::function<void(const Result<std::string>&)> done)
        : place_(std::move(place))
        , sum_(kind)
        , done_(std::move(done)) {}

    void next_piece() {
        if (place_.begin >= place_.end) {
            done_(sum_.take());
            return;
        }
        const std::int64_t end = std::min(place_.begin + k_piece_bytes, place_.end);
        Call get = {.bucket = place_.bucket, .key = place_.key};
        get.headers = {{"range", fmt::format("bytes={}-{}", place_.begin, end - 1)}};
        if (!place_.etag.empty()) {
            get.headers.emplace_back("if-match", "\"" + place_.etag + "\"");
        }
        if (!place_.version.empty()) {
            get.query.emplace_back("versionId", place_.version);
        }
        place_.client->call(std::move(get), [self = shared_from_this(), end](const Answer& answer) {
            self->on_piece(end, answer);
        });
    }

private:
    void on_piece(std::int64_t end, const Answer& answer) {
        if (!answer.is_done()) {
            done_(tl::unexpected(answer.error));
            return;
        }
        if (std::int64_t(answer.wire.body.size()) != end - place_.begin) {
            done_(fail("s3.answer",
                       fmt::format("{}: the server sent {} bytes of {}",
                                   clip(place_.key, 200),
                                   answer.wire.body.size(),
                                   end - place_.begin)));
            return;
        }
        sum_.add(answer.wire.body);
        place_.begin = end;
        next_piece();
    }

    ContentPlace place_;
    RunningSum sum_;
    std::function<void(const Result<std::string>&)> done_;
};

}  // namespace

ContentPlace place_of(const Listing& side, const ListedObject& object) {
    return {.client = side.client,
            .bucket = side.bucket,
            .key = object.key,
            .version = object.version,
            .etag = object.etag,
            .begin = 0,
            .end = object.bytes};
}

void digest_content(ContentPlace place,
                    DigestKind kind,
                    std::function<void(const Result<std::string>&)> done) {
    std::make_shared<Reader>(std::move(place), kind, std::move(done))->next_piece();
}

}  // namespace drydock::mover::s3
