#include "os/stream.h"

#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace drydock::os {

// By its descriptor, so that the file which was looked at is the one that is read.
Result<std::ifstream> open_stream(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const Fd file, open_plain(path, O_RDONLY));
    std::ifstream stream(fmt::format("/proc/self/fd/{}", file.get()), std::ios::binary);
    return stream ? Result<std::ifstream>(std::move(stream))
                  : fail("os.open", path + " cannot be opened again", "check its permissions");
}

}  // namespace drydock::os
