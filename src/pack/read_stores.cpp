// Format support says which formats of a store a release reads, which it writes, and when it raises
// or lowers the format.
//
// A series states it once for every store; a release inherits it from its series and may change
// single entries. So the checks run on the merged result: a release that writes a format it cannot
// read would lose its own data. A store that an axis reads has its laws there, and nowhere else.
#include "pack/read_stores.h"

#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

using model::FormatSupport;
using model::FormatTrigger;
using model::StandardFact;

namespace {

bool has(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

// Returns true if a fact of the role stands for the standard fact.
bool is_bound(const model::Pack& pack, const std::string& role, StandardFact fact) {
    return std::any_of(pack.facts.begin(), pack.facts.end(), [&](const model::FactSpec& spec) {
        return spec.role == role && spec.standard_fact == fact;
    });
}

// Returns the fact that each member of the role has itself; null if there is none.
const model::FactSpec*
own_fact(const model::Pack& pack, const std::string& role, const std::string& name) {
    const model::FactSpec* fact = find_fact(pack, role, name);
    return fact != nullptr && fact->role == role ? fact : nullptr;
}

class StoresReader {
public:
    explicit StoresReader(PackReader& reader) : reader_(reader), pack_(reader.pack) {}

    void read(const Node& document) {
        for (const Entry& entry : document["stores"].entries) {
            pack_.stores[entry.key] = read_store(entry);
        }
        check_role_stores();
        for (const Entry& entry : document["axes"].entries) {
            read_axis(entry);
        }
        for (const Entry& entry : document["stores"].entries) {
            check_read_by(entry);
        }
        check_bound_formats();
    }

private:
    void
    error(const char* code, const Position& position, std::string summary, std::string suggestion) {
        reader_.diagnostics.error(code, position, std::move(summary), std::move(suggestion));
    }

    model::StoreSpec read_store(const Entry& entry) {
        const Node& node = entry.value;
        model::StoreSpec store;
        store.name = entry.key;
        store.role = text_of(node["role"]);
        store.shared = boolean_of(node["shared"]);
        store.level = text_of(node["level"]);
        store.formats = texts_of(node["formats"]);
        store.leader_only = boolean_of(node["leader_only"]);
        store.clean_stop = text_of(node["clean_stop"]);
        store.newest_last_stopped = text_of(node["newest"]) == "last_stopped";
        store.read_by = text_of(node["read_by"]);
        store.position = entry.position;
        if (require_role(node["role"], reader_)) {
            check_role(store, node);
            check_leader(store, node);
            check_clean_stop(store, node["clean_stop"]);
        }
        check_level(store, node["level"]);
        check_formats(node["formats"]);
        return store;
    }

    // The role in pack.yaml and the store in releases.yaml name each other. This finds a store
    // without its role, check_role_stores() a role without its store.
    void check_role(const model::StoreSpec& store, const Node& node) {
        if (!has(pack_.roles[store.role].stores, store.name)) {
            error(
                "store.role",
                node["role"].position,
                fmt::format("role `{}` does not keep the store `{}`", store.role, store.name),
                fmt::format("add it in pack.yaml: `{}: {{stores: [{}]}}`", store.role, store.name));
        }
    }

    void check_leader(const model::StoreSpec& store, const Node& node) {
        if (store.leader_only && !is_bound(pack_, store.role, StandardFact::leads)) {
            error("store.leads",
                  node["leader_only"].position,
                  fmt::format("nothing tells who leads the role `{}`", store.role),
                  "write `binds: leads` at the fact that does");
        }
    }

    void check_clean_stop(const model::StoreSpec& store, const Node& node) {
        if (node.kind != Node::Kind::scalar) {
            return;
        }
        const model::FactSpec* fact = own_fact(pack_, store.role, store.clean_stop);
        if (fact == nullptr) {
            report_unknown_name(reader_.diagnostics,
                                node.position,
                                "fact",
                                store.clean_stop,
                                fact_names(pack_, store.role));
        } else if (fact->type != model::FactType::boolean) {
            error("store.clean_stop",
                  node.position,
                  fmt::format("`{}` is of type {}", fact->name, name_of(fact->type)),
                  "name a fact of type bool: true if the store was left clean");
        }
    }

    void check_level(const model::StoreSpec& store, const Node& node) {
        if (node.kind == Node::Kind::scalar
            && find_fact(pack_, store.role, store.level) == nullptr) {
            report_unknown_name(reader_.diagnostics,
                                node.position,
                                "fact",
                                store.level,
                                fact_names(pack_, store.role));
        }
    }

    void check_formats(const Node& formats) {
        std::set<std::string> format_names;
        for (const Node* format : items_of(formats)) {
            if (!format_names.insert(text_of(*format)).second) {
                error("format.duplicate",
                      format->position,
                      fmt::format("format `{}` is given twice", text_of(*format)),
                      "name each format once, oldest first");
            }
        }
    }

    void check_role_stores() {
        for (const auto& [name, role] : pack_.roles) {
            for (const std::string& store : role.stores) {
                if (!pack_.stores.contains(store)) {
                    error("store.unknown",
                          role.position,
                          fmt::format("role `{}` keeps the unknown store `{}`", name, store),
                          "describe it in releases.yaml under `stores`");
                }
            }
        }
    }

    // Each release of an axis covers every store of it, as a series does.
    void read_axis(const Entry& entry) {
        model::AxisSpec axis;
        axis.name = entry.key;
        axis.fact = text_of(entry.value["fact"]);
        axis.where = entry.position;
        for (const Entry& release : entry.value["releases"].entries) {
            auto& laws = axis.releases[release.key];
            for (const Entry& law : release.value.entries) {
                if (is_law_here(law, axis.name, reader_)) {
                    laws[law.key] = read_law(law, {}, reader_);
                }
            }
            check_covers(release, axis.name, laws, reader_);
        }
        pack_.axes[axis.name] = std::move(axis);
    }

    void check_read_by(const Entry& entry) {
        const Node& node = entry.value["read_by"];
        const auto axis = pack_.axes.find(text_of(node));
        if (node.kind != Node::Kind::scalar) {
            return;
        }
        if (axis == pack_.axes.end()) {
            return report_unknown_name(
                reader_.diagnostics, node.position, "axis", node.scalar, keys_of(pack_.axes));
        }
        const std::string& role = pack_.stores[entry.key].role;
        if (pack_.roles.contains(role) && own_fact(pack_, role, axis->second.fact) == nullptr) {
            error("axis.fact",
                  node.position,
                  fmt::format("members of `{}` have no fact `{}`, which tells the release of `{}`",
                              role,
                              axis->second.fact,
                              axis->first),
                  fmt::format("add the fact `{}` under `{}`", axis->second.fact, role));
        }
    }

    // A fact that is bound to a format says nothing unless a store has it as its level, or the fact
    // that is its level follows from it.
    void check_bound_formats() {
        for (const model::FactSpec& fact : pack_.facts) {
            if (fact.standard_fact == StandardFact::format && !is_level(fact) && !is_input(fact)) {
                error("fact.binds",
                      fact.position,
                      fmt::format("`{}` is bound to `format`, but is the level of no store",
                                  fact.name),
                      fmt::format("write `level: {}` at its store in releases.yaml, or remove "
                                  "`binds`",
                                  fact.name));
            }
        }
    }

    [[nodiscard]] bool is_level(const model::FactSpec& fact) const {
        return std::any_of(pack_.stores.begin(), pack_.stores.end(), [&](const auto& store) {
            return find_fact(pack_, store.second.role, store.second.level) == &fact;
        });
    }

    [[nodiscard]] bool is_input(const model::FactSpec& fact) const {
        return std::any_of(pack_.facts.begin(), pack_.facts.end(), [&](const auto& derived) {
            return derived.is_derived() && has(derived.inputs, fact.name);
        });
    }

    PackReader& reader_;
    model::Pack& pack_;
};

// The merged rule is checked, not the entry alone: `reads` may come from the series and `writes`
// from the release.
class LawChecker {
public:
    LawChecker(const Entry& entry, const FormatSupport& law, PackReader& reader)
        : entry_(entry)
        , law_(law)
        , store_(reader.pack.stores.at(entry.key))
        , reader_(reader) {}

    void check() {
        check_formats("reads");
        check_formats("starts_on");
        check_writes();
        check_starts_on();
        check_alone();
        check_leads();
    }

private:
    void error(const char* code, const char* key, std::string summary, std::string suggestion) {
        const Node& node = entry_.value[key];
        reader_.diagnostics.error(code,
                                  node.position.line > 0 ? node.position : entry_.position,
                                  std::move(summary),
                                  std::move(suggestion));
    }

    void check_formats(const char* key) {
        for (const Node* format : items_of(entry_.value[key])) {
            if (!has(store_.formats, text_of(*format))) {
                report_unknown_name(reader_.diagnostics,
                                    format->position,
                                    "format",
                                    text_of(*format),
                                    store_.formats);
            }
        }
    }

    void check_writes() {
        const Node& writes = entry_.value["writes"];
        if (law_.reads.empty() || law_.writes.empty()) {
            reader_.diagnostics.error("law.incomplete",
                                      entry_.position,
                                      "a law without `reads` or without `writes`",
                                      "add both, as in `{reads: [\"3.4\"], writes: \"3.4\"}`");
        } else if (writes.kind == Node::Kind::scalar && !has(store_.formats, law_.writes)) {
            report_unknown_name(
                reader_.diagnostics, writes.position, "format", law_.writes, store_.formats);
        } else if (!has(law_.reads, law_.writes)) {
            error("law.writes",
                  "writes",
                  fmt::format("it writes `{}` but does not read it", law_.writes),
                  "add the format to `reads`");
        }
    }

    void check_starts_on() {
        for (const std::string& format : law_.starts_on) {
            if (has(law_.reads, format)) {
                error("law.starts_on",
                      "starts_on",
                      fmt::format("`{}` is in `reads` and in `starts_on`", format),
                      "keep it in `reads` if the release serves on it, else in `starts_on`");
            }
        }
    }

    // Only starts that raise one format for all can meet.
    void check_alone() {
        if (law_.alone && (law_.trigger != FormatTrigger::on_start || !store_.shared)) {
            error("law.alone",
                  "alone",
                  "`alone` is for starts that raise the format of a shared store",
                  "remove it, or write `raises: on_start` here and `shared: true` at the store");
        }
    }

    void check_leads() {
        if (law_.trigger == FormatTrigger::on_lead
            && !is_bound(reader_.pack, store_.role, StandardFact::leads)) {
            error("law.leads",
                  "raises",
                  fmt::format("nothing tells who leads the role `{}`", store_.role),
                  "write `binds: leads` at the fact that does");
        }
    }

    const Entry& entry_;
    const FormatSupport& law_;
    const model::StoreSpec& store_;
    PackReader& reader_;
};

}  // namespace

void read_stores(const Node& document, PackReader& reader) {
    StoresReader(reader).read(document);
}

FormatSupport read_law(const Entry& entry, FormatSupport law, PackReader& reader) {
    const Node& node = entry.value;
    law.position = entry.position;
    law.reads = node.has("reads") ? texts_of(node["reads"]) : law.reads;
    law.starts_on = node.has("starts_on") ? texts_of(node["starts_on"]) : law.starts_on;
    law.writes = text_of(node["writes"], law.writes);
    law.trigger = model::k_format_triggers.parse(text_of(node["raises"])).value_or(law.trigger);
    law.lowers_on_request =
        node.has("lowers") ? text_of(node["lowers"]) == "on_request" : law.lowers_on_request;
    law.alone = boolean_of(node["alone"], law.alone);
    LawChecker(entry, law, reader).check();
    return law;
}

bool is_law_here(const Entry& entry, const std::string& axis, PackReader& reader) {
    const Node key = {Node::Kind::scalar, entry.key, false, entry.position, {}};
    if (!require_store(key, reader)) {
        return false;
    }
    const std::string& reading_axis = reader.pack.stores.at(entry.key).read_by;
    if (reading_axis == axis) {
        return true;
    }
    reader.diagnostics.error(
        "law.axis",
        entry.position,
        reading_axis.empty()
            ? fmt::format("the store `{}` is not read by an axis", entry.key)
            : fmt::format("the store `{}` is read by the axis `{}`", entry.key, reading_axis),
        reading_axis.empty()
            ? fmt::format("write `read_by: {}` at the store, or the law under `series`", axis)
            : fmt::format("write its laws under `axes: {{{}: ...}}`", reading_axis));
    return false;
}

void check_covers(const Entry& entry,
                  const std::string& axis,
                  const std::map<std::string, FormatSupport>& laws,
                  PackReader& reader) {
    for (const auto& [name, store] : reader.pack.stores) {
        if (store.read_by == axis && !laws.contains(name)) {
            reader.diagnostics.error("law.missing",
                                     entry.position,
                                     fmt::format("{} `{}` says nothing of the store `{}`",
                                                 axis.empty() ? "series" : "release",
                                                 entry.key,
                                                 name),
                                     fmt::format("add `{}: {{reads: [...], writes: ...}}`", name));
        }
    }
}

}  // namespace drydock::pack
