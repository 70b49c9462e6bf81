// What people ask about runs; nothing here changes anything.
#include "app/internal.h"
#include "run/grammar.h"

#include <fmt/format.h>

namespace drydock::app {

namespace {

// No record can be changed unseen; this tells whether each had a meaning when it was written.
Status check_grammar(Store& store, const model::Plan& plan) {
    const run::EventCodec codec(plan);
    const run::Program program(plan);
    run::Grammar grammar(program);
    DRYDOCK_TRY_ASSIGN(const auto records, store.journal().read(plan.run));
    for (const journal::Record& record : records) {
        for (const Json& json : record.events) {
            DRYDOCK_TRY_ASSIGN(const run::Event event, codec.decode(json));
            if (event.type == run::EventType::run_created
                && event.detail["grammar"].as_int(0) != k_grammar) {
                return {};
            }
            if (const auto why = grammar.accept(event)) {
                return fail("journal.grammar",
                            fmt::format("run {}, record {}: {}", plan.run, record.sequence, *why),
                            "keep the journal as evidence: a conductor of this version does not "
                            "write such a record");
            }
        }
    }
    return {};
}

}  // namespace

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
    return status_of(*replayed, clock.wall_ms());
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

Answer<std::vector<Verified>> verify_journal(const Options& options) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto runs = store->journal().list_runs();
    if (!runs) {
        return refuse(runs.error());
    }
    std::vector<Verified> verified;
    for (const journal::RunInfo& info : *runs) {
        auto head = store->journal().verify(info.run.id);
        if (!head) {
            return refuse(head.error());
        }
        auto plan = store->load_plan(info);
        if (!plan) {
            return refuse(plan.error());
        }
        if (Status legal = check_grammar(*store, *plan); !legal) {
            return refuse(legal.error());
        }
        verified.push_back({info.run.id, head->records, to_hex(head->hash)});
    }
    return verified;
}

}  // namespace drydock::app
