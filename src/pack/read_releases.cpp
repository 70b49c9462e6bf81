// releases.yaml: series, releases, route policies, skew rules and known risks. read_stores.cpp
// reads its stores and the laws of all of them. docs/packs.md has a section on these rules
// ("Laws").
#include "model/version.h"
#include "pack/pack_reader.h"
#include "pack/read_stores.h"
#include "pack/schemas.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

namespace {

class ReleasesReader {
public:
    explicit ReleasesReader(PackReader& reader) : reader_(reader), pack_(reader.pack) {}

    void read(const Node& document) {
        read_stores(document, reader_);
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

    // Every series covers every store that no axis has, without a default: a forgotten store would
    // count as harmless.
    void read_series(const Entry& entry) {
        pack_.series_order.push_back(entry.key);
        auto& laws = pack_.series[entry.key];
        for (const Entry& law : entry.value.entries) {
            if (is_law_here(law, "", reader_)) {
                laws[law.key] = read_law(law, {}, reader_);
            }
        }
        check_covers(entry, "", laws, reader_);
    }

    // Keys of a release are its own fields or names of stores, which is why the schema allows other
    // keys.
    void read_release(const Entry& entry, bool own_build) {
        model::ReleaseSpec release;
        release.version = entry.key;
        release.series = text_of(entry.value["series"]);
        release.position = entry.position;
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
                                series_node.position,
                                "series",
                                release.series,
                                keys_of(pack_.series));
        }
        for (const Entry& law : entry.value.entries) {
            const bool is_own =
                law.key == "series" || law.key == "needs" || law.key == "unavailable";
            if (!is_own && is_law_here(law, "", reader_)) {
                release.laws[law.key] = read_law(law, release.laws[law.key], reader_);
            }
        }
        pack_.releases[release.version] = std::move(release);
    }

    // A suffix tells a build: v1.7-ose is of the series v1.7.
    void check_series(const model::ReleaseSpec& release, const Node& node) {
        const std::string numbers = release.version.substr(0, release.version.find_first_of("-+~"));
        if (!model::version_in_series(release.version, release.series)
            && model::compare_versions(numbers, release.series) != 0) {
            error(
                "release.series",
                node.position,
                fmt::format("release `{}` is not of series `{}`", release.version, release.series),
                "a release begins with the letters and numbers of its series");
        }
    }

    // The schema allows one rule an entry. `false` switches the rule off.
    void read_policy(const Node& node) {
        for (const std::string_view name : model::k_route_rules.all()) {
            if (node.has(name) && text_of(node[name]) != "false") {
                model::RoutePolicy policy;
                policy.rule = *model::k_route_rules.parse(name);
                policy.argument = text_of(node[name]);
                if (node[name].kind == Node::Kind::list) {
                    policy.versions = read_versions(node[name], policy.rule);
                }
                policy.fact = text_of(node["fact"]);
                policy.yields_to_chain = text_of(node["yields_to"]) == "chain";
                policy.source = source_of(node);
                policy.position = node.position;
                check_range(policy, node["never"]);
                pack_.policies.push_back(std::move(policy));
            }
        }
    }

    // A rule without a source cannot be looked up by those whom it stops.
    std::string source_of(const Node& node) {
        const Node& source = node["source"];
        if (source.kind == Node::Kind::scalar && source.scalar.empty()) {
            error("policy.source",
                  source.position,
                  "a rule whose `source` is empty",
                  "say who says so, as in \"upgrade guide\"");
        }
        return text_of(source);
    }

    // Empty bounds hold for every release.
    void check_range(const model::RoutePolicy& policy, const Node& node) {
        if (policy.rule == model::RouteRule::never && policy.argument.empty()) {
            error("policy.empty",
                  node.position,
                  "`never` without bounds forbids every release",
                  "name the releases, as in \">=3.5.0 <3.5.3\", or remove the rule");
        }
    }

    // A release may be named as its series; then another one is to be named.
    [[nodiscard]] std::string later_release_of(const std::string& series) const {
        const auto release =
            std::find_if(pack_.releases.begin(), pack_.releases.end(), [&](const auto& one) {
                return one.second.series == series && one.first != series;
            });
        return release == pack_.releases.end()
                   ? "remove it: the pack has no later release of that series"
                   : fmt::format("name a release of it, as in `{}`", release->first);
    }

    // No series, or one that the pack does not name, would make a rule that never holds anybody up.
    std::vector<std::string> read_versions(const Node& node, model::RouteRule rule) {
        if (node.entries.empty()) {
            error("policy.empty",
                  node.position,
                  fmt::format("`{}` of nothing: the rule forbids no hop", name_of(rule)),
                  rule == model::RouteRule::stop_at ? "name the series, or remove the rule"
                                                    : "name the releases, or remove the rule");
        }
        for (const Node* item : items_of(node)) {
            const std::string version = text_of(*item);
            const bool has_series =
                std::any_of(pack_.series.begin(), pack_.series.end(), [&](const auto& series) {
                    return rule == model::RouteRule::stop_at
                               ? model::compare_versions(version, series.first) == 0
                               : model::version_in_series(version, series.first);
                });
            if (!has_series && model::Version::parse(version)) {
                error("policy.series",
                      item->position,
                      rule == model::RouteRule::stop_at
                          ? fmt::format("`{}` is no series of this pack", version)
                          : fmt::format("`{}` is of no series of this pack", version),
                      suggest(version, keys_of(pack_.series)));
            } else if (rule == model::RouteRule::at_least_patch && pack_.series.contains(version)) {
                error("policy.series",
                      item->position,
                      fmt::format("`{}` is a series, and every release of it is at least that",
                                  version),
                      later_release_of(version));
            } else if (rule == model::RouteRule::at_least_patch) {
                warn_of_missing_patch(version, item->position);
            }
        }
        return texts_of(node);
    }

    // Then nothing leaves the series, unless a cluster file adds a release.
    void warn_of_missing_patch(const std::string& version, const Position& position) {
        const auto series =
            std::find_if(pack_.series.begin(), pack_.series.end(), [&](const auto& entry) {
                return model::version_in_series(version, entry.first);
            });
        const auto suffices = [&](const auto& release) {
            return release.second.series == series->first
                   && model::compare_versions(release.first, version) >= 0;
        };
        if (series != pack_.series.end()
            && std::none_of(pack_.releases.begin(), pack_.releases.end(), suffices)) {
            reader_.diagnostics.warning(
                "policy.release",
                position,
                fmt::format("no release of {} is at least `{}`, so that no hop leaves that series",
                            series->first,
                            version),
                "name a release that there is, or add the release to `releases`");
        }
    }

    // Without `with` the rule is about members of one role among themselves.
    void read_skew(const Node& node) {
        model::SkewRule rule;
        rule.role = text_of(node["role"]);
        rule.peer_role = text_of(node["with"], rule.role);
        rule.max_skew = static_cast<int>(integer_of(node["series_apart"], 0));
        rule.newer = boolean_of(node["newer"], true);
        rule.source = source_of(node);
        rule.position = node.position;
        require_role(node["role"], reader_);
        if (node.has("with")) {
            require_role(node["with"], reader_);
        }
        pack_.skew.push_back(std::move(rule));
    }

    // A risk blocks the route unless `refuse` is false: a known loss of data should need no flag.
    void read_risk(const Node& node) {
        model::Risk risk;
        risk.id = text_of(node["id"]);
        risk.from_range = text_of(node["from"]);
        risk.to_range = text_of(node["to"]);
        risk.conditions = read_conditions(node["when"], NameScope{}, reader_);
        risk.because = text_of(node["because"]);
        risk.source = source_of(node);
        risk.fixed_in = text_of(node["fixed_in"]);
        risk.blocks = boolean_of(node["refuse"], true);
        risk.position = node.position;
        for (const model::Risk& earlier_risk : pack_.risks) {
            if (earlier_risk.id == risk.id && !risk.id.empty()) {
                error("risk.duplicate",
                      node["id"].position,
                      fmt::format("a second risk `{}`", risk.id),
                      fmt::format("rename it; the first is at {}", earlier_risk.position.text()));
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
