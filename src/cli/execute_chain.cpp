// The command `chain`.
#include "chain/draw.h"
#include "cli/command.h"

namespace drydock::cli {

int Command::chain() {
    if (typed_.environments.size() > 2) {
        return refuse_use("--env may be given twice at the most", "one for both, or one each");
    }
    const auto answer =
        app::compare_chains({typed_.before, typed_.after, typed_.environments, typed_.database});
    std::string text = render_chain(answer, screen_);
    if (!typed_.graph.empty()) {
        const auto format =
            typed_.graph == "dot" ? chain::PictureFormat::dot : chain::PictureFormat::svg;
        text = chain::draw(answer.before, answer.after, answer.comparison, format);
    } else if (typed_.json) {
        text = chain::report(answer.before, answer.after, answer.comparison, answer.explanation)
                   .pretty()
               + "\n";
    }
    const int written = write_out(text);
    return written == app::k_exit_done ? answer.exit_code : written;
}

}  // namespace drydock::cli
