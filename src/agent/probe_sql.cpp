// The probe `sql`: {query, host, port, user, database, client?, env?}. Runs the query through
// PostgreSQL's own client, with one connection for each reading.
//
// The session is read-only and has a time limit on the server too, so that a probe changes nothing
// and leaves no query behind. Its application_name is "drydock": queries over sessions can leave it
// out. The value is the first column: of the only row, or the list of all rows if the type is list.
// No row and NULL are absent; an error and a second row are unknown.
#include "agent/action.h"
#include "agent/action_key.h"
#include "agent/probe.h"
#include "base/text.h"
#include "os/process.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

constexpr std::size_t k_rows_bytes_max = 1U << 20U;
constexpr std::size_t k_read_bytes_max = 200;  // of the evidence
constexpr std::string_view k_null = "\x01";    // no text of a database begins so

std::string text_or(const Json& value, const char* fallback) {
    return value.is_string() && !value.as_string().empty() ? value.as_string() : fallback;
}

std::vector<std::string> argv_of(const Json& probe) {
    // Rows end with NUL, since texts have line ends of their own.
    return {text_or(probe["client"], "psql"),
            "-XAtq0w",
            "--variable=ON_ERROR_STOP=1",
            fmt::format("--pset=null={}", k_null),
            "--host=" + probe["host"].as_string(),
            "--port=" + text_or(probe["port"], "5432"),
            "--username=" + probe["user"].as_string(),
            "--dbname=" + probe["database"].as_string(),
            "--command=" + probe["query"].as_string()};
}

std::vector<std::string> environment_of(const Json& probe, std::int64_t timeout_ms) {
    auto variables = read_pairs(probe["env"]);
    variables.emplace_back("PGAPPNAME", "drydock");
    variables.emplace_back("PGCONNECT_TIMEOUT",
                           std::to_string(std::max<std::int64_t>(2, timeout_ms / 1000)));
    variables.emplace_back(
        "PGOPTIONS",
        fmt::format("-c default_transaction_read_only=on -c statement_timeout={}",
                    std::max<std::int64_t>(1, timeout_ms)));
    variables.emplace_back("LC_ALL", "C");
    return os::clean_environment(variables);
}

std::vector<std::string> rows_of(const std::string& output) {
    auto rows = split(output, '\0');
    if (!rows.empty() && rows.back().empty()) {
        rows.pop_back();  // behind the last row's end
    }
    return rows;
}

// Maps rows to a result: no row and NULL are absent, a second row is an error of the pack.
ProbeResult value_of(const std::vector<std::string>& rows, bool wants_list) {
    if (wants_list) {
        Json::Array values;
        for (const std::string& row : rows) {
            values.emplace_back(row == k_null ? Json() : Json(to_utf8(row)));
        }
        return known(std::move(values));
    }
    if (rows.size() > 1) {
        return cannot_tell(fmt::format("{} rows, where one was expected", rows.size()));
    }
    return rows.empty()             ? absent("no row")
           : rows.front() == k_null ? absent("the value is NULL")
                                    : known(to_utf8(rows.front()));
}

// Returns why there is no value: in the client's own words, if it printed some.
std::string why(const Result<os::RunResult>& run) {
    if (!run) {
        return run.error().message;
    }
    const std::string output = trim(std::string_view(run->output).substr(0, k_read_bytes_max));
    return run->timed_out ? "no answer in time" : output.empty() ? run->exit.text() : output;
}

}  // namespace

ProbeResult probe_sql(const Json& probe, std::int64_t timeout_ms) {
    os::RunOptions options;
    options.spawn.argv = argv_of(probe);
    options.spawn.environment = environment_of(probe, timeout_ms);
    options.spawn.dies_with_parent = true;
    options.output_max = k_rows_bytes_max;
    options.timeout_ms = timeout_ms;
    const auto run = os::run_to_end(options);
    const bool answered = run && !run->timed_out && run->exit.signal == 0 && run->exit.code == 0;
    ProbeResult finding = !answered ? cannot_tell(why(run))
                          : run->output_cut
                              ? cannot_tell("the answer is over 1 MiB")
                              : value_of(rows_of(run->output), probe["type"].as_string() == "list");
    finding.evidence.set("source",
                         to_utf8(fmt::format("{} of {} at {}:{}",
                                             probe["query"].as_string(),
                                             probe["database"].as_string(),
                                             probe["host"].as_string(),
                                             text_or(probe["port"], "5432"))));
    return finding;
}

}  // namespace drydock::agent
