// Old runs: the folders of their attempts go, in portions, so that a state folder does not grow
// for ever.
//
// A run is old if all its attempts ended or never began, nothing was begun in it for
// k_keep_run_ms, and k_keep_runs others are newer. The run's folder stays with a marker: its keys
// must not look as if they had never begun.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace drydock::agent {

inline constexpr std::size_t k_keep_runs = 20;
inline constexpr std::int64_t k_keep_run_ms = 30LL * 24 * 3600 * 1000;
inline constexpr std::size_t k_runs_marked_max = 8;         // by one call: some thousand stat()
inline constexpr std::size_t k_attempts_removed_max = 200;  // by one call: some milliseconds

// Marks runs that are old at the wall time `now_ms`. No action may begin at the same time.
void mark_old_runs(const std::string& state_folder, std::int64_t now_ms);
// Removes a portion of the attempts in marked runs.
void remove_marked_runs(const std::string& state_folder);
// True if the attempts of that run were removed, or will be.
[[nodiscard]] bool is_marked(const std::string& run_folder);

}  // namespace drydock::agent
