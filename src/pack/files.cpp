// Reads one file. The buffer is one byte larger than the limit. So the parser sees that a file is
// too large, and reports it like any other problem.
#include "pack/files.h"

#include "os/stream.h"
#include "pack/yaml.h"

#include <fmt/format.h>

#include <filesystem>

namespace drydock::pack {

std::optional<std::string> read_text(const std::string& path, Diagnostics& diagnostics) {
    auto file = os::open_stream(path);
    std::string text(k_file_size_max + 1, '\0');
    if (file) {
        file->read(text.data(), static_cast<std::streamsize>(text.size()));
    }
    if (!file || file->bad()) {
        diagnostics.error("file.read",
                          {path, 1, 1},
                          fmt::format("the file cannot be read: {}",
                                      file ? "an error of its disk" : file.error().message),
                          file || file.error().remedy.empty() ? "check the path and its permissions"
                                                              : file.error().remedy);
        return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(file->gcount()));
    return text;
}

std::string folder_of(const std::string& file) {
    std::error_code ignored;
    const std::filesystem::path absolute_path = std::filesystem::absolute(file, ignored);
    return absolute_path.parent_path().lexically_normal().string();
}

std::string path_from(const std::string& folder, const std::string& path) {
    return (std::filesystem::path(folder) / path).lexically_normal().string();
}

void finish(Diagnostics& diagnostics) {
    diagnostics.sort();
}

}  // namespace drydock::pack
