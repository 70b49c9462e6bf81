// Tries packs without a cluster, and writes a first one. No host is contacted.
#include "app/trying.h"

#include "app/internal.h"
#include "base/text.h"
#include "os/files.h"
#include "trial/new_pack.h"

#include <fmt/format.h>

#include <filesystem>

namespace drydock::app {

namespace fs = std::filesystem;

AppResult<trial::Trial>
try_pack(const std::string& folder, const std::string& to, const std::string& program) {
    auto trial = trial::try_folder(folder, {packs_folder(program), to});
    if (!trial) {
        return refuse_input(std::move(trial.error()));
    }
    return std::move(*trial);
}

namespace {

constexpr std::size_t k_name_size_max = 64;  // as the schema of pack.yaml has it

AppResult<void> check_name(const std::string& name) {
    if (is_plain_name(name, "-_") && name.size() <= k_name_size_max) {
        return {};
    }
    return refuse({"pack.name",
                   fmt::format("`{}` is no name of a pack", name),
                   "at most 64 letters, digits, - and _",
                   ErrorClass::permanent},
                  k_exit_usage);
}

// A folder that cannot be looked at counts as not empty: nothing of somebody else is written over.
Status check_empty(const std::string& folder) {
    std::error_code unread;
    if (!fs::exists(folder, unread) && !unread) {
        return {};
    }
    if (!unread && fs::is_directory(folder, unread) && fs::is_empty(folder, unread) && !unread) {
        return {};
    }
    return fail("pack.exists",
                fmt::format("{} is there already, and is no empty folder", folder),
                "name a new folder");
}

Status write_new(const fs::path& file, const std::string& text) {
    std::error_code problem;
    fs::create_directories(file.parent_path(), problem);
    if (problem) {
        return fail_errno("file.write", "make " + file.parent_path().string(), problem.value());
    }
    return os::write_file_durable(file.string(), text, 0644);
}

// A pack is refused if others may write it, so that folders must not take a generous umask over.
void keep_others_out(const fs::path& folder) {
    std::error_code ignored;  // whoever reads the pack says so
    const auto others = fs::perms::group_write | fs::perms::others_write;
    fs::permissions(folder, others, fs::perm_options::remove, ignored);
    for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
        if (entry.is_directory(ignored)) {
            fs::permissions(entry.path(), others, fs::perm_options::remove, ignored);
        }
    }
}

}  // namespace

AppResult<NewPack> new_pack(const std::string& folder, const std::string& name, bool dry_run) {
    DRYDOCK_TRY(check_name(name));
    DRYDOCK_TRY(check_empty(folder));
    NewPack made = {folder, {}};
    for (const auto& [file, text] : trial::new_case(name)) {
        made.files.push_back(file);
        if (!dry_run) {
            DRYDOCK_TRY(write_new(fs::path(folder) / file, text));
        }
    }
    if (!dry_run) {
        keep_others_out(folder);
    }
    return made;
}

}  // namespace drydock::app
