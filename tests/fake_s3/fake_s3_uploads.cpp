// Multipart uploads: parts by body or by copy, and their completion.
#include "fake_s3/fake_s3.h"

#include <fmt/format.h>

namespace fake_s3 {

Response FakeS3::put_part(const Request& request, Fault fault_here) {
    const auto place = uploads_.find(request.parameter("uploadId"));
    if (place == uploads_.end()) {
        return error(404, "NoSuchUpload");
    }
    const int number = std::stoi(request.parameter("partNumber"));
    if (number < 1 || number > 10'000) {
        return error(400, "InvalidArgument");
    }
    std::string body = request.body;
    const bool is_copy = request.headers.contains("x-amz-copy-source");
    if (is_copy && abilities.part_copies == PartCopies::not_implemented) {
        return error(501, "NotImplemented");
    }
    if (is_copy && abilities.part_copies == PartCopies::invalid) {
        return error(400, "InvalidArgument");
    }
    if (is_copy && abilities.part_copies == PartCopies::done) {
        Response refusal;
        const Version* source = copy_source(request, refusal);
        if (source == nullptr) {
            return refusal;
        }
        body = source->body;
        if (const std::string range = request.header("x-amz-copy-source-range"); !range.empty()) {
            const auto dash = range.find('-');
            const std::size_t begin = std::stoul(range.substr(6, dash - 6));
            const std::size_t end = std::stoul(range.substr(dash + 1)) + 1;
            if (end > body.size()) {
                return error(400, "InvalidRange");
            }
            body = body.substr(begin, end - begin);
        }
    }
    const std::string etag = fault_here == Fault::wrong_etag ? md5_hex("wrong") : md5_hex(body);
    place->second.parts[number] = std::move(body);
    return {200,
            {{"etag", "\"" + etag + "\""}},
            is_copy && abilities.part_copies == PartCopies::done
                ? fmt::format("<CopyPartResult><ETag>&quot;{}&quot;</ETag></CopyPartResult>", etag)
                : ""};
}

// The list of parts in the body must be that of the upload, in order and with their ETags.
Response FakeS3::complete_upload(const Request& request, Bucket& bucket, Fault fault_here) {
    const auto place = uploads_.find(request.parameter("uploadId"));
    if (place == uploads_.end()) {
        return error(404, "NoSuchUpload");
    }
    Version version = place->second.version;
    std::string digests;
    std::size_t offset = 0;
    for (const auto& [number, body] : place->second.parts) {
        const std::string listed = fmt::format("<PartNumber>{}</PartNumber>", number);
        const auto here = request.body.find(listed, offset);
        if (here == request.body.npos
            || request.body.find(md5_hex(body), here) == request.body.npos) {
            return error(400, "InvalidPart");
        }
        offset = here;
        version.body += body;
        version.parts.push_back(body.size());
        digests += md5_raw(body);
    }
    version.etag = abilities.digests_parts
                       ? fmt::format("{}-{}", md5_hex(digests), version.parts.size())
                       : etag_without_digest();
    if (fault_here == Fault::wrong_etag) {
        version.etag = md5_hex("wrong") + "-9";
    }
    const std::string etag = abilities.tells_etag_of_complete ? version.etag : "";
    store(bucket, place->second.key, std::move(version));
    uploads_.erase(place);
    return {200,
            {},
            fmt::format("<CompleteMultipartUploadResult><ETag>{}</ETag>"
                        "</CompleteMultipartUploadResult>",
                        etag)};
}

}  // namespace fake_s3
