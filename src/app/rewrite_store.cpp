// The commands `drydock store encrypt` and `rekey`: they write every blob again under a new name.
//
// The engine in mover/blocks does the work in batches, each one transaction. Its journal lies
// beside the store and makes the work resumable and revertible. Here the journal, the key and the
// locks are chosen, and a dry run counts the blobs without a lock.
#include "app/internal.h"
#include "app/open_store.h"
#include "base/hash.h"
#include "mover/blocks/locks.h"
#include "mover/blocks/rewrite_rows.h"
#include "os/files.h"

#include <fmt/format.h>

namespace drydock::app {
namespace {

namespace blocks = mover::blocks;

// Returns the folder beside the blobs; for a bucket beside the metadata; else drydock's own folder,
// named by the store. A second run must find the same journal without being told.
std::string journal_folder(const blocks::Store& store) {
    if (!store.config.data.empty()) {
        return store.config.data + ".drydock";
    }
    if (store.config.engine == blocks::Engine::sqlite) {
        return store.config.metadata + ".drydock";
    }
    const std::string name = store.metadata->sql().name() + " " + store.reader.blobs->name();
    return "/var/lib/drydock/store-" + sha256_hex(name).substr(0, 16);
}

Result<std::string> journal_of(const StoreRewriteRequest& request, const blocks::Store& store) {
    if (!request.journal.empty()) {
        return request.journal;
    }
    const std::string folder = journal_folder(store);
    if (!request.dry_run) {
        (void)os::make_folder_durable(os::folder_of(folder));  // if it fails, the next call tells
        DRYDOCK_TRY(os::make_folder_durable(folder));
    }
    const bool encrypts = request.work == blocks::RewriteWork::encrypt;
    return folder + (encrypts ? "/encrypt.journal" : "/rekey.journal");
}

// Encrypting uses the key of the store, since backy2 reads it from there afterwards. Only a rekey
// has a second key.
Result<std::string> new_key_of(const StoreRewriteRequest& request, const blocks::Store& store) {
    if (request.work == blocks::RewriteWork::rekey) {
        return blocks::read_key_file(request.new_key_file);
    }
    if (store.reader.key.empty()) {
        return fail("blocks.key",
                    "there is no key to encrypt with",
                    "set encryption_key in the configuration, or give --key-file");
    }
    return store.reader.key;
}

// Gathers the answer step by step. A class keeps the request and the callback out of each function.
class Rewriting {
public:
    Rewriting(const StoreRewriteRequest& request, const OnStoreProgress& on_progress)
        : request_(request)
        , on_progress_(on_progress) {}

    StoreRewritten answer;

    Status run() {
        answer.frees_old = request_.frees_old;
        answer.goes_back = request_.goes_back;
        answer.dry_run = request_.dry_run;
        DRYDOCK_TRY_ASSIGN(
            auto store,
            open_store(request_.store,
                       request_.dry_run ? blocks::SqlAccess::read : blocks::SqlAccess::write));
        blocks::RewriteRequest rewrite_request;
        rewrite_request.work = request_.work;
        rewrite_request.batch_blobs_max = request_.batch;
        rewrite_request.workers = workers_of(request_.store);
        if (!request_.dry_run) {
            DRYDOCK_TRY_ASSIGN(rewrite_request.new_key, new_key_of(request_, store));
        }
        DRYDOCK_TRY_ASSIGN(rewrite_request.journal, journal_of(request_, store));
        answer.journal = rewrite_request.journal;
        rewrite_request.is_to_stop = request_.is_to_stop;
        rewrite_request.on_progress = [this](std::int64_t blobs, std::int64_t total) {
            on_progress_({blobs, total, "blobs", 0});
        };
        return request_.dry_run ? count(store) : work(store, rewrite_request);
    }

private:
    // Counts the work of a real run. A quick dry run only asks whether there is any blob, which a
    // probe of a pack needs and which is cheap.
    Status count(blocks::Store& store) {
        const blocks::Schema& schema = store.metadata->schema();
        if (!schema.has_enc_version || !schema.half_done.empty()) {
            return fail("blocks.schema",
                        "the schema has no place for encryption",
                        "`drydock store upgrade` first");
        }
        blocks::RewriteRows rows(store.metadata->sql(), request_.work);
        if (request_.is_quick) {
            DRYDOCK_TRY_ASSIGN(const bool is_any, rows.has_any());
            answer.to_do = is_any ? 1 : 0;
            return {};
        }
        DRYDOCK_TRY_ASSIGN(answer.to_do, rows.count());
        return {};
    }

    // The old blobs stay until all new ones are verified and `frees_old` asks for their removal.
    Status work(blocks::Store& store, const blocks::RewriteRequest& rewrite_request) {
        DRYDOCK_TRY_ASSIGN(const auto lock, blocks::StoreLock::take(store.config.lock_dir));
        if (request_.goes_back) {
            DRYDOCK_TRY_ASSIGN(answer.back_report, blocks::rewrite_back(store, rewrite_request));
            return {};
        }
        DRYDOCK_TRY_ASSIGN(answer.report, blocks::rewrite(store, rewrite_request));
        if (request_.frees_old) {
            DRYDOCK_TRY_ASSIGN(answer.freed, blocks::free_old(store, rewrite_request));
        }
        return {};
    }

    const StoreRewriteRequest& request_;
    const OnStoreProgress& on_progress_;
};

}  // namespace

AppResult<StoreRewritten> rewrite_store(const StoreRewriteRequest& request,
                                        const OnStoreProgress& on_progress) {
    Rewriting rewriting(request, on_progress);
    if (const Status status = rewriting.run(); !status) {
        return refuse_store(status.error());
    }
    return std::move(rewriting.answer);
}

}  // namespace drydock::app
