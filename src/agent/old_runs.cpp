// Marks old runs and removes the attempts of marked runs, a portion at each call.
//
// The marker comes first and is durable; only then attempts go. So a key of a removed attempt can
// never look as if it had not begun. Both steps have limits, since they run while a conductor
// waits for its answer.
#include "agent/old_runs.h"

#include "agent/action_key.h"
#include "agent/attempt.h"
#include "agent/containment.h"
#include "agent/folder_names.h"
#include "os/files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace drydock::agent {
namespace {

constexpr const char* k_marker = "removed";

struct Run {
    std::string folder;
    std::int64_t changed_ms = 0;  // when something was last begun in it
};

// Returns no names for a folder that cannot be read: nothing in it is removed then.
std::vector<std::string> names_or_none(Result<std::vector<std::string>> names) {
    return names ? std::move(*names) : std::vector<std::string>();
}

// Returns the time of the last entry; INT64_MAX if it is unknown, which keeps the run.
std::int64_t changed_ms(const std::string& folder) {
    struct stat facts = {};
    return ::stat(folder.c_str(), &facts) == 0 ? facts.st_mtim.tv_sec * 1000 : INT64_MAX;
}

// Returns the runs without a marker, the newest first.
std::vector<Run> unmarked_runs(const std::string& state) {
    std::vector<Run> runs;
    for (const auto& name : names_or_none(run_names(state))) {
        const std::string folder = fmt::format("{}/{}", state, name);
        if (!is_marked(folder)) {
            runs.push_back({folder, changed_ms(folder)});
        }
    }
    std::sort(runs.begin(), runs.end(), [](const Run& first, const Run& second) {
        return first.changed_ms > second.changed_ms;
    });
    return runs;
}

// True if every attempt has a result or a tombstone: an interrupted attempt may still be asked
// for.
bool has_ended(const Run& run) {
    const auto names = names_in(run.folder);
    return names && std::all_of(names->begin(), names->end(), [&](const std::string& name) {
               return !key_of("run", name) || is_closed(fmt::format("{}/{}", run.folder, name));
           });
}

std::size_t remove_attempts(const std::string& run, std::size_t count_max) {
    std::size_t removed = 0;
    std::error_code error;
    for (const auto& name : names_or_none(names_in(run))) {
        if (name == k_marker || removed >= count_max) {
            continue;
        }
        const std::string attempt = fmt::format("{}/{}", run, name);
        remove_containment(attempt);
        std::filesystem::remove_all(attempt, error);
        ++removed;
    }
    return removed;
}

}  // namespace

bool is_marked(const std::string& run_folder) {
    return os::exists(run_folder + "/" + k_marker);
}

void mark_old_runs(const std::string& state_folder, std::int64_t now_ms) {
    const auto runs = unmarked_runs(state_folder);
    std::size_t marked = 0;
    for (std::size_t i = runs.size(); i > k_keep_runs && marked < k_runs_marked_max; --i) {
        const Run& run = runs[i - 1];
        const bool old = run.changed_ms != INT64_MAX && now_ms - run.changed_ms > k_keep_run_ms;
        if (old && has_ended(run)
            && os::write_file_durable(fmt::format("{}/{}", run.folder, k_marker), "")) {
            ++marked;
        }
    }
}

void remove_marked_runs(const std::string& state_folder) {
    std::size_t budget = k_attempts_removed_max;
    for (const auto& name : names_or_none(run_names(state_folder))) {
        const std::string folder = fmt::format("{}/{}", state_folder, name);
        if (budget > 0 && is_marked(folder)) {
            budget -= remove_attempts(folder, budget);
        }
    }
}

}  // namespace drydock::agent
