// SHA-512 for eight texts at once, after FIPS 180-4, section 6.4. Names of variables are those of
// the standard.
//
// A variable holds the same word of all eight texts, so one instruction does a step for all of
// them. Texts have one size, so all lanes have the same number of pieces and the same padding.
//
// The compiler makes the hot function twice, for AVX-512 and for any processor. The loader takes
// the version for this processor when the program starts.
#include "mover/blocks/sha512_lanes.h"

#include <bit>
#include <cstring>

// Not with ThreadSanitizer: it watches the choice between the clones, which the loader asks for
// before it is there, and the program crashes.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define DRYDOCK_FOR_WIDE __attribute__((target_clones("avx512f", "default")))
#else
#define DRYDOCK_FOR_WIDE
#endif

namespace drydock::mover::blocks {
namespace {

// One word of each text, as a vector of 64 bytes.
using Words [[gnu::vector_size(64)]] = std::uint64_t;

constexpr std::size_t k_piece_bytes = 128;
constexpr std::size_t k_piece_words = 16;
constexpr std::size_t k_length_bytes = 16;
constexpr std::size_t k_rounds = 80;

constexpr std::array<std::uint64_t, k_rounds> k_constants = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

constexpr std::array<std::uint64_t, 8> k_start = {0x6a09e667f3bcc908,
                                                  0xbb67ae8584caa73b,
                                                  0x3c6ef372fe94f82b,
                                                  0xa54ff53a5f1d36f1,
                                                  0x510e527fade682d1,
                                                  0x9b05688c2b3e6c1f,
                                                  0x1f83d9abfb41bd6b,
                                                  0x5be0cd19137e2179};

using State = std::array<Words, 8>;
using Pieces = std::array<const char*, k_lanes>;  // of one text each

// Reads a big-endian word.
std::uint64_t word_at(const char* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

#define DRYDOCK_TURN(words, bits) (((words) >> (bits)) | ((words) << (64 - (bits))))

// Runs the compression function over `count` pieces of each text. The message schedule is a ring of
// 16 words: a round replaces the oldest one.
DRYDOCK_FOR_WIDE void hash_pieces(State& state, Pieces pieces, std::size_t count) {
    for (std::size_t piece = 0; piece < count; ++piece) {
        std::array<Words, k_piece_words> w;
        for (std::size_t word = 0; word < k_piece_words; ++word) {
            for (std::size_t lane = 0; lane < k_lanes; ++lane) {
                w[word][lane] = word_at(pieces[lane] + piece * k_piece_bytes + 8 * word);
            }
        }
        auto [a, b, c, d, e, f, g, h] = state;
        for (std::size_t round = 0; round < k_rounds; ++round) {
            Words& now = w[round % k_piece_words];
            if (round >= k_piece_words) {
                const Words& old = w[(round + 1) % k_piece_words];
                const Words& late = w[(round + 14) % k_piece_words];
                now += (DRYDOCK_TURN(old, 1) ^ DRYDOCK_TURN(old, 8) ^ (old >> 7))
                       + w[(round + 9) % k_piece_words]
                       + (DRYDOCK_TURN(late, 19) ^ DRYDOCK_TURN(late, 61) ^ (late >> 6));
            }
            const Words t1 = h + (DRYDOCK_TURN(e, 14) ^ DRYDOCK_TURN(e, 18) ^ DRYDOCK_TURN(e, 41))
                             + ((e & f) ^ (~e & g)) + k_constants[round] + now;
            const Words t2 = (DRYDOCK_TURN(a, 28) ^ DRYDOCK_TURN(a, 34) ^ DRYDOCK_TURN(a, 39))
                             + ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
}

// The padded end of a text: the bytes behind its last whole piece, a one bit, zeros, and its length
// in bits. It takes a second piece if the length does not fit into the first.
struct Tail {
    std::array<char, 2 * k_piece_bytes> bytes{};
    std::size_t pieces = 1;

    explicit Tail(std::string_view text) {
        const std::size_t tail_size = text.size() % k_piece_bytes;
        text.copy(bytes.data(), tail_size, text.size() - tail_size);
        bytes.at(tail_size) = '\x80';
        pieces = tail_size + 1 + k_length_bytes <= k_piece_bytes ? 1 : 2;
        std::uint64_t bits = std::uint64_t{text.size()} * 8;
        for (std::size_t i = 1; bits > 0; ++i, bits >>= 8U) {
            bytes.at(pieces * k_piece_bytes - i) = static_cast<char>(bits & 0xFFU);
        }
    }
};

Sha512 digest_of(const State& state, std::size_t lane) {
    Sha512 digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        digest.at(i) = static_cast<std::uint8_t>(state.at(i / 8)[lane] >> (56U - 8U * (i % 8)));
    }
    return digest;
}

}  // namespace

bool has_sha512_lanes() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") != 0;
#else
    return false;
#endif
}

std::array<Sha512, k_lanes> sha512_lanes(const std::array<std::string_view, k_lanes>& texts) {
    State state{};
    for (std::size_t i = 0; i < state.size(); ++i) {
        state.at(i) += k_start.at(i);  // of every text
    }
    Pieces pieces{};
    Pieces ends{};
    std::array<Tail, k_lanes> tails = {Tail(texts[0]),
                                       Tail(texts[1]),
                                       Tail(texts[2]),
                                       Tail(texts[3]),
                                       Tail(texts[4]),
                                       Tail(texts[5]),
                                       Tail(texts[6]),
                                       Tail(texts[7])};
    for (std::size_t lane = 0; lane < k_lanes; ++lane) {
        pieces.at(lane) = texts.at(lane).data();
        ends.at(lane) = tails.at(lane).bytes.data();
    }
    hash_pieces(state, pieces, texts[0].size() / k_piece_bytes);
    hash_pieces(state, ends, tails[0].pieces);
    std::array<Sha512, k_lanes> digests{};
    for (std::size_t lane = 0; lane < k_lanes; ++lane) {
        digests.at(lane) = digest_of(state, lane);
    }
    return digests;
}

}  // namespace drydock::mover::blocks
