// A small API server for tests: objects by path, with the answers that a real one gives.
//
// It knows uids, versions, JSON patches with their guards, dry runs, preconditions of deletions,
// node ports and watches. A test may act right before a request is handled, answer in the server's
// place, or have the answer lost. tests/field/kubernetes holds the same client to a real server.
#pragma once

#include "base/json.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::kubernetes {

struct TestRequest {
    std::string method;
    std::string path;  // without the query
    std::string query;
    Json body;
};

struct TestAnswer {
    int status = 200;
    Json body = Json(Json::Object{});
    bool is_lost = false;  // the connection is closed in place of the answer
};

class TestApi {
public:
    TestApi();
    ~TestApi();
    TestApi(const TestApi&) = delete;
    TestApi& operator=(const TestApi&) = delete;

    [[nodiscard]] std::string url() const;  // http://127.0.0.1:PORT

    // Puts an object there as somebody else would: with a new version, and a new uid if it has
    // none.
    void put(const std::string& path, const std::string& object);
    void erase(const std::string& path);
    // A port that is taken by nobody, as after the death of a real server.
    void leak(std::int64_t port, bool is_leaked);
    [[nodiscard]] Json at(const std::string& path) const;  // null: nothing is there

    // Called for each request before it is handled; an answer takes the place of the server's.
    std::function<std::optional<TestAnswer>(const TestRequest&)> before;
    // Called for each answer; may change it.
    std::function<void(const TestRequest&, TestAnswer&)> after;

    [[nodiscard]] std::vector<std::string> log() const;  // "PATCH /api/v1/...?dryRun=All"
    [[nodiscard]] int count(const std::string& method) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace drydock::kubernetes
