// What people ask about runs; nothing here changes anything.
#include "app/internal.h"

namespace drydock::app {

Answer<RunStatus> status(const Options& options, const std::string& run) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto info =
        run.empty() ? store->current_run(true) : Answer<journal::RunInfo>(journal::RunInfo());
    if (!run.empty()) {
        auto found = store->journal().find_run(run);
        if (!found) {
            return refuse(found.error());
        }
        info = *found;
    }
    if (!info) {
        return tl::unexpected(info.error());
    }
    auto replayed = replay(*store, *info);
    if (!replayed) {
        return tl::unexpected(replayed.error());
    }
    os::RealClock clock;
    return status_of(*store, *replayed, clock.wall_ms());
}

Answer<std::vector<LogLine>> log(const Options& options, const std::string& run) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto current = store->current_run(true);
    if (!current) {
        return tl::unexpected(current.error());
    }
    auto records = store->journal().read(run.empty() ? current->run.id : run);
    if (!records) {
        return refuse(records.error());
    }
    std::vector<LogLine> lines;
    for (const journal::Record& record : *records) {
        for (const Json& event : record.events) {
            lines.push_back({record.sequence, record.wall_ms, event});
        }
    }
    return lines;
}

}  // namespace drydock::app
