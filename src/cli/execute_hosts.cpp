// The commands `drydock hosts check` and `list`.
#include "cli/command.h"
#include "cli/render_hosts.h"

#include <algorithm>

namespace drydock::cli {

int Command::list_hosts() {
    const auto reports = app::list_hosts(options());
    if (!reports) {
        return refuse(reports.error());
    }
    console_.output << (invocation_.json ? json_of(*reports).pretty() + "\n"
                                         : render_listed(*reports));
    return app::k_exit_done;
}

int Command::check_hosts() {
    const auto reports = app::check_hosts(options());
    if (!reports) {
        return refuse(reports.error());
    }
    console_.output << (invocation_.json ? json_of(*reports).pretty() + "\n"
                                         : render_checked(*reports, screen_));
    const bool has_problem =
        std::any_of(reports->begin(), reports->end(), [](const app::HostReport& report) {
            return !report.problems.empty();
        });
    return has_problem ? app::k_exit_no : app::k_exit_done;
}

}  // namespace drydock::cli
