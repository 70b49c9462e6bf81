// The schema of the cluster file: hosts, roles, members, policy and own releases.
//
// The file is the operator's, so every key has a help text and most have an example. Both appear in
// messages and in the JSON Schema that editors show. Service, release and settings may stand at a
// role or at a member; read_member.cpp lets the member's replace the role's. Keys of a later build
// (`package`) are in the schema, so that the reader can say so instead of "unknown key".
#include "pack/load.h"
#include "pack/schemas.h"

namespace drydock::pack {

namespace {

// A member has the labels of its host, with its own on top.
Field labels() {
    return optional("labels",
                    map_of(name(), text()),
                    "by which a quorum of the pack may count members",
                    "{rack: r1}");
}

// `connect` begins a command line, such as ssh with a host; `become` and the agent's command follow
// it.
Schema host() {
    return table({
        required(
            "connect",
            either(choice({"local"}),
                   either(table({required("ssh", text(), "its name for ssh", "a.example.org")}),
                          list_of(text()))),
            "`local`, a name for ssh, or the command that leads there",
            "{ssh: a.example.org}"),
        optional("become", list_of(text()), "put before the agent's command", "[sudo, -n]"),
        optional("agent",
                 text(),
                 "path of drydock there; ssh: a copy of drydock-agent if not given",
                 "/usr/bin/drydock"),
        optional("state", text(), "that host's folder for actions", "/var/lib/drydock"),
        labels(),
    });
}

// Hosts that no member names are left out.
Schema inventory() {
    return table({
        required("file", text(), "the inventory, INI or YAML, beside this file", "hosts.ini"),
        optional("group", text(), "the group whose hosts are taken; all if not given", "etcd"),
        optional("become", list_of(text()), "in place of ansible_become", "[sudo, -n]"),
        optional("agent", text(), "path of drydock there; a copy if not given", "/usr/bin/drydock"),
        optional("state", text(), "the hosts' folder for actions", "/var/lib/drydock"),
    });
}

// The environment is made by the agent of the host, with that host's interpreter and wheels.
Schema venv() {
    return table({
        required("python", text(), "the interpreter they are made with", "/usr/bin/python3.11"),
        required("pins",
                 map_of(version(), text()),
                 "by release: the file with every package and its version",
                 "{\"23.9.10\": /srv/pins/23.9.10.txt}"),
        optional("wheels", text(), "folder of wheels; pip's own index if not given", "/srv/wheels"),
        optional("check",
                 list_of(text()),
                 "a command that works only if the environment does, seen from its folder",
                 "[bin/alembic, --version]"),
        optional("env", map_of(text()), "the environment of pip and of `check`", "{LANG: C}"),
    });
}

// The pid file is required: the agent finds the process by it after its own death.
Schema process() {
    return table({
        required("argv", list_of(text()), "program and arguments", "[\"${release}/etcd\"]"),
        optional("env", map_of(text()), "its environment", "{GOMAXPROCS: \"2\"}"),
        optional("cwd", text(), "the folder it runs in", "\"${data_dir}\""),
        optional("title",
                 text(),
                 "how its command line begins once it has renamed itself; needs `cwd`",
                 "\"postgres: main\""),
        required("pid_file", text(), "where its process id is kept", "\"${data_dir}.pid\""),
        required("log", text(), "where its output goes", "\"${data_dir}.log\""),
        optional("stop",
                 table({
                     optional("signal",
                              choice({"TERM", "INT", "QUIT", "HUP", "USR1", "USR2"}),
                              "TERM if not given",
                              "TERM"),
                     optional("within", duration(), "time to end; as the pack says", "10s"),
                     optional("kill_after", duration(), "then KILL; never if not given", "30s"),
                 }),
                 "how it is stopped",
                 "{signal: TERM, within: 10s}"),
    });
}

Schema service_command() {
    const Schema argv = list_of(text());
    return table({
        required("start", argv, "starts it", "[service, etcd, start]"),
        required("stop", argv, "stops it", "[service, etcd, stop]"),
        required("status", argv, "exit code 0: it runs", "[service, etcd, status]"),
    });
}

// Either the agent is the parent of the process, or commands start, stop and query it.
Field service() {
    return optional(
        "service",
        table(
            {
                optional("process", process(), "drydock starts it itself"),
                optional("command", service_command(), "commands start it"),
                optional(
                    "systemd", text(), "a unit of systemd starts it", "etcd@${member}.service"),
            },
            {"process", "command", "systemd"}),
        "how a member is started and stopped",
        "{command: {start: [...], stop: [...], status: [...]}}");
}

// Installed releases lie side by side, and a symlink chooses the release that starts.
Field release() {
    return optional(
        "release",
        table(
            {
                optional("link", text(), "the symlink that is switched", "/opt/etcd/current"),
                optional("versions",
                         map_of(text()),
                         "folder of each release",
                         "{\"3.5.16\": /opt/etcd-3.5.16}"),
                optional("venv", venv(), "Python environments, which drydock makes"),
                optional("package", one_or_more(text()), "packages (not in this build)"),
            },
            {"link", "package"}),
        "how a release is put in place",
        "{link: /opt/etcd/current, versions: {\"3.5.16\": /opt/etcd-3.5.16}}");
}

// A setting is a text or a secret. A secret names its source and never its value.
Field settings() {
    const Schema secret = table(
        {
            optional("file", text(), "read from a file", "./password"),
            optional("env", text(), "read from the environment", "DB_PASSWORD"),
            optional("command", list_of(text()), "what a command prints", "[pass, show, db]"),
        },
        model::k_secret_kinds.choices());
    return optional(
        "settings",
        map_of(
            either(text(), table({required("secret", secret, "where it comes from", "{env: X}")}))),
        "the pack's settings, and others that these use",
        "{data_dir: /var/lib/etcd}");
}

// `release` and `service` may come from the role, so they are required by read_member.cpp, not
// here.
Schema member() {
    return table({
        required("role", text(), "its role", "member"),
        required("name", name(), "its name", "m1"),
        optional("side", name(), "its side, if its role has sides: a name of yours", "blue"),
        optional("host", text(), "its host", "a"),
        labels(),
        service(),
        release(),
        settings(),
    });
}

// The same keys as a member, without its identity.
Schema role() {
    return table({
        optional("host", text(), "the host of members that name none", "a"),
        service(),
        release(),
        settings(),
    });
}

// Defaults stand in the help texts behind a semicolon; model::Policy has the same values.
Schema policy() {
    return table({
        optional("max_unavailable", integer(1), "members down at a time; 1", "1"),
        optional("soak", duration(), "before the gate of the point of no return opens; 10m", "10m"),
        optional(
            "on_failure", choice(model::k_failure_policies.choices()), "halt if not given", "halt"),
        optional("backups",
                 table({
                     optional("path", text(), "folder on the hosts", "/var/backups/etcd"),
                     optional("keep", integer(1), "so many; 2", "2"),
                 }),
                 "where copies go",
                 "{path: /var/backups/etcd, keep: 2}"),
        optional("signatures",
                 table({
                     required("allowed",
                              text(),
                              "allowed-signers file of ssh-keygen(1), beside this file",
                              "signers"),
                     optional("required", boolean(), "true if not given", "true"),
                 }),
                 "who may sign plans, and whether `apply` wants a signature",
                 "{allowed: signers}"),
    });
}

// Keys are secrets without `command`: these commands start nothing.
Schema bucket() {
    const Schema key = table(
        {required("secret",
                  table(
                      {
                          optional("file", text(), "read from a file", "./key"),
                          optional("env", text(), "read from the environment", "OLD_SECRET_KEY"),
                      },
                      {"file", "env"}),
                  "where it comes from",
                  "{env: OLD_SECRET_KEY}")});
    return table({
        optional("bucket", text(), "its name at the server; the name here if not given", "data"),
        optional("prefix", text(), "put before each key", "prod/"),
        optional("endpoint", text(), "the server; Amazon's own order if not given", "https://s3.x"),
        optional("region", text(), "Amazon's own order if not given", "eu-central-1"),
        optional("addressing", choice({"path", "virtual"}), "the bucket in the path or the host"),
        optional("ca", text(), "the CA in PEM, beside this file", "ca.pem"),
        optional("profile", text(), "of ~/.aws/config and ~/.aws/credentials", "old"),
        optional("access_key", key, "the id of the key", "{secret: {env: OLD_ACCESS_KEY}}"),
        optional("secret_key", key, "its secret", "{secret: {file: ./old.secret}}"),
    });
}

}  // namespace

const Schema& cluster_file_schema() {
    static const Schema schema = table({
        required("cluster", name(), "its name", "orders"),
        required("system", name(), "the pack", "etcd"),
        optional("state", text(), "folder of the journal; ./<cluster>.state", "./state"),
        optional("hosts", map_of(name(), host()), "the machines", "{a: {connect: local}}"),
        optional("inventory",
                 inventory(),
                 "more machines, out of an inventory of Ansible",
                 "{file: hosts.ini, group: etcd}"),
        optional("roles", map_of(role()), "what the members of a role share"),
        required(
            "members", list_of(member()), "the members", "[{role: member, name: m1, host: a}]"),
        optional("policy", policy(), "what is allowed"),
        optional("releases",
                 map_of(version(), release_schema()),
                 "own builds that the pack does not know",
                 "{\"3.5.16-acme1\": {series: \"3.5\"}}"),
        optional("buckets",
                 map_of(name(), bucket()),
                 "buckets of S3, for `drydock copy -c`",
                 "{old: {endpoint: \"https://s3.example.org\", profile: old}}"),
    });
    return schema;
}

Json cluster_json_schema() {
    return root_json_schema(cluster_file_schema(), "drydock cluster file");
}

}  // namespace drydock::pack
