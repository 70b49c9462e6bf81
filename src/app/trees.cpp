// Reads what was typed, and calls the mover.
#include "app/trees.h"

#include "agent/action.h"
#include "app/internal.h"
#include "base/hash.h"
#include "mover/s3/aws_settings.h"
#include "mover/tree/manifest.h"
#include "mover/tree/mirror.h"
#include "mover/tree/restore.h"
#include "mover/tree/walk.h"
#include "os/files.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

namespace drydock::app {
namespace {

namespace tree = mover::tree;

constexpr std::size_t k_threads_max = 16;

tl::unexpected<Failure> refuse_tree(const Error& error) {
    const bool is_input = error.code == "tree.source" || error.code == "tree.inside"
                          || error.code == "tree.setting" || error.code == "tree.digests";
    const int exit_code = error.code == "tree.paused" ? agent::k_exit_paused : k_exit_no;
    return refuse(error, is_input ? k_exit_usage : exit_code);
}

tree::WorkerCount workers_of(const TreeChoice& choice) {
    if (choice.jobs > 0) {
        return {choice.jobs, choice.jobs};
    }
    const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
    return {processors, std::max(processors, k_threads_max)};
}

tree::DigestKind digest_of(const TreeChoice& choice) {
    return choice.digest == "sha256" ? tree::DigestKind::sha256 : tree::DigestKind::xxh3;
}

// A pattern without a slash in it is one of names, as in .gitignore. A slash in front begins at the
// root, and one at the end is of no use, since there are no other folders of that name.
bool matches(std::string pattern, const std::string& path) {
    if (pattern.ends_with('/')) {
        pattern.pop_back();
    }
    if (pattern.find('/') == pattern.npos) {
        return ::fnmatch(pattern.c_str(), os::name_of(path).c_str(), 0) == 0;
    }
    const std::string anchored = pattern.starts_with('/') ? pattern.substr(1) : pattern;
    return ::fnmatch(anchored.c_str(), path.c_str(), FNM_PATHNAME) == 0;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& path) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
        return matches(pattern, path);
    });
}

// True if a pattern matches the path or a folder that it is in.
bool is_below_any(const std::vector<std::string>& patterns, const std::string& path) {
    for (auto end = path.find('/'); end != path.npos; end = path.find('/', end + 1)) {
        if (matches_any(patterns, path.substr(0, end))) {
            return true;
        }
    }
    return matches_any(patterns, path);
}

// Folders are always entered: what is included may be in them.
std::function<bool(const std::string&, bool)> selector_of(const TreeChoice& choice) {
    if (choice.excluded.empty() && choice.included.empty()) {
        return {};
    }
    return [excluded = choice.excluded, included = choice.included](const std::string& path,
                                                                    bool is_folder) {
        const bool is_chosen = is_folder || included.empty() || is_below_any(included, path);
        return !is_chosen || matches_any(excluded, path);
    };
}

Result<std::string> copies_folder() {
    const auto environment = mover::s3::process_environment();
    const std::string home = environment("HOME").value_or("");
    const std::string state =
        environment("XDG_STATE_HOME").value_or(home.empty() ? "" : home + "/.local/state");
    if (state.empty()) {
        return fail("tree.setting", "there is no place for the journal", "name one: --journal");
    }
    return state + "/drydock/copies";
}

std::string whole_path(const std::string& path) {
    std::string whole = std::filesystem::absolute(path).lexically_normal().string();
    return whole.size() > 1 && whole.ends_with('/') ? whole.substr(0, whole.size() - 1) : whole;
}

// Two copies of one source to one target share a journal, however the folders were typed.
Result<std::string> journal_of(const TreeCopyRequest& request) {
    if (!request.journal.empty()) {
        return request.journal + "/drydock-tree";  // whatever else is in there is not ours
    }
    DRYDOCK_TRY_ASSIGN(const std::string copies, copies_folder());
    const std::string work = whole_path(request.source) + " -> " + whole_path(request.target);
    return copies + "/" + sha256_hex(work).substr(0, 16);
}

Status check_folder(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_directory(path, ignored)
               ? Status()
               : fail("tree.source", path + " is no folder", "name a folder that exists");
}

// Tells what a mirror would remove. A target that is not there yet has nothing.
void preview_extra(const tree::CopyRequest& copy, tree::CopyReport& report) {
    const auto source = tree::open_root(copy.source);
    const auto target = tree::open_root(copy.target);
    if (!copy.removes_extra || !source || !target) {
        return;
    }
    tree::MirrorRequest mirror = {source->get(), target->get(), false, copy.leaves_out};
    mirror.is_over = copy.is_to_stop;
    mirror.found = [&](const std::string& path, tree::Kind kind) {
        report.removed.add(path, "tree.extra", tree::name_of(kind));
    };
    mirror.failed = [&](const std::string& path, const Error& error) {
        report.failures.add(path, error.code, error.message);
    };
    tree::remove_extra(mirror);
}

Result<TreeCopied> copy(const TreeCopyRequest& request) {
    DRYDOCK_TRY(check_folder(request.source));
    if (!request.attributes.empty()) {
        DRYDOCK_TRY(tree::ManifestReader::open(request.attributes));  // before anything is written
    }
    tree::CopyRequest copy;
    copy.source = whole_path(request.source);
    copy.target = whole_path(request.target);
    DRYDOCK_TRY_ASSIGN(copy.state_folder, journal_of(request));
    copy.manifest = request.manifest;
    copy.digest = digest_of(request.choice);
    copy.workers = workers_of(request.choice);
    copy.replaces = request.replaces;
    copy.stays_on_file_system = request.choice.stays_on_file_system;
    copy.is_durable = request.is_durable;
    copy.leaves_out = selector_of(request.choice);
    for (const std::string& pattern : request.choice.excluded) {
        copy.selection += fmt::format("<{}>", pattern);
    }
    for (const std::string& pattern : request.choice.included) {
        copy.selection += fmt::format("+<{}>", pattern);
    }
    copy.progressed = request.choice.progressed;
    copy.is_to_stop = request.is_to_stop;
    copy.removes_extra = request.removes_extra;
    copy.bytes_per_second = request.bytes_per_second;
    copy.team = request.team;
    TreeCopied copied = {{}, copy.source, copy.target, copy.state_folder, {}, request.dry_run};
    copied.is_unconfirmed = request.removes_extra && !request.is_sure && !request.dry_run;
    if (request.dry_run || copied.is_unconfirmed) {
        copied.dry_run = true;
        copied.journal.clear();
        DRYDOCK_TRY_ASSIGN(copied.need, tree::measure(copy));
        preview_extra(copy, copied.report);
        return copied;
    }
    DRYDOCK_TRY_ASSIGN(copied.report, tree::copy_tree(copy));
    if (!request.attributes.empty()) {
        DRYDOCK_TRY(tree::restore_attributes(request.attributes, copy.target, copied.report));
    }
    return copied;
}

Result<tree::ManifestReport> record(const std::string& source,
                                    const std::string& output,
                                    const std::string& work_folder,
                                    const TreeChoice& choice,
                                    tree::DigestKind digest,
                                    bool reads_disk) {
    DRYDOCK_TRY(check_folder(source));
    tree::ManifestRequest manifest;
    manifest.source = source;
    manifest.output = output;
    manifest.state_folder = work_folder;
    manifest.digest = digest;
    manifest.workers = workers_of(choice);
    manifest.stays_on_file_system = choice.stays_on_file_system;
    manifest.reads_disk = reads_disk;
    manifest.leaves_out = selector_of(choice);
    manifest.progressed = choice.progressed;
    return tree::write_manifest(manifest);
}

// A new private folder, removed with all that is in it at the end.
class WorkFolder {
public:
    static Result<WorkFolder> make() {
        DRYDOCK_TRY_ASSIGN(const std::string copies, copies_folder());
        DRYDOCK_TRY(os::ensure_private_folder(copies));
        std::string pattern = copies + "/work-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) {
            return fail_errno("tree.setting", "make a folder in " + copies, errno);
        }
        return WorkFolder(pattern);
    }

    WorkFolder(WorkFolder&& source) noexcept : path_(std::exchange(source.path_, {})) {}

    WorkFolder(const WorkFolder&) = delete;
    WorkFolder& operator=(const WorkFolder&) = delete;

    ~WorkFolder() {
        std::error_code ignored;
        if (!path_.empty()) {
            std::filesystem::remove_all(path_, ignored);
        }
    }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    explicit WorkFolder(std::string path) : path_(std::move(path)) {}

    std::string path_;
};

bool is_folder(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_directory(path, ignored);
}

// A folder is compared with the digest of the other side's manifest.
Result<tree::DigestKind> digest_for(const TreeVerifyRequest& request) {
    for (const std::string& side : {request.source, request.target}) {
        if (!is_folder(side)) {
            DRYDOCK_TRY_ASSIGN(const auto reader, tree::ManifestReader::open(side));
            return reader.header().digest;
        }
    }
    return digest_of(request.choice);
}

Result<tree::Compared> compare_folders(const TreeVerifyRequest& request) {
    const TreeChoice& choice = request.choice;
    tree::CompareRequest compared = {
        request.source, request.target, digest_of(choice), workers_of(choice)};
    compared.stays_on_file_system = choice.stays_on_file_system;
    compared.reads_disk = request.reads_disk;
    compared.leaves_out = selector_of(choice);
    compared.progressed = choice.progressed;
    return tree::compare_trees(compared);
}

// A folder that is compared with a manifest gets one, too.
Result<tree::Compared> compare(const TreeVerifyRequest& request) {
    if (is_folder(request.source) && is_folder(request.target)) {
        return compare_folders(request);
    }
    DRYDOCK_TRY_ASSIGN(const WorkFolder work, WorkFolder::make());
    DRYDOCK_TRY_ASSIGN(const auto digest, digest_for(request));
    std::vector<std::string> manifests;
    tree::ProblemList unread;
    for (const std::string& side : {request.source, request.target}) {
        manifests.push_back(side);
        if (is_folder(side)) {
            manifests.back() = fmt::format("{}/{}.jsonl", work.path(), manifests.size());
            DRYDOCK_TRY_ASSIGN(const auto report,
                               record(side,
                                      manifests.back(),
                                      work.path(),
                                      request.choice,
                                      digest,
                                      request.reads_disk));
            unread.add(report.failures);
        }
    }
    DRYDOCK_TRY_ASSIGN(auto compared, tree::compare_manifests(manifests[0], manifests[1]));
    compared.unread = std::move(unread);
    return compared;
}

}  // namespace

AppResult<TreeCopied> copy_tree(const TreeCopyRequest& request) {
    auto copied = copy(request);
    if (!copied) {
        return refuse_tree(copied.error());
    }
    return std::move(*copied);
}

AppResult<tree::Compared> verify_trees(const TreeVerifyRequest& request) {
    auto compared = compare(request);
    if (!compared) {
        return refuse_tree(compared.error());
    }
    return std::move(*compared);
}

AppResult<tree::ManifestReport> write_tree_manifest(const TreeManifestRequest& request) {
    if (request.output.empty()) {
        return refuse_tree(Error{"tree.setting",
                                 "the manifest of a folder is sorted, and needs a file",
                                 "name one: -o FILE",
                                 {}});
    }
    const auto work = WorkFolder::make();
    auto report = work ? record(request.source,
                                request.output,
                                work->path(),
                                request.choice,
                                digest_of(request.choice),
                                request.reads_disk)
                       : tl::unexpected(work.error());
    if (!report) {
        return refuse_tree(report.error());
    }
    return std::move(*report);
}

bool is_tree(const std::string& place) {
    if (place.starts_with("s3://")) {
        return false;
    }
    std::error_code ignored;
    return !std::filesystem::is_regular_file(place, ignored)
           || tree::ManifestReader::open(place).has_value();
}

}  // namespace drydock::app
