// Certificates for tests of TLS, made by the program openssl in a folder of the test.
#pragma once

#include "base/check.h"
#include "os/process.h"

#include <string>
#include <vector>

namespace drydock::http {

// An authority that signs certificates: `<folder>/<name>.crt` and `.key`. Keys are elliptic, which
// takes milliseconds.
class TestAuthority {
public:
    TestAuthority(std::string folder, const std::string& name)
        : folder_(std::move(folder))
        , name_(name) {
        openssl({"req",
                 "-x509",
                 "-newkey",
                 "ec",
                 "-pkeyopt",
                 "ec_paramgen_curve:prime256v1",
                 "-nodes",
                 "-days",
                 "3650",
                 "-subj",
                 "/CN=" + name,
                 "-keyout",
                 key(name),
                 "-out",
                 certificate(name)});
    }

    // `names` is a list as "IP:127.0.0.1,DNS:localhost".
    void sign(const std::string& name, const std::string& names) const {
        const std::string request = folder_ + "/" + name + ".csr";
        openssl({"req",
                 "-newkey",
                 "ec",
                 "-pkeyopt",
                 "ec_paramgen_curve:prime256v1",
                 "-nodes",
                 "-subj",
                 "/CN=" + name,
                 "-addext",
                 "subjectAltName=" + names,
                 "-keyout",
                 key(name),
                 "-out",
                 request});
        openssl({"x509",
                 "-req",
                 "-in",
                 request,
                 "-CA",
                 certificate(name_),
                 "-CAkey",
                 key(name_),
                 "-CAcreateserial",
                 "-days",
                 "3650",
                 "-copy_extensions",
                 "copy",
                 "-out",
                 certificate(name)});
    }

    [[nodiscard]] std::string certificate(const std::string& name) const {
        return folder_ + "/" + name + ".crt";
    }

    [[nodiscard]] std::string key(const std::string& name) const {
        return folder_ + "/" + name + ".key";
    }

private:
    static void openssl(std::vector<std::string> words) {
        words.insert(words.begin(), "openssl");
        os::RunOptions options;
        options.spawn.argv = std::move(words);
        options.spawn.environment = os::clean_environment({});
        options.timeout_ms = 60'000;
        const auto run = os::run_to_end(options);
        CHECK(run && run->exit.code == 0);
    }

    std::string folder_;
    std::string name_;
};

}  // namespace drydock::http
