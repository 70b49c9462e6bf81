#include "cli/render_hosts.h"

#include "base/text.h"
#include "cli/say.h"

#include <cmath>

namespace drydock::cli {

namespace {

constexpr double k_tenth = 10.0;

std::string free_text(const std::optional<std::int64_t>& bytes) {
    constexpr std::int64_t k_giga = 1'000'000'000;
    constexpr std::int64_t k_mega = 1'000'000;
    if (!bytes) {
        return "-";
    }
    return *bytes >= k_giga ? say("{} GB", *bytes / k_giga) : say("{} MB", *bytes / k_mega);
}

std::vector<std::string> checked_row(const app::HostReport& report) {
    if (!report.is_reached) {
        return {one_line(report.name), "not reached"};
    }
    return {one_line(report.name),
            say("{:.0f} ms", report.connect_ms),
            say("{:.1f} ms", report.call_ms),
            one_line(report.version),
            say("{:+} ms", report.skew_ms),
            free_text(report.state_free_bytes),
            free_text(report.backup_free_bytes),
            one_line(report.user),
            one_line(report.machine),
            one_line(report.services),
            one_line(report.packages)};
}

Json optional_number(const std::optional<std::int64_t>& number) {
    return number ? Json(*number) : Json();
}

// JSON of drydock has no fractions: a tenth of a millisecond is told as microseconds.
std::int64_t microseconds(double ms) {
    return static_cast<std::int64_t>(std::llround(ms * k_tenth) * 100);
}

Json problems_of(const app::HostReport& report) {
    Json problems = Json::Array{};
    for (const Error& error : report.problems) {
        Json problem;
        problem.set("code", error.code).set("message", error.message);
        problems.push(problem.set("remedy", error.remedy));
    }
    return problems;
}

Json json_of(const app::HostReport& report) {
    Json json;
    json.set("host", report.name).set("connect", report.way).set("state", report.state);
    Json members = Json::Array{};
    for (const std::string& member : report.members) {
        members.push(member);
    }
    json.set("members", std::move(members)).set("reached", report.is_reached);
    if (report.is_reached) {
        json.set("connect_us", microseconds(report.connect_ms));
        json.set("call_us", microseconds(report.call_ms));
        json.set("version", report.version).set("skew_ms", report.skew_ms);
        json.set("user", report.user).set("machine", report.machine);
        json.set("services", report.services).set("packages", report.packages);
        json.set("state_free_bytes", optional_number(report.state_free_bytes));
        json.set("backup_free_bytes", optional_number(report.backup_free_bytes));
    }
    return json.set("problems", problems_of(report));
}

}  // namespace

std::string render_checked(const std::vector<app::HostReport>& reports, const Screen& screen) {
    Table table;
    table.add({"host",
               "contact",
               "call",
               "agent",
               "clock",
               "state",
               "backups",
               "as",
               "machine",
               "services",
               "packages"});
    std::string problems;
    for (const app::HostReport& report : reports) {
        table.add(checked_row(report));
        for (const Error& error : report.problems) {
            // An error of the connection names its host itself.
            const bool is_named = error.message.starts_with("host ");
            const std::string lead = is_named ? "" : "host " + report.name + ": ";
            problems += hang("", say("{}{}", lead, error.message), screen.width);
            problems += hang("    ", say("{}", error.remedy), screen.width);
        }
    }
    return table.text(0) + (problems.empty() ? "" : "\n" + problems);
}

std::string render_listed(const std::vector<app::HostReport>& reports) {
    Table table;
    table.add({"host", "reached by", "state folder", "members"});
    for (const app::HostReport& report : reports) {
        table.add({one_line(report.name),
                   one_line(report.way),
                   one_line(report.state),
                   one_line(join(report.members, ", "))});
    }
    return table.text(0);
}

Json json_of(const std::vector<app::HostReport>& reports) {
    Json hosts = Json::Array{};
    for (const app::HostReport& report : reports) {
        hosts.push(json_of(report));
    }
    Json json;
    return json.set("hosts", std::move(hosts));
}

}  // namespace drydock::cli
