// Observers show a run while it goes: a table that redraws itself on a terminal, elsewhere a line
// for each event, or a JSON line for each event for machines.
//
// They are called on the conductor's thread and only write. A slow terminal slows the run, but an
// event is durable before it is shown.
#pragma once

#include "app/app.h"
#include "cli/progress.h"
#include "cli/screen.h"
#include "os/clock.h"

#include <iosfwd>
#include <map>
#include <string>
#include <utility>

namespace drydock::cli {

// Prints "20:58:41  m3: stop: done  0.8 s", and the way back whenever it changes.
// Waits are not printed: twice a second the same line would fill a log.
class PlainLines final : public run::Observer {
public:
    PlainLines(std::ostream& stream, os::Clock& clock) : stream_(stream), clock_(clock) {}

    void on_start(const model::Plan& plan, const run::State& state) override;
    void
    on_event(const run::Event& event, const model::Plan& plan, const run::State& state) override;
    void on_journey(const run::Journey& journey) override;

private:
    [[nodiscard]] std::string take_elapsed_text(const run::Event& event);
    void print_way_back(const model::Plan& plan, const run::State& state);

    std::ostream& stream_;
    os::Clock& clock_;
    std::string way_back_;                          // as it was told last
    std::map<std::size_t, std::int64_t> begun_ms_;  // by action
};

class JsonLines final : public run::Observer {
public:
    JsonLines(std::ostream& stream, os::Clock& clock) : stream_(stream), clock_(clock) {}

    void on_start(const model::Plan& plan, const run::State& state) override;
    void
    on_event(const run::Event& event, const model::Plan& plan, const run::State& state) override;
    void on_progress(const run::Event& progress,
                     const model::Plan& plan,
                     const run::State& state) override;
    void on_journey(const run::Journey& journey) override;

private:
    std::ostream& stream_;
    os::Clock& clock_;
    std::map<std::size_t, std::int64_t> told_ms_;  // by action: its last line of progress
};

// Draws at most ten times a second. clear() erases the table, so that later text stands in its
// place.
class LiveTable final : public run::Observer {
public:
    LiveTable(std::ostream& stream, os::Clock& clock, Screen screen)
        : stream_(stream)
        , clock_(clock)
        , screen_(screen) {}

    void on_start(const model::Plan& plan, const run::State& state) override;
    void
    on_event(const run::Event& event, const model::Plan& plan, const run::State& state) override;
    void on_wait(const std::string& description,
                 const model::Plan& plan,
                 const run::State& state) override;
    void on_progress(const run::Event& progress,
                     const model::Plan& plan,
                     const run::State& state) override;
    void on_journey(const run::Journey& journey) override;
    void clear();

private:
    void draw(const model::Plan& plan, const run::State& state);
    void print_above(const std::string& line);
    [[nodiscard]] std::string table_text(const model::Plan& plan, const run::State& state) const;
    [[nodiscard]] std::int64_t soak_left_ms() const;

    std::ostream& stream_;
    os::Clock& clock_;
    Screen screen_;
    std::size_t lines_ = 0;  // of the table that stands there now
    std::int64_t begun_ms_ = 0;
    std::int64_t drawn_ms_ = 0;
    std::int64_t soak_end_ms_ = 0;
    std::string waits_for_;
    ActionProgress progress_;
};

}  // namespace drydock::cli
