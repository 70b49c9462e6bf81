// The pack: finds its files, reads them in order, and gives the pack its digest.
//
// The order is fixed: pack.yaml (roles, settings, facts), releases.yaml, procedures. Each part uses
// names of the parts before it. After a file with errors the later files are only checked against
// their schemas. One misspelt role would otherwise cause a problem in every step.
//
// The digest covers every file that may change a plan: names, texts and scripts. It is bound into
// plans.
#include "base/hash.h"
#include "pack/files.h"
#include "pack/load.h"
#include "pack/pack_reader.h"
#include "pack/schemas.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace drydock::pack {

namespace {

using Files = std::map<std::string, std::string>;

bool is_in_folder(const std::string& file, std::string_view folder, std::string_view ending) {
    return file.size() > folder.size() + ending.size()
           && file.compare(0, folder.size(), folder) == 0
           && file.compare(file.size() - ending.size(), ending.size(), ending) == 0;
}

// Returns true for files of the pack. README.md, tests and data for tests do not change its digest.
bool is_part(const std::string& file) {
    return file == "pack.yaml" || file == "releases.yaml" || is_in_folder(file, "scripts/", "")
           || is_in_folder(file, "procedures/", ".yaml");
}

// Each name and content is preceded by its length, so that no two packs give the same bytes.
std::string digest_of(const Files& files) {
    std::string bytes;
    for (const auto& [file, text] : files) {
        if (is_part(file)) {
            bytes += fmt::format("{} {}\n{}{}", file.size(), text.size(), file, text);
        }
    }
    return sha256_hex(bytes);
}

class PackFiles {
public:
    PackFiles(const std::string& folder, const Files& files, Loaded<model::Pack>& loaded)
        : folder_(folder)
        , files_(files)
        , diagnostics_(loaded.diagnostics)
        , reader_{loaded.value.emplace(), loaded.diagnostics} {}

    void read() {
        model::Pack& pack = reader_.pack;
        pack.folder = folder_;
        pack.digest = digest_of(files_);
        for (const auto& [file, text] : files_) {
            if (is_in_folder(file, "scripts/", "")) {
                pack.scripts[file.substr(std::string_view("scripts/").size())] = text;
            }
        }
        read_one_document("pack.yaml", pack_file_schema(), read_system);
        are_names_known_ = !diagnostics_.has_errors();
        read_one_document("releases.yaml", releases_file_schema(), read_releases);
        are_names_known_ = !diagnostics_.has_errors();
        read_procedures();
        if (!diagnostics_.has_errors()) {
            check_defaults(reader_);
            check_stopped(pack, diagnostics_);
            check_own_instances(pack, diagnostics_);
            check_effects(pack, diagnostics_);
            check_hollow_steps(pack, diagnostics_);
            check_optional_steps(pack, diagnostics_);
        }
    }

private:
    std::string path(const std::string& file) const { return folder_ + "/" + file; }

    // Of these two files a pack has exactly one each, with one document.
    void read_one_document(const std::string& file,
                           const Schema& schema,
                           void (*read_document)(const Node&, PackReader&)) {
        const auto entry = files_.find(file);
        if (entry == files_.end()) {
            diagnostics_.error("file.missing",
                               {path(file), 1, 1},
                               fmt::format("a pack needs the file `{}`", file),
                               "add it, or name the pack's folder");
            return;
        }
        const auto documents = parse_yaml(entry->second, path(file), false, diagnostics_);
        if (!documents.empty()) {
            read(documents.front(), schema, read_document);
        }
    }

    // Checks the schema of every document, but decodes it only if all names it may refer to are
    // known.
    void read(const Node& document,
              const Schema& schema,
              void (*read_document)(const Node&, PackReader&)) {
        check(document, schema, "the file", diagnostics_);
        if (document.kind == Node::Kind::map && are_names_known_) {
            read_document(document, reader_);
        }
    }

    // A large procedure may be split over several documents, and files are read in the order of
    // their names.
    void read_procedures() {
        bool has_procedures = false;
        std::vector<Node> documents;
        for (const auto& [file, text] : files_) {
            if (is_in_folder(file, "procedures/", ".yaml")) {
                has_procedures = true;
                auto file_documents = parse_yaml(text, path(file), true, diagnostics_);
                std::move(
                    file_documents.begin(), file_documents.end(), std::back_inserter(documents));
            }
        }
        // Documents with `continues` go last, behind the procedure that they continue, whatever
        // their file name.
        std::stable_partition(documents.begin(), documents.end(), [](const Node& document) {
            return !document.has("continues");
        });
        for (const Node& document : documents) {
            read(document, procedure_file_schema(), read_procedure);
        }
        if (!has_procedures) {
            diagnostics_.error("file.missing",
                               {path("procedures"), 1, 1},
                               "the pack has no procedures",
                               "add procedures/upgrade.yaml");
        }
    }

    const std::string& folder_;
    const Files& files_;
    Diagnostics& diagnostics_;
    PackReader reader_;
    bool are_names_known_ = true;
};

// Scripts lie in a folder of their own, because every file in it is part of the pack.
void read_folder(const std::string& folder,
                 const std::string& subfolder,
                 Files& files,
                 Diagnostics& diagnostics) {
    std::error_code ignored;  // a folder that is missing has no files
    for (const auto& entry :
         std::filesystem::directory_iterator(folder + "/" + subfolder, ignored)) {
        const std::string file = subfolder + entry.path().filename().string();
        if (entry.is_regular_file(ignored) && is_part(file)) {
            if (auto text = read_text(folder + "/" + file, diagnostics)) {
                files[file] = *std::move(text);
            }
        }
    }
}

}  // namespace

Loaded<model::Pack> read_pack(const std::string& folder,
                              const std::map<std::string, std::string>& files) {
    Loaded<model::Pack> loaded;
    PackFiles(folder, files, loaded).read();
    finish(loaded.diagnostics);
    if (loaded.diagnostics.has_errors()) {
        loaded.value.reset();
    }
    return loaded;
}

std::string pack_name(const std::string& folder) {
    Diagnostics ignored;  // load_pack() reports them
    const std::string file = folder + "/pack.yaml";
    const auto text = read_text(file, ignored);
    const auto documents = text ? parse_yaml(*text, file, false, ignored) : std::vector<Node>();
    return documents.empty() ? "" : text_of(documents.front()["pack"]);
}

// An unreadable file ends the loading: a pack without it would have another digest and other
// problems.
Loaded<model::Pack> load_pack(const std::string& folder) {
    Files files;
    Diagnostics unreadable;
    for (const char* subfolder : {"", "procedures/", "scripts/"}) {
        read_folder(folder, subfolder, files, unreadable);
    }
    if (unreadable.has_errors()) {
        return {std::nullopt, std::move(unreadable)};
    }
    return read_pack(folder, files);
}

}  // namespace drydock::pack
