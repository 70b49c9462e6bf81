#include "os/stream.h"

#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace drydock::os {

// Opens the stream through the descriptor, so the checked file is the one that is read. A second
// open by path could meet a pipe instead.
Result<std::ifstream> open_stream(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const Fd file, open_plain(path, O_RDONLY));
    std::ifstream stream(fmt::format("/proc/self/fd/{}", file.get()), std::ios::binary);
    return stream ? Result<std::ifstream>(std::move(stream))
                  : fail("os.open", path + " cannot be opened again", "check its permissions");
}

}  // namespace drydock::os
