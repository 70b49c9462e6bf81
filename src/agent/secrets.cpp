#include "agent/secrets.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

constexpr std::string_view k_open = "${secret:";
constexpr std::string_view k_hidden = "***";

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

}  // namespace

Result<Json> fill_secrets(const Json& value, const Json& secrets) {
    if (value.is_string()) {
        DRYDOCK_TRY_ASSIGN(std::string text, fill_text(value.as_string(), secrets));
        return Json(std::move(text));
    }
    if (value.is_array()) {
        Json filled{Json::Array{}};
        for (const auto& item : value.items()) {
            DRYDOCK_TRY_ASSIGN(Json one, fill_secrets(item, secrets));
            filled.push(std::move(one));
        }
        return filled;
    }
    if (value.is_object()) {
        Json filled{Json::Object{}};
        for (const auto& [key, item] : value.members()) {
            DRYDOCK_TRY_ASSIGN(Json one,
                               key == "script" ? Result<Json>(item) : fill_secrets(item, secrets));
            filled.set(key, std::move(one));
        }
        return filled;
    }
    return value;
}

Redactor::Redactor(const Json& secrets) {
    for (const auto& [name, value] : secrets.members()) {
        if (!value.as_string().empty()) {
            values_.push_back(value.as_string());
        }
    }
    std::sort(values_.begin(), values_.end(), [](const auto& a, const auto& b) {
        return a.size() > b.size();
    });
}

std::string Redactor::take(std::string& text, std::size_t look_ahead) const {
    std::string told;
    std::size_t at = 0;
    while (at < text.size() && text.size() - at >= look_ahead) {
        const auto rest = std::string_view(text).substr(at);
        const auto hit = std::find_if(values_.begin(), values_.end(), [rest](const auto& value) {
            return rest.starts_with(value);
        });
        if (hit != values_.end()) {
            told += k_hidden;
            at += hit->size();
        } else {
            told += text[at++];
        }
    }
    text.erase(0, at);
    return told;
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
        Json told{Json::Array{}};
        for (const auto& item : value.items()) {
            told.push(redact(item));
        }
        return told;
    }
    if (value.is_object()) {
        Json told{Json::Object{}};
        for (const auto& [key, item] : value.members()) {
            told.set(key, redact(item));
        }
        return told;
    }
    return value;
}

}  // namespace drydock::agent
