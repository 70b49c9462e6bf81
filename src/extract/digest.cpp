// StreamDigest stands on OpenSSL. It fails only for want of memory, which ends the process.
#include "extract/digest.h"

#include "base/check.h"
#include "base/hash.h"

#include <openssl/evp.h>

#include <array>

namespace drydock::extract {

struct StreamDigest::Context {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state{EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free};
    const EVP_MD* algorithm = nullptr;

    void begin() { CHECK(EVP_DigestInit_ex(state.get(), algorithm, nullptr) == 1); }
};

StreamDigest::StreamDigest(Algorithm algorithm) : context_(std::make_unique<Context>()) {
    CHECK(context_->state != nullptr);
    context_->algorithm = algorithm == Algorithm::sha256 ? EVP_sha256() : EVP_sha512();
    context_->begin();
}

StreamDigest::StreamDigest(StreamDigest&&) noexcept = default;
StreamDigest& StreamDigest::operator=(StreamDigest&&) noexcept = default;
StreamDigest::~StreamDigest() = default;

void StreamDigest::update(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_->state.get(), bytes.data(), bytes.size()) == 1);
}

std::string StreamDigest::finish_hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    CHECK(EVP_DigestFinal_ex(context_->state.get(), digest.data(), &size) == 1);
    context_->begin();
    return to_hex({digest.data(), size});
}

}  // namespace drydock::extract
