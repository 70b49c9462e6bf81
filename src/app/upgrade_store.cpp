// The command `drydock store upgrade`: raises the schema of backy2's metadata, or takes it back.
//
// The metadata are copied before the first change, under backy2's locks. There are two ways back:
// undo of a half-done upgrade, and putting a copy back. A copy in SQLite is a file that a person
// moves; a copy of PostgreSQL is restored here, into the place of tables that stay in another
// schema.
#include "app/block_store.h"
#include "app/internal.h"
#include "app/open_store.h"
#include "mover/blocks/locks.h"
#include "mover/blocks/metadata_copy.h"
#include "mover/blocks/postgres_sql.h"
#include "os/files.h"

#include <fmt/format.h>

#include <ctime>

namespace drydock::app {
namespace {

namespace blocks = mover::blocks;

std::string time_in_name() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
    return {text.data(), size};
}

// Returns a name for the copy that does not exist yet: beside the metadata, or in the working
// directory if a server holds them.
std::string new_name(const blocks::StoreConfig& config) {
    const bool is_file = config.engine == blocks::Engine::sqlite;
    const std::string name = is_file ? fmt::format("{}.{}", config.metadata, time_in_name())
                                     : fmt::format("backy2-metadata.{}.sql", time_in_name());
    std::string free = name;
    for (int number = 2; os::exists(free); ++number) {
        free = fmt::format("{}-{}", name, number);
    }
    return free;
}

std::vector<std::string> notes_on(const blocks::StoreConfig& config) {
    if (config.has_enc_version) {
        return {};
    }
    return {"the configuration has no encryption_version: backy2 2.12 and later need it, so add "
            "`encryption_version: 0` to [DEFAULTS]"};
}

Result<blocks::Schema> schema_of(const blocks::StoreConfig& config) {
    DRYDOCK_TRY_ASSIGN(auto sql, blocks::connect(config, blocks::SqlAccess::read));
    DRYDOCK_TRY_ASSIGN(const auto metadata, blocks::open_metadata(std::move(sql)));
    return metadata->schema();
}

// Restores a copy. The schema is read before and after, and the report shows both.
Result<StoreUpgraded> put_back(const StoreUpgradeRequest& request) {
    DRYDOCK_TRY_ASSIGN(const blocks::StoreConfig config, blocks::read_config(request.store.config));
    if (config.engine == blocks::Engine::sqlite) {
        return fail("blocks.config",
                    "the metadata are a file",
                    fmt::format("stop all jobs and put {} in the place of {}",
                                request.copy_to_restore,
                                config.metadata));
    }
    DRYDOCK_TRY_ASSIGN(const auto lock, blocks::StoreLock::take(config.lock_dir));
    StoreUpgraded answer;
    answer.dry_run = request.dry_run;
    DRYDOCK_TRY_ASSIGN(answer.report.old_schema, schema_of(config));
    const std::string keep =
        request.keep_as.empty() ? std::to_string(std::time(nullptr)) : request.keep_as;
    answer.report.steps = {
        {fmt::format("put {} back; the tables of now stay in the schema drydock_before_{}",
                     request.copy_to_restore,
                     keep),
         ""}};
    if (!request.dry_run) {
        DRYDOCK_TRY(blocks::put_back_postgres(config.metadata, request.copy_to_restore, keep));
    }
    DRYDOCK_TRY_ASSIGN(answer.report.new_schema, schema_of(config));
    return answer;
}

// The engine calls back for the copy after it has checked the schema and before it changes
// anything. A dry run needs no lock.
Result<StoreUpgraded> upgrade(const StoreUpgradeRequest& request) {
    DRYDOCK_TRY_ASSIGN(const blocks::StoreConfig config, blocks::read_config(request.store.config));
    StoreUpgraded answer;
    answer.dry_run = request.dry_run;
    answer.copy_only = request.copy_only;
    std::optional<blocks::StoreLock> lock;
    if (!request.dry_run) {
        DRYDOCK_TRY_ASSIGN(lock, blocks::StoreLock::take(config.lock_dir));
    }
    DRYDOCK_TRY_ASSIGN(
        const auto sql,
        blocks::connect(config,
                        request.dry_run ? blocks::SqlAccess::read : blocks::SqlAccess::write));
    const std::string copy = request.copy.empty() ? new_name(config) : request.copy;
    blocks::UpgradeRequest upgrade_request;
    upgrade_request.goal = request.undo ? blocks::UpgradeGoal::undo : blocks::UpgradeGoal::newest;
    upgrade_request.dry_run = request.dry_run;
    upgrade_request.copy_only = request.copy_only;
    upgrade_request.copy = [&](blocks::Sql& locked_sql) {
        answer.copy = copy;
        return config.engine == blocks::Engine::sqlite
                   ? blocks::copy_sqlite(locked_sql, config.metadata, copy)
                   : blocks::copy_postgres(config.metadata, copy);
    };
    DRYDOCK_TRY_ASSIGN(answer.report, blocks::upgrade(*sql, upgrade_request));
    const bool stays = request.undo || request.copy_only;
    answer.notes = stays ? std::vector<std::string>() : notes_on(config);
    return answer;
}

}  // namespace

AppResult<StoreUpgraded> upgrade_store(const StoreUpgradeRequest& request) {
    auto answer = request.copy_to_restore.empty() ? upgrade(request) : put_back(request);
    if (!answer) {
        return refuse_store(answer.error());
    }
    return std::move(*answer);
}

}  // namespace drydock::app
