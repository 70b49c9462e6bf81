// Lines of the manifest, written by hand: a JSON value for each of millions of entries would cost
// more than the copy of a small file.
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "mover/tree/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace drydock::mover::tree {
namespace {

constexpr std::array k_kinds = {Kind::file,
                                Kind::folder,
                                Kind::link,
                                Kind::fifo,
                                Kind::socket,
                                Kind::character_device,
                                Kind::block_device};

constexpr std::size_t k_line_bytes = 256;  // of most lines, without the path

using Out = std::back_insert_iterator<std::string>;

// The size of the UTF-8 character that the text begins with; 0 if it begins with none.
std::size_t character_size(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    const std::size_t size = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
    if (size == 0 || size > text.size()) {
        return 0;
    }
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    if (size < 3) {
        return size;
    }
    const unsigned second = byte(1);
    const bool is_wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)
                          || (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return is_wrong ? 0 : size;
}

}  // namespace

bool is_text(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t size = character_size(bytes);
        if (size == 0) {
            return false;
        }
        bytes.remove_prefix(size);
    }
    return true;
}

namespace {

// fmt would cost more than all else that is done for a small file outside of the kernel.
void write_number(std::string& line, std::int64_t number) {
    std::array<char, 20> digits;
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    line.append(digits.data(), written.ptr);
}

// Digits in a base of at most 10, with zeros in front.
void write_padded(std::string& line, std::uint64_t number, unsigned base, std::size_t width) {
    std::array<char, 16> digits;
    for (std::size_t at = width; at-- > 0; number /= base) {
        digits.at(at) = static_cast<char>('0' + number % base);
    }
    line.append(digits.data(), width);
}

bool is_plain(char character) {
    return character != '"' && character != '\\' && static_cast<unsigned char>(character) >= 0x20;
}

void write_quoted(std::string& line, std::string_view text) {
    line += '"';
    if (std::all_of(text.begin(), text.end(), is_plain)) {
        line += text;
        line += '"';
        return;
    }
    for (const char character : text) {
        if (character == '"' || character == '\\') {
            line += '\\';
            line += character;
        } else if (static_cast<unsigned char>(character) < 0x20) {
            fmt::format_to(Out(line), "\\u{:04x}", static_cast<unsigned>(character));
        } else {
            line += character;
        }
    }
    line += '"';
}

// Bytes that are no text are written in base64 under another key.
void write_bytes(std::string& line, std::string_view key, std::string_view bytes) {
    if (is_text(bytes)) {
        line += '"';
        line += key;
        line += "\":";
        write_quoted(line, bytes);
    } else {
        fmt::format_to(Out(line), "\"{}_base64\":\"{}\"", key, base64_encode(bytes));
    }
}

void write_time(std::string& line, std::string_view key, const Time& time) {
    line += ",\"";
    line += key;
    line += "\":\"";
    write_number(line, time.seconds);
    line += '.';
    write_padded(line, time.nanoseconds, 10, 9);
    line += '"';
}

void write_extended(std::string& line, const ExtendedAttributes& extended) {
    line += ",\"extended\":[";
    for (const auto& [name, value] : extended) {
        line += line.back() == '[' ? "{" : ",{";
        write_bytes(line, "name", name);
        fmt::format_to(Out(line), ",\"value_base64\":\"{}\"}}", base64_encode(value));
    }
    line += ']';
}

Result<std::string> bytes_of(const Json& object, const std::string& key) {
    const Json& encoded = object[key + "_base64"];
    return encoded.is_string() ? base64_decode(encoded.as_string())
                               : Result<std::string>(object[key].as_string());
}

Result<std::string> from_hex(const std::string& text) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
        unsigned value = 0;
        const char* begin = text.data() + at;
        if (std::from_chars(begin, begin + 2, value, 16).ptr != begin + 2) {
            return fail("tree.manifest", "a digest is no hex");
        }
        bytes += static_cast<char>(value);
    }
    return bytes;
}

Time time_from(const std::string& text) {
    Time time;
    const auto dot = text.find('.');
    std::from_chars(text.data(), text.data() + std::min(dot, text.size()), time.seconds);
    if (dot != text.npos) {
        std::from_chars(text.data() + dot + 1, text.data() + text.size(), time.nanoseconds);
    }
    return time;
}

Result<Kind> kind_from(const std::string& text) {
    for (const Kind kind : k_kinds) {
        if (text == name_of(kind)) {
            return kind;
        }
    }
    return fail("tree.manifest", fmt::format("\"{}\" is no kind of entry", text));
}

Result<ExtendedAttributes> extended_from(const Json& array) {
    ExtendedAttributes extended;
    for (const Json& item : array.items()) {
        DRYDOCK_TRY_ASSIGN(std::string name, bytes_of(item, "name"));
        DRYDOCK_TRY_ASSIGN(std::string value, base64_decode(item["value_base64"].as_string()));
        extended.emplace_back(std::move(name), std::move(value));
    }
    return extended;
}

Result<ManifestEntry> entry_from(const Json& line) {
    ManifestEntry found;
    DRYDOCK_TRY_ASSIGN(found.path, bytes_of(line, "path"));
    DRYDOCK_TRY_ASSIGN(found.entry.kind, kind_from(line["kind"].as_string()));
    const std::string& mode = line["mode"].as_string();
    std::from_chars(mode.data(), mode.data() + mode.size(), found.entry.mode, 8);
    found.entry.user = static_cast<uid_t>(line["user"].as_int());
    found.entry.group = static_cast<gid_t>(line["group"].as_int());
    found.entry.modified = time_from(line["modified"].as_string());
    found.entry.bytes = line["bytes"].as_int();
    found.entry.special = line["device"].as_uint().value_or(0);
    found.flags = static_cast<std::uint32_t>(line["flags"].as_int());
    found.has_changed = line["changed"].as_bool();
    DRYDOCK_TRY_ASSIGN(found.digest, from_hex(line["digest"].as_string()));
    DRYDOCK_TRY_ASSIGN(found.link_target, bytes_of(line, "target"));
    found.inode = line["inode"].as_string();
    DRYDOCK_TRY_ASSIGN(found.extended, extended_from(line["extended"]));
    return found;
}

// What every entry has.
void write_common(std::string& line, const Entry& entry) {
    line += ",\"kind\":\"";
    line += name_of(entry.kind);
    line += "\",\"mode\":\"";
    write_padded(line, entry.mode, 8, 4);
    line += "\",\"user\":";
    write_number(line, entry.user);
    line += ",\"group\":";
    write_number(line, entry.group);
    write_time(line, "modified", entry.modified);
}

std::string hex_of(const std::string& bytes) {
    return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace

std::string line_of(const ManifestEntry& found) {
    const Entry& entry = found.entry;
    std::string line;
    line.reserve(found.path.size() + k_line_bytes);
    line += '{';
    write_bytes(line, "path", found.path);
    write_common(line, entry);
    if (entry.kind == Kind::file) {
        line += ",\"bytes\":";
        write_number(line, entry.bytes);
        line += ",\"digest\":\"";
        line += hex_of(found.digest);
        line += '"';
    }
    if (entry.kind == Kind::link) {
        line += ',';
        write_bytes(line, "target", found.link_target);
    }
    if (entry.kind == Kind::character_device || entry.kind == Kind::block_device) {
        fmt::format_to(Out(line), ",\"device\":{}", entry.special);
    }
    if (found.flags != 0) {
        fmt::format_to(Out(line), ",\"flags\":{}", found.flags);
    }
    if (!found.extended.empty()) {
        write_extended(line, found.extended);
    }
    if (!found.inode.empty()) {
        fmt::format_to(Out(line), ",\"inode\":\"{}\"", found.inode);
    }
    line += found.has_changed ? ",\"changed\":true}" : "}";
    return line;
}

std::string removal_of(const std::string& path) {
    std::string line = "{";
    write_bytes(line, "path", path);
    return line + ",\"removed\":true}";
}

std::string_view key_of(std::string_view line) {
    constexpr std::string_view begin = R"({"path)";
    if (!line.starts_with(begin)) {
        return {};
    }
    const auto quote = line.find(R"(":")", begin.size());
    for (std::size_t at = quote == line.npos ? line.size() : quote + 3; at < line.size(); ++at) {
        if (line[at] == '"') {
            return line.substr(0, at);
        }
        at += line[at] == '\\' ? 1U : 0U;
    }
    return {};
}

Result<ManifestEntry> entry_of(std::string_view line) {
    const auto json = Json::parse(line);
    if (!json || !json->is_object()) {
        return fail("tree.manifest", "a line is no JSON object");
    }
    return entry_from(*json);
}

}  // namespace drydock::mover::tree
