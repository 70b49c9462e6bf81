// ObjectUpload: one multipart upload at the target, from its creation to the proof that the object
// is there as it should be. Where the parts come from is the caller's matter.
//
// Metadata, tags and storage class are given at the creation, because a part carries none of them,
// and are read back at the end. Not thread-safe.
#pragma once

#include "mover/s3/client.h"
#include "mover/s3/list_cursor.h"
#include "mover/s3/object_facts.h"
#include "mover/s3/part_sizes.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace drydock::mover::s3 {

class ByteBudget;
struct XmlElement;

// Of bytes that pass through this process: objects up to this size are put whole, so that their
// ETags stay; pieces of larger ones are as large, or as the source has them if that is less.
inline constexpr std::int64_t k_piece_bytes_max = 64LL << 20U;

// What is the same for all copies of a clone. Borrowed by each.
struct CopyContext {
    Listing source;
    Listing target;
    bool keeps_acl = false;
    std::int64_t copy_bytes_max = k_copy_bytes_max;  // tests lower it
    ByteBudget* budget = nullptr;                    // for bytes that pass through this process
    std::int64_t piece_bytes_max = k_piece_bytes_max;
    bool passes_all = false;    // all bytes pass through this process
    bool copies_parts = true;   // the target's server: see Abilities
    bool digests_parts = true;  // likewise
    bool keeps_tags = true;     // likewise
    // Called when a multipart upload was made, before its first part; and when it is over.
    std::function<void(const std::string& key, const std::string& id)> upload_begun = {};
    // Called in front of upload_begun, for an upload that a later run may go on with.
    std::function<void(const std::string& id, const std::string& source)> upload_can_resume = {};
    // Returns the id of an upload of a dead run with that source, once; empty if there is none.
    std::function<std::string(const std::string& key, const std::string& source)> take_upload = {};
    std::function<void(const std::string& id)> upload_ended = {};
    // Called when nobody knows if an upload was made.
    std::function<void(const std::string& key)> upload_lost = {};
    std::function<void(std::int64_t bytes)> bytes_copied = {};  // of a part, or of a whole object
    // Asked before each part, and before bytes are read into this process. Once it is true, an
    // upload is removed, and the copy fails with "s3.paused".
    std::function<bool()> is_to_stop = {};

    [[nodiscard]] bool stops() const { return is_to_stop && is_to_stop(); }

    void tell_bytes(std::int64_t bytes) const {
        if (bytes_copied) {
            bytes_copied(bytes);
        }
    }
};

// Returns the error of a copy that a stop has ended. Its key is left for the next run.
[[nodiscard]] Error paused_error();

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

struct UploadPlan {
    std::string key;  // with the prefix of the target
    std::int64_t bytes = 0;
    std::int64_t part_size = 0;  // of all parts but the last one
    NameValues headers;
    ObjectTags tags;
    std::size_t parts_under_way_max = 16;
    // The ETag that must come out. Set: parts of a dead run may be taken, and this proves them.
    std::string proved_by = {};
};

// One part, to be sent with its call, which has no body and no headers yet.
struct UploadPart {
    std::size_t index = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;  // one behind the last byte
    Call call;
};

class ObjectUpload : public std::enable_shared_from_this<ObjectUpload> {
public:
    using PartDone = std::function<void(const Result<std::string>& etag)>;
    using SendPart = std::function<void(UploadPart part, PartDone done)>;
    using Done = std::function<void(const Result<std::string>& etag)>;

    // `send` is called for each part in order, and calls back with the ETag of the part.
    ObjectUpload(const CopyContext& context, UploadPlan plan, SendPart send, Done done);

    // Begins. Calls `done` once with the ETag of the object. Errors: those of the client and of the
    // parts; "s3.etag" for another object; "s3.metadata" for a header or tags that were not kept;
    // "s3.paused" after a stop.
    void start();

private:
    [[nodiscard]] Call target_call(const char* method) const;
    void ask_target(Call call, void (ObjectUpload::*next)(const Answer&));
    void create();
    void on_upload(const Answer& answer);
    void list_parts(std::size_t behind);
    void on_parts(const Answer& answer);
    void on_stale(const Answer& answer);
    [[nodiscard]] bool take_parts(const XmlElement& root);
    void send_parts();
    [[nodiscard]] bool stops_between_parts();
    void on_part(std::size_t index, const Result<std::string>& etag);
    void complete();
    void on_complete(const Answer& answer);
    void on_target(const Answer& answer);
    void read_tags();
    void on_tags(const Answer& answer);
    void on_tags_put(const Answer& answer);
    void give_up(Error error);
    void on_abort(const Answer& answer);
    void finish(const Result<std::string>& result);
    [[nodiscard]] std::string lost_header(const Answer& target) const;

    const CopyContext& context_;
    UploadPlan plan_;
    SendPart send_;
    Done done_;
    std::string upload_id_;
    std::vector<std::string> part_etags_;
    std::size_t next_part_ = 0;
    std::size_t parts_done_ = 0;
    std::size_t parts_under_way_ = 0;
    bool has_failed_ = false;
    bool is_resumed_ = false;  // with an upload of a dead run
    bool is_complete_unknown_ = false;
    int completions_ = 0;
    bool has_put_tags_ = false;
    std::string etag_;
    Error error_;
};

}  // namespace drydock::mover::s3
