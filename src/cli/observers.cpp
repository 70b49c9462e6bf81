// The three ways to show a run while it goes: plain lines, JSON lines, and a live table.
//
// Each is called on the conductor's thread after an event is durable. A write that blocks therefore
// slows the run, but cannot lose or reorder a record. Every line is flushed, because a reader of a
// pipe wants it at once.
#include "cli/observers.h"

#include "base/text.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "cli/say.h"

#include <algorithm>
#include <ostream>

namespace drydock::cli {

namespace {

constexpr std::int64_t k_redraw_ms = 100;
constexpr std::int64_t k_json_progress_ms = 2'000;  // between two lines of one action
constexpr std::size_t k_rows_max = 16;
constexpr std::size_t k_line_columns = 100;

// True if the event stays above the live table. All other events are only seen as changes of it.
bool is_important(const run::Event& event) {
    using run::EventType;
    using run::Outcome;
    return event.type == EventType::run_halted || event.type == EventType::drift_found
           || event.type == EventType::gate_approved || event.type == EventType::conductor_started
           || event.outcome == Outcome::failed || event.outcome == Outcome::unknown
           || event.outcome == Outcome::no || event.outcome == Outcome::cannot_tell;
}

std::string time_of_day(std::int64_t wall_ms) {
    return show_time(wall_ms).substr(11);
}

std::string elapsed(std::int64_t duration_ms) {
    const std::int64_t seconds = std::max<std::int64_t>(duration_ms, 0) / 1000;
    return say("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string title(const model::Plan& plan) {
    return say("{}   {} {} -> {}", plan.cluster, plan.system, plan.from_version, plan.to_version);
}

}  // namespace

void PlainLines::on_start(const model::Plan& plan, const run::State& state) {
    stream_ << title(plan) << "   run " << plan.run << std::endl;
    begun_ms_.clear();
    print_way_back(plan, state);
}

// Prints the way back when it has changed. A person who reads the log can so tell for each line
// whether a downgrade was possible.
void PlainLines::print_way_back(const model::Plan& plan, const run::State& state) {
    const std::string way_back = way_back_now(plan, state);
    if (way_back != way_back_) {
        stream_ << time_of_day(clock_.wall_ms()) << "  way back: " << way_back << std::endl;
        way_back_ = way_back;
    }
}

// Returns the time since the action began, on the event that ends it: the command's end, or the
// observation of its postconditions.
std::string PlainLines::take_elapsed_text(const run::Event& event) {
    const std::int64_t now = clock_.monotonic_ms();
    if (event.type == run::EventType::action_intended) {
        begun_ms_[event.action] = now;
        return "";
    }
    const auto begun = begun_ms_.find(event.action);
    const bool ends =
        event.type == run::EventType::action_ended || event.purpose == run::Purpose::then;
    return ends && begun != begun_ms_.end() ? "  " + show_duration(now - begun->second) : "";
}

void PlainLines::on_event(const run::Event& event,
                          const model::Plan& plan,
                          const run::State& state) {
    const std::string took = take_elapsed_text(event);
    const std::string words = event_words(event, plan);
    if (!words.empty()) {
        stream_ << time_of_day(clock_.wall_ms()) << "  " << words << took << std::endl;
    }
    print_way_back(plan, state);
}

void PlainLines::on_journey(const run::Journey& journey) {
    stream_ << journey_words(journey) << std::endl;
    if (!journey.reaches.empty()) {
        stream_ << render_reach(journey, {false, k_line_columns}) << std::flush;
    }
}

void JsonLines::on_start(const model::Plan& plan, const run::State& state) {
    const Progress progress = progress_of(plan, state);
    Json json;
    json.set("type", "start").set("run", plan.run).set("plan", plan.digest());
    json.set("steps", std::uint64_t{progress.steps})
        .set("steps_done", std::uint64_t{progress.steps_done});
    stream_ << json.dump() << std::endl;
}

void JsonLines::on_event(const run::Event& event,
                         const model::Plan& plan,
                         const run::State& /*state*/) {
    Json json = run::EventCodec(plan).encode(event);
    json.set("wall_ms", clock_.wall_ms());
    stream_ << json.dump() << std::endl;
}

// Progress is no event of the journal, so its line has a type of its own.
void JsonLines::on_progress(const run::Event& progress,
                            const model::Plan& plan,
                            const run::State& /*state*/) {
    const std::int64_t now = clock_.monotonic_ms();
    const auto told = told_ms_.find(progress.action);
    if (told != told_ms_.end() && now - told->second < k_json_progress_ms) {
        return;
    }
    told_ms_[progress.action] = now;
    Json json = progress_entry(plan.actions[progress.action], progress.detail);
    json.set("type", "progress").set("attempt", progress.attempt);
    stream_ << json.set("wall_ms", clock_.wall_ms()).dump() << std::endl;
}

void JsonLines::on_journey(const run::Journey& journey) {
    Json json = json_of(journey);
    stream_ << json.set("type", "journey").dump() << std::endl;
}

// Resets the table. A journey shows several runs with one table, and nothing of the last run may
// stay.
void LiveTable::on_start(const model::Plan& plan, const run::State& state) {
    begun_ms_ = clock_.monotonic_ms();
    soak_end_ms_ = 0;
    progress_.clear();
    draw(plan, state);
}

// Draws at most every k_redraw_ms: a large plan has bursts of events that no eye can follow.
void LiveTable::on_event(const run::Event& event,
                         const model::Plan& plan,
                         const run::State& state) {
    if (event.type == run::EventType::soak_started) {
        soak_end_ms_ = clock_.monotonic_ms() + plan.actions[event.action].soak_ms;
    }
    if (event.type == run::EventType::action_intended) {
        progress_.erase(event.action);
    }
    waits_for_.clear();
    if (const std::string words = event_words(event, plan); is_important(event) && !words.empty()) {
        print_above(time_of_day(clock_.wall_ms()) + "  " + words);
    }
    if (clock_.monotonic_ms() - drawn_ms_ >= k_redraw_ms) {
        draw(plan, state);
    }
}

// A session may wait for foreign work before it has begun, so the clock may start here.
void LiveTable::on_wait(const std::string& description,
                        const model::Plan& plan,
                        const run::State& state) {
    begun_ms_ = begun_ms_ == 0 ? clock_.monotonic_ms() : begun_ms_;
    waits_for_ = description;
    draw(plan, state);
}

void LiveTable::on_progress(const run::Event& progress,
                            const model::Plan& plan,
                            const run::State& state) {
    progress_[progress.action] = progress.detail;
    if (clock_.monotonic_ms() - drawn_ms_ >= k_redraw_ms) {
        draw(plan, state);
    }
}

void LiveTable::on_journey(const run::Journey& journey) {
    print_above(journey_words(journey));
}

// Moves the cursor up over the table and erases everything below it.
void LiveTable::clear() {
    if (lines_ > 0) {
        stream_ << escape(std::to_string(lines_)) << "A" << escape("J") << std::flush;
        lines_ = 0;
    }
}

// Prints a line that stays above the table.
void LiveTable::print_above(const std::string& line) {
    clear();
    stream_ << line << std::endl;
}

std::int64_t LiveTable::soak_left_ms() const {
    return std::max<std::int64_t>(soak_end_ms_ - clock_.monotonic_ms(), 0);
}

// Returns the table: title, steps, members, work in flight, way back.
std::string LiveTable::table_text(const model::Plan& plan, const run::State& state) const {
    const Progress progress = progress_of(plan, state, progress_);
    const std::int64_t left_ms = progress.left_ms + soak_left_ms();
    std::string text = title(plan) + "   " + elapsed(clock_.monotonic_ms() - begun_ms_);
    text += left_ms > 0 ? say("   about {} left", about(left_ms)) : "";
    text += say("   {} of {} steps   run {}\n", progress.steps_done, progress.steps, plan.run);
    text += render_members(members_of(plan, state), screen_, k_rows_max);
    auto now = in_flight_lines(plan, state, progress_);
    if (now.empty() && !waits_for_.empty()) {
        now.push_back(waits_for_);
    }
    std::string label = "now";
    for (const std::string& line : now) {
        const std::string soak = soak_left_ms() > 0 ? ", " + about(soak_left_ms()) + " left" : "";
        text += "  " + pad(label, 9) + "  " + say("{}{}\n", line, soak);
        label.clear();
    }
    const std::string way_back = way_back_now(plan, state);
    return text
           + (way_back.empty() ? "" : "  " + pad("way back", 9) + "  " + say("{}\n", way_back));
}

// Shortens every line to the terminal. A line that wraps would take two rows, and clear() would
// move the cursor up too little.
void LiveTable::draw(const model::Plan& plan, const run::State& state) {
    std::string text;
    std::size_t lines = 0;
    for (const std::string& line : split(trim(table_text(plan, state)), '\n')) {
        const bool fits = columns_of(line) < screen_.width;
        text += (fits ? line : shorten(line, screen_.width - 1)) + "\n";
        ++lines;
    }
    clear();
    stream_ << text << std::flush;
    lines_ = lines;
    drawn_ms_ = clock_.monotonic_ms();
}

}  // namespace drydock::cli
