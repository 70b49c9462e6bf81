// The commands of buckets: `drydock copy`, `verify` and `manifest`.
#include "cli/commands.h"

#include <CLI/CLI.hpp>

namespace drydock::cli {

// Adds the options that say how the servers are reached. No option takes a key.
void Commands::add_server_options(CLI::App* command) {
    text(command,
         "-c,--cluster",
         invocation_.buckets_file,
         "FILE",
         "the cluster file that names the buckets and their servers");
    text(command,
         "--endpoint",
         invocation_.endpoint,
         "URL",
         "the server; else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, ~/.aws/config, or Amazon's");
    text(command, "--region", invocation_.region, "NAME", "else AWS_REGION or ~/.aws/config");
    text(command,
         "--profile",
         invocation_.profile,
         "NAME",
         "of ~/.aws/config and ~/.aws/credentials; else AWS_PROFILE, or the keys in AWS_*");
    text(command, "--ca", invocation_.ca_file, "FILE", "the CA in PEM; else AWS_CA_BUNDLE");
    choice(command,
           "--addressing",
           invocation_.addressing,
           {"path", "virtual"},
           "the bucket in the path, or in the host as Amazon has it");
    command->add_option("--in-flight", invocation_.in_flight, "requests at a time, at most (256)")
        ->type_name("N")
        ->check(CLI::Range(1, 4096));
    command->add_flag("--versions", invocation_.has_versions, "every version, with delete markers");
}

void Commands::add_target_options(CLI::App* command, const std::string& place) {
    text(command, "source", invocation_.source, "SOURCE", place)->required();
    text(command, "target", invocation_.target, "TARGET", place)->required();
    text(command,
         "--target-profile",
         invocation_.target_profile,
         "NAME",
         "of the target; else as for the source");
    text(command,
         "--target-endpoint",
         invocation_.target_endpoint,
         "URL",
         "of the target; else as for the source");
    text(command,
         "--target-region",
         invocation_.target_region,
         "NAME",
         "of the target; else as for the source");
}

// Adds the options of trees of files.
void Commands::add_tree_options(CLI::App* command) {
    choice(command, "--digest", invocation_.digest, {"xxh3-128", "sha256"}, "of files (xxh3-128)");
    command->add_option("--jobs", invocation_.jobs, "threads; else as many as the disk is worth")
        ->type_name("N")
        ->check(CLI::Range(1, 256));
    command->add_flag(
        "--one-file-system", invocation_.one_file_system, "enter no folder of another file system");
    command
        ->add_option("--exclude",
                     invocation_.excluded,
                     "leave out what has this name, or this path if it has a slash; * and ?")
        ->type_name("PATTERN");
    command
        ->add_option("--include",
                     invocation_.included,
                     "of files, only those with such a name or path, or in a folder that has one")
        ->type_name("PATTERN");
}

void Commands::add_mirror_options(CLI::App* copy) {
    text(copy,
         "--attributes",
         invocation_.attributes,
         "MANIFEST",
         "give the target folder all that this manifest has, and the source may have lost");
    copy->add_option("--bwlimit",
                     invocation_.bytes_per_second,
                     "bytes a second, at most, of a folder; K, M and G are powers of 1024")
        ->type_name("RATE")
        ->transform(CLI::AsSizeValue(false))
        ->check(CLI::PositiveNumber);
    copy->add_flag("--delete",
                   invocation_.removes_extra,
                   "remove from a target folder what the source has not; without --yes only told");
    copy->add_flag("--yes", invocation_.is_sure, "do what --delete has told");
}

void Commands::add_node_options(CLI::App* copy) {
    text(copy,
         "--nodes",
         invocation_.nodes,
         "N|HOSTS",
         "so many nodes copy together, or these, with commas; by MPI, a folder to a folder");
    text(copy,
         "--launcher",
         invocation_.launcher,
         "WORDS",
         "what starts the nodes; else srun in a job of Slurm, and mpirun elsewhere");
}

void Commands::add_buckets() {
    auto* copy = add(*app_,
                     "copy",
                     "copy a folder, or clone a bucket to another one, or from or to a folder",
                     k_json | k_dry_run | k_trust);
    add_target_options(copy, "s3://BUCKET[/PREFIX], or a folder");
    add_server_options(copy);
    add_tree_options(copy);
    text(copy,
         "--manifest",
         invocation_.manifest,
         "FILE",
         "write down what was copied, of a folder");
    copy->add_flag("--no-sync", invocation_.no_sync, "do not wait for the disk, of a folder");
    add_mirror_options(copy);
    add_node_options(copy);
    copy->add_flag(
        "--replace", invocation_.replaces, "also objects of the target with other content");
    copy->add_flag("--acl", invocation_.keeps_acl, "the ACL of each object, by two more requests");
    copy->add_flag("--settings",
                   invocation_.copies_settings,
                   "also versioning, policy, lifecycle, CORS and tags of the bucket");
    copy->add_flag("--count",
                   invocation_.counts_first,
                   "list the source once more beforehand, to tell how much is left");
    copy->add_flag("--through",
                   invocation_.passes_bytes,
                   "the bytes pass through drydock, as they do between two servers");
    text(copy,
         "--journal",
         invocation_.journal,
         "FILE",
         "else in ~/.local/state/drydock/copies; of folders it is a folder");
    auto* verify = add(*app_,
                       "verify",
                       "compare folders, buckets and manifests, and change none",
                       k_json | k_trust);
    add_target_options(verify, "s3://BUCKET[/PREFIX], a folder, or a file of `drydock manifest`");
    add_server_options(verify);
    add_tree_options(verify);
    verify->add_flag("--from-disk",
                     invocation_.reads_disk,
                     "read files of folders from the disk, not from memory");
    verify->add_flag("--read", invocation_.reads_all, "read every object of both sides");
    auto* manifest = add(*app_,
                         "manifest",
                         "write down every file of a folder, or object of a bucket",
                         k_json | k_trust);
    text(manifest, "source", invocation_.source, "SOURCE", "a folder, or s3://BUCKET[/PREFIX]")
        ->required();
    add_server_options(manifest);
    add_tree_options(manifest);
    manifest->add_flag("--from-disk",
                       invocation_.reads_disk,
                       "read files of folders from the disk, not from memory");
    manifest->add_flag("--digests", invocation_.has_digests, "read every object: SHA-256 of each");
    text(manifest, "-o,--output", invocation_.output, "FILE", "write it there; else to stdout");
}

}  // namespace drydock::cli
