// Executes one command: the small commands themselves, and the table from names to methods.
//
// A command of the parser that is missing in k_entries cannot be executed. All output passes
// visible() first (visible.h), because texts of hosts and packs may hold control characters.
#include "cli/execute.h"

#include "cli/command.h"
#include "cli/say.h"
#include "cli/visible.h"
#include "os/files.h"
#include "pack/load.h"

#include <unistd.h>

#include <iostream>

namespace drydock::cli {

namespace {

// Renders the answer of `journal verify`: a line for each run and each host.
std::string render_verified(const app::VerifiedJournal& journal) {
    Table table;
    for (const app::VerifiedRun& run : journal.runs) {
        table.add({run.run, counted(run.records, "record") + ", whole", "head " + run.head});
    }
    for (const app::VerifiedHost& host : journal.hosts) {
        table.add({"host " + host.host,
                   counted(host.heads, "head") + " noted, all in the journal",
                   host.other_heads == 0 ? "" : say("{} of another journal", host.other_heads)});
    }
    return journal.runs.empty() && journal.hosts.empty() ? "no runs\n" : table.text(0);
}

}  // namespace

// Prints a refusal, as JSON on stdout or for people on stderr, and returns its exit code.
int Command::refuse(const app::Failure& failure, const std::string& target) {
    if (invocation_.json) {
        console_.output << json_of(failure).dump() << "\n";
    } else {
        const FailureContext context = {invocation_.command, cluster_file_, target};
        console_.errors << render_failure(failure, context, screen_);
    }
    return failure.exit_code;
}

int Command::refuse_use(const std::string& message, const std::string& remedy) {
    app::Failure failure;
    failure.exit_code = app::k_exit_usage;
    failure.errors.push_back({"usage", message, remedy, ErrorClass::permanent});
    return refuse(failure);
}

// Asks only a person at a terminal. A script gets the refusal instead, which lists the same
// commands.
bool Command::ask_trust(const std::string& file, const std::vector<std::string>& executed) const {
    if (invocation_.json || !console_.terminal || isatty(STDIN_FILENO) != 1) {
        return false;
    }
    console_.output << say("{} is not known here. It would execute:\n", file);
    for (const std::string& line : executed) {
        console_.output << say("  {}\n", line);
    }
    console_.output << "Trust it from now on? Only `yes` does: ";
    console_.output.flush();
    std::string answer;
    return std::getline(std::cin, answer) && answer == "yes";
}

// A file gets the text as a terminal would show it: visible() runs here, too.
int Command::write_out(const std::string& text) {
    if (invocation_.output.empty()) {
        console_.output << text;
        return app::k_exit_done;
    }
    const auto written = os::write_file_durable(invocation_.output, visible(text), 0644);
    return written ? app::k_exit_done : refuse({app::k_exit_no, {written.error()}});
}

int Command::verify() {
    const auto answer = app::verify_journal(options(), invocation_.head, invocation_.with_hosts);
    return show(answer, render_verified);
}

int Command::list_packs() {
    const auto packs = app::list_packs(console_.program);
    Json json = Json::Array{};
    for (const std::string& pack : packs) {
        json.push(pack);
        console_.output << (invocation_.json ? "" : say("{}\n", pack));
    }
    console_.output << (invocation_.json ? json.dump() + "\n" : "");
    return app::k_exit_done;
}

// A pack with errors has the exit code 2, like every wrong input, and all problems at once.
// Warnings change no exit code.
int Command::lint_pack() {
    const auto linted = app::lint_pack(invocation_.pack, console_.program);
    if (!linted) {
        return refuse(linted.error());
    }
    const auto& [pack, warnings] = *linted;
    if (invocation_.json) {
        Json json;
        json.set("pack", pack.name).set("digest", pack.digest).set("problems", json_of(warnings));
        console_.output << json.dump() << "\n";
        return app::k_exit_done;
    }
    for (const Diagnostic& warning : warnings.all()) {
        console_.output << say("{}\n", warning.text());
    }
    console_.output << say("{}: {} ({}, {}, {})\n",
                           pack.folder,
                           warnings.count() > 0 ? counted(warnings.count(), "warning")
                                                : "no problems",
                           counted(pack.facts.size(), "fact"),
                           counted(pack.releases.size(), "release"),
                           counted(pack.procedures.size(), "procedure"));
    return app::k_exit_done;
}

// The schemas are made from the tables that check the files, so the two cannot differ.
int Command::schema() {
    const Json schema = invocation_.schema == "pack"        ? pack::pack_json_schema()
                        : invocation_.schema == "procedure" ? pack::procedure_json_schema()
                        : invocation_.schema == "releases"  ? pack::releases_json_schema()
                                                            : pack::cluster_json_schema();
    console_.output << schema.pretty() << "\n";
    return app::k_exit_done;
}

int Command::version() {
    Json json;
    json.set("version", DRYDOCK_VERSION);
    console_.output << (invocation_.json ? json.dump() : "drydock " DRYDOCK_VERSION) << "\n";
    return app::k_exit_done;
}

namespace {

using Handler = int (Command::*)();

// A command's name, its method, and whether it needs `-c`.
struct Entry {
    const char* name;
    Handler handler;
    bool needs_cluster;
};

constexpr Entry k_entries[] = {
    {"survey", &Command::survey, true},
    {"route", &Command::route, true},
    {"chain", &Command::chain, false},
    {"plan", &Command::plan, true},
    {"check", &Command::check, false},
    {"guide", &Command::guide, false},
    {"sign", &Command::sign, false},
    {"sim", &Command::sim, false},
    {"apply", &Command::apply, false},
    {"rehearse", &Command::rehearse, false},
    {"upgrade", &Command::upgrade, true},
    {"resume", &Command::resume, true},
    {"pause", &Command::pause, true},
    {"approve", &Command::approve, true},
    {"downgrade", &Command::downgrade, true},
    {"abort", &Command::abort, true},
    {"note", &Command::note, true},
    {"status", &Command::status, true},
    {"watch", &Command::watch, true},
    {"log", &Command::log, true},
    {"journal verify", &Command::verify, true},
    {"hosts check", &Command::check_hosts, true},
    {"hosts list", &Command::list_hosts, true},
    {"pack list", &Command::list_packs, false},
    {"pack lint", &Command::lint_pack, false},
    {"pack try", &Command::try_pack, false},
    {"pack new", &Command::new_pack, false},
    {"pack schema", &Command::schema, false},
    {"store inspect", &Command::inspect_store, false},
    {"store verify", &Command::verify_store, false},
    {"store restore", &Command::restore_from_store, false},
    {"store export", &Command::export_from_store, false},
    {"store import", &Command::import_to_store, false},
    {"store upgrade", &Command::upgrade_store, false},
    {"store encrypt", &Command::encrypt_store, false},
    {"store rekey", &Command::rekey_store, false},
    {"vfolders move", &Command::move_vfolders, false},
    {"extract inspect", &Command::inspect_extract, false},
    {"extract verify", &Command::verify_extract, false},
    {"copy", &Command::copy_bucket, false},
    {"verify", &Command::verify_buckets, false},
    {"manifest", &Command::write_bucket_manifest, false},
    {"version", &Command::version, false},
    {"completion", &Command::completion, false},
};

}  // namespace

// `route` needs no cluster when it has a graph; every other rule is in the table.
int execute(const Invocation& invocation, Console& console) {
    for (const Entry& entry : k_entries) {
        if (invocation.command != entry.name) {
            continue;
        }
        const bool has_graph = invocation.command == "route" && !invocation.graph.empty();
        if (entry.needs_cluster && !has_graph && invocation.cluster_file.empty()) {
            console.errors << say("drydock: {}: of which cluster? Say -c FILE, or set "
                                  "DRYDOCK_CLUSTER\n",
                                  invocation.command);
            return app::k_exit_usage;
        }
        Command command(invocation, console);
        return (command.*entry.handler)();
    }
    console.errors << say("drydock: {} is for drydock itself\n", invocation.command);
    return app::k_exit_usage;
}

// Wraps both streams once, at the only entry, so that no command can print unfiltered text.
int run(std::vector<std::string> arguments, Console& console) {
    VisibleStream output(console.output);
    VisibleStream errors(console.errors);
    Console filtered = {output,
                        errors,
                        console.clock,
                        console.program,
                        console.terminal,
                        console.width,
                        console.no_color,
                        console.team};
    auto parsed = parse(arguments);
    if (const auto* stop = std::get_if<EarlyExit>(&parsed)) {
        (stop->exit_code == 0 ? filtered.output : filtered.errors) << stop->text;
        return stop->exit_code;
    }
    auto& invocation = std::get<Invocation>(parsed);
    invocation.words = std::move(arguments);
    return execute(invocation, filtered);
}

}  // namespace drydock::cli
