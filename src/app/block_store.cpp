// The reading commands of `drydock store`: inspect, verify, restore.
//
// Each opens the store anew, works on it, and turns an error into a failure with its exit code. The
// work itself lies in mover/blocks. Nothing here writes to the store or takes its locks.
#include "app/block_store.h"

#include "agent/action.h"
#include "app/internal.h"
#include "app/open_store.h"

#include <algorithm>
#include <thread>

namespace drydock::app {
namespace {

namespace blocks = mover::blocks;

constexpr std::size_t k_findings_max = 1000;  // of an answer; the verdict counts them all
constexpr std::size_t k_workers_max = 64;

// True if the error means lost or refused data. The listed codes mean that something could not be
// read at all, which is wrong input and has the exit code 2.
bool is_damage(const Error& error) {
    static const std::vector<std::string> unreadable = {
        "blocks.metadata", "blocks.schema", "blocks.config", "blocks.data", "blocks.hash"};
    return error.code.starts_with("blocks.") && std::ranges::count(unreadable, error.code) == 0;
}

}  // namespace

std::size_t workers_of(const StoreRequest& request) {
    const std::size_t workers =
        request.workers == 0 ? std::thread::hardware_concurrency() : request.workers;
    return std::clamp<std::size_t>(workers, 1, k_workers_max);
}

// A key file replaces the key of the configuration. The second key is only tried by readers, while
// a rekey is not finished.
Result<blocks::Store> open_store(const StoreRequest& request, blocks::SqlAccess access) {
    DRYDOCK_TRY_ASSIGN(const blocks::StoreConfig config, blocks::read_config(request.config));
    std::string key;
    if (!request.key_file.empty()) {
        DRYDOCK_TRY_ASSIGN(key, blocks::read_key_file(request.key_file));
    }
    DRYDOCK_TRY_ASSIGN(auto store, blocks::open_store(config, key, access));
    if (!request.other_key_file.empty()) {
        DRYDOCK_TRY_ASSIGN(store.reader.other_key, blocks::read_key_file(request.other_key_file));
    }
    return store;
}

tl::unexpected<Failure> refuse_store(const Error& error) {
    if (error.code == "blocks.paused") {
        return refuse(error, agent::k_exit_paused);
    }
    return refuse(error, is_damage(error) ? k_exit_no : k_exit_usage);
}

// Reading the schema alone takes the same time for every store; a full inspection lists all blobs.
AppResult<blocks::Inspection> inspect_store(const StoreRequest& request, bool only_schema) {
    auto store = open_store(request, blocks::SqlAccess::read);
    if (!store) {
        return refuse_store(store.error());
    }
    if (only_schema) {
        blocks::Inspection inspection;
        inspection.schema = store->metadata->schema();
        return inspection;
    }
    auto inspection = blocks::inspect(*store);
    if (!inspection) {
        return refuse_store(inspection.error());
    }
    return std::move(*inspection);
}

// Keeps the first findings only. A store with a lost disk has millions of them, and the verdict has
// their number.
AppResult<StoreVerified> verify_store(const StoreRequest& request,
                                      const OnStoreProgress& on_progress) {
    auto store = open_store(request, blocks::SqlAccess::read);
    if (!store) {
        return refuse_store(store.error());
    }
    StoreVerified answer;
    const auto keep_finding = [&](const blocks::Finding& finding) {
        if (answer.findings.size() < k_findings_max) {
            answer.findings.push_back(finding);
        }
    };
    const auto count = [&](const blocks::StoreVerdict& verdict) -> Status {
        on_progress({verdict.rows, verdict.rows_all, "rows", verdict.findings});
        return {};
    };
    auto verdict =
        blocks::verify(*store->metadata, store->reader, workers_of(request), {keep_finding, count});
    if (!verdict) {
        return refuse_store(verdict.error());
    }
    answer.verdict = std::move(*verdict);
    return answer;
}

AppResult<blocks::Restored> restore_from_store(const StoreRequest& request,
                                               blocks::RestoreRequest restore_request,
                                               const OnStoreProgress& on_progress) {
    auto store = open_store(request, blocks::SqlAccess::read);
    if (!store) {
        return refuse_store(store.error());
    }
    restore_request.workers = workers_of(request);
    auto restored = blocks::restore(
        *store->metadata,
        store->reader,
        restore_request,
        [&](std::int64_t bytes, std::int64_t total) { on_progress({bytes, total, "bytes", 0}); });
    if (!restored) {
        return refuse_store(restored.error());
    }
    return std::move(*restored);
}

}  // namespace drydock::app
