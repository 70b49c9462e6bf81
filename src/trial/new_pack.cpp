// The texts of `drydock pack new`. NAME stands for the name of the pack.
//
// The pack has one role, one store, and a rule that a person can see at work: the failing twin has
// a member that is down, and one more may not stop. A test takes the case through lint and trial.
#include "trial/new_pack.h"

namespace drydock::trial {

namespace {

constexpr const char* k_readme = R"(# NAME

A pack for drydock, and a case to try it on without a cluster.

    drydock pack lint FOLDER/pack
    drydock pack try FOLDER

| file | holds |
| --- | --- |
| `pack/pack.yaml` | roles, and how each fact is read |
| `pack/releases.yaml` | stores, releases, and what each release reads and writes |
| `pack/procedures/` | the way forward and the way back |
| `cluster.yaml` | a cluster of three members |
| `facts.yaml` | what a survey of it would find |
| `plan.yaml` | the version to reach |
| `case.yaml` | what has to stop the failing twin, and under which name |
| `failing/`, `passing/` | what differs: facts are merged, other files take the place of the shared one |

Write down the upgrade that you fear as the failing twin, and what should have been different as the passing one. Then
change the pack until `pack try` ends with 0. The words of a pack are in drydock's docs/packs.md.
)";

constexpr const char* k_case = R"(# What is tried, and what must come of it.
title: "one of three servers is down when the upgrade begins"
report: ""                 # where this is told of: owner/name#number
stopped_by: preflight      # lint, route, preflight or check
name: every-server-ready   # the rule, requirement, risk or property that stops it
says: ["start the servers that are down"]
)";

constexpr const char* k_cluster = R"(# A cluster to try the pack on. No host is asked.
cluster: trial
system: NAME
hosts: {here: {connect: local}}
roles:
  server:
    host: here
    service:
      process:
        argv: ["${release}/bin/server", "--name", "${member}"]
        pid_file: "/run/NAME-${member}.pid"
        log: "/var/log/NAME-${member}.log"
    release: {link: "/opt/NAME/${member}", versions: {"1.0.0": /opt/NAME-1.0.0, "1.1.0": /opt/NAME-1.1.0}}
members:
  - {role: server, name: s1}
  - {role: server, name: s2}
  - {role: server, name: s3}
)";

constexpr const char* k_facts =
    R"(# What a survey would find. `every` means each member; null means that there is none. A fact that is
# not named here was not read.
every: {service: running, installed: "1.0.0", running: "1.0.0", ready: true}
)";

constexpr const char* k_failing = R"(# Somebody has stopped s3.
s3: {service: stopped, running: null, ready: false}
)";

constexpr const char* k_passing = R"(# Somebody has started s3 again.
s3: {service: running, running: "1.0.0", ready: true}
)";

constexpr const char* k_plan = R"(to: "1.1.0"
)";

constexpr const char* k_pack =
    R"(# Servers that hold copies of the same data. Two of three must be ready at any moment.
pack: NAME
title: NAME
roles:
  server: {quorum: majority, stores: [data]}
facts:
  server:
    service: {type: text, probe: {service: state}}
    installed: {binds: installed, type: release, probe: {link: release}}
    running: {binds: running, type: release, probe: {exe: release}}
    ready:
      binds: ready
      type: bool
      help: "serves clients, and the others see it"
      probe: {command: {argv: ["${release}/bin/healthy", "${member}"], exit_map: {"0": true, "1": false}}}
)";

constexpr const char* k_releases =
    R"(# What each release reads and writes. The checker holds every start to it.
stores:
  data: {role: server, formats: ["1"]}
series:
  "1.0": {data: {reads: ["1"], writes: "1"}}
  "1.1": {data: {reads: ["1"], writes: "1"}}
releases:
  "1.0.0": {series: "1.0"}
  "1.1.0": {series: "1.1"}
)";

constexpr const char* k_upgrade = R"(procedure: upgrade
kind: rolling
title: "one server after the other"
phases:
  - phase: preflight
    steps:
      - require: "every server is ready"
        id: every-server-ready
        all: [{fact: ready, of: every, is: true, members_at_least: 3}]   # `every` is each that runs
        why: "the next stop would leave too few of them"
        remedy: "start the servers that are down, and see that they are ready"
  - phase: roll
    each: {role: server, order: serial}
    steps:
      - stop: server
        title: "stop ${member}"
        guard: [{quorum_without: this}]   # holds at the moment of the stop
        then: [{fact: service, is: stopped}, {fact: running, present: false}]
        remedy: "see the log of ${member}: it does not stop"
      - install: "${to}"
        title: "switch ${member} to ${to}"
        then: [{fact: installed, is: "${to}"}]
        remedy: "see that the folder of ${to} is there"
      - start: server
        title: "start ${member} on ${to}"
        then: [{fact: running, is: "${to}"}, {fact: ready, is: true}]   # else the next one would follow too early
        remedy: "see the log of ${member}; the way back is `drydock downgrade`"
)";

constexpr const char* k_downgrade = R"(procedure: downgrade
kind: rolling
title: "one server after the other back"
cost: "nothing lost"
phases:
  - phase: back
    each: {role: server, order: serial}
    steps:
      - stop: server
        title: "stop ${member}"
        guard: [{quorum_without: this}]
        then: [{fact: service, is: stopped}, {fact: running, present: false}]
        remedy: "see the log of ${member}: it does not stop"
      - install: "${to}"
        title: "switch ${member} to ${to}"
        then: [{fact: installed, is: "${to}"}]
        remedy: "see that the folder of ${to} is there"
      - start: server
        title: "start ${member} on ${to}"
        then: [{fact: running, is: "${to}"}, {fact: ready, is: true}]
        remedy: "see the log of ${member}, then bring it up on ${to}"
)";

std::string with_name(std::string text, const std::string& name) {
    constexpr std::string_view k_name = "NAME";
    for (std::size_t at = text.find(k_name); at != std::string::npos;
         at = text.find(k_name, at + name.size())) {
        text.replace(at, k_name.size(), name);
    }
    return text;
}

}  // namespace

std::map<std::string, std::string> new_case(const std::string& name) {
    std::map<std::string, std::string> files = {
        {"README.md", k_readme},
        {"case.yaml", k_case},
        {"cluster.yaml", k_cluster},
        {"facts.yaml", k_facts},
        {"plan.yaml", k_plan},
        {"failing/facts.yaml", k_failing},
        {"passing/facts.yaml", k_passing},
        {"pack/pack.yaml", k_pack},
        {"pack/releases.yaml", k_releases},
        {"pack/procedures/upgrade.yaml", k_upgrade},
        {"pack/procedures/downgrade.yaml", k_downgrade},
    };
    for (auto& [file, text] : files) {
        text = with_name(std::move(text), name);
    }
    return files;
}

}  // namespace drydock::trial
