// The end of a process that found a bug in itself. It prints one line and aborts: the state of the
// process is not trusted any more, so no destructor runs. The text promises that nothing is lost,
// since each intent is durable before its effect.
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
