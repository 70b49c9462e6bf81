// AES-256 and digests as a blob of backy2 needs them. Objects of OpenSSL are kept for each thread:
// to make them takes longer than a small block. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace drydock::mover::blocks {

inline constexpr std::size_t k_key_bytes = 32;
inline constexpr std::size_t k_tag_bytes = 16;
inline constexpr std::size_t k_nonce_bytes = 16;
inline constexpr std::size_t k_head_bytes = k_tag_bytes + k_nonce_bytes;
inline constexpr std::size_t k_envelope_bytes = 40;

// Encrypts with AES-256-GCM in place. `blob` is the head (tag, nonce) and the plain bytes. The
// nonce must be in its place already; the tag is written. Returns false if OpenSSL fails.
[[nodiscard]] bool encrypt_blob(std::string_view data_key, char* blob, std::size_t size);
// Decrypts in place. Returns false if the tag does not fit.
[[nodiscard]] bool decrypt_blob(std::string_view data_key, char* blob, std::size_t size);

// Wraps a data key by RFC 3394. Returns an empty text if a key has another size.
[[nodiscard]] std::string wrap_key(std::string_view data_key, std::string_view key);
// Unwraps a data key. Returns an empty text if the key does not open it.
[[nodiscard]] std::string unwrap_key(std::string_view wrapped, std::string_view key);

// Returns the digest in lower-case hex; empty if there is no such function. `function` is OpenSSL's
// name.
[[nodiscard]] std::string digest_hex(const std::string& function, std::string_view bytes);

}  // namespace drydock::mover::blocks
