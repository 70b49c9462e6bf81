// Listings: objects (version 2 with start-after), versions, and uploads.
#include "fake_s3/fake_s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace fake_s3 {

namespace {

std::size_t limit_of(const Request& request, std::size_t page_max) {
    const std::string text = request.parameter("max-keys");
    return std::min(page_max, text.empty() ? std::size_t{1000} : std::stoul(text));
}

std::string version_xml(const std::string& key, const Version& version, bool is_latest) {
    const std::string name = version.is_marker ? "DeleteMarker" : "Version";
    std::string text =
        fmt::format("<{}><Key>{}</Key><VersionId>{}</VersionId><IsLatest>{}</IsLatest>"
                    "<LastModified>2026-01-01T00:00:00.000Z</LastModified>",
                    name,
                    key,
                    version.id,
                    is_latest);
    if (!version.is_marker) {
        text += fmt::format(
            "<ETag>&quot;{}&quot;</ETag><Size>{}</Size>", version.etag, version.body.size());
    }
    return text + "</" + name + ">";
}

}  // namespace

std::string FakeS3::key_text(const Request& request, const std::string& key) const {
    return abilities.encodes_keys && request.parameter("encoding-type") == "url" ? encode(key, true)
                                                                                 : escape(key);
}

Response FakeS3::list(const Request& request, const Bucket& bucket, Fault fault_here) const {
    if (request.parameter("list-type") != "2") {
        return error(400, "InvalidArgument", "only version 2");
    }
    const std::string prefix = request.parameter("prefix");
    const std::string after =
        fault_here == Fault::duplicate_page ? "" : request.parameter("start-after");
    const std::size_t limit = fault_here == Fault::empty_page ? 0 : limit_of(request, page_max);
    std::size_t skipped = fault_here == Fault::missing_page ? limit : 0;
    std::string contents;
    std::size_t count = 0;
    bool has_more = false;
    const bool has_begun = !after.empty() && after >= prefix;
    auto place = has_begun ? bucket.objects.upper_bound(after) : bucket.objects.lower_bound(prefix);
    for (; place != bucket.objects.end() && place->first.starts_with(prefix); ++place) {
        if (place->second.empty() || place->second.back().is_marker) {
            continue;
        }
        if (skipped > 0) {
            --skipped;
            continue;
        }
        if (count == limit) {
            has_more = true;
            break;
        }
        contents += fmt::format(
            "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            "<ETag>&quot;{}&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass>"
            "</Contents>",
            key_text(request, place->first),
            place->second.back().etag,
            place->second.back().body.size());
        ++count;
    }
    const bool is_encoded = abilities.encodes_keys && request.parameter("encoding-type") == "url";
    return {200,
            {{"content-type", "application/xml"}},
            fmt::format("<?xml version=\"1.0\"?><ListBucketResult "
                        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name>"
                        "{}<IsTruncated>{}</IsTruncated>{}</ListBucketResult>",
                        request.bucket,
                        is_encoded ? "<EncodingType>url</EncodingType>" : "",
                        has_more,
                        contents)};
}

Response FakeS3::list_versions(const Request& request, const Bucket& bucket, Fault) const {
    const std::string prefix = request.parameter("prefix");
    const std::string key_marker = request.parameter("key-marker");
    const std::string id_marker = request.parameter("version-id-marker");
    const std::size_t limit = limit_of(request, page_max);
    std::string contents;
    std::size_t count = 0;
    bool has_more = false;
    for (const auto& [key, versions] : bucket.objects) {
        bool is_behind = key > key_marker || (key_marker.empty() && id_marker.empty());
        if (!key.starts_with(prefix) || (!is_behind && (key != key_marker || id_marker.empty()))) {
            continue;
        }
        for (std::size_t i = versions.size(); i-- > 0 && !has_more;) {
            if (is_behind) {
                has_more = count == limit;
                if (!has_more) {
                    contents +=
                        version_xml(key_text(request, key), versions[i], i + 1 == versions.size());
                    ++count;
                }
            } else {
                is_behind = versions[i].id == id_marker;
            }
        }
    }
    return {200,
            {{"content-type", "application/xml"}},
            fmt::format("<?xml version=\"1.0\"?><ListVersionsResult>{}<IsTruncated>{}</IsTruncated>"
                        "{}</ListVersionsResult>",
                        abilities.encodes_keys ? "<EncodingType>url</EncodingType>" : "",
                        has_more,
                        contents)};
}

namespace {

std::string iso_time(std::int64_t time_s) {
    const std::time_t time = time_s;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[32] = {};
    (void)std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
    return text;
}

}  // namespace

Response FakeS3::list_parts(const Request& request) const {
    const auto place = uploads_.find(request.parameter("uploadId"));
    if (place == uploads_.end()) {
        return error(404, "NoSuchUpload");
    }
    const std::string marker = request.parameter("part-number-marker");
    const std::string limit = request.parameter("max-parts");
    const int behind = marker.empty() ? 0 : std::stoi(marker);
    std::size_t left = std::min(parts_listed_max, limit.empty() ? 1000 : std::stoul(limit));
    std::string contents;
    for (const auto& [number, body] : place->second.parts) {
        if (number <= behind) {
            continue;
        }
        if (left-- == 0) {
            contents += "<IsTruncated>true</IsTruncated>";
            break;
        }
        contents += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag>"
                                "<Size>{}</Size></Part>",
                                number,
                                md5_hex(body),
                                body.size());
    }
    return {200, {}, "<ListPartsResult>" + contents + "</ListPartsResult>"};
}

Response FakeS3::list_uploads(const Request& request) const {
    std::string contents;
    for (const auto& [id, upload] : uploads_) {
        if (upload.bucket == request.bucket
            && upload.key.starts_with(request.parameter("prefix"))) {
            contents += fmt::format("<Upload><Key>{}</Key><UploadId>{}</UploadId>"
                                    "<Initiated>{}</Initiated></Upload>",
                                    key_text(request, upload.key),
                                    id,
                                    iso_time(upload.begun_s));
        }
    }
    return {200,
            {},
            "<ListMultipartUploadsResult><EncodingType>url</EncodingType>"
            "<IsTruncated>false</IsTruncated>"
                + contents + "</ListMultipartUploadsResult>"};
}

}  // namespace fake_s3
