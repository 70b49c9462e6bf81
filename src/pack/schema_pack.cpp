// The schemas of pack.yaml (roles, settings, facts) and releases.yaml (stores, releases, rules,
// risks).
//
// A probe kind is one key of `probe`, and its table says which ways of picking a value out of the
// answer exist. A new kind of probe needs its table here, its name in probe_kinds(), and its code
// in the agent. Every rule and risk names its source: the upgrade guide, an issue, a measurement.
// Format support is a named schema (`law`), because series and releases share it. docs/packs.md
// explains the keys.
#include "pack/load.h"
#include "pack/schemas.h"

namespace drydock::pack {

// The kinds are also the exactly-one keys of `probe`, so that a probe is read in one way.
const std::vector<std::string>& probe_kinds() {
    static const std::vector<std::string> kinds = {
        "http", "file", "link", "service", "process", "exe", "digest", "command", "disk", "sql"};
    return kinds;
}

namespace {

// Exactly one key picks the value out of the answer. `collect` sorts its list, so that answers in
// another order are the same fact.
Schema http_probe() {
    return table(
        {
            required("url", text(), "where to ask", "\"${client_url}/version\""),
            optional("method",
                     choice({"GET", "POST"}),
                     "GET if not given; either may have a body",
                     "POST"),
            optional("headers", map_of(text()), "headers to send", "{Accept: text/plain}"),
            optional("body", any(), "sent as JSON", "{}"),
            optional("pointer",
                     text(),
                     "JSON pointer of the value; [NAME] in it is the entry NAME of a list of "
                     "{key, value}",
                     "/etcdserver"),
            optional("pointers", list_of(text()), "the list of these values", "[/hash, /revision]"),
            optional("equal", list_of(text()), "true if these two are equal", "[/leader, /id]"),
            optional("collect",
                     table({required("list", text(), "JSON pointer of a list", "/members"),
                            optional("each", text(), "pointer within each item", "/name")}),
                     "the sorted list of one value of each item",
                     "{list: /members, each: /name}"),
            optional(
                "regex", text(), "the first group of this in the answer", "'version ([0-9.]+)'"),
            optional("matches", text(), "true if a line of the answer has this", "'LEADER'"),
            optional("metric", text(), "the value of this Prometheus metric", "process_open_fds"),
            optional("status_map", map_of(any()), "value by HTTP status", "{\"200\": true}"),
            optional("missing", any(), "the value if the pointer leads nowhere", "0"),
            optional("absent_status", list_of(integer(100)), "statuses that mean: none", "[404]"),
            optional("deadline", duration(), "give up after; before `within`", "2s"),
        },
        {"pointer", "pointers", "equal", "collect", "regex", "matches", "metric", "status_map"});
}

// `as` says how the file is read; check_file() in read_facts.cpp asks for the key that it then
// needs.
Schema file_probe() {
    return table({
        required("path", text(), "the file", "\"${data_dir}/VERSION\""),
        required("as",
                 choice({"exists", "text", "keyvalue", "json", "symlink", "size"}),
                 "what of it",
                 "text"),
        optional("key", text(), "keyvalue: which key", "version"),
        optional("pointer", text(), "json: which value", "/version"),
        optional("regex", text(), "text: the first group of this", "'v([0-9.]+)'"),
    });
}

// A command of a probe changes nothing, unless its fact has `effect: writes`. The text of a script
// travels with the probe.
Schema command_probe() {
    return table(
        {
            required("argv", list_of(text()), "program and arguments", "[\"${release}/etcd\"]"),
            optional("env", map_of(text()), "its environment", "{LANG: C}"),
            optional("script", text(), "a file of scripts/, as ${script} in `argv`", "auth.py"),
            optional("pointer", text(), "its output is JSON: which value", "/version"),
            optional("regex", text(), "the first group of this in its output", "'v([0-9.]+)'"),
            optional(
                "exit_map", map_of(any()), "value by exit code", "{\"0\": true, \"1\": false}"),
        },
        {"pointer", "regex", "exit_map"});
}

// The query runs through the server's own client in a read-only transaction. It gives one column.
Schema sql_probe() {
    return table({
        required("query", text(), "one column; one row, unless the type is list", "\"select 1\""),
        required("host", text(), "where the server answers", "\"${db_host}\""),
        optional("port", text(), "5432 if not given", "\"${db_port}\""),
        required("user", text(), "who asks", "\"${db_user}\""),
        required("database", text(), "in which database", "\"${db_name}\""),
        optional("client", text(), "the server's own client; psql", "/usr/bin/psql"),
        optional("env", map_of(text()), "the client's environment", "{PGPASSFILE: /etc/x}"),
    });
}

// A scalar stands for a built-in answer about the member, a map for the parameters of the probe.
Schema probe() {
    return table(
        {
            optional("http", http_probe(), "ask over HTTP", "{url: \"${client_url}/version\"}"),
            optional("file", file_probe(), "look at a file", "{path: /etc/x, as: text}"),
            optional("link",
                     choice({"release", "on_disk"}),
                     "the release the link points to, or the list of those whose folder is there",
                     "release"),
            optional("service", choice({"state"}), "running or stopped", "state"),
            optional("process", choice({"pid"}), "the service's process", "pid"),
            optional("exe", choice({"release"}), "the release of the running program", "release"),
            optional("digest",
                     table({required("path", text(), "the file", "\"${release}/etcd\"")}),
                     "SHA-256 of a file",
                     "{path: /etc/x}"),
            optional("command", command_probe(), "run a program that changes nothing"),
            optional("sql", sql_probe(), "ask PostgreSQL, in a read-only transaction"),
            optional("disk",
                     table({required("path", text(), "a path on the disk", "\"${data_dir}\""),
                            required("as",
                                     choice({"free_bytes", "used_percent"}),
                                     "what of it",
                                     "free_bytes")}),
                     "room on a disk",
                     "{path: \"${data_dir}\", as: free_bytes}"),
        },
        probe_kinds());
}

// `percent` and `minus` combine two facts of one scope; the others reduce a fact over all members.
Schema derivation() {
    return table(
        {
            optional("percent", list_of(text()), "the first in percent of the second", "[a, b]"),
            optional("minus", list_of(text()), "the first less the second", "[a, b]"),
            optional("lowest", text(), "the lowest over all members", "version"),
            optional("highest", text(), "the highest over all members", "version"),
            optional("agreed", text(), "what all members say", "cluster_id"),
        },
        model::k_derivations.choices());
}

// The words of `binds` are the standard facts, about which the checker knows rules.
Schema fact() {
    return table(
        {
            required(
                "type", choice(model::k_fact_types.choices()), "the type of its values", "integer"),
            optional("binds",
                     choice(model::k_standard_facts.choices()),
                     "the standard fact that it is",
                     "running"),
            optional("help", text(), "what it tells", "\"the release that runs\""),
            optional("moves", boolean(), "it changes by itself: never drift", "true"),
            optional("identity", boolean(), "it tells which cluster this is", "true"),
            optional("effect",
                     choice({"reads", "writes"}),
                     "writes: the probe changes what it reads; never used in a survey",
                     "writes"),
            optional("within", duration(), "give up after; 2s if not given", "2s"),
            optional("probe", probe(), "how it is read", "{link: release}"),
            optional("derive", derivation(), "how it follows from others", "{lowest: version}"),
            optional("unknown",
                     choice({"skip"}),
                     "skip: what a member cannot tell changes nothing; left out, nothing follows",
                     "skip"),
        },
        {"probe", "derive"});
}

// Types `url` and `path` also say that two members on one host may not share the value.
Schema setting() {
    return table({
        required("type", choice({"url", "path", "text", "integer"}), "what it holds", "url"),
        optional("help", text(), "what it is for", "\"where this member answers clients\""),
        optional("required", boolean(), "true if not given", "false"),
        optional("default", text(), "its value if not given", "\"100000\""),
        optional("shared", boolean(), "members on one host may have the same", "true"),
    });
}

// `quorum: majority` makes the planner and the checker count the members that are down.
Schema role() {
    return table({
        optional("quorum", choice({"majority", "none"}), "none if not given", "majority"),
        optional("stores", list_of(text()), "stores that its members keep", "[data]"),
        optional("sides", boolean(), "it has a source and a target side; no if not given", "true"),
    });
}

// The order of `formats` is the order of age: raising and lowering move along it.
Schema store() {
    return table({
        required("role", text(), "the role that keeps it", "member"),
        optional("shared", boolean(), "one for all members, not one each", "true"),
        optional("level", text(), "the fact that tells its format", "level"),
        required("formats", list_of(text()), "all formats, oldest first", "[\"3.4\", \"3.5\"]"),
    });
}

// All keys are optional, because a release states only its differences from its series. check_law()
// in read_releases.cpp checks the merged rule.
Schema law() {
    Schema schema = table({
        optional("reads", list_of(text()), "formats it can read", "[\"3.4\", \"3.5\"]"),
        optional("writes", text(), "the format it writes", "\"3.5\""),
        optional("raises",
                 choice(model::k_format_triggers.choices(model::FormatTrigger::on_migrate)),
                 "when it raises the format; never if not given",
                 "when_all"),
        optional("lowers",
                 choice({"never", "on_request"}),
                 "whether it can lower the format again",
                 "on_request"),
    });
    schema.definition_name = "law";
    return schema;
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
            optional("stop_at", list_of(text()), "series in which a route stops", "[\"22.8\"]"),
            optional("at_most", integer(), "a hop goes over so many series at most", "2"),
            optional("at_least_patch",
                     list_of(text()),
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

const Schema& pack_file_schema() {
    static const Schema schema = table({
        required("pack", name(), "the system's name", "etcd"),
        required("title", text(), "its name for people", "etcd"),
        required("roles", map_of(name(), role()), "the roles of its members", "{member: {}}"),
        optional(
            "settings", map_of(map_of(name(), setting())), "by role: what a cluster file gives"),
        required("facts", map_of(map_of(name(), fact())), "by role, or system: what is read", "{}"),
    });
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
        optional("policies", list_of(policy()), "rules for the route"),
        optional("skew", list_of(skew()), "which releases may serve together"),
        optional("risks", list_of(risk()), "what is known to go wrong"),
    });
    return schema;
}

Json pack_json_schema() {
    return root_json_schema(pack_file_schema(), "drydock pack.yaml");
}

Json releases_json_schema() {
    return root_json_schema(releases_file_schema(), "drydock releases.yaml");
}

}  // namespace drydock::pack
