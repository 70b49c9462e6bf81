// Invocation: a command line as plain data; and the table of commands, for completions and the
// documentation.
//
// parse() is the only user of the command-line library. Nothing here reads or writes files.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace drydock::cli {

struct Invocation {
    std::string command;  // "plan", "journal verify"
    std::string cluster_file;
    std::string plan_file;
    std::string to;
    std::string output;
    std::string restore;
    std::string gate;
    std::vector<std::string> approvals;
    std::vector<std::string> through;  // upgrade
    std::string run;
    std::string faults;
    std::string trace;
    std::string allow_unchecked;
    std::vector<std::string> properties;
    std::string old_side;  // chain: packages; route --graph: a version
    std::string new_side;
    std::vector<std::string> environments;
    std::vector<std::string> database;
    std::string graph;
    std::string pack;
    std::string folder;      // pack try, pack new
    std::string name;        // pack new
    std::string facts_file;  // plan
    std::string schema;
    std::string shell;
    std::string color = "auto";
    bool rebuild = false;
    bool risks = false;
    std::uint64_t seed = 1;
    std::uint64_t runs = 1000;
    bool verbose = false;
    std::string text;         // note
    std::string key;          // sign
    std::string policy_file;  // apply
    std::string head;         // journal verify
    bool with_hosts = false;
    bool trust = false;
    bool trust_this_time = false;  // $DRYDOCK_TRUST is 1
    bool take_over = false;
    bool give_up_hosts = false;
    std::string store;     // backy2's configuration
    std::string key_file;  // store: in the place of the configuration's key
    std::string other_key_file;
    std::string version;  // store restore, export: its uid
    std::string import_file;
    std::uint64_t workers = 0;
    bool only_schema = false;
    bool replaces = false;
    bool allows_holes = false;
    bool undo = false;
    std::string copy_to_restore;
    std::string keep_as;
    bool copy_only = false;
    bool frees_old = false;
    bool is_quick = false;
    std::uint64_t batch = 1024;
    bool goes_back = false;
    std::string new_key_file;
    std::string journal;
    std::string copy;    // store upgrade: the file for the metadata
    std::string volume;  // vfolders: its root
    std::string list;    // vfolders: of folders and their scopes
    std::uint64_t move_batch = 8192;
    bool finishes = false;
    bool leaves_unlisted = false;
    std::string extract_file;  // extract
    std::string against;       // extract verify: the file of counts
    std::string source;        // copy, verify, manifest: s3://BUCKET/PREFIX
    std::string buckets_file;  // the cluster file that names them; never from the environment
    std::string target;
    std::string endpoint;
    std::string region;
    std::string profile;
    std::string ca_file;
    std::string addressing;
    std::string target_profile;
    std::string target_endpoint;
    std::string target_region;
    std::uint64_t in_flight = 256;
    bool counts_first = false;
    bool has_versions = false;
    bool keeps_acl = false;
    bool copies_settings = false;
    bool passes_bytes = false;
    bool reads_all = false;
    bool has_digests = false;
    std::string digest;  // copy, verify, manifest of folders
    std::uint64_t jobs = 0;
    std::vector<std::string> excluded;
    std::vector<std::string> included;
    std::uint64_t bytes_per_second = 0;
    bool removes_extra = false;
    bool is_sure = false;
    std::string attributes;  // a manifest that has those of the target
    std::string manifest;
    bool one_file_system = false;
    bool no_sync = false;
    std::string nodes;               // that copy together: how many, or which
    std::string launcher;            // its words
    std::vector<std::string> words;  // all that was typed
    bool reads_disk = false;
    bool dry_run = false;
    bool json = false;
};

// The result of a command line that executes nothing: help that was asked for (0), or wrong use
// (2).
struct EarlyExit {
    int exit_code = 0;
    std::string text;
};

struct OptionInfo {
    std::vector<std::string> names;    // "-c", "--cluster"
    std::vector<std::string> choices;  // the only values it takes; empty: any, or none
    bool takes_value = false;
    std::string help;
};

struct CommandInfo {
    std::string name;  // "plan", "journal verify"
    std::string help;
    std::vector<OptionInfo> options;      // those that begin with a dash
    std::vector<OptionInfo> positionals;  // one name each
};

// Parses the arguments, which do not include the program's name.
[[nodiscard]] std::variant<Invocation, EarlyExit> parse(std::vector<std::string> arguments);
[[nodiscard]] std::vector<CommandInfo> command_table();

}  // namespace drydock::cli
