// Remembers the commands that a person has agreed to: one digest a line.
//
// The file lies in the account's own state, since a cluster file names its state directory itself
// and could bring its own memory. The file only grows. A lost or damaged file costs one more
// question and never grants anything. docs/design/0007-trust.md has the reasons.
#include "app/trust.h"

#include "base/text.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <set>

namespace drydock::app {

namespace {

constexpr std::size_t k_memory_bytes_max = 4U << 20U;  // about 64,000 digests

// Relative paths are ignored: a working directory that others may write could hold a forged memory.
Result<std::string> memory_folder() {
    // NOLINTBEGIN(concurrency-mt-unsafe): no thread changes the environment
    const char* state = std::getenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    // NOLINTEND(concurrency-mt-unsafe)
    if (state != nullptr && *state == '/') {
        return std::string(state) + "/drydock";
    }
    if (home != nullptr && *home == '/') {
        return std::string(home) + "/.local/state/drydock";
    }
    return fail("trust.memory",
                "there is no place to remember in: neither XDG_STATE_HOME nor HOME is a folder",
                "set one of them");
}

// Returns the digests that were agreed to. A missing file means that nothing was.
Result<std::set<std::string>> read_memory() {
    DRYDOCK_TRY_ASSIGN(const std::string folder, memory_folder());
    if (!os::exists(folder)) {
        return std::set<std::string>();
    }
    DRYDOCK_TRY(os::ensure_private_folder(folder));
    auto text = os::read_file(folder + "/trusted", k_memory_bytes_max);
    if (!text && text.error().code == "os.missing") {
        return std::set<std::string>();
    }
    DRYDOCK_TRY(text);
    const auto lines = split(*text, '\n');
    return std::set<std::string>(lines.begin(), lines.end());
}

// Appends whole lines with one write, so that two processes do not lose each other's. Entries
// without a digest cannot be remembered.
Status remember(const std::vector<Executed>& entries) {
    DRYDOCK_TRY_ASSIGN(const std::string folder, memory_folder());
    DRYDOCK_TRY(os::ensure_private_folder(folder));
    DRYDOCK_TRY_ASSIGN(const os::Fd file,
                       os::open_file(folder + "/trusted",
                                     O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK));
    std::string lines;
    for (const Executed& entry : entries) {
        lines += entry.digest.empty() ? "" : entry.digest + "\n";
    }
    return os::write_all(file.get(), lines);
}

}  // namespace

// Asks only about entries that are new, so one more host means one more question about that host.
Status check_trust(const Options& options, const std::string& file, const ListExecuted& list) {
    if (options.trust == Trust::this_time) {
        return {};
    }
    const auto entries = list();
    if (entries.empty()) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const auto known_digests, read_memory());
    std::vector<Executed> fresh;
    std::vector<std::string> texts;
    for (const Executed& entry : entries) {
        if (entry.digest.empty() || !known_digests.contains(entry.digest)) {
            fresh.push_back(entry);
            texts.push_back(entry.text);
        }
    }
    if (fresh.empty()) {
        return {};
    }
    const bool agreed =
        options.trust == Trust::remember || (options.ask && options.ask(file, texts));
    if (!agreed) {
        return fail(
            "trust.unknown",
            fmt::format("{} is not known here. It would execute: {}", file, join(texts, "; ")),
            "read it; if you trust it: the same command with --trust, which is remembered");
    }
    return remember(fresh);
}

// A resumed run has no plan file at hand; it is named by its id.
Status check_trust(const Options& options, const model::Plan& plan) {
    const std::string file = options.plan_file.empty() ? "run " + plan.run : options.plan_file;
    return check_trust(options, file, [&] { return executed_by(plan); });
}

Status remember_own(const Options& options, const model::Plan& plan) {
    return options.trust == Trust::this_time ? Status() : remember(executed_by(plan));
}

}  // namespace drydock::app
