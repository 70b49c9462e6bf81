// The four tasks of AWS signature version 4: the canonical request, the string to sign, the signing
// key, and the header. The names follow Amazon's own description.
//
// libcurl can sign, too, but before 8.14 it signs path and query as they were written, sorts
// headers by whole lines, and drops what it does not know. So requests are signed here.
#include "mover/s3/signature.h"

#include "base/check.h"
#include "base/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <ctime>
#include <map>

namespace drydock::mover::s3 {
namespace {

constexpr const char* k_algorithm = "AWS4-HMAC-SHA256";

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return result;
}

// Removes spaces at both ends and makes one of several inside.
std::string trimmed(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const bool is_space = c == ' ' || c == '\t' || c == '\n';
        if (!is_space) {
            result += c;
        } else if (!result.empty() && result.back() != ' ') {
            result += ' ';
        }
    }
    if (!result.empty() && result.back() == ' ') {
        result.pop_back();
    }
    return result;
}

// Sorts headers by their names in lower case. Values of equal names are joined by commas, in their
// order.
std::map<std::string, std::string> canonical_headers(const NameValues& headers) {
    std::map<std::string, std::string> result;
    for (const auto& [name, value] : headers) {
        const auto [place, is_new] = result.try_emplace(lower(name), trimmed(value));
        if (!is_new) {
            place->second += "," + trimmed(value);
        }
    }
    return result;
}

std::string signed_names(const std::map<std::string, std::string>& headers) {
    std::string names;
    for (const auto& [name, value] : headers) {
        names += (names.empty() ? "" : ";") + name;
    }
    return names;
}

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;
    const auto* result = HMAC(EVP_sha256(),
                              key.data(),
                              static_cast<int>(key.size()),
                              reinterpret_cast<const unsigned char*>(text.data()),
                              text.size(),
                              bytes.data(),
                              &size);
    CHECK(result != nullptr);
    return {reinterpret_cast<const char*>(bytes.data()), size};
}

std::string scope_text(const SigningScope& scope, std::string_view date) {
    return fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
}

std::string
signing_key(const Credentials& credentials, const SigningScope& scope, std::string_view date) {
    const std::string of_date = hmac("AWS4" + credentials.secret_key, date);
    return hmac(hmac(hmac(of_date, scope.region), scope.service), "aws4_request");
}

std::string hex(std::string_view bytes) {
    return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace

std::string time_stamp(std::int64_t time_s) {
    const std::time_t time = time_s;
    std::tm parts{};
    gmtime_r(&time, &parts);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z",
                       parts.tm_year + 1900,
                       parts.tm_mon + 1,
                       parts.tm_mday,
                       parts.tm_hour,
                       parts.tm_min,
                       parts.tm_sec);
}

std::string canonical_request(const SigningInput& input) {
    const auto headers = canonical_headers(input.headers);
    std::string text =
        fmt::format("{}\n{}\n{}\n", input.method, input.path, canonical_query(input.query));
    for (const auto& [name, value] : headers) {
        text += fmt::format("{}:{}\n", name, value);
    }
    return text + fmt::format("\n{}\n{}", signed_names(headers), input.payload_sha256);
}

std::string authorization(const SigningInput& input,
                          const Credentials& credentials,
                          const SigningScope& scope) {
    const std::string stamp = time_stamp(scope.time_s);
    const std::string date = stamp.substr(0, stamp.find('T'));
    const std::string text = fmt::format("{}\n{}\n{}\n{}",
                                         k_algorithm,
                                         stamp,
                                         scope_text(scope, date),
                                         sha256_hex(canonical_request(input)));
    return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                       k_algorithm,
                       credentials.access_key,
                       scope_text(scope, date),
                       signed_names(canonical_headers(input.headers)),
                       hex(hmac(signing_key(credentials, scope, date), text)));
}

std::string md5(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    const int is_done =
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr);
    CHECK(is_done == 1);
    return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace drydock::mover::s3
