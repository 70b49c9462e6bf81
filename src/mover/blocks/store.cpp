#include "mover/blocks/store.h"

#include "mover/blocks/postgres_sql.h"

#include <fmt/format.h>

#include <filesystem>

namespace drydock::mover::blocks {

Result<std::unique_ptr<Sql>> connect(const StoreConfig& config, SqlAccess access) {
    if (config.engine == Engine::sqlite) {
        return connect_sqlite(config.metadata, access);
    }
    return connect_postgres(config.metadata, access);
}

Result<Store> open_store(const StoreConfig& config, const std::string& key, SqlAccess access) {
    std::error_code unreadable;
    if (!std::filesystem::is_directory(config.data, unreadable)) {
        return fail("blocks.data",
                    fmt::format("{} is no folder that can be read", config.data),
                    "look at [DataBackend] path, and mount what belongs there");
    }
    Store store = {config, nullptr, {config.data, key.empty() ? config.key : key}};
    DRYDOCK_TRY_ASSIGN(store.reader.hash_function, hash_name(config.hash_function));
    DRYDOCK_TRY_ASSIGN(auto sql, connect(config, access));
    DRYDOCK_TRY_ASSIGN(store.metadata, open_metadata(std::move(sql)));
    return store;
}

}  // namespace drydock::mover::blocks
