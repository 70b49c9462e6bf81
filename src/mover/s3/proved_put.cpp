// The header with the MD5, and the comparison of the ETag.
#include "mover/s3/proved_put.h"

#include "base/hash.h"
#include "base/text.h"
#include "mover/s3/listed_page.h"
#include "mover/s3/object_facts.h"

#include <fmt/format.h>

#include <vector>

namespace drydock::mover::s3 {

namespace {

bool has_lost_etag(const Answer& answer) {
    return answer.is_done() && answer.header("etag").empty();
}

Result<std::string> checked_etag(const std::string& sum, const Answer& answer) {
    if (!answer.is_done()) {
        return tl::unexpected(answer.error);
    }
    const std::string etag(bare_etag(answer.header("etag")));
    if (etag != sum && !has_own_key(answer)) {
        return fail("s3.etag",
                    fmt::format("the target has the ETag {} and not {}", clip(etag, 80), sum),
                    "copy it again",
                    ErrorClass::transient);
    }
    return etag;
}

}  // namespace

std::string etag_of_md5(const std::string& digest) {
    return to_hex(std::vector<std::uint8_t>(digest.begin(), digest.end()));
}

void put_object(Client& client, Call put, const std::string& digest, PutDone done) {
    put.headers.emplace_back("content-md5", base64_encode(digest));
    Call head = {.method = "HEAD", .bucket = put.bucket, .key = put.key};
    client.call(
        std::move(put),
        [&client, head = std::move(head), sum = etag_of_md5(digest), done = std::move(done)](
            const Answer& answer) {
            if (!has_lost_etag(answer)) {
                done(checked_etag(sum, answer));
                return;
            }
            client.call(head, [sum, done](const Answer& told) { done(checked_etag(sum, told)); });
        });
}

void put_part(Client& client, Call put, const std::string& digest, PutDone done) {
    put.headers.emplace_back("content-md5", base64_encode(digest));
    client.call(
        std::move(put), [sum = etag_of_md5(digest), done = std::move(done)](const Answer& answer) {
            done(has_lost_etag(answer) ? Result<std::string>(sum) : checked_etag(sum, answer));
        });
}

}  // namespace drydock::mover::s3
