// The schemas of conditions and of the documents of procedures/*.yaml.
//
// Words of the model (relations, quantifiers, verbs) come from the model's own tables of names.
// So a pack cannot use a word unknown to the model, and a new verb appears in the schema at once.
// Conditions are used by steps, guards, selections of members, procedures and risks. Keys such as
// `when`, `then` and `happened` are the pack authors' interface: editors show their help texts.
#include "pack/load.h"
#include "pack/schemas.h"

namespace drydock::pack {

namespace {

// One key for each relation, so that a condition reads as a sentence: `{fact: ready, is: true}`.
std::vector<Field> condition_fields() {
    // Flags without an operand are written `same: true`; no other value makes sense.
    const Schema yes = choice({"true"});
    return {
        required("fact", text(), "the fact that it is about", "ready"),
        optional("of", choice(model::k_quantifiers.choices()), "whose fact", "every"),
        optional("role", text(), "of which role's members; needed if several have it", "datanode"),
        optional("side", choice({"source", "target"}), "of which side of the role", "source"),
        optional("is", any(), "equal; a release is also its series", "true"),
        optional("is_not", any(), "not equal", "false"),
        optional("in", list_of(any()), "one of these", "[\"3.4\", \"3.5\"]"),
        optional("below", any(), "less, or an older release", "80"),
        optional("at_least", any(), "not less", "\"3.5\""),
        optional("above", any(), "more", "0"),
        optional("at_most", any(), "not more", "5000"),
        optional("same", yes, "all members give the same value", "true"),
        optional("present", boolean(), "there is a value, or there is none", "true"),
        optional("planned", boolean(), "as when the plan was made, or not so any more", "true"),
        optional("reaches", yes, "not below what others had before", "true"),
        optional("stands", yes, "as in the reading before", "true"),
        optional("has", any(), "a list has it", "\"${to}\""),
        optional("members_at_least", integer(1), "enough if so many members fit", "2"),
        optional("remedy", text(), "what a person does if it does not hold", "\"disarm it\""),
    };
}

// An item of a guard may also be {quorum_without: ...}. `fact` is optional here, and the reader
// asks for it.
Schema guard() {
    std::vector<Field> fields = condition_fields();
    fields.front().required = false;
    fields.push_back(optional("quorum_without",
                              choice({"this", "host"}),
                              "enough are ready without this member, or without all on its host",
                              "this"));
    std::vector<std::string> ways = model::k_relations.choices();
    ways.emplace_back("quorum_without");
    Schema schema = table(std::move(fields), std::move(ways));
    schema.definition_name = "guard";
    return one_or_more(std::move(schema));
}

Schema conditions() {
    return one_or_more(condition_schema());
}

// Either one after another, all at once, or a batch of a given size.
Schema order() {
    return either(choice({"serial", "all"}),
                  table({required("batch", integer(1), "so many at a time", "2")}));
}

// A word stands for the system or the member of `each`; a map selects members of a role.
Schema on() {
    return either(choice({"system", "this", "host"}),
                  table(
                      {
                          optional("every", text(), "every member of a role", "member"),
                          optional("one_of", text(), "one member of a role", "member"),
                          optional("one_per_host",
                                   text(),
                                   "one member of a role on each host, for all of them there",
                                   "member"),
                          optional("side",
                                   choice({"source", "target"}),
                                   "of which side, if the role has sides",
                                   "target"),
                          optional("order", order(), "serial if not given", "all"),
                          optional("where", conditions(), "only members for which these hold"),
                      },
                      {"every", "one_of", "one_per_host"}));
}

// `exit_done` lists the codes that mean success. The postconditions decide whether the step had
// effect.
Schema command() {
    return table({
        required("argv", list_of(text()), "program and arguments", "[\"${release}/etcdctl\"]"),
        optional("env", map_of(text()), "its environment", "{ETCDCTL_API: \"3\"}"),
        optional("cwd", text(), "the folder it runs in", "\"${data_dir}\""),
        optional("stdout_file", text(), "file for its output", "\"${backup}/out\""),
        optional("exit_done", list_of(integer()), "exit codes that mean done; [0]", "[0]"),
    });
}

// What `drydock copy` and `drydock verify` both have (docs/commands.md).
std::vector<Field> mover_fields() {
    return {
        required("from", text(), "a folder, or s3://BUCKET[/PREFIX]", "\"${data_dir}\""),
        required("to", text(), "a folder, or s3://BUCKET[/PREFIX]", "\"${backup}/data\""),
        optional("digest", choice({"xxh3-128", "sha256"}), "of files; xxh3-128", "sha256"),
        optional("include",
                 one_or_more(text()),
                 "of files, only those with such a name or path",
                 "\"*.sst\""),
        optional("exclude", one_or_more(text()), "what is left out, by name or path", "\"LOCK\""),
        optional("jobs", integer(1), "threads; else as many as the disk is worth", "4"),
        optional("one_file_system", boolean(), "enter no folder of another file system", "true"),
        optional("versions", boolean(), "of buckets: every version", "true"),
        optional("profile", text(), "of buckets: a profile of ~/.aws/config", "old"),
        optional("target_profile", text(), "the same, of the target", "new"),
        optional("endpoint", text(), "of buckets: the server", "\"http://127.0.0.1:7480\""),
        optional("target_endpoint", text(), "the same, of the target", "\"http://127.0.0.1:7481\""),
        optional("region", text(), "of buckets", "eu-central-1"),
        optional("target_region", text(), "the same, of the target", "eu-west-1"),
        optional("ca", text(), "of buckets: the CA in PEM", "\"/etc/ssl/s3.pem\""),
    };
}

Schema copy() {
    std::vector<Field> fields = mover_fields();
    fields.insert(
        fields.end(),
        {optional("manifest", text(), "a file for what was copied", "\"${backup}/data.manifest\""),
         optional("attributes",
                  text(),
                  "a manifest whose owners, modes and times the target gets",
                  "\"${backup}/data.manifest\""),
         optional("mirror", boolean(), "remove from the target what the source has not", "true"),
         optional("rate", text(), "bytes a second, at most", "100M"),
         optional("journal", text(), "where it notes how far it came", "\"${backup}/journal\""),
         optional("replace", boolean(), "of buckets: also objects with other content", "true"),
         optional("settings",
                  boolean(),
                  "of buckets: also versioning, policy, lifecycle, CORS, tags",
                  "true")});
    return table(std::move(fields));
}

Schema verify() {
    std::vector<Field> fields = mover_fields();
    fields.insert(
        fields.end(),
        {optional("from_disk", boolean(), "read files from the disk, not from memory", "true"),
         optional("read", boolean(), "of buckets: read every object of both sides", "true")});
    return table(std::move(fields));
}

// Requests change the system; reading over HTTP is a probe.
Schema http() {
    return table({
        required("url", text(), "where to send it", "\"${client_url}/v3/x\""),
        optional("method", choice({"GET", "POST", "PUT", "DELETE", "PATCH"}), "POST", "POST"),
        optional("headers", map_of(text()), "headers to send", "{Accept: text/plain}"),
        optional("body", any(), "sent as JSON", "{}"),
        optional("expect", list_of(integer(100)), "statuses that mean done; [200]", "[200]"),
    });
}

// One value enters or leaves a list of this member, such as the releases on its disk.
Schema listed() {
    return table({required("fact", text(), "this member's fact, a list", "on_disk"),
                  required("value", text(), "the value", "\"${to}\"")});
}

// The changes of a step in the model. A fact of a member changes for this member unless `of` or
// `role` widen it; facts and stores with sides name the side. `value: null` makes a fact absent.
Schema effect() {
    Schema schema = table(
        {
            optional("becomes",
                     table({required("fact", text(), "the fact", "writes"),
                            optional("of",
                                     choice({"every", "host"}),
                                     "of all its role's members, or of those on this host",
                                     "every"),
                            optional("role", text(), "of all members of this role", "datanode"),
                            optional("side",
                                     choice({"source", "target"}),
                                     "of which side of the role",
                                     "source"),
                            required("value", any(), "its value", "refused")}),
                     "a fact takes a value",
                     "{fact: writes, value: refused}"),
            optional(
                "adds", listed(), "a list has a value more", "{fact: on_disk, value: \"${to}\"}"),
            optional("removes",
                     listed(),
                     "a list has a value less",
                     "{fact: on_disk, value: \"${from}\"}"),
            optional("raises", text(), "a store's format is raised", "data"),
            optional("lowers", text(), "a store's format is lowered", "data"),
            optional("copies", text(), "a copy of a store is made", "data"),
            optional("destroys", text(), "a store is destroyed or overwritten", "data"),
            optional("restores", text(), "a store is put back from its copy", "data"),
            optional("changes",
                     text(),
                     "a fact takes a value that is not known beforehand",
                     "cluster_id"),
            optional("side", choice({"source", "target"}), "the side whose store it is", "source"),
            optional("own",
                     boolean(),
                     "raises and lowers: this member's own instance of the store, and no other",
                     "true"),
        },
        model::k_effect_kinds.choices());
    schema.definition_name = "effect";
    return schema;
}

// The value of a verb's key is a role, a store, a release or a title, by the verb.
std::string verb_help(const std::string& verb) {
    if (verb == "install") {
        return "put a release in place";
    }
    if (verb == "stop" || verb == "start" || verb == "restart") {
        return verb + " the members of a role";
    }
    if (verb == "backup" || verb == "restore" || verb == "migrate") {
        return verb + " a store";
    }
    return verb == "move" ? "copy data with a mover" : "the title of what is done";
}

// The keys that a role in pack.yaml may give for all of its steps with one verb.
std::vector<Field> inheritable_fields() {
    return {
        optional("title", text(), "what a person reads", "\"stop the member\""),
        optional("why", text(), "why it is done", "\"a copy to go back to\""),
        optional("remedy", text(), "what a person does if it fails", "\"repair the member\""),
        optional("when", conditions(), "else it is skipped"),
        optional("guard", guard(), "must hold right before it starts"),
        optional("then", conditions(), "must hold after it"),
        optional("happened", conditions(), "tells whether it happened, if nobody knows"),
        optional("broken", conditions(), "if one holds, waiting for `then` is in vain"),
        optional("do",
                 table(
                     {
                         optional("command", command(), "run a program", "{argv: [sync]}"),
                         optional("http", http(), "send a request", "{url: \"...\"}"),
                         optional("kubernetes",
                                  kubernetes_request(),
                                  "change one object of Kubernetes",
                                  "{resource: services, name: pachd}"),
                         optional("copy",
                                  copy(),
                                  "copy a folder or a bucket, as `drydock copy` does",
                                  "{from: \"${data_dir}\", to: \"${backup}/data\"}"),
                         optional("verify",
                                  verify(),
                                  "compare two folders, buckets or manifests",
                                  "{from: \"${data_dir}\", to: \"${backup}/data\"}"),
                         optional("venv",
                                  choice({"make"}),
                                  "make the new release's Python environment, and check it",
                                  "make"),
                     },
                     {"command", "http", "kubernetes", "copy", "verify", "venv"}),
                 "what is done on the host",
                 "{command: {argv: [sync]}}"),
        optional("script", text(), "a file of scripts/", "restore-member.sh"),
        optional("arguments", one_or_more(text()), "start: added this once", "[\"--upgrade\"]"),
        optional("effect", one_or_more(effect()), "what it changes in the cluster"),
        optional("while",
                 one_or_more(effect()),
                 "what holds from its begin, and stays if it is cut off",
                 "{becomes: {fact: dirty, value: true}}"),
        optional("alone",
                 boolean(),
                 "no other such step on its stores, or on its role, at the same time",
                 "true"),
        optional(
            "repeatable", choice(model::k_repeatables.choices()), "may it be done twice", "yes"),
        optional("attempts", integer(1), "so many tries; 1", "3"),
        optional("within", duration(), "time for it, and again for `then`; 2m", "2m"),
        optional("stall",
                 duration(),
                 "a command's limit instead of `within`: so long without progress",
                 "5m"),
        optional("cancellable", boolean(), "pause and abort end its command early", "true"),
        optional("pausable",
                 duration(),
                 "pause and abort ask its command to stop, and end it after this time",
                 "5m"),
        optional("patience", duration(), "time for `when` and `guard` to hold; 30s", "30s"),
        optional("takes", duration(), "what it usually takes, for the plan's table", "300ms"),
        optional("optional", boolean(), "if it fails, the run goes on without it", "true"),
    };
}

// These keys say which step it is, for whom and at which place.
std::vector<Field> own_fields() {
    return {
        optional("id", name(), "its name in the plan; the verb if not given", "healthy"),
        optional("on", on(), "for which members", "{every: member}"),
        optional("all", conditions(), "require, wait: what must hold"),
        optional("again",
                 boolean(),
                 "start: on the release that the way comes from, only where `when` holds",
                 "true"),
        optional("raises",
                 one_or_more(text()),
                 "left out unless the way raises one of these stores",
                 "[data]"),
        optional("beside", boolean(), "begins when the step before it may begin", "true"),
        optional("keep", boolean(), "require: must hold until the run ends", "true"),
    };
}

// One table holds the keys of all verbs. Combinations that a table cannot express, such as `keep`
// for require only, are checked by read_step.cpp, which can say why.
Schema step() {
    std::vector<Field> fields = own_fields();
    for (Field& field : inheritable_fields()) {
        fields.push_back(std::move(field));
    }
    // Each verb is a key of its own; a step has exactly one of them.
    for (const std::string& verb : model::k_verbs.choices()) {
        fields.push_back(optional(verb, text(), verb_help(verb)));
    }
    return table(std::move(fields), model::k_verbs.choices());
}

// `last` puts members at the end of the order by facts, such as the leader of a quorum.
Schema phase() {
    return table({
        required("phase", name(), "its name", "roll"),
        optional("title", text(), "what a person reads", "\"one member after another\""),
        optional(
            "each",
            table({
                required("role", text(), "the role", "member"),
                optional("side",
                         choice({"source", "target"}),
                         "of which side, if the role has sides",
                         "target"),
                optional(
                    "by", choice({"member", "host"}), "whose steps stay together; member", "host"),
                optional("order", order(), "serial if not given", "serial"),
                optional("where", conditions(), "only members for which these hold"),
                optional("last", conditions(), "members for which these hold come last"),
            }),
            "all its steps for one member or host, then for the next",
            "{role: member}"),
        optional("raises",
                 one_or_more(text()),
                 "left out unless the way raises one of these stores",
                 "[data]"),
        required("steps", list_of(step()), "what is done", "[{stop: member}]"),
    });
}

}  // namespace

// A definition, because a step alone has it in six keys.
Schema condition_schema() {
    Schema schema = table(condition_fields(), model::k_relations.choices());
    schema.definition_name = "condition";
    return schema;
}

// One definition serves all verbs of all roles.
Schema step_defaults_schema() {
    Schema schema = table(inheritable_fields());
    schema.definition_name = "step_defaults";
    return schema;
}

// `applies` limits a procedure to releases and to conditions on facts. Without it the procedure
// fits every route.
const Schema& procedure_file_schema() {
    static const std::vector<Field> fields = {
        optional("procedure", name(), "upgrade, downgrade, rebuild, restore, ...", "upgrade"),
        optional("continues", name(), "the procedure whose phases go on here", "upgrade"),
        optional("kind", name(), "how it goes", "rolling"),
        optional("title", text(), "what a person reads", "\"rolling upgrade\""),
        optional("applies",
                 table({
                     optional("from", range(), "releases one comes from", "\">=3.4 <3.5\""),
                     optional("to", range(), "releases one goes to", "\">=3.5 <3.6\""),
                     optional("while", conditions(), "only while these hold"),
                 }),
                 "when it may be used; always if not given",
                 "{from: \">=3.4 <3.5\"}"),
        optional("cost", text(), "what is lost by it", "\"nothing lost\""),
        optional("copy", text(), "restore: where a run's copy lies", "\"${backup}/snapshot.db\""),
        required("phases", list_of(phase()), "what is done, in order", "[{phase: roll}]"),
    };
    static const Schema schema = table(fields, {"procedure", "continues"});
    return schema;
}

Json procedure_json_schema() {
    return root_json_schema(procedure_file_schema(), "drydock procedure");
}

}  // namespace drydock::pack
