// The commands of packs: `drydock pack`.
#include "cli/commands.h"

#include <CLI/CLI.hpp>

namespace drydock::cli {

void Commands::add_trial(CLI::App& packs) {
    auto* trial = add(packs, "try", "try a pack on facts in files, without a cluster", k_json);
    text(trial, "folder", invocation_.folder, "FOLDER", "pack, cluster file, facts, and twins")
        ->required();
    text(trial, "--to", invocation_.to, "VERSION", "the version to reach, not that of plan.yaml");
    auto* made = add(packs, "new", "write a first pack, and a case to try", k_json | k_dry_run);
    text(made, "folder", invocation_.folder, "FOLDER", "a new or empty folder")->required();
    text(made, "--name", invocation_.name, "NAME", "the name of the pack")->required();
}

void Commands::add_packs() {
    auto* pack =
        app_->add_subcommand("pack", "packs: what drydock knows of systems")->require_subcommand(1);
    add(*pack, "list", "the packs that are installed", k_json);
    text(add(*pack, "lint", "check a pack", k_json),
         "pack",
         invocation_.pack,
         "PACK",
         "its name, or its folder")
        ->required();
    add_trial(*pack);
    auto* schema = add(*pack, "schema", "a JSON Schema, for editors", 0);
    choice(schema,
           "file",
           invocation_.schema,
           {"pack", "procedure", "releases", "cluster"},
           "the file it is for")
        ->required();
}

}  // namespace drydock::cli
