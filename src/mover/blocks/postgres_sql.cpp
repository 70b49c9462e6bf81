// PostgreSQL as a store's database.
//
// libpq is opened when a store needs it: linked, it would bring two dozen libraries into every
// start of the program and of each agent.
#include "mover/blocks/postgres_sql.h"

#include "base/text.h"
#include "os/shared_library.h"

#include <fmt/format.h>
#include <postgresql/libpq-fe.h>

#include <cstdlib>

namespace drydock::mover::blocks {
namespace {

struct LibPq {
    decltype(&PQconnectdb) connectdb = nullptr;
    decltype(&PQfinish) finish = nullptr;
    decltype(&PQstatus) status = nullptr;
    decltype(&PQerrorMessage) error_message = nullptr;
    decltype(&PQexecParams) exec_params = nullptr;
    decltype(&PQexec) exec = nullptr;
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
    decltype(&PQsetNoticeReceiver) set_notice_receiver = nullptr;
    std::string missing;  // the name of what is not there
};

LibPq open_library() {
    LibPq pq;
    // A server that accepts and is then silent is given up; who set a limit keeps it.
    setenv("PGCONNECT_TIMEOUT", "20", 0);  // NOLINT(concurrency-mt-unsafe): no thread reads it yet
    os::SharedLibrary library("libpq.so.5");
    library.find("PQconnectdb", pq.connectdb);
    library.find("PQfinish", pq.finish);
    library.find("PQstatus", pq.status);
    library.find("PQerrorMessage", pq.error_message);
    library.find("PQexecParams", pq.exec_params);
    library.find("PQexec", pq.exec);
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
    library.find("PQsetNoticeReceiver", pq.set_notice_receiver);
    pq.missing = library.missing();
    return pq;
}

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

constexpr std::size_t k_message_bytes_max = 2048;  // a server may say more than anybody reads

// libpq ends its texts with a new line, and may write several.
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
    PostgresSql(const LibPq& pq, std::string name)
        : pq_(pq)
        , name_(std::move(name))
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

    const LibPq& pq_;
    std::string name_;
    Connection connection_;
};

tl::unexpected<Error> PostgresSql::failed(const PGresult* answer) const {
    const char* state = answer == nullptr ? nullptr : pq_.error_field(answer, PG_DIAG_SQLSTATE);
    const std::string why =
        clip(one_line(pq_.error_message(connection_.get())), k_message_bytes_max);
    if (state != nullptr
        && (std::string_view(state) == "55P03" || std::string_view(state) == "40P01")) {
        return fail("blocks.busy",
                    fmt::format("metadata {}: {}", name_, why),
                    "let what holds the tables end, and say it again",
                    ErrorClass::transient);
    }
    return fail("blocks.metadata",
                fmt::format("metadata {}: {}", name_, why),
                "look at backy2's setting `engine` and at the server");
}

Status PostgresSql::open(const std::string& uri, SqlAccess access) {
    connection_.reset(pq_.connectdb(uri.c_str()));
    if (pq_.status(connection_.get()) != CONNECTION_OK) {
        return failed(nullptr);
    }
    pq_.set_notice_receiver(connection_.get(), [](void*, const PGresult*) {}, nullptr);
    DRYDOCK_TRY(execute("SET application_name = 'drydock'; SET client_encoding = 'UTF8'"));
    return access == SqlAccess::read ? execute("SET default_transaction_read_only = on") : Status{};
}

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

Result<SqlRows> PostgresSql::query(const std::string& sql, const std::vector<std::string>& values) {
    std::vector<const char*> texts;
    texts.reserve(values.size());
    for (const std::string& value : values) {
        texts.push_back(value.c_str());
    }
    const Answer answer(pq_.exec_params(connection_.get(),
                                        sql.c_str(),
                                        static_cast<int>(texts.size()),
                                        nullptr,
                                        texts.data(),
                                        nullptr,
                                        nullptr,
                                        0),
                        pq_.clear);
    if (pq_.result_status(answer.get()) != PGRES_TUPLES_OK) {
        return failed(answer.get());
    }
    SqlRows rows;
    const int count = pq_.rows(answer.get());
    for (int row = 0; row < count; ++row) {
        rows.push_back(row_at(answer.get(), row));
    }
    return rows;
}

Status PostgresSql::execute(const std::string& sql) {
    const Answer answer(pq_.exec(connection_.get(), sql.c_str()), pq_.clear);
    const ExecStatusType status = pq_.result_status(answer.get());
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? Status{}
                                                                   : failed(answer.get());
}

Result<Columns> PostgresSql::columns() {
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        query("SELECT c.relname, a.attname, upper(format_type(a.atttypid, NULL)) FROM pg_class c "
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

// Calls `take` for each option that has a value.
Status parse_uri(const LibPq& pq, const std::string& uri, auto take) {
    char* why = nullptr;
    PQconninfoOption* options = pq.parse(uri.c_str(), &why);
    if (options == nullptr) {
        // The text repeats parts of the URI, which may hold a password.
        return fail("blocks.config",
                    "[MetaBackend] engine is no URI that PostgreSQL understands",
                    "postgresql://USER@HOST:PORT/DATABASE");
    }
    for (const PQconninfoOption* one = options; one->keyword != nullptr; ++one) {
        if (one->val != nullptr) {
            take(*one);
        }
    }
    pq.free_parsed(options);
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

Result<std::unique_ptr<Sql>> connect_postgres(const std::string& uri, SqlAccess access) {
    DRYDOCK_TRY_ASSIGN(const LibPq* pq, library());
    std::string host = "local";
    std::string database;
    DRYDOCK_TRY(parse_uri(*pq, uri, [&](const PQconninfoOption& option) {
        const std::string keyword = option.keyword;
        host = keyword == "host" ? option.val : host;
        database = keyword == "dbname" ? option.val : database;
    }));
    auto sql = std::make_unique<PostgresSql>(*pq, fmt::format("{}/{}", host, database));
    DRYDOCK_TRY(sql->open(uri, access));
    return sql;
}

}  // namespace drydock::mover::blocks
