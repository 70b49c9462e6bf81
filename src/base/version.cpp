#include "base/version.h"

namespace drydock {

std::string_view version() {
    return DRYDOCK_VERSION;
}

}  // namespace drydock
