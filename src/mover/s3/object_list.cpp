// Folders are listed at once, since their order is not that of keys. Manifests are in order, and a
// line that is not is refused: a comparison would take all keys behind it for missing.
#include "mover/s3/object_list.h"

#include "base/json.h"
#include "base/text.h"

#include <fmt/format.h>

namespace drydock::mover::s3 {
namespace {

class FolderObjects final : public ObjectList {
public:
    FolderObjects(FolderTree tree, FolderList list)
        : tree_(std::move(tree))
        , list_(std::move(list)) {
        take();
    }

    [[nodiscard]] const KnownObject* front() const override {
        return next_ <= list_.files.size() ? &object_ : nullptr;
    }

    [[nodiscard]] Status pop() override {
        take();
        return {};
    }

    [[nodiscard]] const FolderTree* tree() const override { return &tree_; }

    [[nodiscard]] std::vector<std::string> skipped() const override { return list_.skipped; }

private:
    void take() {
        if (next_ < list_.files.size()) {
            const FolderFile& file = list_.files[next_];
            object_ = {.key = file.key,
                       .bytes = file.bytes,
                       .etag = {},
                       .sha256 = {},
                       .path = file.path,
                       .content = {}};
        }
        ++next_;
    }

    FolderTree tree_;
    FolderList list_;
    std::size_t next_ = 0;  // one behind the file of object_
    KnownObject object_;
};

class ManifestObjects final : public ObjectList {
public:
    explicit ManifestObjects(const std::string& path)
        : path_(path)
        , file_(path, std::ios::binary) {}

    // Reads the head and the first object.
    [[nodiscard]] Status begin() {
        DRYDOCK_TRY_ASSIGN(const auto head, next_line());
        const std::string format = head ? (*head)["format"].as_string() : "";
        if (format != "drydock-s3-manifest" && format != "drydock-s3-folder") {
            return refuse("this is no manifest", "make one: drydock manifest s3://BUCKET -o FILE");
        }
        if ((*head)["version"].as_int() != 1) {
            return refuse("the format has another version", "use a newer drydock");
        }
        if ((*head)["versions"].as_bool()) {
            return refuse("it lists every version", "make one without --versions");
        }
        return pop();
    }

    [[nodiscard]] const KnownObject* front() const override {
        return object_ ? &*object_ : nullptr;
    }

    [[nodiscard]] Status pop() override {
        DRYDOCK_TRY_ASSIGN(const auto json, next_line());
        if (!json) {
            object_.reset();
            return {};
        }
        const Json& entry = *json;
        if (!entry["key"].is_string() || !entry["bytes"].is_integer()
            || !entry["etag"].is_string()) {
            return refuse("this line has no key, bytes and etag", k_remedy);
        }
        KnownObject object = {.key = entry["key"].as_string(),
                              .bytes = entry["bytes"].as_int(),
                              .etag = entry["etag"].as_string(),
                              .sha256 = entry["sha256"].as_string(),
                              .path = {},
                              .content = {}};
        if (object_ && object.key <= object_->key) {
            return refuse("the keys are out of order", k_remedy);
        }
        object_ = std::move(object);
        return {};
    }

private:
    static constexpr const char* k_remedy = "make the manifest anew";

    [[nodiscard]] tl::unexpected<Error> refuse(const char* reason, const char* remedy) const {
        return fail("s3.manifest", fmt::format("{}:{}: {}", path_, line_, reason), remedy);
    }

    // Returns nothing at the end. The last line ends with a newline, or it was cut.
    [[nodiscard]] Result<std::optional<Json>> next_line() {
        std::string line;
        ++line_;
        if (!std::getline(file_, line)) {
            return file_.eof() && line_ > 1 ? Result<std::optional<Json>>(std::nullopt)
                                            : refuse("the file cannot be read", "look at it");
        }
        auto json = Json::parse(line);
        if (!json || file_.eof()) {
            return refuse("this line is broken", k_remedy);
        }
        return std::optional<Json>(std::move(*json));
    }

    std::string path_;
    std::ifstream file_;
    std::int64_t line_ = 0;
    std::optional<KnownObject> object_;
};

}  // namespace

Result<std::unique_ptr<ObjectList>> open_folder_list(const std::string& folder) {
    DRYDOCK_TRY_ASSIGN(FolderTree tree, FolderTree::open(folder, false));
    if (!tree.exists()) {
        return fail(
            "s3.folder", clip(folder, 200) + ": there is no such folder", "look at its name");
    }
    DRYDOCK_TRY_ASSIGN(FolderList list, tree.list());
    return std::make_unique<FolderObjects>(std::move(tree), std::move(list));
}

Result<std::unique_ptr<ObjectList>> open_manifest_list(const std::string& path) {
    auto list = std::make_unique<ManifestObjects>(path);
    DRYDOCK_TRY(list->begin());
    return list;
}

}  // namespace drydock::mover::s3
