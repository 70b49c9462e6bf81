// CHECK: a condition that only a bug can break. It ends the process with the file, the line and the
// condition. The journal makes that safe: the next start continues from the last durable record.
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
