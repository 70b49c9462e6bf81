// PostgreSQL as a store's database, by libpq's asynchronous calls.
//
// libpq is opened when a store needs it. Linked, it would bring two dozen libraries into every
// start of the program and of each agent.
//
// The server is not trusted. libpq's own PQexec waits for ever and keeps every byte of an answer.
// So this file sends a query, waits with poll() until a deadline, counts the bytes that arrive, and
// closes the connection beyond either limit. Notices are dropped, and messages are cut to a length.
#include "mover/blocks/postgres_sql.h"

#include "base/text.h"
#include "mover/blocks/postgres_options.h"
#include "os/clock.h"
#include "os/shared_library.h"

#include <fmt/format.h>
#include <poll.h>
#include <postgresql/libpq-fe.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace drydock::mover::blocks {
namespace {

struct LibPq {
    decltype(&PQconnectdb) connectdb = nullptr;
    decltype(&PQfinish) finish = nullptr;
    decltype(&PQstatus) status = nullptr;
    decltype(&PQerrorMessage) error_message = nullptr;
    decltype(&PQsendQueryParams) send_params = nullptr;
    decltype(&PQsendQuery) send = nullptr;
    decltype(&PQsocket) socket = nullptr;
    decltype(&PQconsumeInput) consume_input = nullptr;
    decltype(&PQisBusy) is_busy = nullptr;
    decltype(&PQgetResult) get_result = nullptr;
    decltype(&PQclear) clear = nullptr;
    decltype(&PQresultStatus) result_status = nullptr;
    decltype(&PQntuples) rows = nullptr;
    decltype(&PQnfields) fields = nullptr;
    decltype(&PQgetisnull) is_null = nullptr;
    decltype(&PQgetvalue) value = nullptr;
    decltype(&PQgetlength) length = nullptr;
    decltype(&PQresultErrorField) error_field = nullptr;
    decltype(&PQconninfoParse) parse = nullptr;
    decltype(&PQconninfoFree) free_parsed = nullptr;
    decltype(&PQfreemem) free_memory = nullptr;
    decltype(&PQsetNoticeReceiver) set_notice_receiver = nullptr;
    std::string missing;  // the first name that was not found; empty: none
};

// Looks up all functions; `missing` names the first one that is absent.
LibPq open_library() {
    LibPq pq;
    // A server that accepts and is silent is given up after 20 seconds, unless the user has set a
    // limit.
    setenv("PGCONNECT_TIMEOUT", "20", 0);  // NOLINT(concurrency-mt-unsafe): no thread reads it yet
    os::SharedLibrary library("libpq.so.5");
    library.find("PQconnectdb", pq.connectdb);
    library.find("PQfinish", pq.finish);
    library.find("PQstatus", pq.status);
    library.find("PQerrorMessage", pq.error_message);
    library.find("PQsendQueryParams", pq.send_params);
    library.find("PQsendQuery", pq.send);
    library.find("PQsocket", pq.socket);
    library.find("PQconsumeInput", pq.consume_input);
    library.find("PQisBusy", pq.is_busy);
    library.find("PQgetResult", pq.get_result);
    library.find("PQclear", pq.clear);
    library.find("PQresultStatus", pq.result_status);
    library.find("PQntuples", pq.rows);
    library.find("PQnfields", pq.fields);
    library.find("PQgetisnull", pq.is_null);
    library.find("PQgetvalue", pq.value);
    library.find("PQgetlength", pq.length);
    library.find("PQresultErrorField", pq.error_field);
    library.find("PQconninfoParse", pq.parse);
    library.find("PQconninfoFree", pq.free_parsed);
    library.find("PQfreemem", pq.free_memory);
    library.find("PQsetNoticeReceiver", pq.set_notice_receiver);
    pq.missing = library.missing();
    return pq;
}

// libpq is opened once and stays open.
Result<const LibPq*> library() {
    static const LibPq pq = open_library();
    if (!pq.missing.empty()) {
        return fail("blocks.config",
                    fmt::format("the metadata lie in PostgreSQL, and {} is not there", pq.missing),
                    "install libpq5");
    }
    return &pq;
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

constexpr std::size_t k_message_bytes_max = 2048;  // a server may send more than a person reads
constexpr std::int64_t k_settings_ms_max = 20'000;
constexpr std::int64_t k_poll_ms = 60'000;

// Makes one line of a message of libpq, which ends with a new line and may contain several.
std::string one_line(std::string text) {
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    std::string line;
    for (const char c : text) {
        line += c == '\n' ? std::string("; ") : std::string(1, c);
    }
    return line;
}

class PostgresSql final : public Sql {
public:
    PostgresSql(const LibPq& pq, std::string name, const SqlLimits& limits)
        : pq_(pq)
        , name_(std::move(name))
        , limits_(limits)
        , connection_(nullptr, pq.finish) {}

    Status open(const std::string& uri, SqlAccess access);

    [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::postgresql; }

    [[nodiscard]] const std::string& name() const override { return name_; }

    Result<SqlRows> query(const std::string& sql, const std::vector<std::string>& values) override;
    Status execute(const std::string& sql) override;
    Result<Columns> columns() override;

private:
    [[nodiscard]] tl::unexpected<Error> failed(const PGresult* answer) const;
    [[nodiscard]] SqlRow row_at(const PGresult* answer, int row) const;
    void add_rows(const PGresult* answer, SqlRows& rows) const;
    [[nodiscard]] tl::unexpected<Error> give_up(const std::string& reason);
    Status await(std::int64_t until_ms);
    Result<SqlRows> answers(bool is_sent);

    const LibPq& pq_;
    std::string name_;
    SqlLimits limits_;
    std::int64_t answer_bytes_ = 0;  // of the query under way
    Connection connection_;
};

// Makes the error of an answer. 55P03 (lock not available) and 40P01 (deadlock) are temporary.
tl::unexpected<Error> PostgresSql::failed(const PGresult* answer) const {
    const char* state = answer == nullptr ? nullptr : pq_.error_field(answer, PG_DIAG_SQLSTATE);
    const std::string message =
        clip(one_line(pq_.error_message(connection_.get())), k_message_bytes_max);
    if (state != nullptr
        && (std::string_view(state) == "55P03" || std::string_view(state) == "40P01")) {
        return fail("blocks.busy",
                    fmt::format("metadata {}: {}", name_, message),
                    "let what holds the tables end, and say it again",
                    ErrorClass::transient);
    }
    return fail("blocks.metadata",
                fmt::format("metadata {}: {}", name_, message),
                "look at backy2's setting `engine` and at the server");
}

// Connects, and limits the session. The settings themselves are sent under a short limit: a server
// that does not answer them would not answer queries either.
Status PostgresSql::open(const std::string& uri, SqlAccess access) {
    connection_.reset(pq_.connectdb(uri.c_str()));
    if (pq_.status(connection_.get()) != CONNECTION_OK) {
        return failed(nullptr);
    }
    pq_.set_notice_receiver(connection_.get(), [](void*, const PGresult*) {}, nullptr);
    const std::int64_t wanted_ms_max =
        std::exchange(limits_.query_ms_max, std::min(limits_.query_ms_max, k_settings_ms_max));
    DRYDOCK_TRY(execute("SET application_name = 'drydock'; SET client_encoding = 'UTF8'"));
    if (access == SqlAccess::read) {
        // An honest server ends a statement by itself after the client has given up.
        DRYDOCK_TRY(execute(fmt::format(
            "SET default_transaction_read_only = on; SET statement_timeout = {}", wanted_ms_max)));
    }
    limits_.query_ms_max = wanted_ms_max;
    return {};
}

// NULL is a field without a value.
SqlRow PostgresSql::row_at(const PGresult* answer, int row) const {
    SqlRow fields(static_cast<std::size_t>(pq_.fields(answer)));
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const int column = static_cast<int>(i);
        if (pq_.is_null(answer, row, column) == 0) {
            fields[i].emplace(pq_.value(answer, row, column),
                              static_cast<std::size_t>(pq_.length(answer, row, column)));
        }
    }
    return fields;
}

void PostgresSql::add_rows(const PGresult* answer, SqlRows& rows) const {
    const int count = pq_.rows(answer);
    for (int row = 0; row < count; ++row) {
        rows.push_back(row_at(answer, row));
    }
}

// Closes the connection and drops the rest of the answer. PQcancel would contact the same server
// once more and wait without a limit.
tl::unexpected<Error> PostgresSql::give_up(const std::string& reason) {
    connection_.reset();
    return fail("blocks.metadata",
                fmt::format("metadata {}: {}", name_, reason),
                "look at the server, and at what runs there");
}

// Waits until a whole answer has arrived, within the limits of time and bytes. libpq's own calls
// have neither limit.
Status PostgresSql::await(std::int64_t until_ms) {
    os::RealClock clock;
    while (pq_.is_busy(connection_.get()) != 0) {
        const std::int64_t left_ms = until_ms - clock.monotonic_ms();
        if (left_ms <= 0) {
            return give_up(fmt::format("the server gave no answer within {}",
                                       show_duration(limits_.query_ms_max)));
        }
        pollfd socket = {pq_.socket(connection_.get()), POLLIN, 0};
        if (::poll(&socket, 1, static_cast<int>(std::min(left_ms, k_poll_ms))) <= 0) {
            continue;
        }
        int bytes = 0;
        ::ioctl(socket.fd, FIONREAD, &bytes);
        answer_bytes_ += bytes;
        if (answer_bytes_ > limits_.answer_bytes_max) {
            return give_up(
                fmt::format("an answer is over {}", show_bytes(limits_.answer_bytes_max)));
        }
        if (pq_.consume_input(connection_.get()) == 0) {
            return failed(nullptr);
        }
    }
    return {};
}

// Returns the rows of all statements that were sent, or the first error. All answers must be read,
// before the connection accepts another query.
Result<SqlRows> PostgresSql::answers(bool is_sent) {
    if (!is_sent) {
        return failed(nullptr);
    }
    const std::int64_t until_ms = os::RealClock().monotonic_ms() + limits_.query_ms_max;
    answer_bytes_ = 0;
    SqlRows rows;
    std::optional<Error> first_error;
    while (true) {
        DRYDOCK_TRY(await(until_ms));
        const Answer answer(pq_.get_result(connection_.get()), pq_.clear);
        if (!answer) {
            break;
        }
        const ExecStatusType status = pq_.result_status(answer.get());
        if (status == PGRES_FATAL_ERROR) {
            first_error = first_error ? first_error : failed(answer.get()).value();
        } else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            add_rows(answer.get(), rows);
        } else {
            return give_up("the server answers what was not asked");
        }
    }
    return first_error ? Result<SqlRows>(tl::unexpected(*std::move(first_error))) : std::move(rows);
}

// Values travel beside the statement, as text, so that no value is read as SQL.
Result<SqlRows> PostgresSql::query(const std::string& sql, const std::vector<std::string>& values) {
    std::vector<const char*> texts;
    texts.reserve(values.size());
    for (const std::string& value : values) {
        texts.push_back(value.c_str());
    }
    return answers(pq_.send_params(connection_.get(),
                                   sql.c_str(),
                                   static_cast<int>(texts.size()),
                                   nullptr,
                                   texts.data(),
                                   nullptr,
                                   nullptr,
                                   0)
                   != 0);
}

Status PostgresSql::execute(const std::string& sql) {
    DRYDOCK_TRY(answers(pq_.send(connection_.get(), sql.c_str()) != 0));
    return {};
}

// Asks the catalogue for visible tables only: another schema may have tables of the same names. The
// condition on NOT NULL is a part of the type.
Result<Columns> PostgresSql::columns() {
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        query("SELECT c.relname, a.attname, upper(format_type(a.atttypid, NULL)) || CASE WHEN "
              "a.attnotnull THEN ' NOT NULL' ELSE '' END FROM pg_class c "
              "JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind IN ('r', 'p') AND "
              "a.attnum > 0 AND NOT a.attisdropped AND pg_table_is_visible(c.oid) AND "
              "c.relname IN ('versions', 'blocks', 'tags', 'stats', 'stats_old', 'deleted_blocks', "
              "'alembic_version')",
              {}));
    Columns columns;
    for (const SqlRow& row : rows) {
        columns[text_of(row[0])][text_of(row[1])] = text_of(row[2]);
    }
    return columns;
}

// Calls `take` for each option with a value, after a check that the option is allowed.
Status parse_uri(const LibPq& pq, const std::string& uri, auto take) {
    char* message = nullptr;
    using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
    const Options options(pq.parse(uri.c_str(), &message), pq.free_parsed);
    if (!options) {
        // libpq's message repeats parts of the URI, which may contain a password, so it is not
        // shown.
        pq.free_memory(message);
        return fail("blocks.config",
                    "[MetaBackend] engine is no URI that PostgreSQL understands",
                    "postgresql://USER@HOST:PORT/DATABASE");
    }
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) {
            DRYDOCK_TRY(check_postgres_option(option->keyword, option->val));
            take(*option);
        }
    }
    return {};
}

}  // namespace

Result<std::vector<std::string>> postgres_environment(const std::string& uri) {
    DRYDOCK_TRY_ASSIGN(const LibPq* pq, library());
    std::vector<std::string> environment;
    DRYDOCK_TRY(parse_uri(*pq, uri, [&](const PQconninfoOption& option) {
        if (option.envvar != nullptr) {
            environment.push_back(fmt::format("{}={}", option.envvar, option.val));
        }
    }));
    return environment;
}

Result<std::unique_ptr<Sql>>
connect_postgres(const std::string& uri, SqlAccess access, const SqlLimits& limits) {
    DRYDOCK_TRY_ASSIGN(const LibPq* pq, library());
    std::string host = "local";
    std::string database;
    DRYDOCK_TRY(parse_uri(*pq, uri, [&](const PQconninfoOption& option) {
        const std::string keyword = option.keyword;
        host = keyword == "host" ? option.val : host;
        database = keyword == "dbname" ? option.val : database;
    }));
    auto sql = std::make_unique<PostgresSql>(*pq, fmt::format("{}/{}", host, database), limits);
    DRYDOCK_TRY(sql->open(uri, access));
    return sql;
}

}  // namespace drydock::mover::blocks
