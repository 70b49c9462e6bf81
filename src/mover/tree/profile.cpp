#include "mover/tree/profile.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>

namespace drydock::mover::tree {
namespace {

constexpr std::size_t k_dfs_piece_bytes = std::size_t{1} << 20;  // a chunk of DFS
constexpr std::array<std::string_view, 2> k_libraries = {"libioil", "libpil4dfs"};

bool is_library_loaded() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* preloaded = std::getenv("LD_PRELOAD");
    return preloaded != nullptr
           && std::any_of(k_libraries.begin(), k_libraries.end(), [&](std::string_view library) {
                  return std::string_view(preloaded).find(library) != std::string_view::npos;
              });
}

bool is_dfuse(int file) {
    return type_of_mount(file) == "fuse.daos";
}

}  // namespace

// A line: "36 35 98:0 /root /mount options - type device super-options", with optional fields
// before the dash.
std::string type_of_mount(int file) {
    struct statx found{};
    if (::statx(file, "", AT_EMPTY_PATH, 0, &found) != 0) {
        return {};
    }
    const std::string device = fmt::format("{}:{}", found.stx_dev_major, found.stx_dev_minor);
    std::ifstream mounts("/proc/self/mountinfo");
    std::string line;
    while (std::getline(mounts, line)) {
        std::istringstream words(line);
        std::string number;
        std::string parent;
        std::string known;
        words >> number >> parent >> known;
        const auto dash = line.find(" - ");
        if (known == device && dash != line.npos) {
            const auto begin = dash + 3;
            return line.substr(begin, line.find(' ', begin) - begin);
        }
    }
    return {};
}

Profile profile_of(int source, int target) {
    if (!is_library_loaded() && !is_dfuse(source) && !is_dfuse(target)) {
        return {};
    }
    return {"daos", k_dfs_piece_bytes, true, true};
}

}  // namespace drydock::mover::tree
