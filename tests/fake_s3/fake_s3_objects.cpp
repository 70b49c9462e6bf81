// Objects: put, copied, read, deleted, tagged.
#include "fake_s3/fake_s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace fake_s3 {

namespace {

constexpr const char* k_kept[] = {"content-type",
                                  "cache-control",
                                  "content-disposition",
                                  "content-encoding",
                                  "content-language",
                                  "expires",
                                  "x-amz-storage-class",
                                  "x-amz-website-redirect-location"};

std::map<std::string, std::string> kept_headers(const Request& request) {
    std::map<std::string, std::string> result;
    for (const auto& [name, value] : request.headers) {
        const bool is_kept =
            std::find(std::begin(k_kept), std::end(k_kept), name) != std::end(k_kept);
        if (is_kept || name.starts_with("x-amz-meta-")) {
            result[name] = value;
        }
    }
    return result;
}

// Reads "a=1&b=2" of the header x-amz-tagging.
std::map<std::string, std::string> tags_of(const std::string& text) {
    std::map<std::string, std::string> result;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const auto end = std::min(text.find('&', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        const auto equals = part.find('=');
        result[decode(part.substr(0, equals), true)] =
            equals == part.npos ? "" : decode(part.substr(equals + 1), true);
        begin = end + 1;
    }
    return result;
}

const Version* find(const Bucket& bucket, const std::string& key, const std::string& id) {
    const auto place = bucket.objects.find(key);
    if (place == bucket.objects.end() || place->second.empty()) {
        return nullptr;
    }
    if (id.empty()) {
        return &place->second.back();
    }
    for (const Version& version : place->second) {
        if (version.id == id) {
            return &version;
        }
    }
    return nullptr;
}

Response copy_answer(const std::string& name, const std::string& etag) {
    return {200,
            {},
            fmt::format("<{0}><ETag>&quot;{1}&quot;</ETag>"
                        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></{0}>",
                        name,
                        etag)};
}

}  // namespace

Response FakeS3::put_object(const Request& request, Bucket& bucket, Fault fault_here) {
    const Version* present = find(bucket, request.key, "");
    if (abilities.checks_if_none_match && request.header("if-none-match") == "*"
        && present != nullptr && !present->is_marker) {
        return error(412, "PreconditionFailed");
    }
    const std::string sum = request.header("x-amz-checksum-sha256");
    if (abilities.checks_sums && !sum.empty() && sum != sha256_base64(request.body)) {
        return error(400, "BadDigest");
    }
    Version version;
    version.body = request.body;
    version.etag = fault_here == Fault::wrong_etag ? md5_hex("wrong") : md5_hex(request.body);
    version.headers = kept_headers(request);
    version.tags = abilities.keeps_tags ? tags_of(request.header("x-amz-tagging"))
                                        : std::map<std::string, std::string>();
    const std::string etag = version.etag;
    store(bucket, request.key, std::move(version));
    Response response = {200, {{"etag", "\"" + etag + "\""}}, ""};
    if (abilities.checks_sums && !sum.empty()) {
        response.headers["x-amz-checksum-sha256"] = sum;
    }
    return response;
}

// Finds the source of a copy, or fills in the refusal.
const Version* FakeS3::copy_source(const Request& request, Response& refusal) {
    std::string source = request.header("x-amz-copy-source");
    std::string id;
    if (const auto question = source.find("?versionId="); question != source.npos) {
        id = source.substr(question + 11);
        source.resize(question);
    }
    source = decode(source, false);
    source.erase(0, source.starts_with("/") ? 1 : 0);
    const auto slash = source.find('/');
    const Version* version =
        find(buckets_[source.substr(0, slash)], source.substr(slash + 1), decode(id, false));
    if (version == nullptr || version->is_marker) {
        refusal = error(404, "NoSuchKey");
        return nullptr;
    }
    const std::string condition = request.header("x-amz-copy-source-if-match");
    if (abilities.checks_copy_condition && !condition.empty()
        && condition != "\"" + version->etag + "\"") {
        refusal = error(412, "PreconditionFailed");
        return nullptr;
    }
    return version;
}

// A copy of a multipart object is one part, so its ETag is another one, as on real servers.
Response FakeS3::copy_object(const Request& request, Bucket& bucket, Fault fault_here) {
    Response refusal;
    const Version* source = copy_source(request, refusal);
    if (source == nullptr) {
        return refusal;
    }
    Version version = *source;
    version.parts.clear();
    version.body.resize(version.body.size() / (fault_here == Fault::cut_object ? 2 : 1));
    version.acl = Version().acl;  // no copy carries it
    const bool has_digest = abilities.digests_parts || source->etag.size() == 32;
    version.etag = !has_digest                       ? etag_without_digest()
                   : fault_here == Fault::wrong_etag ? md5_hex("wrong")
                                                     : md5_hex(version.body);
    if (!abilities.keeps_tags) {
        version.tags.clear();
    }
    const std::string etag = version.etag;
    store(bucket, request.key, std::move(version));
    return copy_answer("CopyObjectResult", etag);
}

Response FakeS3::get_object(const Request& request, const Bucket& bucket) const {
    const Version* version = find(bucket, request.key, request.parameter("versionId"));
    if (version == nullptr || version->is_marker) {
        return error(404, "NoSuchKey");
    }
    const std::string condition = request.header("if-match");
    if (!condition.empty() && condition != "\"" + version->etag + "\"") {
        return error(412, "PreconditionFailed");
    }
    Response response = {200, version->headers, version->body};
    response.headers["etag"] = "\"" + version->etag + "\"";
    response.headers["x-amz-version-id"] = version->id;
    if (!version->tags.empty()) {
        response.headers["x-amz-tagging-count"] = std::to_string(version->tags.size());
    }
    std::size_t size = version->body.size();
    if (request.has("partNumber") && abilities.tells_part_sizes && !version->parts.empty()) {
        const std::size_t part = std::stoul(request.parameter("partNumber"));
        response.headers["x-amz-mp-parts-count"] = std::to_string(version->parts.size());
        response.status = part <= version->parts.size() ? 206 : 416;
        size = part <= version->parts.size() ? version->parts[part - 1] : 0;
    }
    if (const std::string range = request.header("range"); !range.empty()) {
        const auto dash = range.find('-');
        const std::size_t begin = std::stoul(range.substr(6, dash - 6));
        const std::size_t end = std::stoul(range.substr(dash + 1)) + 1;
        response.body = response.body.substr(begin, end - begin);
        response.status = 206;
        size = response.body.size();
    }
    response.headers["content-length"] = std::to_string(size);
    return response;
}

Response FakeS3::delete_object(const Request& request, Bucket& bucket) {
    const std::string id = request.parameter("versionId");
    if (!id.empty()) {
        std::erase_if(bucket.objects[request.key],
                      [&](const Version& version) { return version.id == id; });
    } else if (bucket.has_versions) {
        Version marker;
        marker.is_marker = true;
        store(bucket, request.key, std::move(marker));
        return {204, {{"x-amz-delete-marker", "true"}}, ""};
    } else {
        bucket.objects.erase(request.key);
    }
    return {204, {}, ""};
}

Response FakeS3::tagging(const Request& request, Bucket& bucket) {
    const Version* version = find(bucket, request.key, request.parameter("versionId"));
    if (version == nullptr) {
        return error(404, "NoSuchKey");
    }
    if (request.method == "PUT") {
        const auto name = request.body.find("<Key>") + 5;
        const auto value = request.body.find("<Value>") + 7;
        bucket.objects[request.key].back().tags = {
            {request.body.substr(name, request.body.find("</Key>") - name),
             request.body.substr(value, request.body.find("</Value>") - value)}};
        return {};
    }
    std::string tags;
    for (const auto& [name, value] : version->tags) {
        tags +=
            fmt::format("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(name), escape(value));
    }
    return {200, {}, "<Tagging><TagSet>" + tags + "</TagSet></Tagging>"};
}

Response FakeS3::acl(const Request& request, Bucket& bucket) {
    const auto place = bucket.objects.find(request.key);
    if (place == bucket.objects.end() || place->second.empty()) {
        return error(404, "NoSuchKey");
    }
    Version& version = place->second.back();
    if (request.method == "PUT") {
        version.acl = request.body;
        return {};
    }
    return {200, {}, version.acl};
}

// The header of a multipart upload carries what a part cannot.
Response FakeS3::create_upload(const Request& request) {
    const std::string id = fmt::format("upload{}", next_id_++);
    Upload& upload = uploads_[id];
    upload.begun_s = std::time(nullptr) + clock_offset_s;
    upload.bucket = request.bucket;
    upload.key = request.key;
    upload.version.headers = kept_headers(request);
    if (abilities.keeps_tags && abilities.takes_tags_of_uploads) {
        upload.version.tags = tags_of(request.header("x-amz-tagging"));
    }
    return {200,
            {},
            fmt::format("<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key>"
                        "<UploadId>{}</UploadId></InitiateMultipartUploadResult>",
                        request.bucket,
                        escape(request.key),
                        id)};
}

}  // namespace fake_s3
