// Verifies AWS signature version 4 from the raw request, and the helpers of digests and encodings.
#include "fake_s3/fake_s3.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace fake_s3 {

namespace {

std::string digest(std::string_view bytes, const EVP_MD* kind) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), result.data(), &size, kind, nullptr);
    return {reinterpret_cast<const char*>(result.data()), size};
}

std::string hmac(const std::string& key, const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
    unsigned int size = 0;
    HMAC(EVP_sha256(),
         key.data(),
         static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()),
         text.size(),
         result.data(),
         &size);
    return {reinterpret_cast<const char*>(result.data()), size};
}

std::string hex(std::string_view bytes) {
    std::string result;
    for (const char c : bytes) {
        result += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return result;
}

std::string part(const std::string& text, const std::string& begin, char end) {
    const auto place = text.find(begin);
    if (place == text.npos) {
        return "";
    }
    const auto from = place + begin.size();
    return text.substr(from, std::min(text.find(end, from), text.size()) - from);
}

std::string canonical_query(const Request& request) {
    std::vector<std::pair<std::string, std::string>> parts;
    for (const auto& [name, value] : request.query) {
        parts.emplace_back(encode(name, false), encode(value, false));
    }
    std::sort(parts.begin(), parts.end());
    std::string text;
    for (const auto& [name, value] : parts) {
        text += (text.empty() ? "" : "&") + name + "=" + value;
    }
    return text;
}

// Amazon demands host and all x-amz-* headers among the signed ones.
bool signs_all(const Request& request, const std::string& names) {
    return std::all_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
        const bool must = header.first == "host" || header.first.starts_with("x-amz-");
        return !must || (";" + names + ";").find(";" + header.first + ";") != std::string::npos;
    });
}

std::int64_t seconds_of(const std::string& stamp) {
    std::tm parts{};
    return strptime(stamp.c_str(), "%Y%m%dT%H%M%SZ", &parts) == nullptr ? 0 : timegm(&parts);
}

}  // namespace

std::string encode(std::string_view text, bool keeps_slash) {
    std::string result;
    for (const char c : text) {
        const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'
                              || c == '_' || c == '.' || c == '~' || (keeps_slash && c == '/');
        result +=
            is_plain ? std::string(1, c)
                     : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return result;
}

std::string decode(std::string_view text, bool has_plus) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const std::string code(text.substr(i + 1, 2));
            result += static_cast<char>(std::strtol(code.c_str(), nullptr, 16));
            i += 2;
        } else {
            result += has_plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    return result;
}

std::string escape(std::string_view text) {
    std::string result;
    for (const char c : text) {
        result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    }
    return result;
}

std::string md5_raw(std::string_view bytes) {
    return digest(bytes, EVP_md5());
}

std::string md5_hex(std::string_view bytes) {
    return hex(md5_raw(bytes));
}

std::string sha256_hex(std::string_view bytes) {
    return hex(digest(bytes, EVP_sha256()));
}

std::string sha256_base64(std::string_view bytes) {
    const std::string raw = digest(bytes, EVP_sha256());
    std::array<unsigned char, 64> text{};
    const int size = EVP_EncodeBlock(text.data(),
                                     reinterpret_cast<const unsigned char*>(raw.data()),
                                     static_cast<int>(raw.size()));
    return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

Response error(int status, const std::string& code, const std::string& message) {
    return {
        status,
        {{"content-type", "application/xml"}},
        fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>{}</Message></Error>",
                    code,
                    escape(message))};
}

Response check_signature(const Request& request, std::int64_t now_s) {
    const std::string given = request.header("authorization");
    const std::string credential = part(given, "Credential=", ',');
    const std::string names = part(given, "SignedHeaders=", ',');
    const std::string stamp = request.header("x-amz-date");
    const std::string payload = request.header("x-amz-content-sha256");
    const auto scope_begin = credential.find('/');
    if (!given.starts_with("AWS4-HMAC-SHA256 ") || scope_begin == credential.npos
        || credential.substr(0, scope_begin) != FakeS3::access_key) {
        return error(403, "InvalidAccessKeyId");
    }
    if (std::llabs(seconds_of(stamp) - now_s) > 900) {
        return error(403, "RequestTimeTooSkewed");
    }
    if (payload != sha256_hex(request.body)) {
        return error(400, "XAmzContentSHA256Mismatch");
    }
    if (!signs_all(request, names)) {
        return error(403, "AccessDenied", "There were headers present which were not signed");
    }
    if (encode(decode(request.raw_path, false), true) != request.raw_path) {
        return error(403, "SignatureDoesNotMatch", "the path is encoded in another way");
    }
    std::string canonical =
        request.method + "\n" + request.raw_path + "\n" + canonical_query(request) + "\n";
    std::size_t begin = 0;
    while (begin < names.size()) {
        const auto end = std::min(names.find(';', begin), names.size());
        const std::string name = names.substr(begin, end - begin);
        canonical += name + ":" + request.header(name) + "\n";
        begin = end + 1;
    }
    canonical += "\n" + names + "\n" + payload;
    const std::string scope = credential.substr(scope_begin + 1);
    const std::string text =
        "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + sha256_hex(canonical);
    std::string key = fmt::format("AWS4{}", FakeS3::secret_key);
    begin = 0;
    while (begin < scope.size()) {
        const auto end = std::min(scope.find('/', begin), scope.size());
        key = hmac(key, scope.substr(begin, end - begin));
        begin = end + 1;
    }
    if (hex(hmac(key, text)) != part(given, "Signature=", ',')) {
        return error(403, "SignatureDoesNotMatch");
    }
    return {};
}

}  // namespace fake_s3
