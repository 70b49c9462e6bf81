// One step of a phase: its verb, its members, its conditions, its limits. read_request.cpp reads
// its request to the host, read_effects.cpp its effects.
//
// The order of the parts matters. The verb comes first, because it decides on the meaning of a
// missing `on` and on the allowed keys. `on` sets the scope: the role and side that conditions and
// strings refer to. Then follow the conditions, the request to the agent, the effects for the
// model, and the limits. Some limits depend on the kind of request. Keys that the role gives for
// the verb are added before (step_defaults.cpp).
//
// Verbs are typed because the checker must know their effects. It cannot see a change that the pack
// does not declare. So every verb needs a request, except the reading ones and those with a request
// from the cluster file. `effect` lists the changes that the verb does not imply. docs/packs.md
// describes the keys.
#include "pack/read_step.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

using model::Verb;

// Without `on` and `each` these verbs are about the system.
bool is_read_only(Verb verb) {
    return verb == Verb::require || verb == Verb::wait || verb == Verb::gate;
}

namespace {

bool takes_role(Verb verb) {
    return verb == Verb::stop || verb == Verb::start || verb == Verb::restart;
}

bool takes_store(Verb verb) {
    return verb == Verb::backup || verb == Verb::restore || verb == Verb::migrate;
}

// The other verbs have an object instead: a role, a store, a release or the data to move.
bool has_title(Verb verb) {
    return !takes_role(verb) && !takes_store(verb) && verb != Verb::install && verb != Verb::move;
}

class StepReader {
public:
    StepReader(const Node& node,
               const model::PhaseSpec& phase,
               model::StepSpec& step,
               PackReader& reader)
        : node_(with_defaults(node, phase, reader))
        , phase_(phase)
        , step_(step)
        , reader_(reader) {}

    void read() {
        step_.position = node_.position;
        read_verb();
        read_target();
        read_texts();
        read_all_conditions();
        read_request(node_, scope_, step_, reader_);
        check_has_host();
        read_effects(node_, scope_, step_, reader_);
        read_plan_position();
        read_limits();
        for (const Entry& entry : node_.entries) {
            if (!is_condition_key(entry.key)) {
                check_names(entry.value, scope_, reader_);
            }
        }
    }

private:
    void
    error(const char* code, const Position& position, std::string summary, std::string suggestion) {
        reader_.diagnostics.error(code, position, std::move(summary), std::move(suggestion));
    }

    // Conditions check their own names: `where` has another scope than its step.
    static bool is_condition_key(const std::string& key) {
        const std::vector<std::string> keys = {
            "all", "when", "guard", "then", "happened", "broken", "on"};
        return std::find(keys.begin(), keys.end(), key) != keys.end();
    }

    [[nodiscard]] std::string_view verb_name() const { return name_of(step_.verb); }

    void read_verb() {
        for (const Entry& entry : node_.entries) {
            if (const auto verb = model::k_verbs.parse(entry.key)) {
                step_.verb = *verb;
                step_.object = text_of(entry.value);
                return check_object(entry.value);
            }
        }
    }

    // A release may be a ${name}; the planner checks it when it knows the route.
    void check_object(const Node& node) {
        if (takes_role(step_.verb)) {
            require_role(node, reader_);
        } else if (takes_store(step_.verb)) {
            require_store(node, reader_);
        } else if (step_.verb == Verb::install && step_.object.find("${") == std::string::npos
                   && !reader_.pack.releases.contains(step_.object)) {
            report_unknown_name(reader_.diagnostics,
                                node.position,
                                "release",
                                step_.object,
                                keys_of(reader_.pack.releases));
        }
    }

    // Sets `on` and the scope of the step. The cases, in order: A map selects members. `system`, or
    // a reading verb outside of `each`, is about the system. In a phase with `each` the step is
    // about this member. The verbs stop, start and restart take all members of their role. All
    // other steps must have `on`.
    void read_target() {
        const Node& selector = node_["on"];
        const bool by_default = selector.kind == Node::Kind::nothing;
        if (selector.kind == Node::Kind::map) {
            return read_selection(selector);
        }
        if (text_of(selector) == "system"
            || (by_default && !phase_.selection && is_read_only(step_.verb))) {
            step_.selection = model::Selection();
        } else if (phase_.selection) {
            scope_.role = model::without_side(phase_.selection->role);  // this member
            scope_.side = side_of(phase_.selection->role);
            step_.once_a_host = text_of(selector) == "host";
            check_once_a_host(selector);
        } else if (by_default && takes_role(step_.verb)) {
            step_.selection = model::Selection();
            select(node_, reader_.pack.roles.contains(step_.object) ? step_.object : "");
        } else {
            error("step.on",
                  by_default ? node_.position : selector.position,
                  by_default ? fmt::format("`{}` does not say on which members", verb_name())
                             : fmt::format("`on: {}` in a phase without `each`", text_of(selector)),
                  "write `on: {every: ROLE}` or `on: {one_of: ROLE}`");
        }
    }

    // The system has no host of its own.
    void check_has_host() {
        if (step_.selection && step_.selection->role.empty() && !step_.request.is_null()
            && text_of(node_["on"]) == "system") {
            error("step.on",
                  node_["on"].position,
                  fmt::format("`{}` does something, and `on: system` is no host", verb_name()),
                  "write `on: {one_of: ROLE}`: it is done on the host of that member");
        }
    }

    // A process belongs to one member. A stop that one member makes for all on its host would leave
    // the others running.
    void check_once_a_host(const Node& selector) {
        const bool process = step_.verb == Verb::stop || step_.verb == Verb::start;
        if (step_.once_a_host && (!phase_.selection->by_host || process)) {
            error("step.on",
                  selector.position,
                  process ? fmt::format("`{}` once for a host", verb_name())
                          : "`on: host` in a phase that goes by member",
                  process ? "leave out `on`: it is done for each member"
                          : "write `each: {role: ROLE, by: host}`");
        }
    }

    // Roles with a side are written ROLE@SIDE (model::sided()).
    static std::string side_of(const std::string& role) {
        const auto separator = role.find('@');
        return separator == role.npos ? "" : role.substr(separator + 1);
    }

    // Sets the scope to a role and side, and the selection to the same.
    void select(const Node& node, const std::string& role) {
        scope_.role = role;
        scope_.side = read_side(node, role, "", reader_);
        step_.selection->role = model::sided(role, scope_.side);
    }

    void read_selection(const Node& node) {
        step_.selection = model::Selection();
        step_.selection->is_single = node.has("one_of");
        step_.selection->per_host = node.has("one_per_host");
        const Node& role = step_.selection->is_single  ? node["one_of"]
                           : step_.selection->per_host ? node["one_per_host"]
                                                       : node["every"];
        if (require_role(role, reader_)) {
            select(node, text_of(role));
        }
        read_order(node["order"], *step_.selection);
        step_.selection->filter = read_conditions(node["where"], scope_, reader_);
    }

    // Verbs whose object is no title say what is done to whom.
    [[nodiscard]] std::string usual_title() const {
        if (has_title(step_.verb) || step_.verb == Verb::move) {
            return step_.object;
        }
        const std::string object = takes_role(step_.verb) ? "" : " " + step_.object;
        const bool is_host = step_.once_a_host || (step_.selection && step_.selection->per_host);
        return fmt::format("{}{}{}",
                           verb_name(),
                           object,
                           scope_.role.empty()      ? ""
                           : takes_role(step_.verb) ? " ${member}"
                           : is_host                ? " on ${host}"
                                                    : " on ${member}");
    }

    void read_texts() {
        step_.title = text_of(node_["title"], usual_title());
        step_.rationale = text_of(node_["why"]);
        step_.remedy = text_of(node_["remedy"]);
    }

    // `all` is short for the conditions that make up a step of these verbs: `require` reads them as
    // its guard, `wait` as its postconditions.
    void read_all_conditions() {
        step_.applies_if = read_conditions(node_["when"], scope_, reader_);
        read_guard();
        step_.postconditions = read_conditions(node_["then"], scope_, reader_);
        step_.completion_check = read_conditions(node_["happened"], scope_, reader_);
        step_.fail_fast_if = read_conditions(node_["broken"], scope_, reader_);
        const Node& condition_list = node_["all"];
        auto conditions = read_conditions(condition_list, scope_, reader_);
        auto& target = step_.verb == Verb::require ? step_.preconditions : step_.postconditions;
        std::move(conditions.begin(), conditions.end(), std::back_inserter(target));
        if (condition_list.kind != Node::Kind::nothing && step_.verb != Verb::require
            && step_.verb != Verb::wait) {
            error("step.all",
                  condition_list.position,
                  fmt::format("`all` in a step `{}`", verb_name()),
                  "`all` is for require and wait; write `guard` or `then`");
        }
        check_has_condition();
    }

    void check_has_condition() {
        const bool looks = step_.verb == Verb::require || step_.verb == Verb::wait;
        if (looks && !node_.has("all") && !node_.has("guard") && !node_.has("then")) {
            error("step.empty",
                  node_.position,
                  fmt::format("`{}` without a condition", verb_name()),
                  "add `all: [{fact: ..., is: ...}]`");
        }
    }

    // An item of a guard is a condition or `quorum_without`, which counts ready members and names
    // no fact.
    void read_guard() {
        for (const Node* item : items_of(node_["guard"])) {
            if (item->has("quorum_without")) {
                step_.quorum_without = text_of((*item)["quorum_without"]) == "host"
                                           ? model::Reach::host
                                           : model::Reach::member;
                check_quorum(*item);
            } else if (!item->has("fact")) {
                error("key.missing",
                      item->position,
                      "a condition without `fact`",
                      "add the fact that it is about");
            } else if (auto condition = read_condition(*item, scope_, reader_)) {
                step_.preconditions.push_back(*std::move(condition));
            }
        }
    }

    void check_quorum(const Node& item) {
        if (item.has("fact")) {
            error("key.conflict",
                  item["fact"].position,
                  "`fact` beside `quorum_without`",
                  "make two conditions of it");
        }
        if (scope_.role.empty()) {
            error("fact.scope",
                  item.position,
                  "`quorum_without` where no member is meant",
                  "write it in a step on members");
        }
    }

    // Reads which route a step is for (`raises`), and whether it waits for the step before it.
    void read_plan_position() {
        for (const Node* store : items_of(node_["raises"])) {
            if (require_store(*store, reader_)) {
                step_.raises.push_back(text_of(*store));
            }
        }
        step_.parallel_with_previous = boolean_of(node_["beside"]);
        step_.on_old_release = boolean_of(node_["again"]);
        if (step_.parallel_with_previous && phase_.selection) {
            error("step.beside",
                  node_["beside"].position,
                  "`beside` in a phase with `each`",
                  "the steps on one member follow each other; use a phase without `each`");
        }
    }

    // Steps that do no harm when repeated may be repeated by default. For others the default is a
    // probe: on resume the facts decide whether the step happened.
    void read_limits() {
        const Verb verb = step_.verb;
        const bool harmless = is_read_only(verb) || verb == Verb::stop || verb == Verb::install;
        step_.repeatable =
            model::k_repeatables.parse(text_of(node_["repeatable"]))
                .value_or(harmless ? model::Repeatable::yes : model::Repeatable::probe);
        step_.attempts =
            static_cast<int>(std::min<std::int64_t>(integer_of(node_["attempts"], 1), 1000));
        step_.timeout_ms = duration_of(node_["within"], step_.timeout_ms);
        step_.guard_timeout_ms = duration_of(node_["patience"], step_.guard_timeout_ms);
        step_.expected_ms = duration_of(node_["takes"], 0);
        read_long_limits();
        step_.standing = boolean_of(node_["keep"]);
        if (node_.has("keep") && verb != Verb::require) {
            error("step.keep", node_["keep"].position, "`keep` is for require only", "remove it");
        }
        step_.optional = boolean_of(node_["optional"]);
        if (step_.optional && (verb == Verb::gate || verb == Verb::finalize)) {
            error("step.optional",
                  node_["optional"].position,
                  fmt::format("`optional` on a {}: what comes behind it relies on it", verb_name()),
                  "remove it");
        }
    }

    // Only a command reports progress and can be ended early.
    void read_long_limits() {
        step_.stall_ms = duration_of(node_["stall"], 0);
        step_.cancellable = boolean_of(node_["cancellable"]);
        const bool is_command = step_.request["kind"].as_string() == "command";
        for (const char* key : {"stall", "cancellable", "pausable"}) {
            if (node_.has(key) && !is_command) {
                error("step.long",
                      node_[key].position,
                      fmt::format("`{}` in a step without a command", key),
                      "remove it; only a command tells its progress and can be ended early");
            }
        }
        if (node_.has("stall") && step_.stall_ms == 0) {
            error(
                "step.long", node_["stall"].position, "`stall` of no time", "write it as in `5m`");
        }
        if (node_.has("pausable") && is_command) {
            read_pause();
        }
        check_early_end();
    }

    // The time to stop belongs to the request: the agent measures it.
    void read_pause() {
        const std::int64_t stop_within_ms = duration_of(node_["pausable"], 0);
        if (stop_within_ms == 0) {
            error("step.long",
                  node_["pausable"].position,
                  "`pausable` of no time",
                  "write it as in `5m`");
        }
        if (step_.cancellable) {
            error("step.long",
                  node_["cancellable"].position,
                  "`cancellable` beside `pausable`: is it ended at once, or asked to stop?",
                  "remove one of them");
        }
        step_.request.set("stop_within_ms", stop_within_ms);
    }

    // A step that is ended early must be possible to continue: it is repeatable, or its completion
    // check decides whether it happened. A pause that the command does not heed ends it, too.
    void check_early_end() {
        const char* key = step_.cancellable ? "cancellable" : "pausable";
        const bool is_lost =
            step_.repeatable == model::Repeatable::no && step_.completion_check.empty();
        if (is_lost && (step_.cancellable || node_.has("pausable"))) {
            error("step.cancellable",
                  node_[key].position,
                  fmt::format("`{}` on a step that may not be repeated and has no `happened`: "
                              "nobody could go on after a cancellation",
                              key),
                  "add `happened`, or remove it");
        }
    }

    const Node node_;
    const model::PhaseSpec& phase_;
    model::StepSpec& step_;
    PackReader& reader_;
    NameScope scope_;
};

}  // namespace

void read_step(const Node& node,
               const model::PhaseSpec& phase,
               model::StepSpec& step,
               PackReader& reader) {
    StepReader(node, phase, step, reader).read();
}

}  // namespace drydock::pack
