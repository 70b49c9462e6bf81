// releases.yaml: stores, format support, releases, route policies, skew rules and known risks.
//
// Format support says which formats of a store a release reads, which it writes, and when it raises
// or lowers the format. A series states it once for every store; a release inherits it from its
// series and may change single entries. So the checks run on the merged result: a release that
// writes a format it cannot read would lose its own data. docs/packs.md has a section on these
// rules ("Laws").
#include "base/text.h"
#include "model/version.h"
#include "pack/pack_reader.h"
#include "pack/schemas.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

using model::FormatSupport;

namespace {

bool has(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

Node key_node(const Entry& entry) {
    return {Node::Kind::scalar, entry.key, false, entry.where, {}};
}

class ReleasesReader {
public:
    explicit ReleasesReader(PackReader& reader) : reader_(reader), pack_(reader.pack) {}

    void read(const Node& document) {
        read_stores(document["stores"]);
        check_role_stores();
        for (const Entry& entry : document["series"].entries) {
            read_series(entry);
        }
        std::sort(pack_.series_order.begin(), pack_.series_order.end(), [](auto& a, auto& b) {
            return model::compare_versions(a, b) < 0;
        });
        for (const Entry& entry : document["releases"].entries) {
            read_release(entry, false);
        }
        for (const Entry& entry : document["policies"].entries) {
            read_policy(entry.value);
        }
        for (const Entry& entry : document["skew"].entries) {
            read_skew(entry.value);
        }
        for (const Entry& entry : document["risks"].entries) {
            read_risk(entry.value);
        }
    }

    // Releases of a cluster file are an operator's own builds, named freely: their version need not
    // begin with the numbers of the series.
    void read_own(const Node& releases) {
        for (const Entry& entry : releases.entries) {
            read_release(entry, true);
        }
    }

private:
    void
    error(const char* code, const Position& position, std::string summary, std::string suggestion) {
        reader_.diagnostics.error(code, position, std::move(summary), std::move(suggestion));
    }

    void read_stores(const Node& stores) {
        for (const Entry& entry : stores.entries) {
            model::StoreSpec store;
            store.name = entry.key;
            store.role = text_of(entry.value["role"]);
            store.shared = boolean_of(entry.value["shared"]);
            store.level = text_of(entry.value["level"]);
            store.formats = texts_of(entry.value["formats"]);
            store.where = entry.where;
            check_store(store, entry.value);
            pack_.stores[store.name] = std::move(store);
        }
    }

    // The role in pack.yaml and the store in releases.yaml name each other. This finds a store
    // without its role, check_role_stores() a role without its store.
    void check_store(const model::StoreSpec& store, const Node& node) {
        if (known_role(node["role"], reader_) && !has(pack_.roles[store.role].stores, store.name)) {
            error(
                "store.role",
                node["role"].where,
                fmt::format("role `{}` does not keep the store `{}`", store.role, store.name),
                fmt::format("add it in pack.yaml: `{}: {{stores: [{}]}}`", store.role, store.name));
        }
        if (node.has("level") && find_fact(pack_, store.role, store.level) == nullptr) {
            report_unknown_name(reader_.diagnostics,
                                node["level"].where,
                                "fact",
                                store.level,
                                fact_names(pack_, store.role));
        }
        std::set<std::string> format_names;
        for (const Node* format : items_of(node["formats"])) {
            if (!format_names.insert(text_of(*format)).second) {
                error("format.duplicate",
                      format->where,
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
                          role.where,
                          fmt::format("role `{}` keeps the unknown store `{}`", name, store),
                          "describe it in releases.yaml under `stores`");
                }
            }
        }
    }

    // Every series covers every store, without a default: a forgotten store would count as
    // harmless.
    void read_series(const Entry& entry) {
        pack_.series_order.push_back(entry.key);
        auto& laws = pack_.series[entry.key];
        for (const Entry& law : entry.value.entries) {
            if (require_store(key_node(law), reader_)) {
                laws[law.key] = read_law(law, {});
            }
        }
        for (const auto& [name, store] : pack_.stores) {
            if (!laws.contains(name)) {
                error("law.missing",
                      entry.where,
                      fmt::format("series `{}` says nothing of the store `{}`", entry.key, name),
                      fmt::format("add `{}: {{reads: [...], writes: ...}}`", name));
            }
        }
    }

    // Returns `law` with the changes of `entry`: keys that are left out keep the inherited value.
    FormatSupport read_law(const Entry& entry, FormatSupport law) {
        const Node& node = entry.value;
        law.where = entry.where;
        law.reads = node.has("reads") ? texts_of(node["reads"]) : law.reads;
        law.writes = text_of(node["writes"], law.writes);
        law.raises = model::k_format_triggers.parse(text_of(node["raises"])).value_or(law.raises);
        law.lowers_on_request =
            node.has("lowers") ? text_of(node["lowers"]) == "on_request" : law.lowers_on_request;
        check_law(entry, law);
        return law;
    }

    // The merged rule is checked, not the entry alone: `reads` may come from the series and
    // `writes` from the release.
    void check_law(const Entry& entry, const FormatSupport& law) {
        const std::vector<std::string>& formats = pack_.stores[entry.key].formats;
        for (const Node* format : items_of(entry.value["reads"])) {
            if (!has(formats, text_of(*format))) {
                report_unknown_name(
                    reader_.diagnostics, format->where, "format", text_of(*format), formats);
            }
        }
        const Node& writes = entry.value["writes"];
        if (law.reads.empty() || law.writes.empty()) {
            error("law.incomplete",
                  entry.where,
                  "a law without `reads` or without `writes`",
                  "add both, as in `{reads: [\"3.4\"], writes: \"3.4\"}`");
        } else if (writes.kind == Node::Kind::scalar && !has(formats, law.writes)) {
            report_unknown_name(reader_.diagnostics, writes.where, "format", law.writes, formats);
        } else if (!has(law.reads, law.writes)) {
            error("law.writes",
                  writes.where.line > 0 ? writes.where : entry.where,
                  fmt::format("it writes `{}` but does not read it", law.writes),
                  "add the format to `reads`");
        }
    }

    // Keys of a release are its own fields or names of stores, which is why the schema allows other
    // keys.
    void read_release(const Entry& entry, bool own_build) {
        model::ReleaseSpec release;
        release.version = entry.key;
        release.series = text_of(entry.value["series"]);
        release.where = entry.where;
        release.unavailable = text_of(entry.value["unavailable"]);
        for (const Entry& need : entry.value["needs"].entries) {
            release.needs[need.key] = text_of(need.value);
        }
        const auto series = pack_.series.find(release.series);
        const Node& series_node = entry.value["series"];
        if (series != pack_.series.end()) {
            release.laws = series->second;
            if (!own_build) {
                check_series(release, series_node);
            }
        } else if (series_node.kind == Node::Kind::scalar) {
            report_unknown_name(reader_.diagnostics,
                                series_node.where,
                                "series",
                                release.series,
                                keys_of(pack_.series));
        }
        for (const Entry& law : entry.value.entries) {
            const bool is_own =
                law.key == "series" || law.key == "needs" || law.key == "unavailable";
            if (!is_own && require_store(key_node(law), reader_)) {
                release.laws[law.key] = read_law(law, release.laws[law.key]);
            }
        }
        pack_.releases[release.version] = std::move(release);
    }

    void check_series(const model::ReleaseSpec& release, const Node& node) {
        if (!model::version_in_series(release.version, release.series)) {
            error(
                "release.series",
                node.where,
                fmt::format("release `{}` is not of series `{}`", release.version, release.series),
                "a release begins with the numbers of its series");
        }
    }

    // The schema allows one rule an entry. `false` switches the rule off.
    void read_policy(const Node& node) {
        for (const std::string_view rule : model::k_route_rules.all()) {
            if (node.has(rule) && text_of(node[rule]) != "false") {
                pack_.policies.push_back({*model::k_route_rules.parse(rule),
                                          text_of(node[rule]),
                                          text_of(node["fact"]),
                                          text_of(node["yields_to"]) == "chain",
                                          text_of(node["source"]),
                                          node.where});
            }
        }
    }

    // Without `with` the rule is about members of one role among themselves.
    void read_skew(const Node& node) {
        model::SkewRule rule;
        rule.role = text_of(node["role"]);
        rule.with = text_of(node["with"], rule.role);
        rule.max_skew = static_cast<int>(integer_of(node["series_apart"], 0));
        rule.newer = boolean_of(node["newer"], true);
        rule.source = text_of(node["source"]);
        rule.where = node.where;
        known_role(node["role"], reader_);
        if (node.has("with")) {
            known_role(node["with"], reader_);
        }
        pack_.skew.push_back(std::move(rule));
    }

    // A risk blocks the route unless `refuse` is false: a known loss of data should need no flag.
    void read_risk(const Node& node) {
        model::Risk risk;
        risk.id = text_of(node["id"]);
        risk.from = text_of(node["from"]);
        risk.to = text_of(node["to"]);
        risk.when = read_conditions(node["when"], NameScope{}, reader_);
        risk.because = text_of(node["because"]);
        risk.source = text_of(node["source"]);
        risk.fixed_in = text_of(node["fixed_in"]);
        risk.refuse = boolean_of(node["refuse"], true);
        risk.where = node.where;
        for (const model::Risk& earlier_risk : pack_.risks) {
            if (earlier_risk.id == risk.id && !risk.id.empty()) {
                error("risk.duplicate",
                      node["id"].where,
                      fmt::format("a second risk `{}`", risk.id),
                      fmt::format("rename it; the first is at {}", earlier_risk.where.text()));
            }
        }
        pack_.risks.push_back(std::move(risk));
    }

    PackReader& reader_;
    model::Pack& pack_;
};

}  // namespace

void read_releases(const Node& document, PackReader& reader) {
    ReleasesReader(reader).read(document);
}

void read_own_releases(const Node& releases, PackReader& reader) {
    ReleasesReader(reader).read_own(releases);
}

}  // namespace drydock::pack
