// CHECK: a condition that only a bug can break. It ends the process with file, line and the
// condition; the journal makes that safe, because the next start goes on from the last durable
// record.
#pragma once

namespace drydock {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ::drydock::check_failed(#condition, __FILE__, __LINE__);                               \
        }                                                                                          \
    } while (false)
