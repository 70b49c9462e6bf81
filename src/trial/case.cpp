// Reads the folder of a case: case.yaml by its schema, and the twins by their folders.
#include "trial/case.h"

#include <algorithm>
#include <filesystem>

namespace drydock::trial {

namespace {

using pack::optional;
using pack::required;

constexpr const char* k_nothing = "nothing";

std::vector<std::string> stoppers() {
    std::vector<std::string> names = k_stages.choices();
    names.emplace_back(k_nothing);
    return names;
}

// `pack` is the only key that a folder without twins can need.
const pack::Schema& case_schema(bool has_twins) {
    static const auto make = [](auto needed) {
        return pack::table({
            needed("title", pack::text(), "what went wrong", "\"7.4 has written its file\""),
            optional("report", pack::text(), "where it is told of", "redis/redis#14064"),
            needed("stopped_by", pack::choice(stoppers()), "what stops the failing twin", "check"),
            needed("name",
                   pack::text(),
                   "of the rule that stops it, or of the fact on which its way back hangs",
                   "quorum"),
            optional("says", pack::list_of(pack::text()), "words of the story", "[\"m1 is down\"]"),
            optional("pack", pack::text(), "a pack that is not in pack/", "packs/etcd"),
        });
    };
    static const pack::Schema of_twins = make(required);
    static const pack::Schema of_one = make(optional);
    return has_twins ? of_twins : of_one;
}

Stage stage_from(const std::string& name) {
    return k_stages.parse(name).value_or(Stage::none);
}

Case decode(const std::string& folder, const pack::Node& file) {
    return {folder,
            pack::text_of(file["title"]),
            pack::text_of(file["report"]),
            stage_from(pack::text_of(file["stopped_by"])),
            pack::text_of(file["name"]),
            pack::text_of(file["stopped_by"]) == k_nothing,
            pack::texts_of(file["says"]),
            pack::text_of(file["pack"]),
            {""}};
}

tl::unexpected<Diagnostics> missing(const std::string& path, const std::string& remedy) {
    return refuse({"case.missing", "there is no such folder", remedy, ErrorClass::permanent}, path);
}

}  // namespace

// Places are joined with a slash, so the folder's own last one is taken away.
InputResult<Case> read_case(const std::string& typed_folder) {
    std::string folder = typed_folder;
    while (folder.size() > 1 && folder.ends_with('/')) {
        folder.pop_back();
    }
    if (!is_folder(folder)) {
        return missing(folder, "drydock pack new FOLDER --name NAME makes one");
    }
    const bool has_failing = is_folder(folder + "/failing");
    const bool has_twins = has_failing || is_folder(folder + "/passing");
    const std::string file = folder + "/case.yaml";
    if (!has_twins && !is_file(file)) {
        return decode(folder, {});
    }
    DRYDOCK_TRY_ASSIGN(const pack::Node document, read_document(file, case_schema(has_twins)));
    Case about = decode(folder, document);
    if (has_twins) {
        about.twins = {"failing", "passing"};
        if (!has_failing || !is_folder(folder + "/passing")) {
            return missing(folder + (has_failing ? "/passing" : "/failing"),
                           "a case has two twins; remove both folders to try one plan");
        }
    }
    return about;
}

InputResult<std::vector<Case>> read_cases(const std::string& folder) {
    std::vector<Case> cases;
    std::error_code ignored;  // a folder that is missing has no cases
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (entry.is_directory(ignored)) {
            DRYDOCK_TRY_ASSIGN(Case one, read_case(entry.path().string()));
            cases.push_back(std::move(one));
        }
    }
    std::sort(cases.begin(), cases.end(), [](const Case& lhs, const Case& rhs) {
        return lhs.folder < rhs.folder;
    });
    return cases;
}

}  // namespace drydock::trial
