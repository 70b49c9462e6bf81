// StreamCopy: one object, or one version of it, read from one server and put to another one, or to
// the same one, where that cannot copy it by itself.
//
// Its bytes pass through this process in pieces, of which ByteBudget allows so many at a time. They
// are digested on the way: the MD5 of what was read must be the ETag of the source, and the ETag of
// each piece at the target must be the MD5 of what was sent, where these are digests at all. Not
// thread-safe.
#pragma once

#include "mover/s3/byte_budget.h"
#include "mover/s3/object_copy.h"
#include "mover/s3/running_sum.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace drydock::mover::s3 {

class StreamCopy : public std::enable_shared_from_this<StreamCopy> {
public:
    // As ObjectCopy. `context.budget` is set.
    StreamCopy(const CopyContext& context,
               std::string key,
               ListedObject source,
               bool is_version,
               ObjectCopy::Done done);

    // Begins. The object keeps itself alive until `done` was called.
    void start();

private:
    // A piece that was read and waits for those in front of it.
    struct Piece {
        UploadPart part;
        std::string bytes;
        ObjectUpload::PartDone done;
        std::optional<Error> error = {};
    };

    [[nodiscard]] Call source_call(const char* method) const;
    void ask_source(Call call, void (StreamCopy::*next)(const Answer&));
    void on_head(const Answer& answer);
    void on_first_part(const Answer& answer);
    void read_tags();
    void on_tags(const Answer& answer);
    void copy_bytes();
    void copy_whole();
    void on_whole(std::int64_t share, const Answer& answer);
    void on_put(const Result<std::string>& etag);
    void copy_parts();
    void read_part(UploadPart part, ObjectUpload::PartDone done);
    void get_piece(const std::shared_ptr<Piece>& piece);
    void take_piece(Piece piece);
    void send_piece(Piece piece);
    [[nodiscard]] Status check_source(const std::string& whole_sum) const;
    void finish_with_etag(const std::string& etag);
    void finish(CopyResult result);
    void fail_with(const Error& error);

    const CopyContext& context_;
    std::string key_;
    ListedObject source_;
    bool is_version_;
    ObjectCopy::Done done_;
    NameValues headers_;
    ObjectTags tags_;
    bool is_source_encrypted_ = false;
    std::int64_t part_size_ = 0;  // 0: put whole
    RunningSum whole_sum_{DigestKind::md5};
    std::map<std::size_t, Piece> pieces_;
    std::size_t next_piece_ = 0;
    CopyResult result_;
};

}  // namespace drydock::mover::s3
