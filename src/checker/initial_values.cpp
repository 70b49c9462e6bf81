// Each value comes from the first source that knows it; the header has their order.
#include "checker/initial_values.h"

#include "checker/model_builder.h"
#include "model/version.h"

#include <algorithm>
#include <set>

namespace drydock::checker {

namespace {

using model::Observation;
using model::ObservationStatus;

Byte format_index(const model::PlanStore& store, const std::string& format) {
    const Index index = index_in(store.formats, format);
    return index == k_no_index ? k_no_format : to_byte(index);
}

// Returns the format that a level tells. Of several formats that match it, the last one counts.
Index format_of_level(const model::PlanStore& store, const Observation& level) {
    const std::string version = level.value.show();
    for (Index i = store.formats.size(); i > 0; --i) {
        if (version == store.formats[i - 1]
            || model::version_in_series(version, store.formats[i - 1])) {
            return i - 1;
        }
    }
    return k_no_index;
}

bool is_up(const Observation* running) {
    return running != nullptr && running->status == ObservationStatus::known;
}

}  // namespace

const Observation* known_fact(const model::FactBook& book, const std::string& key) {
    const auto entry = book.find(key);
    return entry == book.end() || entry->second.status == ObservationStatus::unknown
               ? nullptr
               : &entry->second;
}

bool InitialValues::is_left_open(const std::string& key) const {
    return start_ != nullptr && start_->facts.contains(key) && is_listed(start_->modelled, key);
}

// A value that the other plan left open stays so, whatever this plan was told before.
const Observation* InitialValues::fact(const std::string& key) const {
    const Observation* start_value = start_ == nullptr ? nullptr : known_fact(start_->facts, key);
    if (start_value == nullptr && is_left_open(key)) {
        return &start_->facts.at(key);
    }
    const Observation* planned = known_fact(model_.plan.bound_facts, key);
    return start_value != nullptr ? start_value
           : planned != nullptr   ? planned
                                  : known_fact(model_.plan.survey_facts, key);
}

// The format follows from the level fact, else from the release that wrote the store last.
Byte InitialValues::format(const model::PlanStore& store, Index member) const {
    const std::string name = instance_name(store, member);
    if (start_ != nullptr && start_->formats.contains(name)) {
        return start_->formats.at(name);
    }
    for (const std::string& key : store.levels) {
        const auto source = model_.plan.sources.find(key);
        const bool is_own = member == k_no_index || source == model_.plan.sources.end()
                            || source->second.member == name_of(member);
        const Observation* level = is_own ? fact(key) : nullptr;
        const Index format = level == nullptr ? k_no_index : format_of_level(store, *level);
        if (format != k_no_index) {
            return to_byte(format);
        }
    }
    return format_index(store, written_format(store, member));
}

Byte InitialValues::copied_format(const model::PlanStore& store, Index member) const {
    const std::string name = instance_name(store, member);
    const bool is_known = start_ != nullptr && start_->copied.contains(name);
    return is_known ? start_->copied.at(name) : k_no_format;
}

// A member that runs leaves its store unclean as long as it runs. One that is down has left it so
// if the fact says it; then the old release did.
Observation InitialValues::left_by(const model::PlanStore& store, Index member) const {
    const std::string name = instance_name(store, member);
    if (start_ != nullptr && start_->unclean.contains(name)) {
        return start_->unclean.at(name);
    }
    if (const Observation* release = running(member); is_up(release)) {
        return *release;
    }
    for (const std::string& key : store.clean_stop) {
        const auto source = model_.plan.sources.find(key);
        const bool is_own =
            source == model_.plan.sources.end() || source->second.member == name_of(member);
        const Observation* clean = is_own ? fact(key) : nullptr;
        if (clean != nullptr && clean->value.is_bool() && !clean->value.as_bool()) {
            return {ObservationStatus::known, Json(model_.plan.from_version), "", 0};
        }
    }
    return {ObservationStatus::absent, {}, "", 0};
}

// A member that is down while another one runs missed its writes.
bool InitialValues::is_stale(const model::PlanStore& store, Index member) const {
    const std::string name = instance_name(store, member);
    if (start_ != nullptr && start_->stale.contains(name)) {
        return start_->stale.at(name) != 0;
    }
    if (member == k_no_index || is_up(running(member))) {
        return false;
    }
    const auto& role = model_.members_of[model_.members[member].role];
    return std::any_of(
        role.begin(), role.end(), [&](Index other) { return is_up(running(other)); });
}

std::string InitialValues::name_of(Index member) const {
    return member == k_no_index ? "" : model_.members[member].name;
}

std::string InitialValues::instance_name(const model::PlanStore& store, Index member) const {
    return member == k_no_index ? store.name : store.name + "/" + model_.members[member].name;
}

// Returns the format that the member's release of the axis writes. Members that share a store may
// have releases that write different ones; then nobody knows.
std::string InitialValues::written_by_axis(const model::PlanStore& store, Index member) const {
    std::set<std::string> formats;
    const Index role = index_in(model_.roles, store.role);
    for (const Index owner : role == k_no_index ? std::vector<Index>() : model_.members_of[role]) {
        if (member == k_no_index || member == owner) {
            const Observation* release = fact(model::fact_key(name_of(owner), store.read_by));
            const auto law = store.laws.find(release == nullptr ? "" : release->value.show());
            formats.insert(law == store.laws.end() ? "" : law->second.writes);
        }
    }
    return formats.size() == 1 ? *formats.begin() : "";
}

// Without a fact the format follows from the laws. A target release that runs and converts on start
// has converted. Else the old release has written its format, if it raises on start or never, or if
// the target can read that format, or if it cannot open the target's format itself. Else it has not
// raised the store, which still has the target's format.
std::string InitialValues::written_format(const model::PlanStore& store, Index member) const {
    if (!store.read_by.empty()) {
        return written_by_axis(store, member);
    }
    const model::Plan& plan = model_.plan;
    const auto old_support = store.laws.find(plan.from_version);
    const auto new_support = store.laws.find(plan.to_version);
    if (old_support == store.laws.end() || new_support == store.laws.end()) {
        return old_support != store.laws.end() ? old_support->second.writes : "";
    }
    if (new_support->second.trigger == model::FormatTrigger::on_start
        && runs(member, plan.to_version)) {
        return new_support->second.writes;
    }
    const auto& readable = new_support->second.reads;
    const bool risen = old_support->second.trigger == model::FormatTrigger::on_start
                       || old_support->second.trigger == model::FormatTrigger::never
                       || index_in(readable, old_support->second.writes) != k_no_index
                       || !opens(old_support->second, new_support->second.writes);
    return risen ? old_support->second.writes : new_support->second.writes;
}

const Observation* InitialValues::running(Index member) const {
    const Observation* found = nullptr;
    for (const auto& [key, source] : model_.plan.sources) {
        if (source.standard_fact == model::StandardFact::running
            && (member == k_no_index || source.member == name_of(member)) && !is_up(found)) {
            found = fact(key);
        }
    }
    return found;
}

bool InitialValues::runs(Index member, const std::string& release) const {
    return std::any_of(
        model_.plan.sources.begin(), model_.plan.sources.end(), [&](const auto& one) {
            const auto& [key, source] = one;
            const Observation* value = fact(key);
            return source.standard_fact == model::StandardFact::running
                   && (member == k_no_index || source.member == name_of(member)) && value != nullptr
                   && value->value.show() == release;
        });
}

}  // namespace drydock::checker
