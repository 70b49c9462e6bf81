// Secrets: put into a request in memory, and kept out of every file and every answer.
//
// A request on disk and on screen has `${secret:NAME}`; fill_secrets() replaces it just before the
// effect. Redactor replaces each occurrence of a secret in output and evidence by `***`. It knows
// the whole value, each of its lines, and their base64, URL and hex forms. A line of under 6 bytes
// is only hidden as part of the whole. Pure; not thread-safe.
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::agent {

// Returns `value` with every `${secret:NAME}` in its strings replaced, but not below a key
// "script", which is written to disk. "agent.secret_missing" names the first secret that did not
// come.
[[nodiscard]] Result<Json> fill_secrets(const Json& value, const Json& secrets);

// Hides secrets in a stream that comes in portions, also a secret that is cut between two of them.
class Redactor {
public:
    explicit Redactor(const Json& secrets);  // {NAME: value}

    [[nodiscard]] bool hides_something() const { return !values_.empty(); }

    // Returns the text that can be shown now. The last bytes wait until no secret can start there.
    [[nodiscard]] std::string feed(std::string_view bytes);
    [[nodiscard]] std::string finish();  // returns the rest

    [[nodiscard]] std::string redact(std::string_view text) const;
    [[nodiscard]] Json redact(const Json& value) const;  // in all its strings, not in keys

private:
    // Removes the front of `text` as long as a secret that starts there would be whole.
    [[nodiscard]] std::string take(std::string& text, std::size_t look_ahead) const;

    std::vector<std::string> values_;         // longest first
    std::array<bool, 256> first_bytes_ = {};  // true for each first byte of a value
    std::string waiting_;
};

}  // namespace drydock::agent
