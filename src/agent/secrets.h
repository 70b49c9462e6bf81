// Secrets: put into a request in memory, and kept out of everything that is written or told.
//
// A request on disk and on screen has `${secret:NAME}`; fill_secrets() replaces it just before the
// effect. Redactor and redact() replace each occurrence of a secret by `***` in what comes back: of
// its whole value, of each of its lines, and of their base64, URL and hex forms. A line of under 6
// bytes is only hidden as part of the whole. Pure; not thread-safe.
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::agent {

// `value` with every `${secret:NAME}` in its strings replaced, but for what is under a key
// "script" (that is written to disk). "agent.secret_missing" names the first that is not there.
[[nodiscard]] Result<Json> fill_secrets(const Json& value, const Json& secrets);

// Hides secrets in a stream that comes in portions, also one that is cut in two by them.
class Redactor {
public:
    explicit Redactor(const Json& secrets);  // {NAME: value}

    [[nodiscard]] bool hides_something() const { return !values_.empty(); }

    // What can be told now; the last bytes wait until it is clear that no secret starts there.
    [[nodiscard]] std::string feed(std::string_view bytes);
    [[nodiscard]] std::string finish();  // the rest

    [[nodiscard]] std::string redact(std::string_view text) const;
    [[nodiscard]] Json redact(const Json& value) const;  // in all its strings, not in keys

private:
    // Takes from the front of `text` while a secret that starts there would be whole.
    [[nodiscard]] std::string take(std::string& text, std::size_t look_ahead) const;

    std::vector<std::string> values_;         // longest first
    std::array<bool, 256> first_bytes_ = {};  // with which one of them begins
    std::string waiting_;
};

}  // namespace drydock::agent
