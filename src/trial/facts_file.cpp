// Reads files of facts, and computes what a survey would find from them.
#include "trial/facts_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::trial {

namespace {

using model::FactSpec;
using model::FactType;

constexpr std::string_view k_every = "every";
constexpr std::string_view k_system = "system";
constexpr std::string_view k_role = "role ";

const model::Member* find_member(const model::Cluster& cluster, const std::string& name) {
    const auto& members = cluster.members;
    const auto match = std::find_if(
        members.begin(), members.end(), [&](const auto& member) { return member.name == name; });
    return match == members.end() ? nullptr : &*match;
}

// All words that a file may use for whom it tells facts of.
std::vector<std::string> all_subjects(const model::Pack& pack, const model::Cluster& cluster) {
    std::vector<std::string> names = {std::string(k_every), std::string(k_system)};
    for (const auto& [name, role] : pack.roles) {
        names.push_back(std::string(k_role) + name);
    }
    for (const model::Member& member : cluster.members) {
        names.push_back(member.name);
    }
    return names;
}

// True if a fact of this role (empty: the system's) can be told of the subject.
bool covers(const std::string& subject, const std::string& role, const model::Cluster& cluster) {
    if (role.empty() || subject == k_system) {
        return role.empty() && subject == k_system;
    }
    const model::Member* member = find_member(cluster, subject);
    return subject == k_every || subject == std::string(k_role) + role
           || (member != nullptr && member->role == role);
}

// Scalars without quotes are read by the fact's type: a release 3.4 is text, and no number.
Json value_of(const pack::Node& node, FactType type) {
    const bool is_text = type == FactType::text || type == FactType::release;
    return is_text && node.kind == pack::Node::Kind::scalar ? Json(node.scalar)
                                                            : pack::to_json(node);
}

// Reads one file, fact by fact.
class FactsReader {
public:
    FactsReader(const model::Pack& pack, const model::Cluster& cluster)
        : pack_(pack)
        , cluster_(cluster)
        , subjects_(all_subjects(pack, cluster)) {}

    Json read(const pack::Node& document) {
        Json values = Json::Object{};
        for (const pack::Entry& entry : document.entries) {
            if (std::count(subjects_.begin(), subjects_.end(), entry.key) == 0) {
                pack::report_unknown_name(
                    diagnostics_, entry.position, "member", entry.key, subjects_);
                continue;
            }
            values.set(entry.key, read_subject(entry));
        }
        return values;
    }

    Diagnostics& diagnostics() { return diagnostics_; }

private:
    Json read_subject(const pack::Entry& subject) {
        Json values = Json::Object{};
        for (const pack::Entry& fact : subject.value.entries) {
            const auto specs = specs_of(subject.key, fact.key);
            if (specs.empty()) {
                pack::report_unknown_name(
                    diagnostics_, fact.position, "fact", fact.key, facts_of(subject.key));
                continue;
            }
            values.set(fact.key, read_value(fact, specs));
        }
        return values;
    }

    [[nodiscard]] std::vector<const FactSpec*> specs_of(const std::string& subject,
                                                        const std::string& fact) const {
        std::vector<const FactSpec*> specs;
        for (const FactSpec& spec : pack_.facts) {
            if (spec.name == fact && covers(subject, spec.role, cluster_)) {
                specs.push_back(&spec);
            }
        }
        return specs;
    }

    [[nodiscard]] std::vector<std::string> facts_of(const std::string& subject) const {
        std::vector<std::string> names;
        for (const FactSpec& spec : pack_.facts) {
            if (covers(subject, spec.role, cluster_) && !spec.is_derived()) {
                names.push_back(spec.name);
            }
        }
        return names;
    }

    // Roles may have facts of one name and several types. The value must be of one of them.
    Json read_value(const pack::Entry& fact, const std::vector<const FactSpec*>& specs) {
        const FactSpec& first = *specs.front();
        if (first.is_derived()) {
            diagnostics_.error("fact.derived",
                               fact.position,
                               fmt::format("`{}` is computed from other facts", fact.key),
                               "say those that it is computed from");
            return {};
        }
        for (const FactSpec* spec : specs) {
            Json value = value_of(fact.value, spec->type);
            if (value.is_null() || model::is_of_type(value, spec->type)) {
                return value;
            }
        }
        diagnostics_.error(
            "fact.type",
            fact.value.position,
            fmt::format("`{}` is {}", fact.key, pack::to_json(fact.value).show()),
            fmt::format("its type is {}; null says that there is none", name_of(first.type)));
        return {};
    }

    const model::Pack& pack_;
    const model::Cluster& cluster_;
    std::vector<std::string> subjects_;
    Diagnostics diagnostics_;
};

// The observation of one source, from the most special words that tell it; null: nobody tells it.
const Json* find_value(const std::vector<FactsFile>& files,
                       const model::FactSource& source,
                       const std::string& role) {
    const std::vector<std::string> subjects =
        source.member.empty() ? std::vector<std::string>{std::string(k_system)}
                              : std::vector<std::string>{source.member,
                                                         std::string(k_role) + role,
                                                         std::string(k_every)};
    for (const std::string& subject : subjects) {
        for (auto file = files.rbegin(); file != files.rend(); ++file) {
            if (file->values[subject].contains(source.name)) {
                return &file->values[subject][source.name];
            }
        }
    }
    return nullptr;
}

void derive_all(const model::FactSources& sources, model::FactBook& facts) {
    for (const auto& round : model::reading_rounds(sources, pack::keys_of(sources))) {
        for (const std::string& key : round) {
            if (sources.at(key).is_derived()) {
                facts[key] = model::derive(sources.at(key), facts);
            }
        }
    }
}

const pack::Schema& facts_schema() {
    static const pack::Schema schema = pack::map_of(pack::map_of(pack::any()));
    return schema;
}

}  // namespace

InputResult<FactsFile>
read_facts_file(const std::string& file, const model::Pack& pack, const model::Cluster& cluster) {
    DRYDOCK_TRY_ASSIGN(const pack::Node document, read_document(file, facts_schema()));
    FactsReader reader(pack, cluster);
    FactsFile facts = {file, reader.read(document)};
    if (reader.diagnostics().has_errors()) {
        return tl::unexpected(std::move(reader.diagnostics()));
    }
    return facts;
}

model::FactBook observe(const std::vector<FactsFile>& files,
                        const model::FactSources& sources,
                        const model::Cluster& cluster) {
    model::FactBook facts;
    for (const auto& [key, source] : sources) {
        const model::Member* member = find_member(cluster, source.member);
        const Json* value = find_value(files, source, member == nullptr ? "" : member->role);
        if (value != nullptr) {
            const auto status = value->is_null() ? model::ObservationStatus::absent
                                                 : model::ObservationStatus::known;
            facts[key] = {status, *value, "facts file", 0};
        }
    }
    derive_all(sources, facts);
    return facts;
}

}  // namespace drydock::trial
