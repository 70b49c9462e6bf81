// The errors that every backend words the same way, and the random ids.
//
// Callers decide by the code (`journal.run.open`), people by the text, so both are made in one
// place. Each text names the run, its holder and the next step.
#include "journal/answers.h"

#include "base/text.h"

#include <fmt/format.h>

#include <random>

namespace drydock::journal {

namespace {

// Returns eight hex digits a word, from the system's random source.
std::string random_hex(int words) {
    std::random_device device;
    std::string digits;
    for (int i = 0; i < words; ++i) {
        digits += fmt::format("{:08x}", device());
    }
    return digits;
}

std::string show_holder(const Holder& holder) {
    return "process " + std::to_string(holder.pid) + " on " + holder.host + " since "
           + show_time(holder.since_ms);
}

}  // namespace

tl::unexpected<Error> unknown_run(std::string_view run, const std::vector<std::string>& run_ids) {
    const std::string near = nearest(run, run_ids);
    return fail("journal.run.unknown",
                "the journal holds no run \"" + std::string(run) + "\"",
                near.empty() ? "list the runs it holds" : "did you mean \"" + near + "\"?");
}

tl::unexpected<Error> run_exists(std::string_view run) {
    return fail("journal.run.exists",
                "the journal already holds a run \"" + std::string(run) + "\"",
                "resume it, or choose another name");
}

tl::unexpected<Error> no_lease(std::string_view run) {
    return fail("journal.lease.none",
                "run " + std::string(run) + " is written only by the one who holds its lease");
}

tl::unexpected<Error> lease_held(std::string_view run, const Holder& holder) {
    return fail("journal.lease.held",
                "run " + std::string(run) + " is conducted by " + show_holder(holder),
                "wait until it ends, or end that process and resume");
}

tl::unexpected<Error> lease_lost(std::string_view run, const Holder& holder) {
    return fail("journal.lease.lost",
                "run " + std::string(run) + " was taken over by " + show_holder(holder),
                "leave it to that process");
}

tl::unexpected<Error> run_open(const RunInfo& open) {
    const std::string conducted = open.holder ? ", conducted by " + show_holder(*open.holder) : "";
    return fail("journal.run.open",
                "run " + open.run.id + " is not over (" + open.state.word + conducted + ")",
                "resume it, take it back or abort it first");
}

tl::unexpected<Error> run_newer(const RunInfo& newest) {
    return fail("journal.run.newer",
                "run " + newest.run.id + " began meanwhile (" + newest.state.word + ")",
                "see where that run stands; then plan again from there");
}

tl::unexpected<Error> run_over(const RunInfo& info) {
    return fail("journal.run.over",
                "run " + info.run.id + " is over (" + info.state.word + ")",
                "plan again from here");
}

// Means that another writer was here without a lease: the journal was put back or written by hand.
tl::unexpected<Error> head_moved(std::string_view run, const Head& head) {
    return fail("journal.head",
                "run " + std::string(run) + " has a record " + std::to_string(head.records)
                    + " that its conductor did not write",
                "nothing was written; resume reads the journal anew");
}

tl::unexpected<Error> unknown_request(std::uint64_t number) {
    return fail("journal.request.unknown",
                "the journal holds no request " + std::to_string(number));
}

std::string draw_journal_id() {
    return random_hex(4);
}

std::string draw_nonce() {
    return random_hex(2);
}

}  // namespace drydock::journal
