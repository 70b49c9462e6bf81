// FakeS3: an S3 server in memory on a port of its own of loopback, for tests of faults.
//
// It verifies every signature with code of its own and refuses what Amazon refuses: unsigned
// headers, bodies of another digest, paths that are encoded in another way, clocks that differ by
// 15 minutes. A test sets `fault` to let a request fail in a chosen way, and reads `requests()`
// afterwards. Thread-safe: each connection has a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fake_s3 {

struct Request {
    std::string method;
    std::string raw_path;
    std::string raw_query;
    std::string bucket;
    std::string key;
    std::map<std::string, std::string> query;    // decoded
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;

    [[nodiscard]] bool has(const std::string& name) const { return query.contains(name); }

    [[nodiscard]] std::string header(const std::string& name) const;
    [[nodiscard]] std::string parameter(const std::string& name) const;
};

struct Response {
    int status = 200;
    std::map<std::string, std::string> headers;
    std::string body;
};

enum class Fault : std::uint8_t {
    none,
    slow_down,        // 503 SlowDown, nothing done
    internal_error,   // 500, nothing done
    reset_before,     // the connection ends, nothing done
    reset_after,      // done, and the connection ends without an answer
    error_in_ok,      // 200 with an <Error> of InternalError, nothing done
    cut_answer,       // done; half of the answer comes
    cut_object,       // of a copy: done, and half of the bytes are in the store
    wrong_etag,       // done, with another ETag in the answer and in the store
    duplicate_page,   // of a listing: the page begins at the start again
    missing_page,     // of a listing: the page is skipped
    empty_page,       // of a listing: no key, and "there is more"
    redirect,         // 307 to `redirect_to`
    denied,           // 403
    not_implemented,  // 501
};

struct Version {
    std::string id = {};
    bool is_marker = false;
    std::string body = {};
    std::string etag = {};
    std::map<std::string, std::string> headers = {};  // content-type, x-amz-meta-*, ...
    std::map<std::string, std::string> tags = {};
    std::string acl = "<AccessControlPolicy>private</AccessControlPolicy>";
    std::vector<std::size_t> parts = {};  // sizes; empty: no multipart upload
};

struct Upload {
    std::int64_t begun_s = 0;  // since 1970, by the server's clock
    std::string bucket;
    std::string key;
    Version version;
    std::map<int, std::string> parts;
};

struct Bucket {
    std::map<std::string, std::vector<Version>> objects;  // oldest version first
    bool has_versions = false;
    std::map<std::string, std::string> settings;  // "cors" -> its XML
};

// What a server answers to UploadPartCopy.
enum class PartCopies : std::uint8_t {
    done,
    not_implemented,  // 501
    invalid,          // 400
    ignored,          // takes it for a part without bytes
};

// What this server can. Real servers differ in it.
struct Abilities {
    bool tells_part_sizes = true;       // HEAD with partNumber
    bool checks_copy_condition = true;  // x-amz-copy-source-if-match
    bool checks_sums = true;            // x-amz-checksum-sha256
    bool checks_if_none_match = true;
    bool keeps_tags = true;
    bool takes_tags_of_uploads = true;  // of CreateMultipartUpload
    bool tells_etag_of_complete = true;
    bool encodes_keys = true;   // encoding-type=url
    bool keeps_keys = true;     // false: "a//b" and "c/../a/b" are "a/b", as a file server has it
    bool knows_tags = true;     // false: 400 to ?tagging of an object, and to x-amz-tagging
    bool digests_parts = true;  // the ETag of an upload is made of the MD5s of its parts
    PartCopies part_copies = PartCopies::done;
};

// Returns what is known of Google's S3-compatible interface, from its documents: docs/s3.md.
[[nodiscard]] Abilities as_googles_interface();

class FakeS3 {
public:
    FakeS3();
    FakeS3(const FakeS3&) = delete;
    FakeS3& operator=(const FakeS3&) = delete;
    ~FakeS3();

    [[nodiscard]] std::string endpoint() const;

    [[nodiscard]] std::uint16_t port() const { return port_; }

    // The key that every request must be signed with.
    static constexpr const char* access_key = "FAKEACCESSKEY";
    static constexpr const char* secret_key = "fake/secret+key=";

    // Puts an object into a bucket, which is made if it is missing.
    void put(const std::string& bucket, const std::string& key, const std::string& body);
    // Does the same as a multipart upload with parts of these sizes.
    void put_parts(const std::string& bucket,
                   const std::string& key,
                   const std::string& body,
                   const std::vector<std::size_t>& sizes);
    // Calls `work` with a bucket, under the lock.
    void with(const std::string& bucket, const std::function<void(Bucket&)>& work);
    [[nodiscard]] std::vector<std::string> keys(const std::string& bucket);
    [[nodiscard]] std::string body_of(const std::string& bucket, const std::string& key);
    [[nodiscard]] std::size_t open_uploads();

    [[nodiscard]] std::vector<Request> requests();  // without their bodies
    void forget_requests();
    [[nodiscard]] std::size_t count(const std::string& method, const std::string& query_name = "");

    // Decides the fault of a request. Called under the lock. Set it while no request is under way.
    std::function<Fault(const Request&)> fault;
    Abilities abilities;
    std::string redirect_to;
    std::size_t parts_listed_max = 1000;  // on one page
    std::int64_t clock_offset_s = 0;      // this server's clock minus the true time
    std::size_t page_max = 1000;
    bool keeps_requests = true;  // for requests() and count()

private:
    friend struct Connection;

    [[nodiscard]] Response answer(const Request& request, Fault fault);
    [[nodiscard]] Response answer_bucket(const Request& request, Bucket& bucket, Fault fault);
    [[nodiscard]] Response answer_object(const Request& request, Bucket& bucket, Fault fault);
    [[nodiscard]] Response list(const Request& request, const Bucket& bucket, Fault fault) const;
    [[nodiscard]] Response
    list_versions(const Request& request, const Bucket& bucket, Fault fault) const;
    [[nodiscard]] Response list_uploads(const Request& request) const;
    [[nodiscard]] Response list_parts(const Request& request) const;
    [[nodiscard]] Response put_object(const Request& request, Bucket& bucket, Fault fault);
    [[nodiscard]] Response copy_object(const Request& request, Bucket& bucket, Fault fault);
    [[nodiscard]] Response get_object(const Request& request, const Bucket& bucket) const;
    [[nodiscard]] Response delete_object(const Request& request, Bucket& bucket);
    [[nodiscard]] Response tagging(const Request& request, Bucket& bucket);
    [[nodiscard]] static Response acl(const Request& request, Bucket& bucket);
    [[nodiscard]] Response create_upload(const Request& request);
    [[nodiscard]] Response put_part(const Request& request, Fault fault);
    [[nodiscard]] Response complete_upload(const Request& request, Bucket& bucket, Fault fault);
    [[nodiscard]] const Version* copy_source(const Request& request, Response& refusal);
    void store(Bucket& bucket, const std::string& key, Version version);
    [[nodiscard]] std::string etag_without_digest();
    [[nodiscard]] std::string key_text(const Request& request, const std::string& key) const;

    void serve();
    void talk(int socket);
    // Answers one request; the flag tells if the connection goes on.
    [[nodiscard]] std::pair<std::string, bool> respond(Request request);

    std::mutex mutex_;
    std::map<std::string, Bucket> buckets_;
    std::map<std::string, Upload> uploads_;
    std::vector<Request> requests_;
    int next_id_ = 1;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    bool is_ending_ = false;
    std::vector<int> sockets_;
    std::vector<std::thread> talkers_;
    std::thread acceptor_;
};

// Helpers of the server's own, so that the code under test does not judge itself.
[[nodiscard]] std::string encode(std::string_view text, bool keeps_slash);
[[nodiscard]] std::string decode(std::string_view text, bool has_plus);
[[nodiscard]] std::string escape(std::string_view text);
[[nodiscard]] std::string md5_hex(std::string_view bytes);
[[nodiscard]] std::string md5_raw(std::string_view bytes);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
[[nodiscard]] std::string sha256_base64(std::string_view bytes);
[[nodiscard]] Response error(int status, const std::string& code, const std::string& message = "");
// Returns the reason why the request must be refused; a status of 200 if there is none.
[[nodiscard]] Response check_signature(const Request& request, std::int64_t now_s);

}  // namespace fake_s3
