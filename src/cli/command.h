// Command: one command line with its streams. A method for each command calls the app, shows the
// result, and returns the exit code. Private to this folder.
#pragma once

#include "app/app.h"
#include "app/block_store.h"
#include "app/buckets.h"
#include "app/chain.h"
#include "app/extract.h"
#include "app/trees.h"
#include "app/trying.h"
#include "app/updates.h"
#include "app/vfolders.h"
#include "cli/completion.h"
#include "cli/execute.h"
#include "cli/json.h"
#include "cli/observers.h"
#include "cli/render.h"
#include "cli/render_buckets.h"
#include "cli/render_extract.h"
#include "cli/render_store.h"
#include "cli/render_trees.h"
#include "cli/render_trial.h"
#include "cli/render_vfolders.h"

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace drydock::cli {

class Command {
public:
    Command(const Invocation& typed, Console& console)
        : invocation_(typed)
        , console_(console)
        , cluster_file_(typed.cluster_file)
        , screen_{wants_color(typed.color, console.terminal, console.no_color), console.width} {}

    int survey() {
        return show(app::survey(options()),
                    [&](const app::Survey& survey) { return render_survey(survey, screen_); });
    }

    int route() {
        if (!invocation_.graph.empty()) {
            return update_route();
        }
        return show(app::route(options(), invocation_.to),
                    [&](const app::RouteAnswer& answer) { return render_route(answer, screen_); });
    }

    int plan();
    int check();
    int guide();
    int sim();
    int sign();
    int apply();
    int upgrade();
    int rehearse();
    int resume();
    int downgrade();

    int pause() { return show_change(app::pause(options())); }

    int approve() { return show_change(app::approve(options(), invocation_.gate)); }

    int abort() {
        const auto watching = observer();
        const auto aborted = app::abort(options(), *watching);
        clear(*watching);
        return show_change(aborted);
    }

    int note() { return show_change(app::note(options(), invocation_.text)); }

    int status();
    int watch();

    int log() {
        return show(
            app::log(options(), invocation_.run),
            [&](const std::vector<app::LogLine>& lines) { return render_log(lines, screen_); });
    }

    int list_hosts();
    int check_hosts();
    int chain();
    int update_route();
    int verify();
    int list_packs();
    int lint_pack();
    int try_pack();
    int new_pack();
    int schema();
    int version();
    int inspect_store();
    int verify_store();
    int restore_from_store();
    int export_from_store();
    int import_to_store();
    int upgrade_store();
    int move_vfolders();
    int inspect_extract();
    int verify_extract();
    [[nodiscard]] app::Options bucket_options() const;
    int copy_bucket();
    int verify_buckets();
    [[nodiscard]] bool has_tree_options() const;
    int refuse_tree_options();
    int copy_tree();
    int verify_trees();
    int write_tree_manifest();
    [[nodiscard]] app::TreeChoice tree_choice() const;
    int write_bucket_manifest();

    int encrypt_store() { return rewrite_store(mover::blocks::RewriteWork::encrypt); }

    int rekey_store() { return rewrite_store(mover::blocks::RewriteWork::rekey); }

    int completion() {
        console_.output << render_completion(invocation_.shell, command_table());
        return app::k_exit_done;
    }

private:
    [[nodiscard]] app::Options options() const {
        app::Options options = {
            cluster_file_, console_.program, invocation_.dry_run, {}, invocation_.approvals};
        options.take_over = invocation_.take_over;
        options.give_up_hosts = invocation_.give_up_hosts;
        options.trust = invocation_.trust_this_time ? app::Trust::this_time
                        : invocation_.trust         ? app::Trust::remember
                                                    : app::Trust::ask;
        options.ask = [this](const auto& file, const auto& executed) {
            return ask_trust(file, executed);
        };
        return options;
    }

    // Lists the commands that the file would execute and waits for a yes. Returns false without a
    // terminal.
    [[nodiscard]] bool ask_trust(const std::string& file,
                                 const std::vector<std::string>& executed) const;
    int replay(const model::Plan& plan, const std::function<void(const std::string&)>& tell);
    int refuse(const app::Failure& failure, const std::string& target = {});
    int refuse_use(const std::string& message, const std::string& remedy);
    int conduct(const std::function<app::AppResult<app::RunStatus>(run::Observer&)>& begin,
                const std::string& target);
    [[nodiscard]] app::StoreRequest store_request() const;
    [[nodiscard]] app::BucketSide source_side() const;
    [[nodiscard]] app::BucketSide target_side() const;
    template <class Work>
    auto with_store_progress(const char* verb, Work work);
    template <class Work>
    auto with_extract_progress(const char* verb, Work work);
    int rewrite_store(mover::blocks::RewriteWork work);
    int refuse_on_stderr(const app::Failure& failure);
    std::unique_ptr<run::Observer> observer();
    void clear(run::Observer& observer) const;
    [[nodiscard]] std::string status_text(const app::RunStatus& status) const;
    int show_status(const app::RunStatus& status);
    int show_way_back(const model::Plan& plan);
    int write_out(const std::string& text);
    [[nodiscard]] Status keep_plan(const model::Plan& plan);
    [[nodiscard]] std::string goal() const;

    // Prints the answer, as JSON or by `render`, or the failure. Returns the exit code.
    template <class T, class Render>
    int show(const app::AppResult<T>& answer, Render render) {
        if (!answer) {
            return refuse(answer.error());
        }
        console_.output << (invocation_.json ? json_of(*answer).pretty() + "\n" : render(*answer));
        return app::k_exit_done;
    }

    // Shows a change that was made. It is a success, whatever the run waits for next.
    int show_change(const app::AppResult<app::RunStatus>& answer) {
        return show(answer, [&](const app::RunStatus& status) { return status_text(status); });
    }

    const Invocation& invocation_;
    Console& console_;
    std::string cluster_file_;  // as typed, or the plan's own
    Screen screen_;
};

}  // namespace drydock::cli
