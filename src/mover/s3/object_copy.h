// ObjectCopy: one object, or one version of it, copied within a server, without its bytes passing
// through this process.
//
// A small object is one CopyObject. A large one, or one that was uploaded in parts, is a multipart
// upload with the source's own part sizes, so that its ETag comes out the same. Metadata, content
// headers, tags and storage class are read first, because a part carries none of them. Not
// thread-safe.
#pragma once

#include "mover/s3/object_upload.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace drydock::mover::s3 {

// Returns true if the bytes of this object pass through this process: all do, or the server cannot
// copy what one request does not.
[[nodiscard]] bool passes_through(const CopyContext& context, const ListedObject& object);

// Returns true if the copy of this object may be a multipart upload.
[[nodiscard]] bool may_need_upload(const CopyContext& context, const ListedObject& object);

// Reads the ACL of the source and puts it to the target: no copy carries it. `version` may be
// empty. Calls back once. Errors: those of the client.
void copy_acl(const CopyContext& context,
              const std::string& key,
              const std::string& version,
              std::function<void(const Status&)> done);

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
    void ask_source(Call call, void (ObjectCopy::*next)(const Answer&));
    void ask_target(Call call, void (ObjectCopy::*next)(const Answer&));

    void copy_whole();
    void on_whole(const Answer& answer);
    void explain_etag(std::string target_etag);
    void on_encrypted_source(const Answer& answer);
    void on_unequal_target(const Answer& answer);
    void on_source(const Answer& answer);
    void on_first_part(const Answer& answer);
    void plan_parts(std::int64_t first_part);
    void on_tags(const Answer& answer);
    void upload(ObjectTags tags);
    void send_part(UploadPart part, ObjectUpload::PartDone done);
    void finish_with_etag(std::string target_etag);
    void finish(CopyResult result);

    const CopyContext& context_;
    std::string key_;
    ListedObject source_;
    bool is_version_;
    Done done_;
    NameValues kept_headers_;  // for the upload
    std::int64_t part_size_ = 0;
    bool is_source_encrypted_ = false;
    CopyResult result_;
};

}  // namespace drydock::mover::s3
