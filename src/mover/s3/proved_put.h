// Puts of bytes that are at hand. Each says the MD5 of its bytes, which the server compares with
// what came, and the ETag that the target has then is compared with it again.
#pragma once

#include "mover/s3/client.h"

#include <functional>
#include <string>

namespace drydock::mover::s3 {

// Gets the ETag of what was put. Errors: those of the client, and "s3.etag" if it is not the MD5 of
// the bytes and the target does not encrypt.
using PutDone = std::function<void(const Result<std::string>& etag)>;

// Returns the ETag of bytes that were put whole, or as one part. `digest` is their MD5, as md5()
// returns it.
[[nodiscard]] std::string etag_of_md5(const std::string& digest);

// Puts `put.body`, whose MD5 is `digest`, as an object. Where a cut answer lost the ETag, the
// target is asked for it.
void put_object(Client& client, Call put, const std::string& digest, PutDone done);

// Puts `put.body` as a part of an upload. Where a cut answer lost the ETag, it is that of the MD5:
// the completion of the upload proves it.
void put_part(Client& client, Call put, const std::string& digest, PutDone done);

}  // namespace drydock::mover::s3
