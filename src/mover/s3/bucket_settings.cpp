// Each setting is a document that is read from one bucket and put to the other one unchanged. A
// policy names its own bucket, so that name is replaced.
#include "mover/s3/bucket_settings.h"

#include "base/text.h"

#include <optional>

namespace drydock::mover::s3 {
namespace {

constexpr const char* k_names[] = {"versioning", "policy", "lifecycle", "cors", "tagging"};

Call setting_call(const char* method, const std::string& bucket, const char* name) {
    return {.method = method, .bucket = bucket, .query = {{name, ""}}};
}

// A bucket without versioning answers with an empty document, and one without the others with 404.
bool is_absent(const Answer& answer, const std::string& name) {
    return answer.kind == AnswerKind::missing
           || (answer.is_done() && name == "versioning"
               && answer.wire.body.find("<Status>") == std::string::npos);
}

std::string replaced(std::string text, const std::string& old_name, const std::string& new_name) {
    const std::string begin = ":::";
    for (std::size_t at = 0; (at = text.find(begin + old_name, at)) != text.npos;) {
        const auto end = at + begin.size() + old_name.size();
        const bool is_whole = end < text.size() && (text[end] == '"' || text[end] == '/');
        text.replace(
            at, is_whole ? begin.size() + old_name.size() : 0, is_whole ? begin + new_name : "");
        at += begin.size();
    }
    return text;
}

struct Sides {
    HttpLoop& loop;
    Client& source;
    const std::string& source_bucket;
    Client& target;
    const std::string& target_bucket;
};

SettingDifference copy_setting(const Sides& sides, const char* name, const std::string& text) {
    Call put = setting_call("PUT", sides.target_bucket, name);
    put.body = text;
    put.headers = {{"content-md5", base64_encode(md5(text))}};
    const Answer answer = ask(sides.loop, sides.target, std::move(put));
    return answer.is_done()
               ? SettingDifference{name, SettingState::copied, ""}
               : SettingDifference{name, SettingState::unreadable, answer.error.message};
}

// The documents of one setting on both sides.
struct Setting {
    const char* name;
    Answer source;
    Answer target;
};

// Asks for all settings at once: the round trips are most of the time.
std::vector<Setting> read_settings(const Sides& sides) {
    std::vector<Setting> settings;
    for (const char* name : k_names) {
        settings.push_back({name, {}, {}});
    }
    std::size_t left = 2 * settings.size();
    const auto read = [&left](Client& client, Call call, Answer& place) {
        client.call(std::move(call), [&left, &place](const Answer& answer) {
            place = answer;
            --left;
        });
    };
    for (Setting& setting : settings) {
        read(sides.source, setting_call("GET", sides.source_bucket, setting.name), setting.source);
        read(sides.target, setting_call("GET", sides.target_bucket, setting.name), setting.target);
    }
    drive(sides.loop, {&sides.source, &sides.target}, [&] { return left == 0; });
    return settings;
}

std::optional<SettingDifference>
compare_setting(const Sides& sides, const Setting& setting, bool copies) {
    const char* name = setting.name;
    const Answer& from = setting.source;
    const Answer& to = setting.target;
    for (const Answer* answer : {&from, &to}) {
        if (!answer->is_done() && !is_absent(*answer, name)) {
            return SettingDifference{name, SettingState::unreadable, answer->error.message};
        }
    }
    const bool has_source = !is_absent(from, name);
    const bool has_target = !is_absent(to, name);
    if (!has_source && !has_target) {
        return std::nullopt;
    }
    if (!has_source) {
        return SettingDifference{name, SettingState::extra, ""};
    }
    const std::string text = replaced(from.wire.body, sides.source_bucket, sides.target_bucket);
    if (has_target && text == to.wire.body) {
        return SettingDifference{name, SettingState::equal, ""};
    }
    if (copies) {
        return copy_setting(sides, name, text);
    }
    return SettingDifference{name, has_target ? SettingState::differs : SettingState::missing, ""};
}

}  // namespace

const char* name_of(SettingState state) {
    switch (state) {
    case SettingState::equal:
        return "equal";
    case SettingState::missing:
        return "missing";
    case SettingState::differs:
        return "differs";
    case SettingState::extra:
        return "extra";
    case SettingState::copied:
        return "copied";
    case SettingState::unreadable:
        return "unreadable";
    }
    return "";
}

std::vector<SettingDifference> compare_settings(HttpLoop& loop,
                                                Client& source,
                                                const std::string& source_bucket,
                                                Client& target,
                                                const std::string& target_bucket,
                                                bool copies) {
    const Sides sides = {loop, source, source_bucket, target, target_bucket};
    std::vector<SettingDifference> result;
    for (const Setting& setting : read_settings(sides)) {
        if (auto difference = compare_setting(sides, setting, copies)) {
            result.push_back(std::move(*difference));
        }
    }
    return result;
}

}  // namespace drydock::mover::s3
