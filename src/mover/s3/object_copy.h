// ObjectCopy: one object, or one version of it, copied within a server, without its bytes passing
// through this process.
//
// A small object is one CopyObject. A large one, or one that was uploaded in parts, is a multipart
// upload with the source's own part sizes, so that its ETag comes out the same. Metadata, content
// headers, tags and storage class are read first, because a part carries none of them. Not
// thread-safe.
#pragma once

#include "mover/s3/client.h"
#include "mover/s3/list_cursor.h"
#include "mover/s3/part_sizes.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace drydock::mover::s3 {

// What is the same for all copies of a clone. Borrowed by each.
struct CopyContext {
    Listing source;
    Listing target;
    bool keeps_acl = false;
    std::int64_t copy_bytes_max = k_copy_bytes_max;  // tests lower it
    // Called when a multipart upload was made, before its first part; and when it is over.
    std::function<void(const std::string& key, const std::string& id)> upload_begun = {};
    std::function<void(const std::string& id)> upload_ended = {};
    std::function<void(std::int64_t bytes)> bytes_copied = {};  // of a part, or of a whole object
    // Asked before each part. Once it is true, the upload is removed, and the copy fails with
    // "s3.paused".
    std::function<bool()> is_to_stop = {};
};

enum class CopyKind : std::uint8_t {
    verified,  // the target has the ETag and the size of the source
    recorded,  // the copy is complete, and its ETag is another one
    vanished,  // the source has no such object any more
    failed,    // see `error`
};

struct CopyResult {
    CopyKind kind = CopyKind::failed;
    std::string target_etag;
    Error error;
};

class ObjectCopy : public std::enable_shared_from_this<ObjectCopy> {
public:
    using Done = std::function<void(const CopyResult&)>;

    // `key` is relative to both prefixes. `is_version`: of several, so that it must not be sent
    // twice.
    ObjectCopy(const CopyContext& context,
               std::string key,
               ListedObject source,
               bool is_version,
               Done done);

    // Begins. The object keeps itself alive until `done` was called.
    void start();

private:
    [[nodiscard]] Call source_call(const char* method) const;
    [[nodiscard]] Call target_call(const char* method) const;
    [[nodiscard]] NameValues source_headers() const;
    [[nodiscard]] bool wants_parts() const;
    void ask_source(Call call, void (ObjectCopy::*next)(const Answer&));
    void ask_target(Call call, void (ObjectCopy::*next)(const Answer&));

    void copy_whole();
    void on_whole(const Answer& answer);
    void explain_etag(std::string target_etag);
    void on_encrypted_source(const Answer& answer);
    void on_encrypted_target(const Answer& answer);
    void on_source(const Answer& answer);
    void on_first_part(const Answer& answer);
    void plan_parts(std::int64_t first_part);
    void on_tags(const Answer& answer);
    void create_upload();
    void on_upload(const Answer& answer);
    void send_parts();
    void on_part(std::size_t index, const Answer& answer);
    [[nodiscard]] bool stops_between_parts();
    void tell_bytes(std::int64_t bytes) const;
    void complete();
    void on_complete(const Answer& answer);
    void on_target(const Answer& answer);
    void on_target_tags(const Answer& answer);
    void on_tags_put(const Answer& answer);
    void close_upload();
    void on_acl(const Answer& answer);
    void on_acl_put(const Answer& answer);
    void give_up(Error error);
    void on_abort(const Answer& answer);
    void finish_with_etag(std::string target_etag);
    void finish(CopyResult result);
    [[nodiscard]] std::string lost_header(const Answer& target) const;

    const CopyContext& context_;
    std::string key_;
    ListedObject source_;
    bool is_version_;
    Done done_;
    NameValues kept_headers_;  // for CreateMultipartUpload
    std::int64_t part_size_ = 0;
    std::string upload_id_;
    std::vector<std::string> part_etags_;
    std::size_t next_part_ = 0;
    std::size_t parts_done_ = 0;
    std::size_t parts_under_way_ = 0;
    bool has_failed_ = false;
    bool is_source_encrypted_ = false;
    bool is_complete_unknown_ = false;
    int completions_ = 0;
    std::string tags_;           // of the source, as a header has them
    std::string tags_document_;  // the same, as the server answered
    bool has_put_tags_ = false;
    CopyResult result_;
};

}  // namespace drydock::mover::s3
