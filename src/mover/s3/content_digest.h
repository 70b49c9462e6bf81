// The digest of an object's bytes, read in pieces: memory does not grow with the object.
#pragma once

#include "mover/s3/client.h"
#include "mover/s3/list_cursor.h"
#include "mover/s3/listed_page.h"
#include "mover/s3/running_sum.h"

#include <functional>
#include <memory>
#include <string>

namespace drydock::mover::s3 {

// A part of an object, or all of it.
struct ContentPlace {
    Client* client = nullptr;  // borrowed
    std::string bucket;
    std::string key;
    std::string version;  // empty: the newest
    std::string etag;     // the content must still be this one; empty: any
    std::int64_t begin = 0;
    std::int64_t end = 0;  // one behind the last byte
};

// Returns the place of a listed object's whole content.
[[nodiscard]] ContentPlace place_of(const Listing& side, const ListedObject& object);

// Calls back once with the digest in hex, from drive(). Errors: those of the client; "s3.changed"
// if the object is another one by now; "s3.answer" for a piece of another size.
void digest_content(ContentPlace place,
                    DigestKind kind,
                    std::function<void(const Result<std::string>&)> done);

}  // namespace drydock::mover::s3
