// Functions that the use cases of `drydock store` share.
#pragma once

#include "app/block_store.h"
#include "mover/blocks/store.h"

namespace drydock::app {

// Reads the configuration and the key file, and opens the store.
[[nodiscard]] Result<mover::blocks::Store> open_store(const StoreRequest& request,
                                                      mover::blocks::SqlAccess access);
// Returns the number of threads of a request.
[[nodiscard]] std::size_t workers_of(const StoreRequest& request);
// Refuses with the exit code 1 for damage and refusals, 2 for unreadable input.
[[nodiscard]] tl::unexpected<Failure> refuse_store(const Error& error);

}  // namespace drydock::app
