// The test server itself. It stands in a test's file so that no library has it.
#include "agent/test_world.h"
#include "kubernetes/test_api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace drydock::kubernetes {
namespace {

TestAnswer status(int code, const std::string& reason, const std::string& message) {
    Json body;
    body.set("kind", "Status").set("code", code).set("reason", reason).set("message", message);
    return {code, std::move(body)};
}

std::vector<std::string> parts_of_pointer(const std::string& pointer) {
    std::vector<std::string> parts;
    std::size_t start = 1;
    while (start <= pointer.size()) {
        const auto end = std::min(pointer.find('/', start), pointer.size());
        parts.push_back(pointer.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

// Returns the value of a query's parameter; empty: it has none. `start` is its begin.
std::string parameter(const TestRequest& request, const std::string& start) {
    const auto place = request.query.find(start);
    if (place == std::string::npos) {
        return "";
    }
    const auto begin = place + start.size();
    return request.query.substr(begin, request.query.find('&', begin) - begin);
}

// Returns the document with another value at a place; nothing removes it.
Json changed(const Json& document,
             const std::vector<std::string>& parts,
             std::size_t depth,
             const std::optional<Json>& value) {
    if (depth == parts.size()) {
        return value.value_or(Json());
    }
    const std::string& part = parts[depth];
    if (document.is_array()) {
        Json::Array items = document.items();
        Json& item = items.at(std::stoul(part));
        item = changed(item, parts, depth + 1, value);
        return items;
    }
    Json::Object members = document.members();
    if (!value && depth + 1 == parts.size()) {
        members.erase(part);
    } else {
        members.insert_or_assign(part, changed(document[part], parts, depth + 1, value));
    }
    return members;
}

}  // namespace

struct Event {
    int version;
    std::string path;
    std::string line;
};

struct TestApi::State {
    httplib::Server server;
    int port = 0;
    mutable std::mutex mutex;
    std::map<std::string, Json> objects;
    std::vector<std::string> log;
    std::map<std::string, int> counts;
    int version = 100;
    std::vector<Event> events;
    std::atomic<bool> is_closing = false;
    std::jthread thread;

    void note(const std::string& type, const std::string& path, const Json& object) {
        events.push_back(
            {version, path, Json().set("type", type).set("object", object).dump() + "\n"});
    }

    // Returns the lines of a watch that begins at the version, of the objects below a path.
    std::string events_after(int since, const std::string& path, const std::string& name) {
        const std::lock_guard lock(mutex);
        std::string lines;
        for (const Event& event : events) {
            const bool fits =
                name.empty() ? event.path.starts_with(path + "/") : event.path == path + "/" + name;
            lines += fits && event.version > since ? event.line : "";
        }
        return lines;
    }

    Json stamped(const Json& object, const Json* before) {
        Json metadata = object["metadata"].is_object() ? object["metadata"] : Json(Json::Object{});
        metadata.set("resourceVersion", std::to_string(++version));
        if (before != nullptr) {
            metadata.set("uid", (*before)["metadata"]["uid"]);
        } else if (!metadata.contains("uid")) {
            metadata.set("uid", fmt::format("uid-{}", version));
        }
        Json result = object;
        return result.set("metadata", std::move(metadata));
    }

    // Node ports are unique over all objects.
    std::optional<TestAnswer> refuse_ports(const std::string& path, const Json& object) {
        std::set<std::int64_t> taken = leaked;
        for (const auto& [other, held] : objects) {
            for (const Json& entry : held["spec"]["ports"].items()) {
                if (other != path) {
                    taken.insert(entry["nodePort"].as_int());
                }
            }
        }
        for (const Json& entry : object["spec"]["ports"].items()) {
            if (taken.contains(entry["nodePort"].as_int())) {
                const auto message =
                    fmt::format("Invalid value: {}: provided port is already allocated",
                                entry["nodePort"].as_int());
                TestAnswer answer = status(422, "Invalid", message);
                Json causes{Json::Array{}};
                causes.push(Json().set("field", "spec.ports[0].nodePort").set("message", message));
                answer.body.set("details", Json().set("causes", std::move(causes)));
                return answer;
            }
        }
        return {};
    }

    std::set<std::int64_t> leaked;

    TestAnswer store(const TestRequest& request, const std::string& path, const Json& object) {
        if (auto refusal = refuse_ports(path, object)) {
            return *refusal;
        }
        const auto present = objects.find(path);
        const bool same = present != objects.end() && present->second == object;
        Json stored =
            same ? object : stamped(object, present == objects.end() ? nullptr : &present->second);
        if (request.query.find("dryRun=All") == std::string::npos) {
            objects[path] = stored;
            note("MODIFIED", path, stored);
        }
        return {200, std::move(stored)};
    }

    // A scale is a view of the object below it; zero replicas are left out.
    static Json scale_of(const Json& object) {
        Json spec(Json::Object{});
        if (object["spec"]["replicas"].as_int() != 0) {
            spec.set("replicas", object["spec"]["replicas"]);
        }
        return Json().set("metadata", object["metadata"]).set("spec", std::move(spec));
    }

    TestAnswer patch(const TestRequest& request, const std::string& path, bool scale) {
        const Json object = scale ? scale_of(objects[path]) : objects[path];
        Json result = object;
        for (const Json& one : request.body.items()) {
            const std::string& pointer = one["path"].as_string();
            const bool is_version = pointer == "/metadata/resourceVersion";
            const Json* present = result.find(pointer);
            if (is_version && !(present != nullptr && *present == one["value"])) {
                return status(409, "Conflict", "the object has been modified");
            }
            if (one["op"] == Json("test") && (present == nullptr || !(*present == one["value"]))) {
                return status(422, "Invalid", "the server rejected our request");
            }
            if (one["op"] == Json("remove")) {
                result = changed(result, parts_of_pointer(pointer), 0, {});
            } else if (one["op"] != Json("test")) {
                result = changed(result, parts_of_pointer(pointer), 0, one["value"]);
            }
        }
        if (scale) {
            const Json replicas = result["spec"]["replicas"];
            result = changed(objects[path], {"spec", "replicas"}, 0, replicas);
        }
        return store(request, path, result);
    }

    TestAnswer list(const std::string& path, const std::string& name) {
        Json items{Json::Array{}};
        for (const auto& [other, object] : objects) {
            const bool below = other.starts_with(path + "/" + name);
            // "/api/v1/services" has those of all namespaces.
            const bool anywhere = path.find("/namespaces/") == path.npos
                                  && other.find(path.substr(path.rfind('/')) + "/") != other.npos;
            if (below || anywhere) {
                items.push(object);
            }
        }
        Json metadata = Json().set("resourceVersion", std::to_string(version));
        return {200, Json().set("items", std::move(items)).set("metadata", std::move(metadata))};
    }

    TestAnswer handle(const TestRequest& request) {
        std::string path = request.path;
        const bool scale = path.ends_with("/scale");
        path = scale ? path.substr(0, path.size() - 6) : path;
        const auto object = objects.find(path);
        if (request.method == "POST") {
            // As the real one: the ports of an object of that name are taken, too.
            if (auto refusal = refuse_ports("", request.body)) {
                return *refusal;
            }
            path += "/" + request.body["metadata"]["name"].as_string();
            return objects.contains(path) ? status(409, "AlreadyExists", "already exists")
                                          : store(request, path, request.body);
        }
        const auto last = path.substr(path.rfind('/') + 1);
        if (request.method == "GET" && last == "services") {
            return list(path, parameter(request, "fieldSelector=metadata.name="));
        }
        if (object == objects.end()) {
            return status(404, "NotFound", "not found");
        }
        if (request.method == "PATCH") {
            return patch(request, path, scale);
        }
        if (request.method == "DELETE") {
            if (!(request.body["preconditions"]["uid"] == object->second["metadata"]["uid"])) {
                return status(409, "Conflict", "the UID in the precondition does not match");
            }
            const Json gone = object->second;
            ++version;
            note("DELETED", path, gone);
            objects.erase(object);
            return {200, gone};
        }
        return {200, scale ? scale_of(object->second) : object->second};
    }
};

namespace {

// Sends a bookmark, and then the events until the time is over.
template <class State>
void watch(State& state, const TestRequest& request, httplib::Response& sent) {
    using Clock = std::chrono::steady_clock;
    const int since = std::stoi(parameter(request, "resourceVersion="));
    const std::string name = parameter(request, "fieldSelector=metadata.name=");
    const auto end =
        Clock::now() + std::chrono::seconds(std::stoi(parameter(request, "timeoutSeconds=")));
    const auto send = [&state, path = request.path, since, name, end](std::size_t offset,
                                                                      httplib::DataSink& sink) {
        std::string lines = offset == 0 ? "{\"type\":\"BOOKMARK\",\"object\":{}}\n" : "";
        while (lines.empty() && Clock::now() < end && !state.is_closing) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            lines = state.events_after(since, path, name);
        }
        if (lines.empty()) {
            sink.done();
            return true;
        }
        return sink.write(lines.data(), lines.size());
    };
    sent.set_chunked_content_provider("application/json", send);
}

}  // namespace

TestApi::TestApi() : state_(std::make_unique<State>()) {
    const auto serve = [this](const httplib::Request& received, httplib::Response& sent) {
        TestRequest request{received.method, received.path, "", {}};
        for (const auto& [key, value] : received.params) {
            request.query += (request.query.empty() ? "?" : "&") + key + "=" + value;
        }
        if (!received.body.empty()) {
            request.body = Json::parse(received.body).value_or(Json());
        }
        {
            const std::lock_guard lock(state_->mutex);
            state_->log.push_back(request.method + " " + request.path + request.query);
            ++state_->counts[request.method];
        }
        auto given = before ? before(request) : std::nullopt;
        TestAnswer answer;
        {
            const std::lock_guard lock(state_->mutex);
            answer = given ? *given : state_->handle(request);
        }
        if (after) {
            after(request, answer);
        }
        if (!given && !answer.is_lost && answer.status == 200
            && !parameter(request, "watch=").empty()) {
            watch(*state_, request, sent);
            return;
        }
        sent.status = answer.status;
        if (answer.is_lost) {
            sent.set_content_provider(
                100, "application/json", [](std::size_t, std::size_t, auto&) { return false; });
        } else {
            sent.set_content(answer.body.dump() + "\n", "application/json");
        }
    };
    state_->server.Get(".*", serve);
    using WithBody =
        httplib::Server& (httplib::Server::*)(const std::string&, httplib::Server::Handler);
    for (const WithBody method : {static_cast<WithBody>(&httplib::Server::Post),
                                  static_cast<WithBody>(&httplib::Server::Patch),
                                  static_cast<WithBody>(&httplib::Server::Delete)}) {
        (state_->server.*method)(".*", serve);
    }
    state_->port = state_->server.bind_to_any_port("127.0.0.1");
    state_->thread = std::jthread([this] { state_->server.listen_after_bind(); });
    agent::wait_until([this] { return state_->server.is_running(); });
}

TestApi::~TestApi() {
    state_->is_closing = true;
    state_->server.stop();
}

std::string TestApi::url() const {
    return fmt::format("http://127.0.0.1:{}", state_->port);
}

void TestApi::put(const std::string& path, const std::string& object) {
    const std::lock_guard lock(state_->mutex);
    const auto present = state_->objects.find(path);
    const Json parsed = agent::json(object);
    const bool recreates = parsed["metadata"].contains("uid");
    const Json* old = present == state_->objects.end() || recreates ? nullptr : &present->second;
    const Json stamped = state_->stamped(parsed, old);
    state_->objects[path] = stamped;
    state_->note(old == nullptr ? "ADDED" : "MODIFIED", path, stamped);
}

void TestApi::erase(const std::string& path) {
    const std::lock_guard lock(state_->mutex);
    ++state_->version;
    state_->note("DELETED", path, state_->objects[path]);
    state_->objects.erase(path);
}

void TestApi::leak(std::int64_t port, bool is_leaked) {
    const std::lock_guard lock(state_->mutex);
    if (is_leaked) {
        state_->leaked.insert(port);
    } else {
        state_->leaked.erase(port);
    }
}

Json TestApi::at(const std::string& path) const {
    const std::lock_guard lock(state_->mutex);
    const auto object = state_->objects.find(path);
    return object == state_->objects.end() ? Json() : object->second;
}

std::vector<std::string> TestApi::log() const {
    const std::lock_guard lock(state_->mutex);
    return state_->log;
}

int TestApi::count(const std::string& method) const {
    const std::lock_guard lock(state_->mutex);
    const auto count = state_->counts.find(method);
    return count == state_->counts.end() ? 0 : count->second;
}

}  // namespace drydock::kubernetes
