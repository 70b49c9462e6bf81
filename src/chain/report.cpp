// A comparison as JSON, and as an exit code.
//
// The keys are an interface for scripts; docs/chains.md lists them. Every key is in every report,
// with an empty list where there is nothing to say.
#include "chain/explain.h"

namespace drydock::chain {

namespace {

// An empty list stays a list in the report and never becomes null.
Json list_of(const std::vector<std::string>& names) {
    Json list = Json::Array{};
    for (const std::string& name : names) {
        list.push(name);
    }
    return list;
}

// OLD and NEW have the same keys.
Json side_of(const Reading& reading, const std::vector<std::string>& heads) {
    Json side;
    side.set("package", reading.package)
        .set("environment", reading.graph.environment)
        .set("environments", list_of(reading.environments))
        .set("convention", name_of(reading.graph.convention))
        .set("count", static_cast<std::int64_t>(reading.graph.revisions.size()))
        .set("heads", list_of(heads));
    return side;
}

// Descriptions of all revisions in the lists of the report; NEW's text wins where both have one.
Json docs_of(const Reading& old_reading, const Reading& new_reading, const Comparison& comparison) {
    Json docs = Json::Object{};
    for (const auto* list : {&comparison.skipped, &comparison.lost, &comparison.runs}) {
        for (const std::string& id : *list) {
            const Revision* revision = new_reading.graph.find(id);
            revision = revision == nullptr ? old_reading.graph.find(id) : revision;
            docs.set(id, revision->doc);
        }
    }
    return docs;
}

}  // namespace

Json report(const Reading& old_reading,
            const Reading& new_reading,
            const Comparison& comparison,
            const Explanation& explanation) {
    Json problems = Json::Array{};
    for (const Problem& problem : comparison.problems) {
        Json entry;
        entry.set("file", problem.file).set("line", problem.line).set("text", problem.text);
        problems.push(std::move(entry));
    }
    Json way_back;
    way_back.set("runs", list_of(explanation.way_back.runs))
        .set("empty", list_of(explanation.way_back.empty))
        .set("missing", list_of(explanation.way_back.missing))
        .set("refuses", list_of(explanation.way_back.refuses));
    Json json;
    json.set("old", side_of(old_reading, old_reading.graph.heads()))
        .set("new", side_of(new_reading, comparison.new_heads))
        .set("database", list_of(comparison.old_heads))
        .set("verdict", name_of(comparison.verdict))
        .set("skipped", list_of(comparison.skipped))
        .set("skipped_roots", list_of(comparison.skipped_roots))
        .set("lost", list_of(comparison.lost))
        .set("unknown_heads", list_of(comparison.unknown_heads))
        .set("runs", list_of(comparison.runs))
        .set("reordered", list_of(comparison.reordered))
        .set("moved", list_of(comparison.reparented))
        .set("meeting_point", comparison.meeting_point)
        .set("docs", docs_of(old_reading, new_reading, comparison))
        .set("happens", list_of(explanation.happens))
        .set("repairs", list_of(explanation.repairs))
        .set("notes", list_of(explanation.notes))
        .set("way_back", std::move(way_back))
        .set("problems", std::move(problems));
    return json;
}

int exit_code_of(Verdict verdict) {
    return verdict == Verdict::clean ? 0 : verdict == Verdict::refused ? 2 : 1;
}

}  // namespace drydock::chain
