// One HTTP request by libcurl's easy interface.
//
// libcurl is loaded with dlopen, so its functions are pointers in LibCurl. Each request takes an
// idle handle or makes one; the handle keeps its connection open for the next request. A handle is
// reset before its use: no option of an earlier request, such as NOBODY, may survive.
//
// The body is received into memory up to a limit. A body above it ends the transfer, which saves
// the process from a server that sends without end.
#include "mover/s3/curl_library.h"

#include "os/shared_library.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr long k_connect_ms = 10'000;
constexpr long k_slow_bytes_s = 1000;  // below this rate for k_slow_s, a transfer is given up
constexpr long k_slow_s = 60;

struct LibCurl {
    decltype(&curl_global_init) global_init = nullptr;
    decltype(&curl_easy_init) init = nullptr;
    decltype(&curl_easy_cleanup) cleanup = nullptr;
    decltype(&curl_easy_reset) reset = nullptr;
    decltype(&curl_easy_setopt) set = nullptr;
    decltype(&curl_easy_perform) perform = nullptr;
    decltype(&curl_easy_getinfo) info = nullptr;
    decltype(&curl_slist_append) append = nullptr;
    decltype(&curl_slist_free_all) free_list = nullptr;
    std::string missing;  // the first name that was not found; empty: none
};

// Looks up every function; `missing` names the first one that is absent. curl_global_init() is not
// thread-safe, so it runs inside the initialisation of the static in library().
LibCurl open_library() {
    LibCurl curl;
    os::SharedLibrary library("libcurl.so.4");
    library.find("curl_global_init", curl.global_init);
    library.find("curl_easy_init", curl.init);
    library.find("curl_easy_cleanup", curl.cleanup);
    library.find("curl_easy_reset", curl.reset);
    library.find("curl_easy_setopt", curl.set);
    library.find("curl_easy_perform", curl.perform);
    library.find("curl_easy_getinfo", curl.info);
    library.find("curl_slist_append", curl.append);
    library.find("curl_slist_free_all", curl.free_list);
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

struct Receiver {
    HttpAnswer* answer;
    std::size_t bytes_max;
};

// Appends received bytes to the body. A result of 0 makes libcurl end the transfer.
std::size_t receive(char* bytes, std::size_t size, std::size_t count, void* user_data) {
    auto& receiver = *static_cast<Receiver*>(user_data);
    std::string& body = receiver.answer->body;
    if (body.size() + size * count > receiver.bytes_max) {
        receiver.answer->is_too_large = true;
        return 0;  // ends the transfer
    }
    body.append(bytes, size * count);
    return size * count;
}

class Headers {
public:
    explicit Headers(const std::vector<std::string>& lines) {
        for (const std::string& line : lines) {
            list_ = library().append(list_, line.c_str());
        }
    }

    Headers(const Headers&) = delete;
    Headers& operator=(const Headers&) = delete;

    ~Headers() { library().free_list(list_); }

    [[nodiscard]] curl_slist* list() const { return list_; }

private:
    curl_slist* list_ = nullptr;
};

// HEAD has no body. A PUT is sent as a form.
void set_method(void* handle, const HttpRequest& request) {
    const LibCurl& curl = library();
    if (request.method == "HEAD") {
        curl.set(handle, CURLOPT_NOBODY, 1L);
    } else if (request.method == "PUT") {
        // A form and no upload: libcurl computes the digest for the signature only from the bytes
        // of a form.
        curl.set(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.size()));
        curl.set(handle, CURLOPT_POSTFIELDS, request.body.data());
        curl.set(handle, CURLOPT_CUSTOMREQUEST, "PUT");
    } else if (request.method != "GET") {
        curl.set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
}

// Sets all options. Returns false if this libcurl cannot sign requests. A transfer that is slower
// than k_slow_bytes_s for k_slow_s is given up.
bool set_options(void* handle, const HttpRequest& request, const Headers& headers) {
    const LibCurl& curl = library();
    set_method(handle, request);
    curl.set(handle, CURLOPT_URL, request.url.c_str());
    // The request contains keys, so only an S3 server may get it: no file:// and no gopher://.
    curl.set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.set(handle, CURLOPT_NOSIGNAL, 1L);
    curl.set(handle, CURLOPT_HTTPHEADER, headers.list());
    curl.set(handle, CURLOPT_USERPWD, request.user.c_str());
    curl.set(handle, CURLOPT_CONNECTTIMEOUT_MS, k_connect_ms);
    curl.set(handle, CURLOPT_LOW_SPEED_LIMIT, k_slow_bytes_s);
    curl.set(handle, CURLOPT_LOW_SPEED_TIME, k_slow_s);
    curl.set(handle, CURLOPT_WRITEFUNCTION, &receive);
    return curl.set(handle, CURLOPT_AWS_SIGV4, request.signing.c_str()) == CURLE_OK;
}

}  // namespace

Connections::~Connections() {
    for (void* handle : idle_) {
        library().cleanup(handle);
    }
}

void* Connections::take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
        return library().init();
    }
    void* handle = idle_.back();
    idle_.pop_back();
    library().reset(handle);
    return handle;
}

void Connections::put_back(void* handle) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(handle);
}

namespace {

bool is_one_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](const char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
}

// Refuses control characters. libcurl sends headers unchanged, so a region with a new line would
// become a header of its own.
Status check_lines(const HttpRequest& request) {
    const bool is_plain =
        is_one_line(request.method) && is_one_line(request.url) && is_one_line(request.signing)
        && is_one_line(request.user)
        && std::all_of(request.headers.begin(), request.headers.end(), is_one_line);
    return is_plain ? Status()
                    : fail("s3.setting",
                           "the endpoint, the bucket, the region or a key has a character that no "
                           "header may have",
                           "look at [DataBackend] for new lines and control characters");
}

}  // namespace

Result<HttpAnswer> Connections::send(const HttpRequest& request) {
    DRYDOCK_TRY(check_lines(request));
    const LibCurl& curl = library();
    void* handle = curl.missing.empty() ? take() : nullptr;
    if (handle == nullptr) {
        return fail("s3.library",
                    fmt::format("the blobs lie in S3, and {} is not there", curl.missing),
                    "install libcurl4");
    }
    const Headers headers(request.headers);
    HttpAnswer answer;
    Receiver receiver = {&answer, request.answer_bytes_max};
    if (!set_options(handle, request, headers)) {
        curl.cleanup(handle);
        return fail("s3.library", "libcurl cannot sign requests", "install libcurl4 7.86 or later");
    }
    curl.set(handle, CURLOPT_WRITEDATA, &receiver);
    std::string problem(CURL_ERROR_SIZE, '\0');
    curl.set(handle, CURLOPT_ERRORBUFFER, problem.data());
    const CURLcode code = curl.perform(handle);
    curl.info(handle, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_off_t length = -1;
    curl.info(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    answer.content_length = length;
    if (code != CURLE_OK && !answer.is_too_large) {
        answer.status = 0;
        answer.problem = fmt::format("{} (curl {})", problem.c_str(), static_cast<int>(code));
    }
    curl.set(handle, CURLOPT_ERRORBUFFER, nullptr);
    put_back(handle);
    return answer;
}

}  // namespace drydock::mover::s3
