// Which operation a request is, and the state that tests look at.
#include "fake_s3/fake_s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace fake_s3 {

namespace {

constexpr const char* k_settings[] = {
    "versioning", "policy", "lifecycle", "cors", "tagging", "acl"};

std::string versioning_xml(bool is_on) {
    return fmt::format("<VersioningConfiguration>{}</VersioningConfiguration>",
                       is_on ? "<Status>Enabled</Status>" : "");
}

// A key as a server has it that keeps objects as files.
std::string as_path(const std::string& key) {
    return std::filesystem::path("/" + key).lexically_normal().string().substr(1);
}

}  // namespace

Abilities as_googles_interface() {
    Abilities abilities;
    abilities.tells_part_sizes = false;
    abilities.checks_sums = false;
    abilities.checks_if_none_match = false;
    abilities.keeps_tags = false;
    abilities.knows_tags = false;
    abilities.digests_parts = false;
    abilities.part_copies = PartCopies::not_implemented;
    return abilities;
}

// Another one for the same bytes each time.
std::string FakeS3::etag_without_digest() {
    return fmt::format("CK{:08}nQEAE=", next_id_++);
}

Response FakeS3::answer(const Request& request, Fault fault_here) {
    switch (fault_here) {
    case Fault::slow_down:
        return error(503, "SlowDown", "Please reduce your request rate.");
    case Fault::internal_error:
        return error(500, "InternalError");
    case Fault::denied:
        return error(403, "AccessDenied");
    case Fault::not_implemented:
        return error(501, "NotImplemented");
    case Fault::error_in_ok: {
        Response response = error(200, "InternalError", "We encountered an internal error.");
        return response;
    }
    case Fault::redirect: {
        Response response = error(307, "TemporaryRedirect");
        response.headers["location"] = redirect_to;
        return response;
    }
    case Fault::none:
    case Fault::reset_before:
    case Fault::reset_after:
    case Fault::cut_answer:
    case Fault::cut_object:
    case Fault::wrong_etag:
    case Fault::duplicate_page:
    case Fault::missing_page:
    case Fault::empty_page:
        break;
    }
    const auto place = buckets_.find(request.bucket);
    if (place == buckets_.end()) {
        return error(404, "NoSuchBucket");
    }
    if (request.key.empty()) {
        return answer_bucket(request, place->second, fault_here);
    }
    Request seen = request;
    seen.key = abilities.keeps_keys ? request.key : as_path(request.key);
    return answer_object(seen, place->second, fault_here);
}

Response FakeS3::answer_bucket(const Request& request, Bucket& bucket, Fault fault_here) {
    for (const char* name : k_settings) {
        if (!request.has(name)) {
            continue;
        }
        if (request.method == "PUT") {
            bucket.settings[name] = request.body;
            bucket.has_versions = std::string(name) == "versioning"
                                      ? request.body.find("Enabled") != std::string::npos
                                      : bucket.has_versions;
            return {};
        }
        if (std::string(name) == "versioning") {
            return {200, {}, versioning_xml(bucket.has_versions)};
        }
        const auto setting = bucket.settings.find(name);
        return setting == bucket.settings.end() ? error(404, "NoSuchConfiguration")
                                                : Response{200, {}, setting->second};
    }
    if (request.has("uploads")) {
        return list_uploads(request);
    }
    if (request.has("versions")) {
        return list_versions(request, bucket, fault_here);
    }
    return request.method == "GET"    ? list(request, bucket, fault_here)
           : request.method == "HEAD" ? Response{}
                                      : error(405, "MethodNotAllowed");
}

Response FakeS3::answer_object(const Request& request, Bucket& bucket, Fault fault_here) {
    const bool has_tags = request.has("tagging") || request.headers.contains("x-amz-tagging");
    if (has_tags && !abilities.knows_tags) {
        return error(400, "InvalidArgument");
    }
    if (request.has("tagging")) {
        return tagging(request, bucket);
    }
    if (request.has("acl")) {
        return acl(request, bucket);
    }
    if (request.has("uploads")) {
        return create_upload(request);
    }
    if (request.has("uploadId")) {
        if (request.method == "PUT") {
            return put_part(request, fault_here);
        }
        if (request.method == "POST") {
            return complete_upload(request, bucket, fault_here);
        }
        if (request.method == "GET") {
            return list_parts(request);
        }
        const bool is_known = uploads_.erase(request.parameter("uploadId")) > 0;
        return is_known ? Response{204, {}, ""} : error(404, "NoSuchUpload");
    }
    if (request.method == "PUT") {
        return request.headers.contains("x-amz-copy-source")
                   ? copy_object(request, bucket, fault_here)
                   : put_object(request, bucket, fault_here);
    }
    if (request.method == "DELETE") {
        return delete_object(request, bucket);
    }
    return request.method == "GET" || request.method == "HEAD" ? get_object(request, bucket)
                                                               : error(405, "MethodNotAllowed");
}

void FakeS3::store(Bucket& bucket, const std::string& key, Version version) {
    version.id = bucket.has_versions ? fmt::format("v{:06}", next_id_++) : "null";
    std::vector<Version>& versions = bucket.objects[key];
    if (!bucket.has_versions) {
        versions.clear();
    }
    versions.push_back(std::move(version));
}

void FakeS3::put(const std::string& bucket, const std::string& key, const std::string& body) {
    const std::lock_guard lock(mutex_);
    Version version;
    version.body = body;
    version.etag = md5_hex(body);
    store(buckets_[bucket], key, std::move(version));
}

void FakeS3::put_parts(const std::string& bucket,
                       const std::string& key,
                       const std::string& body,
                       const std::vector<std::size_t>& sizes) {
    const std::lock_guard lock(mutex_);
    Version version;
    version.body = body;
    version.parts = sizes;
    std::string digests;
    std::size_t begin = 0;
    for (const std::size_t size : sizes) {
        digests += md5_raw(std::string_view(body).substr(begin, size));
        begin += size;
    }
    version.etag = abilities.digests_parts ? fmt::format("{}-{}", md5_hex(digests), sizes.size())
                                           : etag_without_digest();
    store(buckets_[bucket], key, std::move(version));
}

void FakeS3::with(const std::string& bucket, const std::function<void(Bucket&)>& work) {
    const std::lock_guard lock(mutex_);
    work(buckets_[bucket]);
}

std::vector<std::string> FakeS3::keys(const std::string& bucket) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> result;
    for (const auto& [key, versions] : buckets_[bucket].objects) {
        if (!versions.empty() && !versions.back().is_marker) {
            result.push_back(key);
        }
    }
    return result;
}

std::string FakeS3::body_of(const std::string& bucket, const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto& objects = buckets_[bucket].objects;
    const auto place = objects.find(key);
    return place == objects.end() || place->second.empty() ? "(none)" : place->second.back().body;
}

std::size_t FakeS3::open_uploads() {
    const std::lock_guard lock(mutex_);
    return uploads_.size();
}

std::vector<Request> FakeS3::requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void FakeS3::forget_requests() {
    const std::lock_guard lock(mutex_);
    requests_.clear();
}

std::size_t FakeS3::count(const std::string& method, const std::string& query_name) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(requests_.begin(), requests_.end(), [&](const Request& request) {
            return request.method == method && (query_name.empty() || request.has(query_name));
        }));
}

}  // namespace fake_s3
