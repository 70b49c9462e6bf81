// The words of transitions: sentences for stories, and steps of traces.
#include "checker/transition_text.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::checker {

namespace {

using run::Status;

// The sentence of each kind in stories, in the order of the enum. {} is the title of the action, or
// the name of the member or host. A kind without a sentence shows nothing that people would tell.
constexpr std::array<const char*, run::k_trace_steps.k_count> k_sentences = {{
    "",
    "what \"{}\" requires does not hold",
    "",
    "",
    "{}: done",
    "{}: done, and the member dies right after",
    "\"{}\" fails",
    "\"{}\" is told as failed, but it has had its effect",
    "nobody answers what became of \"{}\"",
    "\"{}\" had never begun: it is begun again",
    "the host cannot tell what became of \"{}\": it did not happen",
    "the host cannot tell what became of \"{}\": it did happen",
    "the host cannot tell what became of \"{}\": it had never begun",
    "",
    "what \"{}\" promises is not seen in time",
    "",
    "a probe says that \"{}\" did not happen: it is begun again",
    "nothing tells whether \"{}\" happened",
    "a person approves: {}",
    "the run is finished",
    "the run halts",
    "the conductor dies while {} is under way; another one takes over",
    "{} dies",
    "host {} does not answer any more",
    "host {} answers again",
    "{}",
    "a person resumes the run",
    "a person starts {}",
    "{} starts by itself",
    "{} comes to lead",
    "what was lost is settled",
}};

const char* sentence_of(TransitionKind kind) {
    return k_sentences.at(ordinal(kind));
}

std::string under_way(const Model& model, const Byte* row) {
    std::vector<std::string> titles;
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        if (model.status(row, i) == Status::intended) {
            titles.push_back(fmt::format("\"{}\"", model.plan.actions[i].title));
        }
    }
    return join(titles, " and ");
}

const char* condition_of(model::FormatTrigger trigger) {
    if (trigger == model::FormatTrigger::when_all_running) {
        return "every member that runs, runs the new release";
    }
    return trigger == model::FormatTrigger::on_lead ? "a member of the new release leads"
                                                    : "every member runs the new release";
}

// The sentence names the condition, because no action causes the step.
std::string text_of_law(const Model& model, const FormatTransition& rise) {
    const Store& store = model.stores[rise.store];
    return fmt::format("{}: {} rises to {} by itself",
                       condition_of(rise.raises),
                       store.name,
                       store.formats[rise.becomes]);
}

// A skip is told where the action would have changed the cluster, or asked for the way back. A
// condition on members that are all down is easily overlooked, so unmet() says so.
std::string text_of_skip(const Model& model, const Byte* previous_row, Index action) {
    const ActionModel& act = model.actions[action];
    const model::Action& planned = model.plan.actions[action];
    const bool is_told = act.moves_world || planned.is_point_of_no_return;
    if (!is_told || act.applies_if.empty()) {
        return "";
    }
    const std::string reason = unmet(model, planned.applies_if, act.applies_if, previous_row);
    return fmt::format("\"{}\" is skipped, because {}",
                       planned.title,
                       reason.empty() ? "its condition may not hold: "
                                            + model::describe(planned.applies_if.front())
                                      : reason);
}

// Returns the words for {}.
std::string subject_of(const Model& model, const Byte* previous_row, Transition choice) {
    if (is_about_action(choice.kind)) {
        return model.plan.actions[choice.index].title;
    }
    if (choice.kind == TransitionKind::conductor_dies) {
        return under_way(model, previous_row);
    }
    if (choice.kind == TransitionKind::law_fires) {
        return text_of_law(model, model.format_transitions[choice.index]);
    }
    if (choice.kind == TransitionKind::host_lost || choice.kind == TransitionKind::host_back) {
        return model.hosts[choice.index];
    }
    return is_about_member(choice.kind) ? model.members[choice.index].name : "";
}

// True if the action installs something on the member while it is under way.
bool installs_meanwhile(const ActionModel& act, const Member& member) {
    return member.installed != k_no_offset
           && std::any_of(act.meanwhile.begin(), act.meanwhile.end(), [&](const HalfDone& half) {
                  return !half.is_format && half.offset == member.installed;
              });
}

bool observes(const ActionModel& act, Index member) {
    return !act.preconditions.empty()
           && (act.member == member || index_in(act.observed_before, member) != k_no_index);
}

// What an event of a member meets, where the story could not be understood without it: an install
// that is under way when the member starts, or a guard that was judged before the member died.
std::string circumstances(const Model& model, const Byte* previous_row, Transition choice) {
    const bool starts = choice.kind == TransitionKind::member_restarts;
    if (!starts && choice.kind != TransitionKind::member_dies) {
        return "";
    }
    for (Index i = 0; i < model.actions.size(); ++i) {
        const Status status = model.status(previous_row, i);
        const ActionModel& act = model.actions[i];
        if (starts && run::is_open_ended(status)
            && installs_meanwhile(act, model.members[choice.index])) {
            return fmt::format(", while \"{}\" is under way", model.plan.actions[i].title);
        }
        if (!starts && status == Status::ready && observes(act, choice.index)) {
            return fmt::format(", when what \"{}\" requires was already seen",
                               model.plan.actions[i].title);
        }
        if (!starts && status == Status::intended && act.member == choice.index) {
            return fmt::format(", when the command of \"{}\" has left",
                               model.plan.actions[i].title);
        }
    }
    return "";
}

// A probe is told only where it is wrong: what is right goes without saying.
std::string text_of_wrong_yes(const Model& model, const Byte* previous_row, Index action) {
    const Offset ran = model.actions[action].ran;
    return ran == k_no_offset || previous_row[ran] != 0
               ? ""
               : fmt::format("a probe says that \"{}\" happened, though it did not",
                             model.plan.actions[action].title);
}

std::string text_of(const Model& model, const Byte* previous_row, Transition choice) {
    if (choice.kind == TransitionKind::skipped) {
        return text_of_skip(model, previous_row, choice.index);
    }
    if (choice.kind == TransitionKind::completed) {
        return text_of_wrong_yes(model, previous_row, choice.index);
    }
    return fmt::format(fmt::runtime(sentence_of(choice.kind)),
                       subject_of(model, previous_row, choice))
           + circumstances(model, previous_row, choice);
}

// A replay reads these keys (sim/replay_counterexample.h).
Json trace_of(const Model& model, Transition choice) {
    Json trace;
    trace.set("what", std::string(name_of(choice.kind)));
    if (is_about_action(choice.kind)) {
        trace.set("action", model.plan.actions[choice.index].id);
    } else if (is_about_member(choice.kind)) {
        trace.set("member", model.members[choice.index].name);
    } else if (choice.kind == TransitionKind::host_lost
               || choice.kind == TransitionKind::host_back) {
        trace.set("host", model.hosts[choice.index]);
    } else if (choice.kind == TransitionKind::law_fires) {
        trace.set("store", model.stores[model.format_transitions[choice.index].store].name);
    }
    return trace;
}

// True if the condition asks members of which none counts now.
bool has_no_counted_member(const Model& model, const Predicate& predicate, const Byte* row) {
    return predicate.only_expected_up
           && std::none_of(
               predicate.targets.begin(), predicate.targets.end(), [&](const auto& target) {
                   return model.expected_up(row, target.member);
               });
}

}  // namespace

bool is_about_action(TransitionKind kind) {
    return kind <= TransitionKind::approved || kind == TransitionKind::halted;
}

bool is_about_member(TransitionKind kind) {
    return kind == TransitionKind::member_dies || kind == TransitionKind::member_started
           || kind == TransitionKind::member_restarts || kind == TransitionKind::elected;
}

TraceStep trace_step_of(const Model& model, const Byte* previous_row, Transition choice) {
    return {text_of(model, previous_row, choice), trace_of(model, choice)};
}

TraceStep settled_step() {
    return {sentence_of(TransitionKind::settled),
            Json::Object{{"what", std::string(name_of(TransitionKind::settled))}}};
}

std::string unmet(const Model& model,
                  const std::vector<model::Condition>& conditions,
                  const std::vector<Predicate>& predicates,
                  const Byte* row) {
    for (Index i = 0; i < predicates.size(); ++i) {
        const Evaluation evaluation = evaluate(model, {predicates[i]}, row);
        if (predicates[i].is_modelled && evaluation.modelled != model::Truth::yes) {
            return fmt::format("it is not so that {}{}",
                               model::describe(conditions[i]),
                               has_no_counted_member(model, predicates[i], row)
                                   ? " (no member is up that could say so)"
                                   : "");
        }
    }
    return "";
}

}  // namespace drydock::checker
