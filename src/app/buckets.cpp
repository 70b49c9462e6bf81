// Reads what was typed, finds the servers, and calls the mover.
#include "app/buckets.h"

#include "agent/action.h"
#include "app/internal.h"
#include "app/named_buckets.h"
#include "base/hash.h"
#include "base/text.h"
#include "mover/s3/folder_copy.h"
#include "mover/s3/list_compare.h"
#include "os/files.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <ostream>

namespace drydock::app {
namespace {

namespace s3 = mover::s3;

// True for errors of what was typed or set up; all others are refusals.
bool is_input(const Error& error) {
    return error.code == "s3.uri" || error.code == "s3.setting" || error.code == "s3.profile"
           || error.code == "s3.credentials";
}

tl::unexpected<Failure> refuse_bucket(const Error& error) {
    const int exit_code = error.code == "s3.paused" ? agent::k_exit_paused : k_exit_no;
    return refuse(error, is_input(error) ? k_exit_usage : exit_code);
}

Result<s3::BucketPlace> place_of(const BucketSide& side) {
    constexpr std::string_view scheme = "s3://";
    const std::string rest = side.uri.starts_with(scheme) ? side.uri.substr(scheme.size()) : "";
    const auto slash = rest.find('/');
    s3::BucketPlace place;
    place.bucket = rest.substr(0, slash);
    place.prefix = slash == rest.npos ? "" : rest.substr(slash + 1);
    if (!is_plain_name(place.bucket, ".-_")) {
        return fail(
            "s3.uri", side.uri + " is no bucket", "write it as s3://BUCKET or s3://BUCKET/PREFIX");
    }
    DRYDOCK_TRY_ASSIGN(place.server,
                       s3::server_address(side.settings, place.bucket, s3::process_environment()));
    return place;
}

std::string name_of(const s3::CloneRequest& clone) {
    const bool is_one = clone.source.server.endpoint == clone.target.server.endpoint;
    return clone.source.server.endpoint + " " + clone.source.text() + " "
           + (is_one ? "" : clone.target.server.endpoint + " ") + clone.target.text()
           + (clone.has_versions ? " versions" : "");
}

// Two clones of the same places share a journal, so that the second one finds what the first noted.
Result<std::string> journal_of(const BucketCopyRequest& request, const std::string& name) {
    if (!request.journal.empty()) {
        return request.journal;
    }
    const auto environment = s3::process_environment();
    const std::string home = environment("HOME").value_or("");
    const std::string state =
        environment("XDG_STATE_HOME").value_or(home.empty() ? "" : home + "/.local/state");
    if (state.empty()) {
        return fail("s3.setting", "there is no place for the journal", "name a file: --journal");
    }
    return state + "/drydock/copies/" + sha256_hex(name).substr(0, 16) + ".sqlite";
}

bool is_bucket(const BucketSide& side) {
    return side.uri.starts_with("s3://");
}

// A folder has no versions, no ACL and no settings of a bucket.
Status check_folder_options(const BucketCopyRequest& request) {
    const bool has_more = request.has_versions || request.keeps_acl || request.copies_settings;
    return has_more ? fail("s3.setting",
                           "a folder holds no versions, no ACL and no settings of a bucket",
                           "leave out --versions, --acl and --settings")
                    : Status();
}

Result<BucketCopied> copy_folder(const BucketCopyRequest& request) {
    DRYDOCK_TRY(check_folder_options(request));
    const bool is_upload = is_bucket(request.target);
    s3::FolderRequest copy;
    DRYDOCK_TRY_ASSIGN(copy.place, place_of(is_upload ? request.target : request.source));
    copy.folder = is_upload ? request.source.uri : request.target.uri;
    copy.replaces = request.replaces;
    copy.dry_run = request.dry_run;
    copy.limits.in_flight_max = request.in_flight_max;
    copy.counts_first = request.counts_first;
    copy.progressed = request.progressed;
    copy.is_to_stop = request.is_to_stop;
    BucketCopied copied;
    copied.source = is_upload ? copy.folder : copy.place.text();
    copied.target = is_upload ? copy.place.text() : copy.folder;
    copied.dry_run = request.dry_run;
    os::RealClock clock;
    if (!is_upload) {
        DRYDOCK_TRY_ASSIGN(copied.report, s3::download(copy, clock));
        return copied;
    }
    DRYDOCK_TRY_ASSIGN(
        copy.journal,
        journal_of(request, copy.folder + " " + copy.place.server.endpoint + " " + copied.target));
    copied.journal = request.dry_run ? "" : copy.journal;
    DRYDOCK_TRY_ASSIGN(copied.report, s3::upload(copy, clock));
    return copied;
}

Result<BucketCopied> copy(const BucketCopyRequest& request) {
    if (is_bucket(request.source) != is_bucket(request.target)) {
        return copy_folder(request);
    }
    s3::CloneRequest clone;
    DRYDOCK_TRY_ASSIGN(clone.source, place_of(request.source));
    DRYDOCK_TRY_ASSIGN(clone.target, place_of(request.target));
    clone.has_versions = request.has_versions;
    clone.replaces = request.replaces;
    clone.keeps_acl = request.keeps_acl;
    clone.copies_settings = request.copies_settings;
    clone.passes_bytes = request.passes_bytes;
    clone.dry_run = request.dry_run;
    clone.limits.in_flight_max = request.in_flight_max;
    clone.counts_first = request.counts_first;
    clone.progressed = request.progressed;
    clone.is_to_stop = request.is_to_stop;
    DRYDOCK_TRY_ASSIGN(clone.journal, journal_of(request, name_of(clone)));
    os::RealClock clock;
    BucketCopied copied;
    DRYDOCK_TRY_ASSIGN(copied.report, s3::clone(clone, clock));
    copied.source = clone.source.text();
    copied.target = clone.target.text();
    copied.journal = request.dry_run ? "" : clone.journal;
    copied.has_versions = request.has_versions;
    copied.dry_run = request.dry_run;
    return copied;
}

// A regular file is a manifest, and any other path a folder.
Result<s3::ComparedSide> compared_side(const BucketSide& side) {
    s3::ComparedSide compared;
    if (is_bucket(side)) {
        DRYDOCK_TRY_ASSIGN(compared.place, place_of(side));
        return compared;
    }
    std::error_code ignored;
    const bool is_file = std::filesystem::is_regular_file(side.uri, ignored);
    compared.kind = is_file ? s3::SideKind::manifest : s3::SideKind::folder;
    compared.path = side.uri;
    return compared;
}

Result<s3::CompareReport> compare_list(const BucketVerifyRequest& request) {
    if (request.has_versions) {
        return fail(
            "s3.setting", "a folder and a manifest hold no versions", "leave out --versions");
    }
    s3::ListCompareRequest compared;
    DRYDOCK_TRY_ASSIGN(compared.source, compared_side(request.source));
    DRYDOCK_TRY_ASSIGN(compared.target, compared_side(request.target));
    compared.reads_all = request.reads_all;
    compared.limits.in_flight_max = request.in_flight_max;
    compared.progressed = request.progressed;
    os::RealClock clock;
    return s3::verify_list(compared, clock);
}

Result<s3::CompareReport> compare(const BucketVerifyRequest& request) {
    if (!is_bucket(request.source) || !is_bucket(request.target)) {
        return compare_list(request);
    }
    s3::CompareRequest compared;
    DRYDOCK_TRY_ASSIGN(compared.source, place_of(request.source));
    DRYDOCK_TRY_ASSIGN(compared.target, place_of(request.target));
    compared.has_versions = request.has_versions;
    compared.reads_all = request.reads_all;
    compared.limits.in_flight_max = request.in_flight_max;
    compared.progressed = request.progressed;
    os::RealClock clock;
    return s3::verify(compared, clock);
}

// Writes beside the file and renames, so that half a manifest never has its name.
Result<s3::ManifestReport> write_to_file(const s3::ManifestRequest& manifest,
                                         const std::string& path) {
    const std::string part = path + ".part";
    os::RealClock clock;
    std::ofstream file(part, std::ios::trunc | std::ios::binary);
    auto report = s3::write_manifest(manifest, file, clock);
    file.close();
    if (report && !file.fail() && std::rename(part.c_str(), path.c_str()) == 0) {
        return report;
    }
    (void)std::remove(part.c_str());
    return report
               ? fail("s3.output", path + " cannot be written", "look at the folder and the disk")
               : report;
}

Result<s3::ManifestReport> write_down(const BucketManifestRequest& request) {
    s3::ManifestRequest manifest;
    DRYDOCK_TRY_ASSIGN(manifest.place, place_of(request.place));
    manifest.has_versions = request.has_versions;
    manifest.has_digests = request.has_digests;
    manifest.limits.in_flight_max = request.in_flight_max;
    manifest.progressed = request.progressed;
    if (!request.output.empty()) {
        return write_to_file(manifest, request.output);
    }
    os::RealClock clock;
    return s3::write_manifest(manifest, *request.stream, clock);
}

}  // namespace

AppResult<BucketCopied> copy_bucket(const BucketCopyRequest& request) {
    BucketCopyRequest resolved = request;
    DRYDOCK_TRY(resolve_buckets(request.options, {&resolved.source, &resolved.target}));
    auto copied = copy(resolved);
    if (!copied) {
        return refuse_bucket(copied.error());
    }
    return std::move(*copied);
}

AppResult<s3::CompareReport> verify_buckets(const BucketVerifyRequest& request) {
    BucketVerifyRequest resolved = request;
    DRYDOCK_TRY(resolve_buckets(request.options, {&resolved.source, &resolved.target}));
    auto compared = compare(resolved);
    if (!compared) {
        return refuse_bucket(compared.error());
    }
    return std::move(*compared);
}

AppResult<s3::ManifestReport> write_bucket_manifest(const BucketManifestRequest& request) {
    BucketManifestRequest resolved = request;
    DRYDOCK_TRY(resolve_buckets(request.options, {&resolved.place}));
    auto report = write_down(resolved);
    if (!report) {
        return refuse_bucket(report.error());
    }
    return *report;
}

}  // namespace drydock::app
