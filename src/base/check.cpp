#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace drydock {

void check_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr,
                 "drydock: a bug: %s does not hold at %s:%d. Nothing is lost; run `drydock resume` "
                 "and report this line.\n",
                 condition,
                 file,
                 line);
    std::abort();
}

}  // namespace drydock
