// Format support of one release: which formats of a store it reads, which it writes, and when it
// raises or lowers them.
//
// A series states it once for every store; a release inherits it from its series and may change
// single entries. So the checks run on the merged result: a release that writes a format it cannot
// read would lose its own data.
#include "pack/read_stores.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

using model::FormatSupport;
using model::FormatTrigger;

namespace {

bool has(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

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
            && !is_bound(reader_.pack, store_.role, model::StandardFact::leads)) {
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
