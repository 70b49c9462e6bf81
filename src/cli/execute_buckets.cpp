// The commands `drydock copy`, `verify` and `manifest`, which work on buckets of S3 and on no
// cluster.
#include "cli/command.h"
#include "cli/store_progress.h"
#include "os/stop_request.h"

namespace drydock::cli {

namespace {

// Returns what shows the progress of a walk through keys.
mover::s3::Progressed teller(WalkProgressView& view) {
    return [&view](const mover::s3::WalkProgress& walk) {
        const std::int64_t all = walk.total > 0 ? walk.total : app::k_unknown_total;
        view.show({walk.done, all, "objects", 0, walk.bytes});
    };
}

}  // namespace

// The buckets have a file of their own: $DRYDOCK_CLUSTER gives no bucket another meaning.
app::Options Command::bucket_options() const {
    app::Options named = options();
    named.cluster_file = invocation_.buckets_file;
    return named;
}

app::BucketSide Command::source_side() const {
    return {invocation_.source,
            {invocation_.endpoint,
             invocation_.region,
             invocation_.profile,
             invocation_.ca_file,
             invocation_.addressing}};
}

// The target has the settings of the source unless others were given.
app::BucketSide Command::target_side() const {
    app::BucketSide side = source_side();
    side.uri = invocation_.target;
    if (!invocation_.target_profile.empty()) {
        side.settings.profile = invocation_.target_profile;
    }
    if (!invocation_.target_endpoint.empty()) {
        side.settings.endpoint = invocation_.target_endpoint;
    }
    if (!invocation_.target_region.empty()) {
        side.settings.region = invocation_.target_region;
    }
    return side;
}

// Whoever leaves something out must not find it in the other bucket.
bool Command::has_tree_options() const {
    return !invocation_.excluded.empty() || !invocation_.included.empty()
           || invocation_.removes_extra || invocation_.is_sure || invocation_.bytes_per_second > 0
           || !invocation_.manifest.empty() || !invocation_.attributes.empty()
           || invocation_.one_file_system || invocation_.reads_disk || !invocation_.nodes.empty();
}

int Command::refuse_tree_options() {
    return refuse({app::k_exit_usage,
                   {{"s3.options",
                     "--include, --exclude, --delete, --yes, --bwlimit, --manifest, "
                     "--attributes, --one-file-system, --from-disk and --nodes are for folders",
                     "leave them out, or name folders on both sides",
                     {}}}});
}

// Keys that failed, or that were left because they differ, make the exit code 1.
int Command::copy_bucket() {
    if (app::is_tree(invocation_.source) && app::is_tree(invocation_.target)) {
        return copy_tree();
    }
    if (has_tree_options()) {
        return refuse_tree_options();
    }
    WalkProgressView progress(console_, invocation_.json, "copy");
    app::BucketCopyRequest request;
    request.options = bucket_options();
    request.source = source_side();
    request.target = target_side();
    request.journal = invocation_.journal;
    request.has_versions = invocation_.has_versions;
    request.replaces = invocation_.replaces;
    request.keeps_acl = invocation_.keeps_acl;
    request.copies_settings = invocation_.copies_settings;
    request.passes_bytes = invocation_.passes_bytes;
    request.dry_run = invocation_.dry_run;
    request.counts_first = invocation_.counts_first;
    request.in_flight_max = static_cast<int>(invocation_.in_flight);
    request.progressed = teller(progress);
    request.is_to_stop = os::is_stop_requested;
    os::accept_stop_requests();
    const auto answer = app::copy_bucket(request);
    progress.clear();
    const int exit_code =
        show(answer, [&](const auto& copied) { return render_copied(copied, screen_); });
    return answer && !answer->report.is_whole() ? app::k_exit_no : exit_code;
}

int Command::verify_buckets() {
    if (app::is_tree(invocation_.source) && app::is_tree(invocation_.target)) {
        return verify_trees();
    }
    if (has_tree_options()) {
        return refuse_tree_options();
    }
    WalkProgressView progress(console_, invocation_.json, "verify");
    app::BucketVerifyRequest request;
    request.options = bucket_options();
    request.source = source_side();
    request.target = target_side();
    request.has_versions = invocation_.has_versions;
    request.reads_all = invocation_.reads_all;
    request.in_flight_max = static_cast<int>(invocation_.in_flight);
    request.progressed = teller(progress);
    const auto answer = app::verify_buckets(request);
    progress.clear();
    const int exit_code =
        show(answer, [&](const auto& compared) { return render_compared(compared, screen_); });
    return answer && !answer->is_equal() ? app::k_exit_no : exit_code;
}

// Without -o the manifest goes to stdout, and only a refusal is told besides.
int Command::write_bucket_manifest() {
    if (app::is_tree(invocation_.source)) {
        return write_tree_manifest();
    }
    if (has_tree_options()) {
        return refuse_tree_options();
    }
    const bool is_stream = invocation_.output.empty();
    WalkProgressView progress(console_, invocation_.json || is_stream, "manifest");
    app::BucketManifestRequest request;
    request.options = bucket_options();
    request.place = source_side();
    request.has_versions = invocation_.has_versions;
    request.has_digests = invocation_.has_digests;
    request.in_flight_max = static_cast<int>(invocation_.in_flight);
    request.output = invocation_.output;
    request.stream = &console_.output;
    request.progressed = teller(progress);
    const auto answer = app::write_bucket_manifest(request);
    progress.clear();
    if (is_stream) {
        return answer ? app::k_exit_done : refuse_on_stderr(answer.error());
    }
    return show(answer, [](const auto& report) { return render_manifest(report); });
}

}  // namespace drydock::cli
