#include "known/twin.h"

#include "base/text.h"
#include "pack/files.h"
#include "pack/load.h"
#include "pack/yaml.h"
#include "planner/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace drydock::known {

namespace {

namespace fs = std::filesystem;

const fs::path k_source = DRYDOCK_SOURCE_DIR;
const fs::path k_known = k_source / "tests/known";

tl::unexpected<Error> unreadable(const Diagnostics& diagnostics) {
    return tl::unexpected(
        Error{"known.file", diagnostics.text(), "mend the file", ErrorClass::permanent});
}

Result<std::string> text_of(const fs::path& file) {
    Diagnostics diagnostics;
    auto text = pack::read_text(file.string(), diagnostics);
    return text ? Result<std::string>(std::move(*text)) : unreadable(diagnostics);
}

// One YAML document; an empty object where there is no such file.
Result<Json> yaml_of(const fs::path& file) {
    if (!fs::exists(file)) {
        return Json(Json::Object{});
    }
    DRYDOCK_TRY_ASSIGN(const std::string text, text_of(file));
    Diagnostics diagnostics;
    const auto documents = pack::parse_yaml(text, file.string(), false, diagnostics);
    if (documents.empty() || diagnostics.has_errors()) {
        return unreadable(diagnostics);
    }
    return pack::to_json(documents.front());
}

// The folder's files by their names below it.
Status add_files(const fs::path& folder, std::map<std::string, std::string>& files) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            DRYDOCK_TRY_ASSIGN(files[fs::relative(entry.path(), folder).string()],
                               text_of(entry.path()));
        }
    }
    return {};
}

Result<model::Pack> pack_of(const Case& about, const std::string& which) {
    const fs::path shared =
        about.pack.empty() ? k_known / about.name / "pack" : k_source / about.pack;
    std::map<std::string, std::string> files;
    DRYDOCK_TRY(add_files(shared, files));
    DRYDOCK_TRY(add_files(k_known / about.name / which, files));
    for (const char* other : {"README.md", "facts.yaml", "plan.yaml", "cluster.yaml"}) {
        files.erase(other);
    }
    auto loaded = pack::read_pack(shared.string(), files);
    return loaded.value ? Result<model::Pack>(std::move(*loaded.value))
                        : unreadable(loaded.diagnostics);
}

fs::path own_or_shared(const Case& about, const std::string& which, const std::string& file) {
    const fs::path own = k_known / about.name / which / file;
    return fs::exists(own) ? own : k_known / about.name / file;
}

bool holds(const std::string& who, const model::Member* member) {
    return member == nullptr
               ? who == "system"
               : who == "every" || who == "role " + member->role || who == member->name;
}

// What is said of a member, the more special the later: of every member, of its role's, of itself.
Json values_of(const std::vector<Json>& layers, const model::Member* member) {
    Json values = Json::Object{};
    const std::vector<std::string> order = {
        "every",
        member == nullptr ? "system" : "role " + member->role,
        member == nullptr ? "" : member->name,
    };
    for (const std::string& who : order) {
        for (const Json& layer : layers) {
            for (const auto& [fact, value] : layer[who].members()) {
                if (holds(who, member)) {
                    values.set(fact, value);
                }
            }
        }
    }
    return values;
}

// A fact that nobody has: a misspelling would otherwise be a fact that was not read.
Status check_names(const std::vector<Json>& layers, const Twin& twin) {
    for (const Json& layer : layers) {
        for (const auto& [who, values] : layer.members()) {
            const auto& members = twin.cluster.members;
            const bool known = std::any_of(
                members.begin(), members.end(), [&](const auto& one) { return holds(who, &one); });
            if (!known && who != "system") {
                return fail("known.facts", fmt::format("facts of \"{}\", who is nobody", who));
            }
            for (const auto& [fact, value] : values.members()) {
                const auto& facts = twin.pack.facts;
                if (std::none_of(facts.begin(), facts.end(), [&](const auto& one) {
                        return one.name == fact;
                    })) {
                    return fail("known.facts", fmt::format("the pack has no fact \"{}\"", fact));
                }
            }
        }
    }
    return {};
}

// What the survey reads is in the files; what follows from it is computed as in a survey.
void survey(const model::FactSources& sources, Twin& twin) {
    std::vector<std::string> keys;
    for (const auto& [key, source] : sources) {
        keys.push_back(key);
        const auto& members = twin.cluster.members;
        const auto member = std::find_if(members.begin(), members.end(), [&](const auto& one) {
            return one.name == source.member;
        });
        const Json values = values_of(twin.said, member == members.end() ? nullptr : &*member);
        if (values.contains(source.name)) {
            const Json& value = values[source.name];
            const auto status = value.is_null() ? model::ObservationStatus::absent
                                                : model::ObservationStatus::known;
            twin.facts[key] = {status, value, "facts.yaml", 0};
        }
    }
    for (const auto& round : model::reading_rounds(sources, keys)) {
        for (const std::string& key : round) {
            if (sources.at(key).is_derived()) {
                twin.facts[key] = model::derive(sources.at(key), twin.facts);
            }
        }
    }
}

Status read_facts(const Case& about, const std::string& which, Twin& twin) {
    for (const fs::path& folder : {k_known / about.name, k_known / about.name / which}) {
        DRYDOCK_TRY_ASSIGN(Json layer, yaml_of(folder / "facts.yaml"));
        twin.said.push_back(std::move(layer));
    }
    DRYDOCK_TRY(check_names(twin.said, twin));
    DRYDOCK_TRY_ASSIGN(const model::FactSources sources,
                       planner::bind_sources(twin.pack, twin.cluster));
    survey(sources, twin);
    DRYDOCK_TRY_ASSIGN(twin.from,
                       planner::current_version(twin.pack, twin.cluster, twin.facts, twin.to));
    return {};
}

Result<Case> read_case(const std::string& name) {
    DRYDOCK_TRY_ASSIGN(const Json json, yaml_of(k_known / name / "case.yaml"));
    Case about = {name,
                  json["title"].as_string(),
                  json["report"].as_string(),
                  json["stopped_by"].as_string(),
                  json["name"].as_string(),
                  {},
                  json["pack"].as_string()};
    for (const Json& word : json["says"].items()) {
        about.says.push_back(word.as_string());
    }
    return about;
}

}  // namespace

Result<std::vector<Case>> read_cases() {
    std::vector<Case> cases;
    for (const auto& entry : fs::directory_iterator(k_known)) {
        if (entry.is_directory()) {
            DRYDOCK_TRY_ASSIGN(Case one, read_case(entry.path().filename().string()));
            cases.push_back(std::move(one));
        }
    }
    std::sort(
        cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
    return cases;
}

Result<Twin> read_twin(const Case& about, const std::string& which) {
    Twin twin;
    DRYDOCK_TRY_ASSIGN(twin.pack, pack_of(about, which));
    auto cluster =
        pack::load_cluster(own_or_shared(about, which, "cluster.yaml").string(), twin.pack);
    if (!cluster.value) {
        return unreadable(cluster.diagnostics);
    }
    twin.cluster = std::move(*cluster.value);
    DRYDOCK_TRY_ASSIGN(const Json plan, yaml_of(own_or_shared(about, which, "plan.yaml")));
    twin.to = plan["to"].as_string();
    DRYDOCK_TRY(read_facts(about, which, twin));
    return twin;
}

Status survey_for_plan(Twin& twin) {
    DRYDOCK_TRY_ASSIGN(
        const model::FactSources sources,
        planner::bind_sources(twin.pack, twin.cluster, {twin.from, twin.to, "run", ""}));
    survey(sources, twin);
    return {};
}

std::vector<std::string> own_files(const Case& about, const std::string& which) {
    std::vector<std::string> files;
    const fs::path folder = k_known / about.name / which;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            files.push_back(fs::relative(entry.path(), folder).string());
        }
    }
    return files;
}

}  // namespace drydock::known
