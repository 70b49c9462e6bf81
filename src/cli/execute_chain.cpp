// The commands that read packages and graphs and ask no cluster: `chain`, and `route --graph`.
#include "chain/draw.h"
#include "chain/zip.h"
#include "cli/command.h"
#include "cli/say.h"

namespace drydock::cli {

// Reads both packages, compares them, and shows the result as text, JSON or a picture. The time
// zone is fixed first: without it, libzip looks at the zone's file for each entry of a package.
int Command::chain() {
    if (invocation_.environments.size() > 2) {
        return refuse_use("--env may be given twice at the most", "one for both, or one each");
    }
    chain::keep_time_zone();
    const auto answer = app::compare_chains({invocation_.old_side,
                                             invocation_.new_side,
                                             invocation_.environments,
                                             invocation_.database});
    std::string text = render_chain(answer, screen_);
    if (!invocation_.graph.empty()) {
        const auto format =
            invocation_.graph == "dot" ? chain::PictureFormat::dot : chain::PictureFormat::svg;
        text = chain::draw(answer.old_reading, answer.new_reading, answer.comparison, format);
    } else if (invocation_.json) {
        text = chain::report(
                   answer.old_reading, answer.new_reading, answer.comparison, answer.explanation)
                   .pretty()
               + "\n";
    }
    const int written = write_out(text);
    return written == app::k_exit_done ? answer.exit_code : written;
}

namespace {

// Returns the lines under a title, or nothing where there are none.
std::string
lines_of(const char* title, const std::vector<std::string>& lines, const Screen& screen) {
    std::string text;
    for (const std::string& line : lines) {
        text += hang("    ", line, screen.width);
    }
    return text.empty() ? "" : say("\n  {}\n", title) + text;
}

// Shows each hop on a line. Without a way the versions that can be reached follow.
std::string render(const app::UpdateRoute& answer, const Screen& screen) {
    std::string text = say("{} -> {}   {}\n",
                           answer.start,
                           answer.target,
                           answer.has_way ? counted(answer.stops.size(), "hop") : "no way");
    std::string position = answer.start;
    for (const std::string& stop : answer.stops) {
        text += say("  {} -> {}\n", position, stop);
        position = stop;
    }
    text += lines_of("Against going there at once", answer.objections, screen);
    return text + lines_of("As far as a way leads", answer.nearest_versions, screen);
}

Json list_of(const std::vector<std::string>& words) {
    Json list = Json::Array{};
    for (const std::string& word : words) {
        list.push(word);
    }
    return list;
}

Json json_of(const app::UpdateRoute& answer) {
    Json json;
    json.set("from", answer.start)
        .set("to", answer.target)
        .set("has_way", answer.has_way)
        .set("stops", list_of(answer.stops))
        .set("objections", list_of(answer.objections))
        .set("near", list_of(answer.nearest_versions))
        .set("versions", std::uint64_t{answer.versions})
        .set("rules", std::uint64_t{answer.rules});
    return json;
}

}  // namespace

// A route that does not exist is an answer with the exit code 1, not an error.
int Command::update_route() {
    if (invocation_.old_side.empty()) {
        return refuse_use("with --graph, where does the route begin?", "say --from VERSION");
    }
    const auto answer = app::update_route(invocation_.graph, invocation_.old_side, invocation_.to);
    if (!answer) {
        return refuse(answer.error(), invocation_.to);
    }
    console_.output << (invocation_.json ? json_of(*answer).pretty() + "\n"
                                         : render(*answer, screen_));
    return answer->has_way ? app::k_exit_done : app::k_exit_no;
}

}  // namespace drydock::cli
