// The client's side of TLS. Each call of OpenSSL may want to read or to write before it can go on;
// complete() waits for that and calls again, until the deadline.
#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace drydock::http {
namespace {

constexpr std::size_t k_chunk_bytes = 16U << 10U;  // one record of TLS
constexpr const char* k_too_late = "too late";

// Where distributions keep their authorities. OpenSSL knows the place of its own distribution only,
// and a static program is copied to others.
constexpr std::array k_authorities = {"/etc/ssl/certs/ca-certificates.crt",
                                      "/etc/pki/tls/certs/ca-bundle.crt",
                                      "/etc/ssl/ca-bundle.pem",
                                      "/etc/ssl/cert.pem"};

std::string take_library_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* reason = ERR_reason_error_string(code);
    return reason == nullptr ? "the other side closed" : reason;
}

// Calls until the function is neither waiting for bytes nor for room. Returns its last result, or a
// text.
template <class Call>
tl::expected<int, std::string>
complete(SSL* session, int socket, SteadyTime deadline, const Call& call) {
    for (;;) {
        ERR_clear_error();
        const int result = call();
        const int wanted = result > 0 ? SSL_ERROR_NONE : SSL_get_error(session, result);
        if (wanted == SSL_ERROR_NONE || wanted == SSL_ERROR_ZERO_RETURN) {
            return std::max(result, 0);
        }
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
            return tl::unexpected(take_library_error());
        }
        const short events = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        if (!wait_for(socket, events, deadline)) {
            return tl::unexpected(std::string(k_too_late));
        }
    }
}

bool load_authorities(SSL_CTX* context, const std::string& file) {
    if (!file.empty()) {
        return SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) == 1;
    }
    for (const char* known : k_authorities) {
        std::error_code error;
        if (std::filesystem::exists(known, error)) {
            (void)SSL_CTX_load_verify_locations(context, known, nullptr);
        }
    }
    return SSL_CTX_set_default_verify_paths(context) == 1;
}

// Returns what is wrong with the files; empty if nothing is.
std::string load_files(SSL_CTX* context, const Endpoint& endpoint) {
    if (!load_authorities(context, endpoint.ca)) {
        return "the authorities in " + endpoint.ca + ": " + take_library_error();
    }
    const std::string& certificate = endpoint.certificate;
    if (!certificate.empty()
        && SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
        return "the certificate " + certificate + ": " + take_library_error();
    }
    if (!endpoint.key.empty()
        && SSL_CTX_use_PrivateKey_file(context, endpoint.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return "the key " + endpoint.key + ": " + take_library_error();
    }
    return "";
}

// A certificate names hosts and addresses apart. Only names are told to the server (SNI).
bool set_name(SSL* session, const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> address = {};
    const bool is_address = ::inet_pton(AF_INET, host.c_str(), address.data()) == 1
                            || ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
    if (is_address) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
    }
    // The library's macro for this has casts of C.
    return SSL_set1_host(session, host.c_str()) == 1
           && SSL_ctrl(session,
                       SSL_CTRL_SET_TLSEXT_HOSTNAME,
                       TLSEXT_NAMETYPE_host_name,
                       const_cast<char*>(host.c_str()))
                  == 1;
}

}  // namespace

tl::expected<std::unique_ptr<Stream::Tls>, std::string>
Stream::Tls::open(const Endpoint& endpoint, int socket, SteadyTime deadline) {
    Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    // A buffer may move between two tries to write it.
    SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (std::string problem = load_files(context.get(), endpoint); !problem.empty()) {
        return tl::unexpected(std::move(problem));
    }
    Session session(SSL_new(context.get()), SSL_free);
    if (!session || SSL_set_fd(session.get(), socket) != 1
        || !set_name(session.get(), endpoint.host)) {
        return tl::unexpected(take_library_error());
    }
    const auto agreed =
        complete(session.get(), socket, deadline, [&] { return SSL_connect(session.get()); });
    const auto verified = SSL_get_verify_result(session.get());
    if (verified != X509_V_OK) {
        return tl::unexpected(std::string(X509_verify_cert_error_string(verified)));
    }
    if (!agreed || *agreed == 0) {
        return tl::unexpected(agreed ? "the other side closed" : agreed.error());
    }
    return std::make_unique<Tls>(Tls{std::move(context), std::move(session), socket});
}

tl::expected<void, std::string> Stream::Tls::write(std::string_view bytes,
                                                   SteadyTime deadline) const {
    while (!bytes.empty()) {
        const auto size = static_cast<int>(std::min(bytes.size(), k_chunk_bytes));
        const auto written = complete(session.get(), socket, deadline, [&] {
            return SSL_write(session.get(), bytes.data(), size);
        });
        if (!written || *written == 0) {
            return tl::unexpected(written ? "the other side closed" : written.error());
        }
        bytes.remove_prefix(static_cast<std::size_t>(*written));
    }
    return {};
}

tl::expected<std::string, std::string> Stream::Tls::read(SteadyTime deadline) const {
    std::string bytes(k_chunk_bytes, '\0');
    const auto size = complete(session.get(), socket, deadline, [&] {
        return SSL_read(session.get(), bytes.data(), static_cast<int>(bytes.size()));
    });
    if (!size) {
        return tl::unexpected(size.error());
    }
    bytes.resize(static_cast<std::size_t>(*size));
    return bytes;
}

bool Stream::Tls::has_pending() const {
    return SSL_has_pending(session.get()) == 1;
}

}  // namespace drydock::http
