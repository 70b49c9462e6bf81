// OpenSSL's digests. MD5 is no protection against an attacker here; it is what ETags are made of.
#include "mover/s3/running_sum.h"

#include "base/check.h"
#include "base/hash.h"

#include <openssl/evp.h>

#include <array>

namespace drydock::mover::s3 {
namespace {

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

const EVP_MD* digest_of(DigestKind kind) {
    switch (kind) {
    case DigestKind::md5:
        return EVP_md5();
    case DigestKind::sha256:
        return EVP_sha256();
    case DigestKind::sha512:
        return EVP_sha512();
    }
    return nullptr;
}

}  // namespace

struct RunningSum::Context {
    std::unique_ptr<EVP_MD_CTX, FreeContext> handle{EVP_MD_CTX_new()};
    DigestKind kind;

    explicit Context(DigestKind digest_kind) : kind(digest_kind) { begin(); }

    void begin() const { CHECK(EVP_DigestInit_ex(handle.get(), digest_of(kind), nullptr) == 1); }
};

RunningSum::RunningSum(DigestKind kind) : context_(std::make_unique<Context>(kind)) {
}

RunningSum::RunningSum(RunningSum&&) noexcept = default;
RunningSum& RunningSum::operator=(RunningSum&&) noexcept = default;
RunningSum::~RunningSum() = default;

void RunningSum::add(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_->handle.get(), bytes.data(), bytes.size()) == 1);
}

std::string RunningSum::take() {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    CHECK(EVP_DigestFinal_ex(context_->handle.get(), digest.data(), &size) == 1);
    context_->begin();
    return to_hex({digest.data(), size});
}

}  // namespace drydock::mover::s3
