// The schema of pack.yaml: roles, settings, facts.
//
// A probe kind is one key of `probe`, and its table says which ways of picking a value out of the
// answer exist. A new kind of probe needs its table here, its name in probe_kinds(), and its code
// in the agent. docs/packs.md explains the keys.
#include "pack/load.h"
#include "pack/schemas.h"

namespace drydock::pack {

// The kinds are also the exactly-one keys of `probe`, so that a probe is read in one way.
const std::vector<std::string>& probe_kinds() {
    static const std::vector<std::string> kinds = {"http",
                                                   "file",
                                                   "link",
                                                   "service",
                                                   "process",
                                                   "exe",
                                                   "digest",
                                                   "command",
                                                   "disk",
                                                   "sql",
                                                   "kubernetes"};
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
            optional("kubernetes", kubernetes_probe(), "ask a Kubernetes API server"),
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
            optional("temporary",
                     choice(model::k_temporaries.choices()),
                     "switched for a plan's time: true, or way_back: what only a way back undoes",
                     "true"),
            optional("at_rest",
                     any(),
                     "its value outside plans, which an end restores; null: it is absent",
                     "running"),
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

// A word, a number of members, or a map for the other ways of counting. The planner and the checker
// count the members that are ready.
Schema quorum() {
    Schema map = table(
        {
            optional("all_but", integer(1), "at most so many are not ready", "1"),
            optional("at_least",
                     either(choice({"majority"}), integer(1)),
                     "at least so many are ready",
                     "majority"),
            optional("within", name(), "a label: each of its values has a quorum", "shard"),
            optional("domains", name(), "a label: members with one value count as one", "rack"),
        },
        {"all_but", "at_least"});
    return either(either(choice({"majority", "none"}), integer(1)), std::move(map));
}

// `steps` holds keys of steps by verb, with one schema for all verbs.
Schema role() {
    return table({
        optional("quorum", quorum(), "how many must be ready; none if not given", "majority"),
        optional("stores", list_of(text()), "stores that its members keep", "[data]"),
        optional("sides", boolean(), "it has a source and a target side; no if not given", "true"),
        optional("optional", boolean(), "the cluster serves without it; no if not given", "true"),
        optional("restarts", choice({"never"}), "never: a member that is down stays down", "never"),
        optional("ready_with",
                 either(choice({"majority"}), integer(1)),
                 "members are ready only while so many of the role run",
                 "majority"),
        optional("steps",
                 map_of(choice(model::k_verbs.choices()), step_defaults_schema()),
                 "by verb: keys of steps on its members that do not have them",
                 "{stop: {within: 30s}}"),
    });
}

}  // namespace

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

Json pack_json_schema() {
    return root_json_schema(pack_file_schema(), "drydock pack.yaml");
}

}  // namespace drydock::pack
