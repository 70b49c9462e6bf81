// The point of no return of each kind of system, on small packs: where the laws put the gate, where
// trying the way back from every world finds that it closes, and where the gate is in the end.
#include "checker/checker.h"
#include "planner/small_fixtures.h"
#include "run/return_point.h"
#include "run/run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drydock {
namespace {

using planner::Fixture;

struct Row {
    const char* system;
    const char* law;
    std::function<Fixture()> site;
    const char* by_laws;    // the action that closes the way back, as the planner's graph tells it
    const char* closes;     // as exploring ways back finds it
    const char* gate;       // what waits for the gate of the plan that is written
    const char* ways_back;  // the plan's: "downgrade before the gate"
};

// What gtest prints of a parameter.
void PrintTo(const Row& row, std::ostream* out) {
    *out << row.system << ": " << row.law;
}

Fixture small(const char* pack, int members) {
    return planner::small_site(pack, members, "1.0");
}

Fixture offline() {
    return planner::offline_site("1.0", {1, 2, 1, 0});
}

model::Plan compile(const Fixture& site,
                    const std::optional<model::ReturnPointHint>& closing = {}) {
    auto compiled = planner::compile(
        {site.pack, site.cluster, site.facts, "upgrade", "1.0", "2.0", "run", "", "", closing});
    EXPECT_TRUE(compiled.plan) << planner::text(compiled);
    return compiled.plan ? std::move(*compiled.plan) : model::Plan();
}

checker::Report check(const Fixture& site, const model::Plan& plan) {
    checker::Options options;
    options.faults = {1, 1, 1, 1, 0};
    options.compile_downgrade = [&](const model::FactBook& facts) -> Result<model::Plan> {
        auto compiled = planner::compile(
            {site.pack, site.cluster, facts, "downgrade", "2.0", "1.0", "back", "", "run"});
        return compiled.plan ? Result<model::Plan>(std::move(*compiled.plan))
                             : tl::unexpected(compiled.problems.front());
    };
    return checker::check(plan, options);
}

std::string told(const checker::Report& report) {
    std::string text = report.note + "\n";
    for (const checker::Violation& violation : report.violations) {
        text += fmt::format("{}: {}\n", checker::name_of(violation.property), violation.because);
        for (const checker::TraceStep& step : violation.story) {
            text += step.text.empty() ? "" : "  " + step.text + "\n";
        }
    }
    return text;
}

std::string behind_gate(const model::Plan& plan) {
    std::vector<std::string> behind;
    for (const model::Action& action : plan.actions) {
        for (const std::size_t before : action.predecessors) {
            if (plan.actions[before].is_point_of_no_return) {
                behind.push_back(action.id);
            }
        }
    }
    return fmt::format("{}", fmt::join(behind, " "));
}

std::string ways_of(const model::Plan& plan) {
    std::vector<std::string> ways;
    for (const model::RecoveryOption& way : plan.ways_back) {
        ways.push_back(std::string(name_of(way.kind)) + " " + way.phase);
    }
    return fmt::format("{}", fmt::join(ways, ", "));
}

// A run in which nothing fails, one event after the other.
class CalmRun {
public:
    explicit CalmRun(const model::Plan& plan)
        : plan_(plan)
        , program_(plan)
        , state_(plan.actions.size()) {
        move(run::EventType::conductor_started, 0);
    }

    // Until the action may be begun; the gates before it are approved.
    void go_before(std::size_t action) {
        for (int i = 0; i < k_events_max && state_.status(action) != run::Status::ready; ++i) {
            obey(run::next(program_, state_), action);
        }
        EXPECT_EQ(state_.status(action), run::Status::ready) << plan_.actions[action].id;
    }

    void begin(std::size_t action) {
        move(run::EventType::action_intended, action, state_.attempt(action) + 1);
    }

    void attach(std::size_t action, run::Outcome outcome) {
        run::apply(program_,
                   state_,
                   {run::EventType::action_attached, action, state_.attempt(action), outcome});
    }

    void end_well(std::size_t action) {
        run::apply(
            program_,
            state_,
            {run::EventType::action_ended, action, state_.attempt(action), run::Outcome::done});
        judge(action, run::Purpose::then);
    }

    // The action that closed the way back; empty if it is open.
    [[nodiscard]] std::string closed_by() const {
        const auto closed = run::closed_by(plan_, state_);
        return closed ? plan_.actions[*closed].id : "";
    }

private:
    static constexpr int k_events_max = 1000;

    void move(run::EventType type, std::size_t action, int attempt = 0) {
        run::apply(program_, state_, {type, action, attempt});
    }

    void judge(std::size_t action, run::Purpose purpose) {
        run::apply(
            program_, state_, {run::EventType::facts_read, action, 0, run::Outcome::yes, purpose});
    }

    // Begins everything but the action itself, and ends it at once.
    void obey(const std::vector<run::Command>& commands, std::size_t action) {
        for (const run::Command& command : commands) {
            if (command.kind == run::CommandKind::judge) {
                judge(command.action, command.purpose);
            } else if (command.kind == run::CommandKind::soak) {
                move(run::EventType::soak_started, command.action);
                move(run::EventType::gate_opened, command.action);
            } else if (command.kind == run::CommandKind::await_person) {
                move(run::EventType::gate_approved, command.action);
            } else if (command.kind == run::CommandKind::begin && command.action != action) {
                begin(command.action);
                end_well(command.action);
            }
        }
    }

    const model::Plan& plan_;
    run::Program program_;
    run::State state_;
};

// The way back is open until the action begins, and closed whatever becomes of it.
void expect_closed_by(const model::Plan& plan, const std::string& id) {
    const auto action = static_cast<std::size_t>(plan.find(id) - plan.actions.data());
    CalmRun run(plan);
    EXPECT_EQ(run.closed_by(), "");
    run.go_before(action);
    EXPECT_EQ(run.closed_by(), "") << "before " << id;
    run.begin(action);
    EXPECT_EQ(run.closed_by(), id);
    run.attach(action, run::Outcome::none);
    EXPECT_EQ(run.closed_by(), "") << id << " never began";
    run.go_before(action);
    run.begin(action);
    run.end_well(action);
    EXPECT_EQ(run.closed_by(), id);
}

class ReturnPoints : public testing::TestWithParam<Row> {};

TEST_P(ReturnPoints, AreFoundByExploringAndGuarded) {
    const Row& row = GetParam();
    const Fixture site = row.site();
    model::Plan plan = compile(site);
    EXPECT_EQ(plan.point_of_no_return.action, row.by_laws);
    checker::Report report = check(site, plan);
    EXPECT_EQ(report.return_point, row.closes) << told(report);
    EXPECT_EQ(report.return_point_hint.has_value(), std::string(row.by_laws) != row.closes);
    if (report.return_point_hint) {
        plan = compile(site, report.return_point_hint);
        report = check(site, plan);
    }
    EXPECT_EQ(report.verdict, checker::Verdict::holds) << told(report);
    EXPECT_EQ(report.note, "");
    EXPECT_EQ(plan.point_of_no_return.action, row.closes);
    EXPECT_EQ(behind_gate(plan), row.gate);
    EXPECT_EQ(ways_of(plan), row.ways_back);
    expect_closed_by(plan, row.closes);
    for (const std::string& other : plan.point_of_no_return.further_actions) {
        expect_closed_by(plan, other);
    }
}

const Row k_rows[] = {
    {"etcd",
     "when_all",
     [] { return small("when-all", 3); },
     "roll/m3/start",
     "roll/m3/start",
     "roll/m3/stop",
     "downgrade before the gate"},
    {"Ozone",
     "on_finalize, the keepers first",
     offline,
     "finalize/k1/meta",
     "finalize/k1/meta",
     "finalize/k1/close",
     "downgrade before the gate"},
    {"PostgreSQL, linked",
     "on_start of the new server",
     [] { return small("linked", 1); },
     "roll/m1/start",
     "roll/m1/start",
     "roll/m1/stop",
     "downgrade before the gate"},
    {"PostgreSQL, copied",
     "the old store is kept; writes behind the opening would be lost",
     planner::copied_site,
     "",
     "open/m1/open",
     "open/m1/open",
     "downgrade before the gate, restore after the gate"},
    {"Backend.AI, no way down",
     "on_migrate",
     [] { return small("migrate", 2); },
     "migrate/m1/drop-column",
     "migrate/m1/drop-column",
     "rest/m1/stop rest/m2/stop",
     "downgrade before the gate"},
    {"Backend.AI, a way down of the first",
     "on_migrate",
     [] { return small("chain", 2); },
     "migrate/m1/add-column",
     "migrate/m1/drop-table",
     "stop/m1/stop stop/m2/stop",
     "downgrade before the gate"},
    {"Pachyderm",
     "two stores; writes behind the cut-over would be lost",
     planner::beside_site,
     "",
     "turn/g1/turn",
     "turn/g1/turn",
     "downgrade before the gate"},
    {"more than two releases on the disk",
     "no law; the old release is removed",
     planner::pruned_site,
     "",
     "prune/m1/prune",
     "prune/m1/prune",
     "downgrade before the gate"},
    {"a downgrade without a step",
     "on_finalize, and a step that nothing takes back",
     planner::sealed_site,
     "finalize/m1/convert",
     "finalize/m1/seal",
     "finalize/m1/seal",
     "downgrade before the gate"},
};

INSTANTIATE_TEST_SUITE_P(, ReturnPoints, testing::ValuesIn(k_rows));

// The gate that was moved says why it stands there, and so do the plan's notes.
TEST(ReturnPointsMoved, AreToldOf) {
    const Fixture site = planner::sealed_site();
    const checker::Report report = check(site, compile(site));
    ASSERT_TRUE(report.return_point_hint);
    const model::Plan plan = compile(site, report.return_point_hint);
    EXPECT_NE(plan.point_of_no_return.because.find("the data is sealed with the old key"),
              std::string::npos)
        << plan.point_of_no_return.because;
    ASSERT_EQ(plan.notes.size(), 1U);
    EXPECT_EQ(plan.notes.front(),
              "the way back was tried from every state of the run: it closes with "
              "finalize/m1/seal, and the gate stands before that");
    EXPECT_EQ(compile(site).digest(), compile(site, std::nullopt).digest());
}

}  // namespace
}  // namespace drydock
