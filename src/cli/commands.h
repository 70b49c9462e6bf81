// Commands: the parser of one command line. Private to this folder.
//
// It is built once for each call and writes into an Invocation, which it borrows.
#pragma once

#include "cli/stops.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drydock::cli {

// The options that several commands share.
enum Shared : unsigned { k_cluster = 1, k_json = 2, k_dry_run = 4, k_run = 8, k_trust = 16 };

class Commands {
public:
    explicit Commands(Invocation& invocation);
    ~Commands();
    Commands(const Commands&) = delete;
    Commands& operator=(const Commands&) = delete;

    CLI::App& app() { return *app_; }

    // Returns the values of an option with a fixed set; the library does not tell them.
    [[nodiscard]] std::vector<std::string> choices_of(const CLI::Option* option) const;

private:
    // Adds a command with the options that `shared` names.
    CLI::App*
    add(CLI::App& parent, const std::string& name, const std::string& help, unsigned shared);
    // Adds an option with a fixed set of values.
    CLI::Option* choice(CLI::App* command,
                        const std::string& names,
                        std::string& destination,
                        const std::vector<std::string>& values,
                        const std::string& help);
    static CLI::Option* text(CLI::App* command,
                             const std::string& names,
                             std::string& destination,
                             const std::string& type,
                             const std::string& help);
    // Adds an option that may be given several times, with one value each.
    static void several(CLI::App* command,
                        const std::string& name,
                        std::vector<std::string>& destination,
                        const std::string& type,
                        const std::string& help);
    void add_looking();
    void add_chain();
    void add_planning();
    void add_check();
    void add_sim();
    void add_plan_file(CLI::App* command);
    void add_conducting(CLI::App* command);
    void add_take_over(CLI::App* command);
    void add_upgrade();
    void add_running();
    CLI::App* add_store(CLI::App& stores,
                        const std::string& name,
                        const std::string& help,
                        unsigned shared = k_json);
    void add_workers(CLI::App* store);
    void add_other_key(CLI::App* store);
    void add_rewrite(CLI::App* rewrite);
    void add_stores();
    void add_vfolders();
    void add_extract();
    void add_server_options(CLI::App* command);
    void add_target_options(CLI::App* command, const std::string& place);
    void add_buckets();
    void add_tree_options(CLI::App* command);
    void add_mirror_options(CLI::App* copy);
    void add_node_options(CLI::App* copy);
    void add_trial(CLI::App& packs);
    void add_packs();
    void add_rest();

    Invocation& invocation_;
    std::string unused_;
    bool unused_flag_ = false;
    std::map<const CLI::Option*, std::vector<std::string>> choices_;
    std::unique_ptr<CLI::App> app_;
};

}  // namespace drydock::cli
