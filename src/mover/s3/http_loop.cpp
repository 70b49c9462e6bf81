// One multi handle of libcurl, with a transfer for each request in flight.
//
// Handles of ended transfers are reset and used again; the connections belong to the multi handle
// and stay open. The loop is given no more requests than may be in flight, so libcurl queues
// nothing and a request leaves right after it was signed.
#include "mover/s3/http_loop.h"

#include "base/check.h"
#include "os/shared_library.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

namespace drydock::mover::s3 {
namespace {

constexpr long k_connect_ms = 10'000;
constexpr long k_slow_bytes_s = 1;  // a copy sends nothing while the server works
constexpr long k_slow_s = 120;      // a silent server is given up
constexpr long k_connections_kept = 512;
constexpr std::size_t k_header_bytes_max = 64U << 10U;  // of all headers of an answer

struct LibCurl {
    decltype(&curl_global_init) global_init = nullptr;
    decltype(&curl_easy_init) init = nullptr;
    decltype(&curl_easy_cleanup) cleanup = nullptr;
    decltype(&curl_easy_reset) reset = nullptr;
    decltype(&curl_easy_setopt) set = nullptr;
    decltype(&curl_easy_getinfo) info = nullptr;
    decltype(&curl_easy_strerror) text_of = nullptr;
    decltype(&curl_slist_append) append = nullptr;
    decltype(&curl_slist_free_all) free_list = nullptr;
    decltype(&curl_multi_init) multi_init = nullptr;
    decltype(&curl_multi_cleanup) multi_cleanup = nullptr;
    decltype(&curl_multi_setopt) multi_set = nullptr;
    decltype(&curl_multi_add_handle) add = nullptr;
    decltype(&curl_multi_remove_handle) remove = nullptr;
    decltype(&curl_multi_perform) perform = nullptr;
    decltype(&curl_multi_poll) poll = nullptr;
    decltype(&curl_multi_info_read) read_info = nullptr;
    std::string missing;  // the first name that was not found; empty: none
};

LibCurl open_library() {
    LibCurl curl;
    os::SharedLibrary library("libcurl.so.4");
    library.find("curl_global_init", curl.global_init);
    library.find("curl_easy_init", curl.init);
    library.find("curl_easy_cleanup", curl.cleanup);
    library.find("curl_easy_reset", curl.reset);
    library.find("curl_easy_setopt", curl.set);
    library.find("curl_easy_getinfo", curl.info);
    library.find("curl_easy_strerror", curl.text_of);
    library.find("curl_slist_append", curl.append);
    library.find("curl_slist_free_all", curl.free_list);
    library.find("curl_multi_init", curl.multi_init);
    library.find("curl_multi_cleanup", curl.multi_cleanup);
    library.find("curl_multi_setopt", curl.multi_set);
    library.find("curl_multi_add_handle", curl.add);
    library.find("curl_multi_remove_handle", curl.remove);
    library.find("curl_multi_perform", curl.perform);
    library.find("curl_multi_poll", curl.poll);
    library.find("curl_multi_info_read", curl.read_info);
    curl.missing = library.missing();
    if (curl.missing.empty() && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        curl.missing = "curl_global_init";
    }
    return curl;
}

const LibCurl& library() {
    static const LibCurl curl = open_library();
    return curl;
}

// One request from its start to its end. Its address stays the same, because libcurl holds it.
struct Transfer {
    WireRequest request;
    WireAnswer answer;
    HttpLoop::Done done;
    curl_slist* headers = nullptr;
    std::size_t header_bytes = 0;
    std::size_t sent = 0;  // bytes of the body
    std::vector<char> problem = std::vector<char>(CURL_ERROR_SIZE, '\0');
};

// Appends received bytes to the body. A result of 0 makes libcurl end the transfer.
std::size_t receive(char* bytes, std::size_t size, std::size_t count, void* user_data) {
    auto& transfer = *static_cast<Transfer*>(user_data);
    if (transfer.answer.body.size() + size * count > transfer.request.answer_bytes_max) {
        transfer.answer.trouble = WireTrouble::too_large;
        return 0;
    }
    transfer.answer.body.append(bytes, size * count);
    return size * count;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return result;
}

std::string_view without_spaces(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r' || text.back() == '\n')) {
        text.remove_suffix(1);
    }
    return text;
}

// Keeps one header line. A status line begins a new answer, such as the one after "100 Continue".
std::size_t receive_header(char* bytes, std::size_t size, std::size_t count, void* user_data) {
    auto& transfer = *static_cast<Transfer*>(user_data);
    const std::string_view line(bytes, size * count);
    transfer.header_bytes += line.size();
    if (transfer.header_bytes > k_header_bytes_max) {
        transfer.answer.trouble = WireTrouble::too_large;
        return 0;
    }
    const auto colon = line.find(':');
    if (line.starts_with("HTTP/")) {
        transfer.answer.headers.clear();
    } else if (colon != line.npos) {
        transfer.answer.headers.emplace_back(lower(line.substr(0, colon)),
                                             without_spaces(line.substr(colon + 1)));
    }
    return line.size();
}

std::size_t send_body(char* buffer, std::size_t size, std::size_t count, void* user_data) {
    auto& transfer = *static_cast<Transfer*>(user_data);
    const std::size_t bytes = std::min(size * count, transfer.request.body.size() - transfer.sent);
    std::copy_n(transfer.request.body.data() + transfer.sent, bytes, buffer);
    transfer.sent += bytes;
    return bytes;
}

// Where a kept connection turns out to be closed, libcurl sends the request again on another one.
int rewind_body(void* user_data, curl_off_t offset, int /*origin*/) {
    static_cast<Transfer*>(user_data)->sent = static_cast<std::size_t>(offset);
    return CURL_SEEKFUNC_OK;
}

// libcurl drops "Name:" with an empty value, but sends "Name;" as such a header.
void set_headers(Transfer& transfer) {
    const LibCurl& curl = library();
    for (const auto& [name, value] : transfer.request.headers) {
        const std::string line = value.empty() ? name + ";" : fmt::format("{}: {}", name, value);
        transfer.headers = curl.append(transfer.headers, line.c_str());
    }
    // These would be added by libcurl, and the first costs a round trip.
    for (const char* unwanted : {"Expect:", "Accept:", "Content-Type:"}) {
        const auto is_same = [&](const NameValue& header) {
            return lower(header.first) + ":" == lower(unwanted);
        };
        const NameValues& headers = transfer.request.headers;
        if (std::none_of(headers.begin(), headers.end(), is_same)) {
            transfer.headers = curl.append(transfer.headers, unwanted);
        }
    }
}

// A PUT is an upload, so that its body is read piece by piece; a POST has its body in memory.
void set_method(void* handle, Transfer& transfer) {
    const LibCurl& curl = library();
    const WireRequest& request = transfer.request;
    const auto size = static_cast<curl_off_t>(request.body.size());
    if (request.method == "HEAD") {
        curl.set(handle, CURLOPT_NOBODY, 1L);
    } else if (request.method == "PUT") {
        curl.set(handle, CURLOPT_UPLOAD, 1L);
        curl.set(handle, CURLOPT_INFILESIZE_LARGE, size);
        curl.set(handle, CURLOPT_READFUNCTION, &send_body);
        curl.set(handle, CURLOPT_READDATA, &transfer);
        curl.set(handle, CURLOPT_SEEKFUNCTION, &rewind_body);
        curl.set(handle, CURLOPT_SEEKDATA, &transfer);
    } else if (request.method == "POST") {
        curl.set(handle, CURLOPT_POSTFIELDSIZE_LARGE, size);
        curl.set(handle, CURLOPT_POSTFIELDS, request.body.data());
    } else if (request.method != "GET") {
        curl.set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
}

void set_options(void* handle, Transfer& transfer) {
    const LibCurl& curl = library();
    set_method(handle, transfer);
    set_headers(transfer);
    curl.set(handle, CURLOPT_URL, transfer.request.url.c_str());
    // Without it `/a/../b` would become `/b`, which is another object.
    curl.set(handle, CURLOPT_PATH_AS_IS, 1L);
    curl.set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.set(handle, CURLOPT_NOSIGNAL, 1L);
    curl.set(handle, CURLOPT_TCP_NODELAY, 1L);
    curl.set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl.set(handle, CURLOPT_FRESH_CONNECT, transfer.request.is_sent_once ? 1L : 0L);
    curl.set(handle, CURLOPT_PROXY, "");  // no proxy of the environment sees the keys
    curl.set(handle, CURLOPT_HTTPHEADER, transfer.headers);
    if (!transfer.request.ca_file.empty()) {
        curl.set(handle, CURLOPT_CAINFO, transfer.request.ca_file.c_str());
    }
    curl.set(handle, CURLOPT_CONNECTTIMEOUT_MS, k_connect_ms);
    curl.set(handle, CURLOPT_LOW_SPEED_LIMIT, k_slow_bytes_s);
    curl.set(handle, CURLOPT_LOW_SPEED_TIME, k_slow_s);
    curl.set(handle, CURLOPT_WRITEFUNCTION, &receive);
    curl.set(handle, CURLOPT_WRITEDATA, &transfer);
    curl.set(handle, CURLOPT_HEADERFUNCTION, &receive_header);
    curl.set(handle, CURLOPT_HEADERDATA, &transfer);
    curl.set(handle, CURLOPT_ERRORBUFFER, transfer.problem.data());
}

bool is_one_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](const char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
}

// libcurl sends headers unchanged, so a value with a new line would become a header of its own.
Status check_lines(const WireRequest& request) {
    const bool is_plain =
        is_one_line(request.method) && is_one_line(request.url)
        && std::all_of(request.headers.begin(), request.headers.end(), [](const NameValue& header) {
               return is_one_line(header.first) && is_one_line(header.second);
           });
    return is_plain ? Status()
                    : fail("s3.setting",
                           "the endpoint, the bucket, a header or a key has a control character",
                           "look for new lines in the settings and in the metadata of the object");
}

// Returns the trouble for a result of libcurl. Only the errors in front of the request are certain.
WireTrouble trouble_of(CURLcode code) {
    switch (static_cast<int>(code)) {
    case CURLE_OK:
        return WireTrouble::none;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_SSL_CONNECT_ERROR:
        return WireTrouble::not_sent;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return WireTrouble::refused;
    default:
        return WireTrouble::lost;
    }
}

}  // namespace

std::string_view WireAnswer::header(std::string_view name) const {
    for (const auto& [own_name, value] : headers) {
        if (own_name == name) {
            return value;
        }
    }
    return {};
}

struct HttpLoop::Transfers {
    void* multi = nullptr;
    std::map<void*, std::unique_ptr<Transfer>> running;
    std::vector<void*> idle;

    void* take() {
        if (idle.empty()) {
            return library().init();
        }
        void* handle = idle.back();
        idle.pop_back();
        library().reset(handle);
        return handle;
    }

    // Fills in the answer of an ended transfer and returns it; the handle is free then.
    std::unique_ptr<Transfer> end(void* handle, CURLcode code) {
        const LibCurl& curl = library();
        const auto place = running.find(handle);
        CHECK(place != running.end());
        std::unique_ptr<Transfer> transfer = std::move(place->second);
        running.erase(place);
        WireAnswer& answer = transfer->answer;
        curl.info(handle, CURLINFO_RESPONSE_CODE, &answer.status);
        double seconds = 0;
        curl.info(handle, CURLINFO_TOTAL_TIME, &seconds);
        answer.latency_ms = seconds * 1000;
        if (code != CURLE_OK && answer.trouble == WireTrouble::none) {
            answer.trouble = trouble_of(code);
            answer.status = 0;
            const char* text =
                transfer->problem.front() == '\0' ? curl.text_of(code) : transfer->problem.data();
            answer.problem = fmt::format("{} (curl {})", text, static_cast<int>(code));
        }
        curl.remove(multi, handle);
        curl.set(handle, CURLOPT_ERRORBUFFER, nullptr);
        curl.free_list(transfer->headers);
        idle.push_back(handle);
        return transfer;
    }
};

HttpLoop::HttpLoop() : transfers_(std::make_unique<Transfers>()) {
    const LibCurl& curl = library();
    if (curl.missing.empty()) {
        transfers_->multi = curl.multi_init();
        curl.multi_set(transfers_->multi, CURLMOPT_MAXCONNECTS, k_connections_kept);
    }
}

HttpLoop::~HttpLoop() {
    const LibCurl& curl = library();
    if (transfers_->multi == nullptr) {
        return;
    }
    for (auto& [handle, transfer] : transfers_->running) {
        curl.remove(transfers_->multi, handle);
        curl.cleanup(handle);
        curl.free_list(transfer->headers);
    }
    for (void* handle : transfers_->idle) {
        curl.cleanup(handle);
    }
    curl.multi_cleanup(transfers_->multi);
}

Status HttpLoop::start(WireRequest request, Done done) {
    DRYDOCK_TRY(check_lines(request));
    if (transfers_->multi == nullptr) {
        return fail("s3.library",
                    fmt::format("S3 is reached by libcurl, and {} is not there", library().missing),
                    "install libcurl4");
    }
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    void* handle = transfers_->take();
    set_options(handle, *transfer);
    transfers_->running.emplace(handle, std::move(transfer));
    library().add(transfers_->multi, handle);
    return {};
}

// Answers are collected before the first callback, because callbacks add transfers.
void HttpLoop::step(int wait_ms) {
    const LibCurl& curl = library();
    if (transfers_->multi == nullptr) {
        return;
    }
    int running = 0;
    curl.perform(transfers_->multi, &running);
    std::vector<std::unique_ptr<Transfer>> ended;
    const auto collect = [&] {
        int left = 0;
        while (const CURLMsg* message = curl.read_info(transfers_->multi, &left)) {
            if (message->msg == CURLMSG_DONE) {
                ended.push_back(transfers_->end(message->easy_handle, message->data.result));
            }
        }
    };
    collect();
    if (ended.empty() && wait_ms > 0) {
        curl.poll(transfers_->multi, nullptr, 0, wait_ms, nullptr);
        curl.perform(transfers_->multi, &running);
        collect();
    }
    for (const auto& transfer : ended) {
        transfer->done(std::move(transfer->answer));
    }
}

std::size_t HttpLoop::in_flight() const {
    return transfers_->running.size();
}

}  // namespace drydock::mover::s3
