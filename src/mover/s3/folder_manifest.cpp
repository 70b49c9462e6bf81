// One JSON object a line; the first line names the format.
#include "mover/s3/folder_manifest.h"

#include "base/json.h"
#include "mover/s3/folder_names.h"

#include <fmt/format.h>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_passed_max = 100;

FolderEntry entry_of(const Json& json) {
    FolderEntry entry;
    entry.key = json["key"].as_string();
    entry.path = json["path"].as_string();
    entry.bytes = json["bytes"].as_int();
    entry.etag = json["etag"].as_string();
    entry.sha256 = json["sha256"].as_string();
    entry.tags = json["tags"].as_string();
    for (const auto& [name, value] : json["headers"].members()) {
        entry.headers.emplace_back(name, value.as_string());
    }
    return entry;
}

}  // namespace

std::string FolderEntry::line() const {
    Json json;
    json.set("key", key).set("path", path).set("bytes", bytes).set("etag", etag);
    json.set("sha256", sha256);
    Json header_json = Json::Object{};
    for (const auto& [name, value] : headers) {
        header_json.set(name, value);
    }
    return json.set("headers", std::move(header_json)).set("tags", tags).dump();
}

std::string manifest_path(const std::string& folder) {
    return folder + "/" + std::string(k_own_name) + "manifest.jsonl";
}

FolderEntries::FolderEntries(const std::string& folder)
    : path_(manifest_path(folder))
    , file_(path_) {
    std::string head;
    std::getline(file_, head);
    ++line_;
}

Status FolderEntries::next() {
    entry_.reset();
    std::string line;
    if (!std::getline(file_, line)) {
        return {};
    }
    ++line_;
    const auto json = Json::parse(line);
    if (!json || !(*json)["key"].is_string()) {
        return fail("s3.folder_manifest",
                    fmt::format("{}:{}: no entry of a manifest", path_, line_),
                    "remove the file: headers and tags are not known then");
    }
    entry_ = entry_of(*json);
    return {};
}

Result<std::optional<FolderEntry>> FolderEntries::find(const std::string& key) {
    while (!entry_ || entry_->key < key) {
        if (entry_ && passed_.size() < k_passed_max) {
            passed_.push_back(entry_->key);
        }
        DRYDOCK_TRY(next());
        if (!entry_) {
            return std::nullopt;
        }
    }
    if (entry_->key != key) {
        return std::nullopt;
    }
    std::optional<FolderEntry> found = std::move(entry_);
    entry_.reset();
    return found;
}

Status FolderEntries::rest() {
    do {
        if (entry_ && passed_.size() < k_passed_max) {
            passed_.push_back(entry_->key);
        }
        DRYDOCK_TRY(next());
    } while (entry_);
    return {};
}

}  // namespace drydock::mover::s3
