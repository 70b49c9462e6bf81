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

namespace {

constexpr std::size_t k_head_digits_min = 16;

// True if some record of the run has that head.
Result<bool> has_head(Store& store, const std::string& run, const std::string& head) {
    DRYDOCK_TRY_ASSIGN(const auto records, store.journal().read(run));
    return std::any_of(records.begin(), records.end(), [&](const journal::Record& record) {
        return to_hex(record.hash).starts_with(head);
    });
}

// What was noted outside of the journal must still be in it: the chain alone would be whole, too,
// if all of it had been written anew.
Status find_head(Store& store, const std::vector<journal::RunInfo>& runs, const std::string& head) {
    if (head.size() < k_head_digits_min) {
        return fail("journal.head_short",
                    fmt::format("`{}` is too short for a head", head),
                    fmt::format("give {} digits of it at least", k_head_digits_min));
    }
    for (const journal::RunInfo& info : runs) {
        DRYDOCK_TRY_ASSIGN(const bool found, has_head(store, info.run.id, head));
        if (found) {
            return {};
        }
    }
    return fail("journal.head_gone",
                fmt::format("no record of this journal has the head {}", head),
                "if it was noted from this journal, the journal was written anew since");
}

}  // namespace

Answer<std::vector<Verified>> verify_journal(const Options& options, const std::string& head) {
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
        auto whole = store->journal().verify(info.run.id);
        if (!whole) {
            return refuse(whole.error());
        }
        auto plan = store->load_plan(info);
        if (!plan) {
            return refuse(plan.error());
        }
        if (Status legal = check_grammar(*store, *plan); !legal) {
            return refuse(legal.error());
        }
        verified.push_back({info.run.id, whole->records, to_hex(whole->hash)});
    }
    if (!head.empty()) {
        if (Status found = find_head(*store, *runs, head); !found) {
            return refuse(found.error());
        }
    }
    return verified;
}

}  // namespace drydock::app
