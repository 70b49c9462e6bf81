// AWS signature version 4: the header `Authorization` of a request. Pure.
//
// A signature is valid for 15 minutes around its time, so a request is signed when it is sent and
// again at each retry, never when it is queued.
#pragma once

#include "mover/s3/url.h"

#include <cstdint>
#include <string>

namespace drydock::mover::s3 {

struct Credentials {
    std::string access_key;
    std::string secret_key;     // never shown in an error or a log
    std::string session_token;  // of temporary credentials; may be empty
};

struct SigningScope {
    std::string region;
    std::string service = "s3";
    std::int64_t time_s = 0;  // seconds since 1970, UTC
};

// All that is signed of a request. Every header of `headers` is signed; "host" must be among them.
struct SigningInput {
    std::string method;
    std::string path;    // percent-encoded, begins with "/"
    NameValues query;    // not encoded
    NameValues headers;  // names in any case, in any order; equal names are merged
    std::string payload_sha256;
};

// Returns "20150830T123600Z".
[[nodiscard]] std::string time_stamp(std::int64_t time_s);

[[nodiscard]] std::string canonical_request(const SigningInput& input);

// Returns the value of the header `Authorization`.
[[nodiscard]] std::string
authorization(const SigningInput& input, const Credentials& credentials, const SigningScope& scope);

// MD5, which ETags and `Content-MD5` are made of; 16 bytes.
[[nodiscard]] std::string md5(std::string_view bytes);

}  // namespace drydock::mover::s3
