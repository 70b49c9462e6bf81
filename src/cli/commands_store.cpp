// The commands of backup stores, volumes and extract files: `drydock store`, `drydock vfolders` and
// `drydock extract`.
#include "cli/commands.h"

#include <CLI/CLI.hpp>

namespace drydock::cli {

// Adds a command of `drydock store` with the options that all of them share.
CLI::App* Commands::add_store(CLI::App& stores,
                              const std::string& name,
                              const std::string& help,
                              unsigned shared) {
    auto* store = add(stores, name, help, shared);
    text(store, "config", invocation_.store, "CONFIG", "backy2's own configuration")->required();
    text(store, "--key-file", invocation_.key_file, "FILE", "64 hex digits, for encryption_key");
    return store;
}

void Commands::add_workers(CLI::App* store) {
    store->add_option("--workers", invocation_.workers, "threads; else one for each processor")
        ->type_name("N");
}

// While a rekey is not finished, some blobs have the old key and some the new one.
void Commands::add_other_key(CLI::App* store) {
    text(store,
         "--other-key-file",
         invocation_.other_key_file,
         "FILE",
         "a second key to try, while a rekey is not done");
}

// Adds the options that encrypt and rekey share.
void Commands::add_rewrite(CLI::App* rewrite) {
    auto* frees = rewrite->add_flag(
        "--free-old", invocation_.frees_old, "verify the whole store, then remove the old blobs");
    rewrite->add_flag("--back", invocation_.goes_back, "put the old blobs back in their place")
        ->excludes(frees);
    rewrite->add_option("--batch", invocation_.batch, "blobs a transaction (1024)")
        ->type_name("N")
        ->check(CLI::Range(1, 65536));
    text(rewrite, "--journal", invocation_.journal, "FILE", "else in the folder DATA.drydock");
    rewrite
        ->add_flag(
            "--quick", invocation_.is_quick, "with --dry-run: whether there is any blob to do")
        ->needs("--dry-run");
    add_workers(rewrite);
}

// Adds the commands for stores of backy2. Those that write have `--dry-run`.
void Commands::add_stores() {
    auto& stores = *app_->add_subcommand("store", "backup stores of backy2");
    stores.require_subcommand(1);
    add_store(stores, "inspect", "release, schema, versions, and blobs by their names")
        ->add_flag("--schema", invocation_.only_schema, "the schema alone, at once");
    auto* verify = add_store(stores, "verify", "read every blob and compare it with its rows");
    add_other_key(verify);
    add_workers(verify);
    auto* upgrade = add_store(
        stores, "upgrade", "raise the schema to that of backy2 2.13.8", k_json | k_dry_run);
    upgrade->add_flag("--undo", invocation_.undo, "take a half-done upgrade back instead");
    auto* copy = text(
        upgrade, "--copy", invocation_.copy, "FILE", "the copy of the metadata that is made first");
    auto* copy_option = text(
        upgrade, "--back", invocation_.copy_to_restore, "FILE", "put such a copy back instead");
    copy_option->excludes(copy)->excludes("--undo");
    upgrade->add_flag("--copy-only", invocation_.copy_only, "make the copy, and change nothing")
        ->needs(copy)
        ->excludes("--undo");
    text(upgrade,
         "--keep-as",
         invocation_.keep_as,
         "NAME",
         "with --back: the schema drydock_before_NAME gets the tables of now")
        ->needs(copy_option);
    add_rewrite(
        add_store(stores, "encrypt", "encrypt every plain blob in place", k_json | k_dry_run));
    auto* rekey =
        add_store(stores, "rekey", "encrypt every blob under a new key", k_json | k_dry_run);
    text(rekey, "--new-key-file", invocation_.new_key_file, "FILE", "64 hex digits: the new key")
        ->required();
    add_rewrite(rekey);
    auto* restore = add_store(stores, "restore", "one version to a file or to stdout");
    text(restore, "version", invocation_.version, "UID", "its uid, or the start of it")->required();
    text(restore, "-o,--output", invocation_.output, "FILE", "the file; `-` for stdout")
        ->required();
    restore->add_flag("--replace", invocation_.replaces, "an existing file, once all is written");
    restore->add_flag(
        "--allow-holes", invocation_.allows_holes, "zeros where a block is lost; ends with 1");
    add_other_key(restore);
    add_workers(restore);
    auto* exported = add_store(stores, "export", "one version to a file as backy2 has it");
    text(exported, "version", invocation_.version, "UID", "its uid, or the start of it")
        ->required();
    text(exported, "-o,--output", invocation_.output, "FILE", "a new file")->required();
    auto* imported = add_store(stores, "import", "a version of such a file, once all is checked");
    text(imported, "file", invocation_.import_file, "FILE", "what an export made")->required();
}

// `--back` and `--finish` exclude each other: the second removes the journal that the first
// needs.
void Commands::add_vfolders() {
    auto& vfolders = *app_->add_subcommand("vfolders", "folders of a volume of Backend.AI");
    vfolders.require_subcommand(1);
    auto* move = add(vfolders,
                     "move",
                     "from layout 2 (22.09) to layout 3 (23.03), and back",
                     k_json | k_dry_run);
    text(move, "root", invocation_.volume, "ROOT", "the volume's own directory")->required();
    text(move,
         "--list",
         invocation_.list,
         "FILE",
         "each folder's id and quota scope; `-` for stdin");
    auto* finishes = move->add_flag("--finish",
                                    invocation_.finishes,
                                    "remove empty directories and journal: no way back behind it");
    move->add_flag("--back", invocation_.goes_back, "every folder to its old place")
        ->excludes(finishes);
    move->add_flag("--leave-unlisted",
                   invocation_.leaves_unlisted,
                   "folders without a place in the other layout stay where they are");
    move->add_option("--batch", invocation_.move_batch, "folders a batch (8192)")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000));
    text(move, "--journal", invocation_.journal, "FOLDER", "else ROOT.drydock");
}

// Both read one file and change nothing.
void Commands::add_extract() {
    auto& extracts = *app_->add_subcommand("extract", "files of `pachctl extract`");
    extracts.require_subcommand(1);
    auto* inspect = add(extracts, "inspect", "what the file holds, counted by kind", k_json);
    auto* verify = add(extracts, "verify", "whether the file is whole and fits together", k_json);
    for (CLI::App* command : {inspect, verify}) {
        text(command, "file", invocation_.extract_file, "FILE", "what `pachctl extract` wrote")
            ->required();
    }
    text(verify,
         "--against",
         invocation_.against,
         "COUNTS",
         "counts of the live cluster: only they prove that no end is missing");
}

}  // namespace drydock::cli
