// The schema of releases.yaml: stores, format support, releases, route rules, risks.
//
// Format support is a named schema (`law`), because series, releases and axes share it. Every rule
// and risk names its source: the upgrade guide, an issue, a measurement. docs/packs.md explains the
// keys.
#include "pack/load.h"
#include "pack/schemas.h"

namespace drydock::pack {

namespace {

// The order of `formats` is the order of age: raising and lowering move along it.
Schema store() {
    return table({
        required("role", text(), "the role that keeps it", "member"),
        optional("shared", boolean(), "one for all members, not one each", "true"),
        optional("level", text(), "the fact that tells its format", "level"),
        required("formats", list_of(text()), "all formats, oldest first", "[\"3.4\", \"3.5\"]"),
        optional("leader_only", boolean(), "only the leader of its role opens it", "true"),
        optional("clean_stop", text(), "the fact that tells whether it was left clean", "clean"),
        optional("newest",
                 choice({"last_stopped"}),
                 "after a full stop, who stopped last has the newest copy",
                 "last_stopped"),
        optional("read_by", name(), "the axis whose releases have its laws", "libc"),
    });
}

// All keys are optional, because a release states only its differences from its series. read_law()
// checks the merged rule.
Schema law() {
    Schema schema = table({
        optional("reads", list_of(text()), "formats it can read", "[\"3.4\", \"3.5\"]"),
        optional("starts_on",
                 list_of(text()),
                 "further formats on which it starts, but serves no clients",
                 "[\"3.3\"]"),
        optional("writes", text(), "the format it writes", "\"3.5\""),
        optional("raises",
                 choice(model::k_format_triggers.choices(model::FormatTrigger::on_lead)),
                 "when it raises the format; never if not given",
                 "when_all"),
        optional("lowers",
                 choice({"never", "on_request"}),
                 "whether it can lower the format again",
                 "on_request"),
        optional("alone",
                 boolean(),
                 "on_start: two starts that raise the format may not be under way at a time",
                 "true"),
    });
    schema.definition_name = "law";
    return schema;
}

// A second version of each member, such as that of its image or system library.
Schema axis() {
    return table({
        required("fact", text(), "the members' fact that tells the release", "libc"),
        required("releases",
                 map_of(map_of(law())),
                 "by release and store: laws as a series has them",
                 "{\"2.36\": {}}"),
    });
}

// One policy holds one rule. `yields_to: chain` marks rules of thumb that a clean comparison of
// migration chains overrules.
Schema policy() {
    return table(
        {
            optional("adjacent_only",
                     choice({"series", "release"}),
                     "one series, or one release, at a time",
                     "series"),
            optional("no_series_skip",
                     boolean(),
                     "no series that has a release to install is passed over",
                     "true"),
            optional("consecutive",
                     choice({"series"}),
                     "within a series every release in turn",
                     "series"),
            optional("latest_of_previous_series",
                     boolean(),
                     "a series is left from its latest release only",
                     "true"),
            optional("max_skew", integer(), "at most so many series apart", "2"),
            optional("never", range(), "releases never to go to", "\">=3.5.0 <3.5.3\""),
            optional("stop_at", list_of(version()), "series in which a route stops", "[\"22.8\"]"),
            optional("at_most", integer(1), "a hop goes over so many series at most", "2"),
            optional("at_least_patch",
                     list_of(version()),
                     "releases: a later series is reached from them or from later ones",
                     "[\"3.4.22\"]"),
            optional("runtime", name(), "what releases `need` of this must be there", "python"),
            optional(
                "fact", text(), "runtime: the system's fact that tells what is there", "pythons"),
            optional("yields_to",
                     choice({"chain"}),
                     "falls on hops that releases.chains shows to be clean, if no route keeps it",
                     "chain"),
            required("source", text(), "who says so", "\"upgrade guide\""),
        },
        model::k_route_rules.choices());
}

// A skew rule limits how far apart the releases of two roles may be while both run.
Schema skew() {
    return table({
        required("role", text(), "members of this role", "kubelet"),
        optional("with", text(), "and of this one; of the same if not given", "apiserver"),
        required("series_apart", integer(), "run releases at most so many series apart", "1"),
        optional("newer", boolean(), "false: the first may not be the newer", "false"),
        required("source", text(), "who says so", "\"version skew policy\""),
    });
}

// A risk with a condition that cannot be evaluated counts as present.
Schema risk() {
    return table({
        required("id", name(), "its name", "data-inconsistency"),
        optional("from", range(), "releases one comes from; all if not given", "\"<3.5\""),
        optional("to", range(), "releases one goes to; all if not given", "\">=3.5.0 <3.5.3\""),
        optional("when", one_or_more(condition_schema()), "only if all of these hold"),
        required("because", text(), "what can happen", "\"data may differ\""),
        required("source", text(), "who says so", "\"etcd-io/etcd#13766\""),
        optional("fixed_in", text(), "the release without it", "\"3.5.3\""),
        optional("refuse", boolean(), "false: only say it", "false"),
    });
}

}  // namespace

// Other keys of a release are names of stores, with the release's own format support.
Schema release_schema() {
    Schema schema = table({
        required("series", text(), "its series", "\"3.5\""),
        optional("needs",
                 map_of(name(), text()),
                 "what must be there: version bounds, or words with | between them",
                 "{python: \">=3.11 <3.12\"}"),
        optional("unavailable", text(), "why it cannot be installed", "\"yanked: broken\""),
    });
    schema.inner = std::make_shared<const Schema>(law());
    return schema;
}

// `stores`, `series` and `releases` are required even if empty: a forgotten part would go
// unnoticed.
const Schema& releases_file_schema() {
    static const Schema schema = table({
        required("stores", map_of(name(), store()), "the stores and their formats", "{}"),
        required("series",
                 map_of(version(), map_of(law())),
                 "how the releases of a series treat each store",
                 "{\"3.5\": {}}"),
        required("releases",
                 map_of(version(), release_schema()),
                 "the releases; may give laws of their own, by store",
                 "{\"3.5.16\": {series: \"3.5\"}}"),
        optional("axes",
                 map_of(name(), axis()),
                 "second versions of the members, with laws of their own",
                 "{libc: {fact: libc, releases: {}}}"),
        optional("policies", list_of(policy()), "rules for the route"),
        optional("skew", list_of(skew()), "which releases may serve together"),
        optional("risks", list_of(risk()), "what is known to go wrong"),
    });
    return schema;
}

Json releases_json_schema() {
    return root_json_schema(releases_file_schema(), "drydock releases.yaml");
}

}  // namespace drydock::pack
