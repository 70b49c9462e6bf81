// AES-256 and digests as a blob of backy2 needs them. What OpenSSL makes for one call is kept for
// each thread: a small block takes less time than to make it anew. Thread-safe.
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

// AES-256-GCM in place: `blob` is the head (tag, nonce) and what is to be encrypted. The nonce must
// stand there already; the tag is written. False if OpenSSL fails.
[[nodiscard]] bool encrypt_blob(std::string_view data_key, char* blob, std::size_t size);
// The way back; false if the tag does not fit.
[[nodiscard]] bool decrypt_blob(std::string_view data_key, char* blob, std::size_t size);

// RFC 3394. Empty if a key has another size.
[[nodiscard]] std::string wrap_key(std::string_view data_key, std::string_view key);
// Empty if the key does not open it.
[[nodiscard]] std::string unwrap_key(std::string_view wrapped, std::string_view key);

// Lower-case hex. Empty if there is no such function. `function` as OpenSSL names it.
[[nodiscard]] std::string digest_hex(const std::string& function, std::string_view bytes);

}  // namespace drydock::mover::blocks
