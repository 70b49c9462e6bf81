// The commands `drydock store export` and `import`: one version of a store to or from a file.
//
// An export reads only the metadata. An import writes rows under backy2's locks, so that no job of
// backy2 sees half of a version.
#include "app/open_store.h"
#include "mover/blocks/locks.h"

namespace drydock::app {
namespace {

namespace blocks = mover::blocks;

Result<blocks::ExportReport>
export_version(const StoreRequest& request, const std::string& version, const std::string& file) {
    DRYDOCK_TRY_ASSIGN(auto store, open_store(request, blocks::SqlAccess::read));
    return blocks::export_version(*store.metadata, version, file);
}

Result<blocks::ImportReport> import_version(const StoreRequest& request, const std::string& file) {
    DRYDOCK_TRY_ASSIGN(auto store, open_store(request, blocks::SqlAccess::write));
    DRYDOCK_TRY_ASSIGN(const auto lock, blocks::StoreLock::take(store.config.lock_dir));
    return blocks::import_version(store, file);
}

}  // namespace

AppResult<blocks::ExportReport> export_from_store(const StoreRequest& request,
                                                  const std::string& version,
                                                  const std::string& file) {
    auto report = export_version(request, version, file);
    if (!report) {
        return refuse_store(report.error());
    }
    return std::move(*report);
}

AppResult<blocks::ImportReport> import_to_store(const StoreRequest& request,
                                                const std::string& file) {
    auto report = import_version(request, file);
    if (!report) {
        return refuse_store(report.error().with_context(file));
    }
    return std::move(*report);
}

}  // namespace drydock::app
