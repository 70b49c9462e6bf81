// The frame of a clone: looks at both buckets, cleans up after an earlier run, walks, and keeps the
// journal.
#include "mover/s3/clone.h"

#include "base/json.h"
#include "mover/s3/byte_budget.h"
#include "mover/s3/clone_work.h"
#include "mover/s3/key_count.h"
#include "mover/s3/lost_uploads.h"

#include <fmt/format.h>

#include <memory>
#include <tuple>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_keys_named_max = 100;
constexpr std::size_t k_failures_named_max = 100;

// The clients of both sides. One for both, if they are the same account of the same server.
struct Clients {
    HttpLoop loop;
    std::unique_ptr<Client> source;
    std::unique_ptr<Client> own_target;

    Clients(const CloneRequest& request, os::Clock& clock)
        : source(std::make_unique<Client>(loop, request.source.server, request.limits, clock)) {
        const ServerAddress& from = request.source.server;
        const ServerAddress& to = request.target.server;
        if (from.endpoint != to.endpoint || from.ca_file != to.ca_file
            || from.credentials.access_key != to.credentials.access_key || from.region != to.region
            || from.has_bucket_in_host != to.has_bucket_in_host) {
            own_target = std::make_unique<Client>(loop, to, request.limits, clock);
        }
    }

    [[nodiscard]] Client& target() const { return own_target ? *own_target : *source; }

    [[nodiscard]] std::vector<Client*> all() const {
        return own_target ? std::vector<Client*>{source.get(), own_target.get()}
                          : std::vector<Client*>{source.get()};
    }

    [[nodiscard]] bool are_idle() const { return source->is_idle() && target().is_idle(); }

    [[nodiscard]] CallCounters counters() const {
        CallCounters sum = source->counters();
        if (own_target) {
            const CallCounters& more = own_target->counters();
            sum.calls += more.calls;
            sum.requests += more.requests;
            sum.heads += more.heads;
            sum.lists += more.lists;
            sum.slow_downs += more.slow_downs;
            sum.retries += more.retries;
            sum.in_flight_most += more.in_flight_most;
            sum.in_flight_ms += more.in_flight_ms;
            sum.limit_ms += more.limit_ms;
        }
        return sum;
    }
};

bool is_one_server(const CloneRequest& request) {
    return request.source.server.endpoint == request.target.server.endpoint;
}

// A clone into itself would grow while it is listed, or copy objects onto themselves.
Status check_places(const CloneRequest& request) {
    const BucketPlace& from = request.source;
    const BucketPlace& to = request.target;
    const bool overlaps =
        is_one_server(request) && from.bucket == to.bucket
        && (from.prefix.starts_with(to.prefix) || to.prefix.starts_with(from.prefix));
    return overlaps ? fail("s3.same",
                           fmt::format("{} and {} overlap", from.text(), to.text()),
                           "clone into another bucket, or behind another prefix")
                    : Status();
}

std::string clone_name(const CloneRequest& request) {
    return fmt::format("{} {} to {}{}{}",
                       request.source.server.endpoint,
                       request.source.text(),
                       is_one_server(request) ? "" : request.target.server.endpoint + " ",
                       request.target.text(),
                       request.has_versions ? " with versions" : "");
}

// The abilities as the journal notes them, with the time of the probe.
std::string note_of(const Abilities& abilities, std::int64_t wall_ms) {
    Json json;
    json.set("probed_ms", wall_ms).set("sums", abilities.checks_sums);
    json.set("if_none_match", abilities.checks_if_none_match);
    json.set("copy_condition", abilities.checks_copy_condition);
    json.set("tags", abilities.keeps_tags).set("part_sizes", abilities.tells_part_sizes);
    json.set("keys", abilities.keeps_keys).set("part_copies", abilities.copies_parts);
    json.set("part_digests", abilities.digests_parts);
    return json.dump();
}

// Returns true if the note is of the last day, since a server may be upgraded, and knows all
// abilities.
bool recall(const std::string& note, std::int64_t wall_ms, Abilities& abilities) {
    constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
    const auto json = Json::parse(note);
    const std::int64_t age_ms = json ? wall_ms - (*json)["probed_ms"].as_int() : day_ms;
    if (age_ms < 0 || age_ms >= day_ms || !(*json)["part_digests"].is_bool()) {
        return false;
    }
    abilities.is_probed = true;
    abilities.checks_sums = (*json)["sums"].as_bool();
    abilities.checks_if_none_match = (*json)["if_none_match"].as_bool();
    abilities.checks_copy_condition = (*json)["copy_condition"].as_bool();
    abilities.keeps_tags = (*json)["tags"].as_bool();
    abilities.tells_part_sizes = (*json)["part_sizes"].as_bool();
    abilities.keeps_keys = (*json)["keys"].as_bool();
    abilities.copies_parts = (*json)["part_copies"].as_bool();
    abilities.digests_parts = (*json)["part_digests"].as_bool();
    return true;
}

// Finds out what the server can, once a day for a journal.
Status find_abilities(Clients& clients,
                      const CloneRequest& request,
                      CopyJournal& journal,
                      std::int64_t wall_ms,
                      Abilities& abilities) {
    DRYDOCK_TRY_ASSIGN(const std::string note, journal.note("abilities"));
    if (recall(note, wall_ms, abilities)) {
        return {};
    }
    const std::string key = new_probe_key(request.target.prefix);
    DRYDOCK_TRY(journal.set_note("probe", key));
    DRYDOCK_TRY(journal.commit());
    DRYDOCK_TRY_ASSIGN(abilities,
                       probe_abilities(clients.loop, clients.target(), request.target.bucket, key));
    DRYDOCK_TRY(journal.set_note("probe", ""));
    DRYDOCK_TRY(journal.set_note("abilities", note_of(abilities, wall_ms)));
    return journal.commit();
}

// A probe that was killed left its object behind, which a clone of the target would carry on.
Status remove_old_probe(Clients& clients, const CloneRequest& request, CopyJournal& journal) {
    DRYDOCK_TRY_ASSIGN(const std::string key, journal.note("probe"));
    if (key.empty()) {
        return {};
    }
    DRYDOCK_TRY(remove_probe(clients.loop, clients.target(), request.target.bucket, key));
    DRYDOCK_TRY(journal.set_note("probe", ""));
    return journal.commit();
}

// Looks at the buckets before anything is written.
Status look(Clients& clients, const CloneRequest& request, CloneReport& report) {
    DRYDOCK_TRY_ASSIGN(report.source_has_versions,
                       has_versions_on(clients.loop, *clients.source, request.source.bucket));
    report.settings = compare_settings(clients.loop,
                                       *clients.source,
                                       request.source.bucket,
                                       clients.target(),
                                       request.target.bucket,
                                       request.copies_settings && !request.dry_run);
    DRYDOCK_TRY_ASSIGN(report.abilities.keeps_versions,
                       has_versions_on(clients.loop, clients.target(), request.target.bucket));
    if (request.has_versions && !request.dry_run && !report.abilities.keeps_versions) {
        return fail("s3.versions_off",
                    fmt::format("s3://{} keeps no versions", request.target.bucket),
                    "switch its versioning on, or copy the settings of the source (--settings)");
    }
    return {};
}

// Counts the keys that are left to be walked. A clone that goes on remembers the total of its first
// run, so that the percentage goes on, too.
struct KeyCount {
    std::int64_t before = 0;  // were finished by earlier runs
    std::int64_t total = 0;   // 0: nobody counted them
};

Result<KeyCount> count_first(Clients& clients,
                             const CloneRequest& request,
                             const Listing& source,
                             const std::vector<KeyRange>& ranges,
                             CopyJournal* journal) {
    KeyCount count;
    if (!request.counts_first) {
        return count;
    }
    DRYDOCK_TRY_ASSIGN(const std::int64_t keys,
                       count_keys(clients.loop,
                                  source,
                                  request.ranges_max,
                                  ranges,
                                  request.progressed,
                                  request.is_to_stop));
    const bool is_whole = ranges.size() == 1 && ranges.front() == KeyRange();
    const bool is_cut = request.is_to_stop && request.is_to_stop();
    if (journal == nullptr || is_cut) {
        return KeyCount{0, keys};
    }
    if (is_whole) {
        DRYDOCK_TRY(journal->set_note("keys", std::to_string(keys)));
        DRYDOCK_TRY(journal->commit());
        return KeyCount{0, keys};
    }
    DRYDOCK_TRY_ASSIGN(const std::string note, journal->note("keys"));
    const std::int64_t total = std::max<std::int64_t>(std::atoll(note.c_str()), keys);
    return KeyCount{total - keys, total};
}

// Ends a clone that was asked to stop. The ranges that are left are the place to go on from.
tl::unexpected<Error> pause(CloneWork& work, const RangeWalk& walk, const CloneReport& report) {
    const std::vector<KeyRange> left = walk.left();
    work.commit(work.has_failures() ? nullptr : &left);
    if (work.error()) {
        return tl::unexpected(*work.error());
    }
    return paused_copy(report);
}

Status
walk_all(Clients& clients, const CloneRequest& request, CopyJournal* journal, CloneReport& report) {
    const Listing source = {
        clients.source.get(), request.source.bucket, request.source.prefix, request.has_versions};
    const Listing target = {
        &clients.target(), request.target.bucket, request.target.prefix, request.has_versions};
    ByteBudget budget(request.memory_bytes_max);
    report.passed_bytes = request.passes_bytes || !is_one_server(request);
    // A dry run has probed nothing, and copies nothing.
    const bool is_unknown = !report.abilities.is_probed;
    CloneWork work(request,
                   {source,
                    target,
                    request.keeps_acl,
                    request.copy_bytes_max,
                    &budget,
                    request.piece_bytes_max,
                    report.passed_bytes,
                    is_unknown || report.abilities.copies_parts,
                    is_unknown || report.abilities.digests_parts,
                    is_unknown || report.abilities.keeps_tags},
                   journal,
                   report);
    RangeWalk walk(source,
                   target,
                   request.ranges_max,
                   [&](const KeyGroup* from, const KeyGroup* to, const Ticket& ticket) {
                       work.visit(from, to, ticket);
                   });
    std::vector<KeyRange> ranges;
    if (journal != nullptr) {
        DRYDOCK_TRY_ASSIGN(ranges, journal->left());
    }
    report.is_resumed = !ranges.empty();
    ranges = ranges.empty() ? std::vector<KeyRange>{KeyRange()} : ranges;
    DRYDOCK_TRY_ASSIGN(const KeyCount count,
                       count_first(clients, request, source, ranges, journal));
    walk.start(ranges);
    std::size_t saved = 0;
    bool is_stopping = false;
    drive(clients.loop, clients.all(), [&] {
        if (!is_stopping && request.is_to_stop && request.is_to_stop()) {
            is_stopping = true;
            work.stop();
            walk.stop();
        }
        walk.advance();
        const bool is_new = walk.checkpoints() != saved && !work.has_failures();
        if (is_new || work.has_waiting()) {
            saved = walk.checkpoints();
            const std::vector<KeyRange> left = is_new ? walk.left() : std::vector<KeyRange>();
            work.commit(is_new ? &left : nullptr);
        }
        if (request.progressed) {
            request.progressed({.done = count.before + work.done(),
                                .known = count.before + report.objects,
                                .total = count.total,
                                .bytes = work.bytes()});
        }
        return walk.is_done() || work.error() || (is_stopping && clients.are_idle());
    });
    if (work.error()) {
        return tl::unexpected(*work.error());
    }
    if (walk.error()) {
        const std::vector<KeyRange> left = walk.left();
        work.commit(work.has_failures() ? nullptr : &left);
        return tl::unexpected(*walk.error());
    }
    if (!walk.is_done()) {
        return pause(work, walk, report);
    }
    // The next run begins at the start again: this one came to its end.
    const std::vector<KeyRange> nothing;
    work.commit(&nothing);
    return work.error() ? tl::unexpected(*work.error()) : Status();
}

}  // namespace

tl::unexpected<Error> paused_copy(const CloneReport& report) {
    return fail("s3.paused",
                fmt::format("paused: {} objects were copied by this run, and {} were there",
                            report.copied,
                            report.equal),
                "the same command goes on from there",
                ErrorClass::transient);
}

void KeyList::add(const std::string& key) {
    ++count;
    if (keys.size() < k_keys_named_max) {
        keys.push_back(key);
    }
}

void add_failure(std::vector<KeyFailure>& failures, const std::string& key, const Error& error) {
    if (failures.size() < k_failures_named_max) {
        failures.push_back({key, error});
    }
}

Result<CloneReport> clone(const CloneRequest& request, os::Clock& clock) {
    DRYDOCK_TRY(check_places(request));
    const std::int64_t begun_ms = clock.monotonic_ms();
    CloneReport report;
    Clients clients(request, clock);
    std::optional<CopyJournal> journal;
    if (!request.dry_run) {
        DRYDOCK_TRY_ASSIGN(CopyJournal opened,
                           CopyJournal::open(request.journal, clone_name(request)));
        journal.emplace(std::move(opened));
    }
    DRYDOCK_TRY(look(clients, request, report));
    if (journal) {
        DRYDOCK_TRY(remove_old_probe(clients, request, *journal));
        DRYDOCK_TRY(find_abilities(clients, request, *journal, clock.wall_ms(), report.abilities));
        DRYDOCK_TRY(remove_noted_uploads(clients.loop,
                                         clients.target(),
                                         request.target.bucket,
                                         *journal,
                                         report,
                                         NotedUploads::without_source));
        DRYDOCK_TRY(remove_unknown_uploads(
            clients.loop, clients.target(), request.target.bucket, *journal, report));
    }
    DRYDOCK_TRY(walk_all(clients, request, journal ? &*journal : nullptr, report));
    if (journal) {
        // Nobody took these: their objects are there, or gone. What fails is the next run's.
        std::ignore = remove_noted_uploads(
            clients.loop, clients.target(), request.target.bucket, *journal, report);
        DRYDOCK_TRY(remove_unknown_uploads(
            clients.loop, clients.target(), request.target.bucket, *journal, report));
    }
    report.calls = clients.counters();
    report.took_ms = clock.monotonic_ms() - begun_ms;
    return report;
}

}  // namespace drydock::mover::s3
