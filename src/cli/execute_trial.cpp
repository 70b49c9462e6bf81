// The commands that try packs without a cluster: `pack try` and `pack new`.
#include "cli/command.h"

namespace drydock::cli {

// Ends with 1 if a twin does not do what case.yaml says, or if a plan without twins is stopped.
int Command::try_pack() {
    const auto trial = app::try_pack(invocation_.folder, invocation_.to, console_.program);
    const int exit_code =
        show(trial, [&](const trial::Trial& shown) { return render_trial(shown, screen_); });
    return trial && !trial->is_as_told() ? app::k_exit_no : exit_code;
}

int Command::new_pack() {
    const auto made = app::new_pack(invocation_.folder, invocation_.name, invocation_.dry_run);
    return show(made, [&](const app::NewPack& shown) {
        return render_new_pack(shown, invocation_.dry_run);
    });
}

}  // namespace drydock::cli
