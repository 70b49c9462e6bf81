// The stores of releases.yaml: their formats, who opens them, and which facts tell of them. The
// laws of releases follow in read_laws.cpp. A store that an axis reads has its laws there, and
// nowhere else.
#include "pack/read_stores.h"

#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

using model::StandardFact;

namespace {

bool has(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
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
        for (const auto& [name, axis] : pack_.axes) {
            check_axis_is_used(axis);
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
            check_newest(store, node["newest"]);
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
        const model::FactSpec* fact = find_own_fact(pack_, store.role, store.clean_stop);
        if (fact == nullptr) {
            report_unknown_fact(node, store.role, reader_);
        } else if (fact->type != model::FactType::boolean) {
            error("store.clean_stop",
                  node.position,
                  fmt::format("`{}` is of type {}", fact->name, name_of(fact->type)),
                  "name a fact of type bool: true if the store was left clean");
        } else if (fact->standard_fact != StandardFact::none) {
            error("store.clean_stop",
                  node.position,
                  fmt::format("`{}` is bound to `{}`, and follows from other things",
                              fact->name,
                              name_of(fact->standard_fact)),
                  "name a fact that tells whether the store was left clean, and nothing else");
        } else {
            check_is_not_temporary(*fact, "clean_stop", store);
        }
    }

    void check_newest(const model::StoreSpec& store, const Node& node) {
        if (store.newest_last_stopped && store.shared) {
            error("store.newest",
                  node.position,
                  "a shared store has one copy, which is never older than another",
                  "remove `newest`, or `shared`");
        }
    }

    void check_level(const model::StoreSpec& store, const Node& node) {
        if (node.kind != Node::Kind::scalar) {
            return;
        }
        const model::FactSpec* fact = find_fact(pack_, store.role, store.level);
        if (fact == nullptr) {
            return report_unknown_fact(node, store.role, reader_);
        }
        check_is_not_temporary(*fact, "level", store);
    }

    // Laws, starts and stops move what tells of a store.
    void check_is_not_temporary(const model::FactSpec& fact,
                                const char* key,
                                const model::StoreSpec& store) {
        if (fact.temporary != model::Temporary::no) {
            error("fact.temporary",
                  fact.position,
                  fmt::format("`{}` is `{}` of the store `{}`, which moves by itself",
                              fact.name,
                              key,
                              store.name),
                  "remove `temporary`; it is for what a plan switches and must switch back");
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
        axis.position = entry.position;
        for (const Entry& release : entry.value["releases"].entries) {
            auto& laws = axis.releases[release.key];
            for (const Entry& law : release.value.entries) {
                if (is_law_here(law, axis.name, reader_)) {
                    laws[law.key] = read_law(law, {}, reader_);
                    check_lowers(law.value["lowers"]);
                    check_raises(law.value["raises"]);
                }
            }
            check_covers(release, axis.name, laws, reader_);
        }
        pack_.axes[axis.name] = std::move(axis);
    }

    // A call that lowers belongs to the plan's target, which is no release of an axis.
    void check_lowers(const Node& node) {
        if (text_of(node) == "on_request") {
            error(
                "law.axis",
                node.position,
                "no release of an axis lowers a format",
                "remove `lowers`; let a step destroy the store and raise it, which makes it anew");
        }
    }

    // Members have their releases of an axis each on its own: no state of all of them, and no
    // leader, is about that axis.
    void check_raises(const Node& node) {
        const auto trigger = model::k_format_triggers.parse(text_of(node));
        if (trigger == model::FormatTrigger::on_lead || trigger == model::FormatTrigger::when_all
            || trigger == model::FormatTrigger::when_all_running) {
            error("law.axis",
                  node.position,
                  fmt::format("`raises: {}` is about the role as a whole, and each member has a "
                              "release of the axis",
                              node.scalar),
                  "write `on_start` if a start raises the store, or `on_migrate` if a step does");
        }
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
        if (const std::string& role = pack_.stores[entry.key].role; pack_.roles.contains(role)) {
            check_axis_fact(role, axis->second, node.position);
        }
    }

    // The names of an axis' releases are texts, with which the fact is compared.
    void
    check_axis_fact(const std::string& role, const model::AxisSpec& axis, const Position& reader) {
        const model::FactSpec* fact = find_own_fact(pack_, role, axis.fact);
        if (fact == nullptr) {
            error("axis.fact",
                  reader,
                  fmt::format("members of `{}` have no fact `{}`, which tells the release of `{}`",
                              role,
                              axis.fact,
                              axis.name),
                  fmt::format("add the fact `{}` under `{}`", axis.fact, role));
        } else if (fact->type != model::FactType::release && fact->type != model::FactType::text) {
            error("axis.fact",
                  axis.position,
                  fmt::format("`{}` is of type {}, and tells the release of `{}`",
                              fact->name,
                              name_of(fact->type),
                              axis.name),
                  "name a fact of type release or text");
        } else if (fact->standard_fact != StandardFact::none) {
            error("axis.fact",
                  axis.position,
                  fmt::format("`{}` is bound to `{}`, and an axis is a second version beside that",
                              fact->name,
                              name_of(fact->standard_fact)),
                  fmt::format("name the fact that tells the {}, or write the laws under `series`",
                              axis.name));
        } else if (fact->at_rest && !axis.releases.contains(fact->at_rest->show())) {
            report_unknown_name(reader_.diagnostics,
                                fact->position,
                                fmt::format("release of the axis {}", axis.name),
                                fact->at_rest->show(),
                                keys_of(axis.releases));
        }
    }

    // Without a store the laws of an axis say nothing. A misspelt axis is reported already.
    void check_axis_is_used(const model::AxisSpec& axis) {
        const auto is_read = [&](const auto& store) { return store.second.read_by == axis.name; };
        if (!reader_.diagnostics.has_errors()
            && std::none_of(pack_.stores.begin(), pack_.stores.end(), is_read)) {
            error("axis.unused",
                  axis.position,
                  fmt::format("no store is read by the axis `{}`", axis.name),
                  fmt::format("write `read_by: {}` at the stores that it reads, or remove it",
                              axis.name));
        }
    }

    // A fact that is bound to a format says nothing unless a store has it as its level, or the fact
    // that is its level follows from it. It is the level of the only store that could be meant.
    void check_bound_formats() {
        for (const model::FactSpec& fact : pack_.facts) {
            if (fact.standard_fact != StandardFact::format || is_level(fact) || is_input(fact)) {
                continue;
            }
            if (model::StoreSpec* store = only_store_without_level(fact.role)) {
                store->level = fact.name;
            } else {
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

    // Returns the store of the role that has no level, if there is exactly one; else null.
    [[nodiscard]] model::StoreSpec* only_store_without_level(const std::string& role) {
        model::StoreSpec* found = nullptr;
        int count = 0;
        for (auto& [name, store] : pack_.stores) {
            if (store.role == role && store.level.empty()) {
                found = &store;
                ++count;
            }
        }
        return count == 1 ? found : nullptr;
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

}  // namespace

void read_stores(const Node& document, PackReader& reader) {
    StoresReader(reader).read(document);
}

}  // namespace drydock::pack
