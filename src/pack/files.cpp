#include "pack/files.h"

#include "pack/yaml.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace drydock::pack {

std::optional<std::string> read_text(const std::string& path, Diagnostics& diagnostics) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text(k_file_size_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad() || (file.gcount() == 0 && errno != 0)) {
        diagnostics.error("file.read",
                          {path, 1, 1},
                          fmt::format("the file cannot be read: {}", std::strerror(errno)),
                          "check the path and its permissions");
        return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

void finish(Diagnostics& diagnostics) {
    diagnostics.sort();
}

}  // namespace drydock::pack
