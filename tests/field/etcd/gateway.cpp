#include "gateway.h"

#include <httplib.h>

namespace drydock::field {

namespace {
constexpr auto k_call_timeout = std::chrono::seconds(2);  // below the 7 s a follower may hang
}

struct Gateway::Connection {
    httplib::Client client;
};

Gateway::Gateway(const std::string& endpoint)
    : connection_(new Connection{httplib::Client(endpoint)}) {
    auto& client = connection_->client;
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    client.set_connection_timeout(k_call_timeout);
    client.set_read_timeout(k_call_timeout);
    client.set_write_timeout(k_call_timeout);
}

Gateway::~Gateway() = default;
Gateway::Gateway(Gateway&&) noexcept = default;
Gateway& Gateway::operator=(Gateway&&) noexcept = default;

Result<Json> Gateway::call(const std::string& path, const Json& body) {
    const auto answer = connection_->client.Post(path, body.dump(), "application/json");
    if (!answer) {
        return fail("load.call", path + ": " + httplib::to_string(answer.error()));
    }
    if (answer->status != 200) {
        return fail("load.call", path + ": " + std::to_string(answer->status) + " " + answer->body);
    }
    return Json::parse(answer->body);
}

}  // namespace drydock::field
