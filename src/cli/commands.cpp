// The table of commands and options. Parsing, `--help` and the completions all come from it.
//
// The words of help are part of the screens; docs/commands.md explains the same commands at length.
// commands_store.cpp has the commands of stores, folders and extract files, commands_buckets.cpp
// those of buckets, commands_packs.cpp those of packs.
#include "cli/commands.h"

#include "base/text.h"
#include "checker/checker.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace drydock::cli {

namespace {

constexpr const char* k_footer =
    "Exit codes: 0 done, 1 no (refused, a check failed, it differs), 2 wrong use or input, "
    "3 waits for a person,\n4 halted, 5 the world moved. docs/commands.md tells more.";

}  // namespace

// The order of these calls is the order of `--help`: looking, planning, running, then rarer work.
Commands::Commands(Invocation& invocation)
    : invocation_(invocation)
    , app_(std::make_unique<CLI::App>("drydock: upgrades of clusters, checked, watched, and back",
                                      "drydock")) {
    app_->require_subcommand(1);
    app_->footer(k_footer);
    app_->get_formatter()->column_width(34);
    add_looking();
    add_planning();
    add_sim();
    add_running();
    add_stores();
    add_vfolders();
    add_extract();
    add_buckets();
    add_rest();
}

Commands::~Commands() = default;

std::vector<std::string> Commands::choices_of(const CLI::Option* option) const {
    const auto match = choices_.find(option);
    return match == choices_.end() ? std::vector<std::string>() : match->second;
}

CLI::App*
Commands::add(CLI::App& parent, const std::string& name, const std::string& help, unsigned shared) {
    CLI::App* command = parent.add_subcommand(name, help);
    if ((shared & k_cluster) != 0) {
        text(command,
             "-c,--cluster",
             invocation_.cluster_file,
             "FILE",
             "the cluster file; else $DRYDOCK_CLUSTER");
    }
    if ((shared & k_json) != 0) {
        command->add_flag("--json", invocation_.json, "answer as JSON");
    }
    if ((shared & k_dry_run) != 0) {
        command->add_flag(
            "--dry-run", invocation_.dry_run, "check and say what would be done; do nothing");
    }
    if ((shared & k_trust) != 0) {
        command->add_flag("--trust",
                          invocation_.trust,
                          "also execute what is not known here yet, and remember it");
    }
    if ((shared & k_run) != 0) {
        text(command, "--run", invocation_.run, "ID", "another run than the last one");
    }
    choice(command,
           "--color",
           invocation_.color,
           {"auto", "always", "never"},
           "colour; auto: on a terminal, unless NO_COLOR is set");
    return command;
}

CLI::Option* Commands::choice(CLI::App* command,
                              const std::string& names,
                              std::string& destination,
                              const std::vector<std::string>& values,
                              const std::string& help) {
    auto* option = command->add_option(names, destination, help)->check(CLI::IsMember(values));
    choices_[option] = values;
    return option;
}

CLI::Option* Commands::text(CLI::App* command,
                            const std::string& names,
                            std::string& destination,
                            const std::string& type,
                            const std::string& help) {
    return command->add_option(names, destination, help)->type_name(type);
}

// Without the limit the library would take the words after it as more values.
void Commands::several(CLI::App* command,
                       const std::string& name,
                       std::vector<std::string>& destination,
                       const std::string& type,
                       const std::string& help) {
    command->add_option(name, destination, help)
        ->type_name(type)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

// Adds the commands that read a cluster or packages and change nothing.
void Commands::add_looking() {
    add(*app_,
        "survey",
        "read every fact and show the cluster as it is",
        k_cluster | k_json | k_trust);
    auto* route =
        add(*app_, "route", "the hops to another version, and why", k_cluster | k_json | k_trust);
    text(route, "--to", invocation_.to, "VERSION", "the version to reach")->required();
    auto* graph = text(route,
                       "--graph",
                       invocation_.graph,
                       "FOLDER",
                       "a folder of OpenShift's graph data, in the place of a cluster");
    text(route, "--from", invocation_.old_side, "VERSION", "with --graph: where to begin")
        ->needs(graph);
    add_chain();
}

// `chain` takes packages in the place of a cluster, and up to two environments: one for both,
// or one for each.
void Commands::add_chain() {
    auto* chain = add(*app_, "chain", "the schema revisions of two packages, compared", k_json);
    text(chain, "old", invocation_.old_side, "OLD", "the package that is installed")->required();
    text(chain, "new", invocation_.new_side, "NEW", "the package to install")->required();
    chain
        ->add_option("--env",
                     invocation_.environments,
                     "the folder of migrations in them, or the end of its path; twice: one each")
        ->type_name("PATH")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    chain
        ->add_option("--db",
                     invocation_.database,
                     "a revision that the database stands on; else OLD's heads are taken")
        ->type_name("REV")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    choice(chain, "--graph", invocation_.graph, {"svg", "dot"}, "print a picture of both instead");
    text(chain, "-o,--output", invocation_.output, "FILE", "write the answer there");
}

// Adds the commands that make, show and sign plans. `plan` needs `--to` unless a person asks
// for a rebuild or a restore, so the parser cannot require it; Command::plan() does.
void Commands::add_planning() {
    auto* plan =
        add(*app_, "plan", "make a plan and show it on one screen", k_cluster | k_json | k_trust);
    text(plan, "--to", invocation_.to, "VERSION", "the version to reach");
    text(plan, "-o,--output", invocation_.output, "FILE", "write the plan there");
    plan->add_flag("--rebuild", invocation_.rebuild, "a way back: rebuild from a fresh copy");
    text(plan,
         "--restore",
         invocation_.restore,
         "COPY",
         "a way back: restore this copy on the hosts");
    text(plan,
         "--facts",
         invocation_.facts_file,
         "FILE",
         "take the facts from this file and ask no host; such a plan is never applied");
    plan->add_flag("--risks", invocation_.risks, "list every known risk");
    add_check();
    auto* guide = add(*app_, "guide", "the plan as a guide for people, in Markdown", 0);
    add_plan_file(guide);
    text(guide, "-o,--output", invocation_.output, "FILE", "write the guide there");
    auto* sign = add(*app_, "sign", "sign a plan, with a key of SSH, into PLAN.sig", 0);
    add_plan_file(sign);
    text(sign,
         "--key",
         invocation_.key,
         "KEY",
         "the private key, or the public one of an agent's key")
        ->required();
}

// Names of properties come from the checker, so a new property is an option value at once.
void Commands::add_check() {
    auto* check = add(*app_, "check", "how a plan can go wrong, before it is run", k_json);
    add_plan_file(check);
    text(check,
         "--faults",
         invocation_.faults,
         "BUDGETS",
         "how much may go wrong in one story: failures=2,unknown=2,crashes=2,member=1,host=1,"
         "restart=0");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < checker::k_properties; ++i) {
        names.emplace_back(name_of(static_cast<checker::Property>(i)));
    }
    auto* property =
        check->add_option("--property", invocation_.properties, "only these properties")
            ->check(CLI::IsMember(names));
    choices_[property] = names;
    text(check, "--trace", invocation_.trace, "FILE", "write the stories as traces there");
}

// `--trace` replays the counterexamples of a check. The seeds then have no effect.
void Commands::add_sim() {
    auto* sim = add(*app_, "sim", "run a plan in simulated time, where everything fails", k_json);
    add_plan_file(sim);
    sim->add_option("--seed", invocation_.seed, "of the first run; a seed is always the same run")
        ->type_name("N");
    sim->add_option("--runs", invocation_.runs, "how many, each with the next seed (1000)")
        ->type_name("N");
    sim->add_flag("--verbose", invocation_.verbose, "tell one run as a story");
    text(sim,
         "--trace",
         invocation_.trace,
         "FILE",
         "replay the stories that `check --trace FILE` wrote instead");
}

void Commands::add_plan_file(CLI::App* command) {
    text(command, "plan", invocation_.plan_file, "PLAN", "a plan that `drydock plan -o` wrote")
        ->required();
}

// Adds the options of commands that conduct a run.
void Commands::add_conducting(CLI::App* command) {
    several(command,
            "--approve",
            invocation_.approvals,
            "GATE",
            "approve this gate when it opens, and go on; say it only for what you have read");
    add_take_over(command);
}

void Commands::add_take_over(CLI::App* command) {
    command->add_flag("--take-over",
                      invocation_.take_over,
                      "work on hosts that another journal holds; say it only if nobody works "
                      "with that journal any more");
}

// Adds the commands that make their own plans, from a version or from another plan.
void Commands::add_upgrade() {
    auto* rehearse = add(*app_,
                         "rehearse",
                         "walk a plan's hop on a copy of the data, forward and back",
                         k_json | k_dry_run | k_trust);
    add_plan_file(rehearse);
    add_take_over(rehearse);
    auto* upgrade = add(*app_,
                        "upgrade",
                        "hop after hop to a version: plan, check and apply each",
                        k_cluster | k_json | k_dry_run | k_trust);
    text(upgrade, "--to", invocation_.to, "VERSION", "the version to reach")->required();
    several(
        upgrade, "--through", invocation_.through, "VERSION", "a version that the route must pass");
    add_conducting(upgrade);
}

// Adds the commands that work on runs. `apply` has `-c` as well, but with another meaning: the
// policy that the plan must fulfil.
void Commands::add_running() {
    auto* apply = add(*app_, "apply", "carry out a plan", k_json | k_dry_run | k_trust);
    add_plan_file(apply);
    text(apply,
         "-c,--cluster",
         invocation_.policy_file,
         "FILE",
         "refuse a plan of another cluster, and take the policy of signatures from this file");
    text(apply,
         "--allow-unchecked",
         invocation_.allow_unchecked,
         "WHY",
         "run a plan whose check failed or is missing; the reason goes into the journal");
    add_conducting(apply);
    add_upgrade();
    const unsigned changes = k_cluster | k_json | k_dry_run;
    add_conducting(add(*app_, "resume", "go on with the run where it stands", changes | k_trust));
    add(*app_, "pause", "let what is under way end, then hold the run", changes | k_trust);
    auto* approve =
        add(*app_, "approve", "approve the gate that the run waits at", changes | k_trust);
    text(approve, "gate", invocation_.gate, "GATE", "the gate's name, as the plan says it")
        ->required();
    auto* downgrade = add(*app_, "downgrade", "take the run back", changes | k_trust);
    text(downgrade,
         "--to",
         invocation_.to,
         "VERSION",
         "of a journey: back to this stop, no further");
    add_conducting(downgrade);
    auto* abort =
        add(*app_, "abort", "give the run up and leave the cluster as it is", changes | k_trust);
    add_take_over(abort);
    abort->add_flag("--give-up-hosts",
                    invocation_.give_up_hosts,
                    "also where a host does not tell what is under way; say it only for hosts "
                    "that will never come back");
    auto* note =
        add(*app_, "note", "put words into the run's record", k_cluster | k_json | k_trust);
    text(note, "text", invocation_.text, "TEXT", "the words")->required();
    add(*app_, "status", "where the run is", k_cluster | k_json | k_run);
    add(*app_, "watch", "follow the run until it waits or ends", k_cluster | k_json);
    add(*app_, "log", "what happened, event by event", k_cluster | k_json | k_run);
}

// Adds the commands about drydock itself: its journal, its packs, its version.
void Commands::add_rest() {
    auto* journal = app_->add_subcommand("journal", "the record of runs")->require_subcommand(1);
    auto* verify = add(*journal,
                       "verify",
                       "check that no record was changed, dropped or moved",
                       k_cluster | k_json | k_trust);
    verify->add_flag("--hosts",
                     invocation_.with_hosts,
                     "also that the journal has every head that its hosts noted");
    text(verify,
         "--head",
         invocation_.head,
         "HEX",
         "also that a record still has this head, which was noted earlier");
    auto* hosts = app_->add_subcommand("hosts", "the hosts of a cluster")->require_subcommand(1);
    add(*hosts, "check", "reach every host, and say what is there", k_cluster | k_json | k_trust);
    add(*hosts, "list", "the hosts, without asking them", k_cluster | k_json);
    add_packs();
    add(*app_, "version", "the version of drydock", k_json);
    auto* completion = add(*app_, "completion", "completions for a shell", 0);
    choice(completion, "shell", invocation_.shell, {"bash", "zsh", "fish"}, "the shell")
        ->required();
    // main() starts an agent before anything here is built, so this entry serves `--help` only.
    auto* agent = app_->add_subcommand("agent", "the hand on a host; other drydocks start it");
    agent->add_option("--state", unused_, "its folder for actions")->type_name("FOLDER");
    agent->add_option("--folder", unused_, "where files may be put and got")->type_name("FOLDER");
    agent->add_flag("--fork-server", unused_flag_, "starts its actions");
}

// The misspelt word is searched before the library parses, because the library would only report a
// missing subcommand. The library wants the arguments in reverse order.
std::variant<Invocation, EarlyExit> parse(std::vector<std::string> arguments) {
    Invocation invocation;
    Commands commands(invocation);
    if (arguments == std::vector<std::string>{"--version"}) {
        arguments = {"version"};
    }
    if (arguments.empty()) {
        return EarlyExit{2, commands.app().help()};
    }
    if (const auto stop = misspelt_command(commands.app(), arguments)) {
        return *stop;
    }
    try {
        std::reverse(arguments.begin(), arguments.end());
        commands.app().parse(arguments);
    } catch (const CLI::ParseError& error) {
        return stop_of(commands.app(), error);
    }
    const CLI::App* command = chosen(commands.app());
    const auto entries = leaves(commands.app());
    const auto match = std::find_if(
        entries.begin(), entries.end(), [&](const auto& entry) { return entry.second == command; });
    invocation.command = match->first;
    if (const char* file = std::getenv("DRYDOCK_CLUSTER");
        invocation.cluster_file.empty() && file != nullptr) {
        invocation.cluster_file = file;
    }
    const char* trust = std::getenv("DRYDOCK_TRUST");
    invocation.trust_this_time = trust != nullptr && std::string_view(trust) == "1";
    return invocation;
}

// Reads the table out of the parser, so that completions and documentation cannot miss an option.
std::vector<CommandInfo> command_table() {
    Invocation unused;
    Commands commands(unused);
    std::vector<CommandInfo> table;
    for (const auto& [name, app] : leaves(commands.app())) {
        CommandInfo info = {name, app->get_description(), {}, {}};
        for (const CLI::Option* option : app->get_options()) {
            auto& list = option->get_positional() ? info.positionals : info.options;
            list.push_back(info_of(*option));
            list.back().choices = commands.choices_of(option);
        }
        table.push_back(std::move(info));
    }
    return table;
}

}  // namespace drydock::cli
