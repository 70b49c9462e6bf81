// The version comes from the build's configuration, so it stands in one place.
#include "base/version.h"

namespace drydock {

std::string_view version() {
    return DRYDOCK_VERSION;
}

}  // namespace drydock
