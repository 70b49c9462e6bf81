// The statements over the table `requests`.
//
// An answer is written once: every update demands that the answer is still empty. So a request
// that the conductor answers and the end of the run closes in one commit keeps the conductor's
// answer. The columns of a SELECT are read by position, in the order of read_request().
#include "journal/sqlite/request_rows.h"

#include "journal/answers.h"

namespace drydock::journal {

namespace {

// Reads the columns in the order number, kind, who, made_ms, detail, answer.
Result<Request> read_request(const Statement& row) {
    DRYDOCK_TRY_ASSIGN(Json detail, Json::parse(row.text(4)));
    return Request{static_cast<std::uint64_t>(row.integer(0)),
                   row.text(1),
                   row.text(2),
                   row.integer(3),
                   std::move(detail),
                   row.text(5)};
}

}  // namespace

Result<std::uint64_t>
insert_request(Database& database, const std::string& run, const Request& request) {
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare("INSERT INTO requests(run, kind, who, made_ms, detail)"
                                        " VALUES(?1, ?2, ?3, ?4, ?5)"));
    const std::string detail = request.detail.dump();
    statement.bind_text(1, run).bind_text(2, request.kind).bind_text(3, request.author);
    statement.bind(4, request.made_ms).bind_text(5, detail);
    DRYDOCK_TRY(statement.run());
    return database.integer("SELECT last_insert_rowid()").map([](std::int64_t number) {
        return static_cast<std::uint64_t>(number);
    });
}

Status answer_requests(Database& database, const std::vector<RequestAnswer>& answers) {
    for (const RequestAnswer& answer : answers) {
        DRYDOCK_TRY_ASSIGN(
            Statement statement,
            database.prepare("UPDATE requests SET answer = ?2 WHERE number = ?1 AND answer = ''"));
        statement.bind(1, answer.number).bind_text(2, answer.text);
        DRYDOCK_TRY(statement.run());
    }
    return {};
}

Status close_requests(Database& database, const std::string& run) {
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare("UPDATE requests SET answer = 'the run is over'"
                                        " WHERE run = ?1 AND answer = ''"));
    statement.bind_text(1, run);
    return statement.run();
}

Result<std::vector<Request>> list_open_requests(Database& database, const std::string& run) {
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare("SELECT number, kind, who, made_ms, detail, answer"
                                        " FROM requests WHERE run = ?1 AND answer = ''"
                                        " ORDER BY number"));
    statement.bind_text(1, run);
    std::vector<Request> requests;
    for (;;) {
        DRYDOCK_TRY_ASSIGN(const bool is_row, statement.step());
        if (!is_row) {
            return requests;
        }
        DRYDOCK_TRY_ASSIGN(Request request, read_request(statement));
        requests.push_back(std::move(request));
    }
}

Result<Request> find_request_row(Database& database, std::uint64_t number) {
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare("SELECT number, kind, who, made_ms, detail, answer"
                                        " FROM requests WHERE number = ?1"));
    statement.bind(1, number);
    DRYDOCK_TRY_ASSIGN(const bool is_there, statement.step());
    return is_there ? read_request(statement) : unknown_request(number);
}

}  // namespace drydock::journal
