// Connects the three parts of a store: backend, database and keys. The backend is checked before
// the database, so an unmounted folder of blobs is reported as such.
#include "mover/blocks/store.h"

#include "mover/blocks/postgres_sql.h"

namespace drydock::mover::blocks {

Result<std::unique_ptr<Sql>> connect(const StoreConfig& config, SqlAccess access) {
    if (config.engine == Engine::sqlite) {
        return connect_sqlite(config.metadata, access);
    }
    return connect_postgres(
        config.metadata, access, access == SqlAccess::read ? SqlLimits{} : k_long_statements);
}

Result<Store> open_store(const StoreConfig& config, const std::string& key, SqlAccess access) {
    const Blobs blobs = config.data.empty() ? s3_backend(config.s3) : file_backend(config.data);
    DRYDOCK_TRY(blobs->check());
    Store store = {config, nullptr, {blobs, key.empty() ? config.key : key}};
    DRYDOCK_TRY_ASSIGN(store.reader.hash_function, hash_name(config.hash_function));
    DRYDOCK_TRY_ASSIGN(auto sql, connect(config, access));
    DRYDOCK_TRY_ASSIGN(store.metadata, open_metadata(std::move(sql)));
    return store;
}

}  // namespace drydock::mover::blocks
