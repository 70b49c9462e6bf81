// must(): what a program that measures expects to succeed; else it ends.
#pragma once

#include "base/result.h"

#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <utility>

namespace drydock::bench {

// The value. An error is printed, and the program ends with exit code 1.
template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().text().c_str());
        std::exit(1);  // NOLINT(concurrency-mt-unsafe): one thread
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}

}  // namespace drydock::bench
