#include "journal/answers.h"

#include "base/text.h"

namespace drydock::journal {

namespace {

std::string show_holder(const Holder& holder) {
    return "process " + std::to_string(holder.pid) + " on " + holder.host + " since "
           + show_time(holder.since_ms);
}

}  // namespace

tl::unexpected<Error> unknown_run(std::string_view run, const std::vector<std::string>& known) {
    const std::string near = nearest(run, known);
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

}  // namespace drydock::journal
