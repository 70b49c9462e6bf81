// The hash chain of a run, and the checker that walks it.
//
// The first hash covers the run's description. Every later one covers the hash before it and the
// record's canonical JSON. So a change anywhere changes the last hash. The run keeps that hash
// apart as its head, which makes a dropped tail visible, too. docs/formats/journal.md has the
// exact bytes.
#include "journal/chain.h"

#include "base/text.h"

#include <algorithm>
#include <cctype>

namespace drydock::journal {

namespace {

constexpr int k_format = 1;  // part of the first hash; docs/formats/journal.md
constexpr std::size_t k_run_id_bytes_max = 64;

bool id_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
}

}  // namespace

Digest chain_start(const NewRun& run) {
    return sha256(Json(Json::Object{{"created_ms", run.created_ms},
                                    {"format", k_format},
                                    {"id", run.id},
                                    {"plan_digest", run.plan_digest}})
                      .dump());
}

// Writes the JSON out by hand, with keys in canonical order. A check of 100,000 records then
// parses none of them.
Digest chain_next(const Digest& previous_hash,
                  std::string_view run,
                  std::uint64_t sequence,
                  std::int64_t wall_ms,
                  std::string_view events) {
    const std::string_view previous(reinterpret_cast<const char*>(previous_hash.data()),
                                    previous_hash.size());
    return sha256({previous,
                   R"({"events":)",
                   events,
                   R"(,"run":)",
                   Json(run).dump(),
                   R"(,"sequence":)",
                   std::to_string(sequence),
                   R"(,"wall_ms":)",
                   std::to_string(wall_ms),
                   "}"});
}

// Checks before anything is written: a record that is in the chain can never be taken out again.
Result<std::string> canonical_events(const std::vector<Json>& events) {
    if (events.empty()) {
        return fail("journal.record", "a record needs at least one event");
    }
    for (const Json& event : events) {
        if (event["type"].as_string().empty()) {
            return fail("journal.record", "an event has no type: " + event.dump().substr(0, 200));
        }
    }
    std::string text = Json(events).dump();
    if (text.size() > k_payload_bytes_max) {
        return fail("journal.record",
                    "a record of " + show_bytes(static_cast<std::int64_t>(text.size()))
                        + " is larger than the limit of "
                        + show_bytes(static_cast<std::int64_t>(k_payload_bytes_max)),
                    "split it into several records");
    }
    return text;
}

Result<std::vector<Json>> parse_events(std::string_view text) {
    DRYDOCK_TRY_ASSIGN(const Json array, Json::parse(text));
    return array.items();
}

// A run's id becomes a folder name on every host, so it must be safe as one.
Status check_run_id(std::string_view id) {
    if (id.empty() || id.size() > k_run_id_bytes_max || id.front() == '.'
        || !std::ranges::all_of(id, id_character)) {
        return fail("journal.run.id",
                    "\"" + std::string(id.substr(0, k_run_id_bytes_max)) + "\" cannot name a run",
                    "use up to 64 letters, digits, '.', '_' and '-', not starting with '.'");
    }
    return {};
}

ChainChecker::ChainChecker(std::string run, std::uint64_t sequence, const Digest& hash)
    : run_(std::move(run))
    , sequence_(sequence)
    , hash_(hash) {
}

// A gap is reported before a wrong hash: a missing record would make the next hash wrong, too.
Status ChainChecker::next(std::uint64_t sequence,
                          std::int64_t wall_ms,
                          std::string_view events,
                          const Digest& stored) {
    if (sequence != sequence_ + 1) {
        return broken(sequence_ + 1, "it is missing");
    }
    if (chain_next(hash_, run_, sequence, wall_ms, events) != stored) {
        return broken(sequence, "it was changed, or put in another's place, after it was written");
    }
    sequence_ = sequence;
    hash_ = stored;
    return {};
}

// Compares number and hash: a chain that was cut off at its end is sound in itself.
Status ChainChecker::finish(const Head& head) const {
    if (head.records > sequence_) {
        return broken(sequence_ + 1,
                      "it is missing; the run counts " + std::to_string(head.records));
    }
    if (head.records < sequence_) {
        return broken(head.records + 1,
                      "the run counts only " + std::to_string(head.records) + " records");
    }
    if (head.hash != hash_) {
        return broken(sequence_, "its hash is not the head that the run keeps apart");
    }
    return {};
}

tl::unexpected<Error> ChainChecker::broken(std::uint64_t sequence, std::string_view problem) const {
    return fail("journal.chain",
                "run " + run_ + ", record " + std::to_string(sequence) + ": "
                    + std::string(problem),
                "do not resume from this journal: keep it as evidence, find out who wrote to it, "
                "and restore it from a copy or start a new run");
}

}  // namespace drydock::journal
