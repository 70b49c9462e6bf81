// What etcd_load's two halves share: their options, and etcd's HTTP gateway.
//
// A Gateway is one kept-alive connection to one endpoint, for one thread. A call that gives no
// whole and good answer is an error, and says nothing about whether it was carried out.
#pragma once

#include "base/json.h"

#include <memory>

namespace drydock::field {

struct Options {
    std::vector<std::string> endpoints;
    std::string file;
    std::string lost_file;
    int writers = 3;
    double rate = 0;  // writes per second and writer; 0 is as fast as it goes
};

class Gateway {
public:
    // Connects with the first call. `endpoint`: "http://127.0.0.1:2379".
    explicit Gateway(const std::string& endpoint);
    ~Gateway();
    Gateway(Gateway&&) noexcept;
    Gateway& operator=(Gateway&&) noexcept;

    // POSTs `body`; each of connecting, writing and reading has k_call_timeout.
    Result<Json> call(const std::string& path, const Json& body);

private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
};

// Compares the record in options.file with the cluster, prints what it finds, and returns the
// program's exit code: 0 all there, 1 lost or moved, 2 could not compare.
[[nodiscard]] int run_verify(const Options& options);

}  // namespace drydock::field
