// The state of an attempt, read from its folder.
//
// The order of the looks matters. A result wins over everything, since only a supervisor that
// ended writes one. Then comes the tombstone, then the lock. A folder with none of the three is
// about to start, or interrupted. Only a caller that holds the host's lock can tell these two
// apart.
//
// The command of a pack writes the progress file, so it is not trusted. A wrong type or a long
// unit makes the whole file count as missing.
#include "agent/attempt.h"

#include "agent/action_key.h"
#include "agent/containment.h"
#include "os/clock.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>

namespace drydock::agent {
namespace {

constexpr std::size_t k_result_bytes_max = 8U << 20U;
constexpr std::size_t k_progress_tail_bytes = 300;
constexpr std::size_t k_progress_file_bytes_max = 4096;
constexpr std::size_t k_unit_bytes_max = 32;
constexpr std::size_t k_wait_text_bytes_max = 500;

// Names the file that says that the attempt never began and never will.
std::string tombstone_path(const std::string& folder) {
    return folder + "/never.json";
}

std::optional<Json> read_result(const std::string& folder) {
    const auto text = os::read_file(folder + "/result.json", k_result_bytes_max);
    auto value = text ? Json::parse(*text) : tl::unexpected(text.error());
    return value ? std::optional(std::move(*value)) : std::nullopt;
}

// True if the value is a text of a limited size, or absent.
bool is_short_text(const Json& value, std::size_t bytes_max) {
    return value.is_null() || (value.is_string() && value.as_string().size() <= bytes_max);
}

// True if the value has the types of `waits`; only `for` has to be there.
bool is_wait(const Json& value) {
    const auto is_time = [&](std::string_view key) {
        return value[key].is_null() || value[key].is_integer();
    };
    return value.is_object() && value["for"].is_string()
           && is_short_text(value["for"], k_wait_text_bytes_max)
           && is_short_text(value["remedy"], k_wait_text_bytes_max) && is_time("since_ms")
           && is_time("until_ms");
}

// True if the value has the types of a progress file; absent keys are fine.
bool is_progress(const Json& value) {
    const auto is_number = [&](std::string_view key) {
        return !value.contains(key) || value[key].is_number();
    };
    return value.is_object() && is_number("done") && is_number("of") && is_number("bytes")
           && is_number("rate") && is_short_text(value["unit"], k_unit_bytes_max)
           && (value["waits"].is_null() || is_wait(value["waits"]));
}

// Keeps the keys that are known.
Json wait_part(const Json& wait) {
    Json part;
    for (const char* key : {"for", "since_ms", "until_ms", "remedy"}) {
        if (!wait[key].is_null()) {
            part.set(key, wait[key]);
        }
    }
    return part;
}

}  // namespace

std::string progress_path(const std::string& folder) {
    return folder + "/progress.json";
}

// Drops the attempt's number from the folder's name, so that all attempts of an action share one
// cursor.
std::string cursor_path(const std::string& folder) {
    return folder.substr(0, folder.rfind('.')) + ".cursor";
}

Json read_reported_progress(const std::string& folder) {
    Json progress{Json::Object{}};
    const auto text = os::read_file(progress_path(folder), k_progress_file_bytes_max);
    const auto value = text ? Json::parse(*text) : tl::unexpected(text.error());
    if (!value || !is_progress(*value)) {
        return progress;
    }
    for (const char* key : {"bytes", "done", "of", "rate", "unit"}) {
        if (value->contains(key)) {
            progress.set(key, (*value)[key]);
        }
    }
    if (value->contains("waits")) {
        progress.set("waits", wait_part((*value)["waits"]));
    }
    return progress;
}

void write_wait(const std::string& folder, const std::optional<ActionWait>& wait) {
    Json report{Json::Object{}};
    if (wait) {
        report.set("waits",
                   Json()
                       .set("for", to_utf8(wait->subject))
                       .set("since_ms", wait->since_ms)
                       .set("until_ms", wait->until_ms)
                       .set("remedy", to_utf8(wait->remedy)));
    }
    const std::string part = progress_path(folder) + ".part";
    std::ofstream(part, std::ios::trunc) << report.dump();
    (void)std::rename(part.c_str(), progress_path(folder).c_str());
}

bool has_moved(const Json& report, const Json& before) {
    return report["done"] != before["done"] || report["of"] != before["of"]
           || report["bytes"] != before["bytes"];
}

// Reads the tail of the output without a lock, while the supervisor may append. A cut character at
// the front becomes "?".
Json read_progress(const std::string& folder) {
    struct stat facts = {};
    std::array<char, k_progress_tail_bytes> tail = {};
    const auto file = os::open_file(folder + "/output", O_RDONLY).value_or(os::Fd());
    ssize_t size = 0;
    if (::fstat(file.get(), &facts) == 0) {
        const auto start = std::max<off_t>(facts.st_size - off_t{k_progress_tail_bytes}, 0);
        size = std::max<ssize_t>(::pread(file.get(), tail.data(), tail.size(), start), 0);
    }
    Json progress = read_reported_progress(folder);
    progress.set("output_bytes", std::int64_t{facts.st_size});
    return progress.set("output_tail", to_utf8({tail.data(), static_cast<std::size_t>(size)}));
}

// A lock that cannot be examined counts as held: an attempt that may run must not look ended.
std::optional<ActionState> read_attempt(const std::string& folder) {
    if (auto result = read_result(folder)) {
        return ActionState{ActionPhase::ended, std::move(*result)};
    }
    if (os::exists(tombstone_path(folder))) {
        return ActionState{};
    }
    return os::is_locked(folder + "/lock").value_or(true)
               ? std::optional(ActionState{ActionPhase::running, read_progress(folder)})
               : std::nullopt;
}

// Returns `running` while any process of the dead supervisor is left, or if that is unknown. Only
// when none is left, a second attempt may begin.
ActionState read_interrupted(const std::string& folder) {
    const auto survivors = contained_processes(folder);
    if (survivors && survivors->empty()) {
        remove_containment(folder);
        return {ActionPhase::interrupted, {}};
    }
    Json detail = read_progress(folder);
    if (survivors) {
        detail.set("left_behind", std::uint64_t{survivors->size()});
    } else {
        detail.set("problem", to_utf8(survivors.error().message));
    }
    return {ActionPhase::running, std::move(detail)};
}

Status write_tombstone(const std::string& folder, std::string_view reason) {
    Json value;
    value.set("reason", to_utf8(reason)).set("at_ms", os::RealClock().wall_ms());
    return os::write_file_durable(tombstone_path(folder), value.dump());
}

bool is_closed(const std::string& folder) {
    return os::exists(folder + "/result.json") || os::exists(tombstone_path(folder));
}

}  // namespace drydock::agent
