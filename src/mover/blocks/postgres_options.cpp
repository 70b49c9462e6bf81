// A list of allowed options and no list of forbidden ones: new releases of libpq add options. An
// unknown one may load code or send a file. The time-out and the number of hosts are limited, since
// a URI with many silent hosts would stop drydock for hours.
#include "mover/blocks/postgres_options.h"

#include "base/text.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace drydock::mover::blocks {
namespace {

constexpr std::size_t k_keyword_bytes_max = 64;
constexpr int k_connect_seconds_max = 120;
constexpr int k_hosts_max = 8;  // each has its own time to answer
constexpr std::array<std::string_view, 10> k_keywords = {"host",
                                                         "hostaddr",
                                                         "port",
                                                         "dbname",
                                                         "user",
                                                         "password",
                                                         "sslmode",
                                                         "sslrootcert",
                                                         "connect_timeout",
                                                         "application_name"};

tl::unexpected<Error> refuse_option(const std::string& keyword, const std::string& reason) {
    return fail("blocks.config",
                fmt::format("[MetaBackend] engine has the option `{}`, which {}",
                            clip(keyword, k_keyword_bytes_max),
                            reason),
                fmt::format("leave it out, or set libpq's variable of it; allowed are {}",
                            join({k_keywords.begin(), k_keywords.end()}, ", ")));
}

bool is_timeout(const std::string& seconds) {
    int value = 0;
    const char* end = seconds.data() + seconds.size();
    const auto read = std::from_chars(seconds.data(), end, value);
    return read.ec == std::errc() && read.ptr == end && value >= 1
           && value <= k_connect_seconds_max;
}

}  // namespace

Status check_postgres_option(const std::string& keyword, const std::string& value) {
    if (std::find(k_keywords.begin(), k_keywords.end(), keyword) == k_keywords.end()) {
        return refuse_option(keyword, "drydock does not pass on");
    }
    if (keyword == "connect_timeout" && !is_timeout(value)) {
        return refuse_option(keyword, fmt::format("is not 1 to {} seconds", k_connect_seconds_max));
    }
    if (keyword == "sslrootcert" && !os::open_plain(value, O_RDONLY)) {
        return refuse_option(keyword, "names no plain file that can be read");
    }
    const bool is_host = keyword == "host" || keyword == "hostaddr";
    if (is_host && std::count(value.begin(), value.end(), ',') >= k_hosts_max) {
        return refuse_option(keyword, fmt::format("names over {} servers", k_hosts_max));
    }
    // pg_dump would read such a name as another URI, with options of its own.
    if (keyword == "dbname" && value.find_first_of("=/") != std::string::npos) {
        return refuse_option(keyword, "is no plain name");
    }
    return {};
}

}  // namespace drydock::mover::blocks
