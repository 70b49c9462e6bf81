// Names in folders, sorted, so that every walk over the state folder has one order.
#include "agent/folder_names.h"

#include <algorithm>
#include <filesystem>

namespace drydock::agent {

// Uses increment() with an error code: the range loop of the standard library would throw on a bad
// disk.
Result<std::vector<std::string>> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        names.push_back(entry->path().filename().string());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return fail_errno("os.read", folder, error.value());
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<std::vector<std::string>> run_names(const std::string& folder) {
    DRYDOCK_TRY_ASSIGN(auto names, names_in(folder));
    std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
    return names;
}

}  // namespace drydock::agent
