// Filling secrets into requests, and redacting them from everything that comes back.
//
// Redaction knows the forms in which programs print secrets: as they are, by line, and each of
// these in URL, hex and base64 form. Base64 needs three forms, since the encoding of a text
// depends on its offset in a group of three bytes.
//
// The redactor works on a stream. It holds back as many bytes as the longest form has, so that a
// secret that is cut between two portions is still found. Longer forms are tried first: a secret
// may begin with another secret.
#include "agent/secrets.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::agent {
namespace {

constexpr std::string_view k_open = "${secret:";
constexpr std::string_view k_hidden = "***";

// Replaces each `${secret:NAME}`. An opening without an end stays as it is: it is no reference.
Result<std::string> fill_text(std::string_view text, const Json& secrets) {
    std::string filled;
    for (;;) {
        const auto start = text.find(k_open);
        const auto end = start == text.npos ? text.npos : text.find('}', start);
        filled += text.substr(0, end == text.npos ? text.npos : start);
        if (end == text.npos) {
            return filled;
        }
        const auto name = text.substr(start + k_open.size(), end - start - k_open.size());
        if (!secrets[name].is_string()) {
            return fail("agent.secret_missing",
                        fmt::format("the secret `{}` did not come with the request", name),
                        "name it under `secrets` in the cluster file");
        }
        filled += secrets[name].as_string();
        text.remove_prefix(end + 1);
    }
}

// True if any string of the value has a reference. Members named "script" do not count: scripts
// are written to disk.
bool names_a_secret(const Json& value) {
    if (value.is_string()) {
        return value.as_string().find(k_open) != std::string::npos;
    }
    const auto in_item = [](const Json& item) { return names_a_secret(item); };
    const auto in_member = [](const auto& member) {
        return member.first != "script" && names_a_secret(member.second);
    };
    return std::any_of(value.items().begin(), value.items().end(), in_item)
           || std::any_of(value.members().begin(), value.members().end(), in_member);
}

}  // namespace

Result<Json> fill_secrets(const Json& value, const Json& secrets) {
    if (!names_a_secret(value)) {
        return value;  // shares the caller's value: most requests have no secret
    }
    if (value.is_string()) {
        DRYDOCK_TRY_ASSIGN(std::string text, fill_text(value.as_string(), secrets));
        return Json(std::move(text));
    }
    if (value.is_array()) {
        Json filled{Json::Array{}};
        for (const auto& item : value.items()) {
            DRYDOCK_TRY_ASSIGN(Json filled_item, fill_secrets(item, secrets));
            filled.push(std::move(filled_item));
        }
        return filled;
    }
    if (value.is_object()) {
        Json filled{Json::Object{}};
        for (const auto& [key, item] : value.members()) {
            DRYDOCK_TRY_ASSIGN(Json filled_item,
                               key == "script" ? Result<Json>(item) : fill_secrets(item, secrets));
            filled.set(key, std::move(filled_item));
        }
        return filled;
    }
    return value;
}

namespace {

constexpr std::size_t k_line_bytes_min = 6;  // shorter lines occur in any text
constexpr std::size_t k_form_bytes_min = 8;  // shorter encoded forms, too

std::string url_form(std::string_view text, const char* digits) {
    std::string form;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                           || (c >= '0' && c <= '9') || std::string_view("-_.~").find(c) < 4;
        form += plain ? std::string(1, c)
                      : fmt::format("%{}{}",
                                    digits[static_cast<unsigned char>(c) >> 4U],
                                    digits[static_cast<unsigned char>(c) & 15U]);
    }
    return form;
}

std::string hex_form(std::string_view text, const char* digits) {
    std::string form;
    for (const char c : text) {
        form += digits[static_cast<unsigned char>(c) >> 4U];
        form += digits[static_cast<unsigned char>(c) & 15U];
    }
    return form;
}

// Returns the characters that the base64 text of `text` always has, if `offset` bytes stand before
// it in its group of three. The characters at both ends depend on the neighbours and are left out.
std::string base64_form(std::string_view text, std::size_t offset) {
    const std::string base64 = base64_encode(std::string(offset, 'x') + std::string(text));
    const std::size_t bits = (offset + text.size()) * 8;
    const std::size_t first = (offset * 8 + 5) / 6;
    return bits / 6 > first ? base64.substr(first, bits / 6 - first) : std::string();
}

// Adds the encoded forms of a text that are long enough not to occur by chance.
void add_encoded(std::string_view text, std::vector<std::string>& values) {
    constexpr const char* k_lower = "0123456789abcdef";
    constexpr const char* k_upper = "0123456789ABCDEF";
    std::vector<std::string> forms;
    for (const char* digits : {k_lower, k_upper}) {
        forms.push_back(url_form(text, digits));
        forms.push_back(hex_form(text, digits));
    }
    for (const std::size_t offset : {0U, 1U, 2U}) {
        forms.push_back(base64_form(text, offset));
        std::string url_safe = forms.back();
        std::replace(url_safe.begin(), url_safe.end(), '+', '-');
        std::replace(url_safe.begin(), url_safe.end(), '/', '_');
        forms.push_back(std::move(url_safe));
    }
    std::copy_if(forms.begin(), forms.end(), std::back_inserter(values), [](const auto& form) {
        return form.size() >= k_form_bytes_min;
    });
}

// Adds every text that reveals the secret, or a line of it.
void add_forms(const std::string& secret, std::vector<std::string>& values) {
    if (secret.empty()) {
        return;
    }
    values.push_back(secret);
    add_encoded(secret, values);
    for (const std::string& raw : split(secret, '\n')) {
        const std::string line = trim(raw);
        if (line.size() >= k_line_bytes_min && line != secret) {
            values.push_back(line);
            add_encoded(line, values);
        }
    }
}

}  // namespace

Redactor::Redactor(const Json& secrets) {
    for (const auto& [name, value] : secrets.members()) {
        add_forms(value.as_string(), values_);
    }
    std::sort(values_.begin(), values_.end(), [](const auto& a, const auto& b) {
        return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
    for (const std::string& value : values_) {
        first_bytes_[static_cast<unsigned char>(value.front())] = true;
    }
}

// Returns the redacted front of `text` and removes it. Stops when fewer than `look_ahead` bytes
// are left, because a secret could begin there and end in the next portion.
std::string Redactor::take(std::string& text, std::size_t look_ahead) const {
    std::string result;
    std::size_t position = 0;
    while (position < text.size() && text.size() - position >= look_ahead) {
        const auto rest = std::string_view(text).substr(position);
        const bool may_start = first_bytes_[static_cast<unsigned char>(rest.front())];
        const auto hit =
            std::find_if(may_start ? values_.begin() : values_.end(),
                         values_.end(),
                         [rest](const auto& value) { return rest.starts_with(value); });
        if (hit != values_.end()) {
            result += k_hidden;
            position += hit->size();
        } else {
            result += text[position++];
        }
    }
    text.erase(0, position);
    return result;
}

std::string Redactor::feed(std::string_view bytes) {
    waiting_ += bytes;
    return take(waiting_, values_.empty() ? 1 : values_.front().size());
}

std::string Redactor::finish() {
    return take(waiting_, 0);
}

std::string Redactor::redact(std::string_view text) const {
    std::string copy(text);
    return take(copy, 0);
}

Json Redactor::redact(const Json& value) const {
    if (value.is_string()) {
        return redact(std::string_view(value.as_string()));
    }
    if (value.is_array()) {
        Json result{Json::Array{}};
        for (const auto& item : value.items()) {
            result.push(redact(item));
        }
        return result;
    }
    if (value.is_object()) {
        Json result{Json::Object{}};
        for (const auto& [key, item] : value.members()) {
            result.set(key, redact(item));
        }
        return result;
    }
    return value;
}

}  // namespace drydock::agent
