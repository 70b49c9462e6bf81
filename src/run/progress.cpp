// Shows the numbers of a long action in the form that a person reads: few digits, a unit that fits.
#include "run/progress.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace drydock::run {

namespace {

struct Scale {
    double divisor = 1;
    std::string unit;
};

// Returns the unit in which `largest` has few digits.
Scale scale_for(double largest, const std::string& unit) {
    constexpr std::array k_units = {"B", "kB", "MB", "GB", "TB", "PB"};
    if (unit != "bytes" && unit != "B") {
        return {1, unit};
    }
    std::size_t index = 0;
    double divisor = 1;
    while (largest / divisor >= 1000 && index + 1 < k_units.size()) {
        divisor *= 1000;
        ++index;
    }
    return {divisor, k_units.at(index)};
}

// Shows one digit behind the point, unless it is 0 or the number is large.
std::string number_text(double number) {
    const double tenths = std::round(number * 10);
    const bool is_whole = std::abs(number) >= 100 || std::fmod(tenths, 10) == 0;
    return is_whole ? fmt::format("{:.0f}", number) : fmt::format("{:.1f}", tenths / 10);
}

// Returns the total; nothing if there is none. A total of 0 is done from the start.
std::optional<double> total_of(const Json& progress) {
    const bool has_total = progress["done"].is_number() && progress["of"].is_number();
    return has_total ? std::optional(progress["of"].as_double()) : std::nullopt;
}

// Whole seconds; a rest below a second is told as one.
std::string rest_text(std::int64_t rest_ms) {
    const std::int64_t seconds = std::max<std::int64_t>((rest_ms + 500) / 1000, 1);
    return seconds < 60 ? fmt::format("{} s", seconds) : show_duration(seconds * 1000);
}

// A number without a unit stands alone.
std::string with_unit(const std::string& number, const std::string& unit) {
    return unit.empty() ? number : number + " " + unit;
}

}  // namespace

std::optional<int> percent_of(const Json& progress) {
    const auto total = total_of(progress);
    if (!total) {
        return std::nullopt;
    }
    const double part = *total > 0 ? progress["done"].as_double() / *total : 1;
    return static_cast<int>(std::floor(std::clamp(part, 0.0, 1.0) * 100));
}

// A rest of more than ten years comes from a rate that is next to nothing, and tells nothing.
std::optional<std::int64_t> left_ms(const Json& progress) {
    constexpr double k_years_ms_max = 10.0 * 365 * 24 * 3600 * 1000;
    const auto total = total_of(progress);
    const double rate = progress["rate"].as_double();
    if (!total || !progress["rate"].is_number() || rate <= 0) {
        return std::nullopt;
    }
    const double rest_ms = std::max(*total - progress["done"].as_double(), 0.0) / rate * 1000;
    return rest_ms < k_years_ms_max ? std::optional(static_cast<std::int64_t>(rest_ms))
                                    : std::nullopt;
}

std::string progress_text(const Json& progress) {
    if (!progress["done"].is_number()) {
        return {};
    }
    const double amount = progress["done"].as_double();
    const double total = progress["of"].as_double();
    const std::string& unit = progress["unit"].as_string();
    const Scale scale = scale_for(std::max(amount, total), unit);
    std::string text = number_text(amount / scale.divisor);
    if (progress["of"].is_number()) {
        text += " of " + number_text(total / scale.divisor);
    }
    text = with_unit(text, scale.unit);
    if (const auto percent = percent_of(progress)) {
        text += fmt::format(" ({} %)", *percent);
    }
    if (progress["bytes"].is_number()) {
        const Scale bytes = scale_for(progress["bytes"].as_double(), "bytes");
        text +=
            ", " + number_text(progress["bytes"].as_double() / bytes.divisor) + " " + bytes.unit;
    }
    if (progress["rate"].is_number()) {
        const double rate = progress["rate"].as_double();
        const Scale of_rate = scale_for(rate, unit);
        text += ", " + with_unit(number_text(rate / of_rate.divisor), of_rate.unit) + "/s";
    }
    if (const auto rest = left_ms(progress); rest && *rest > 0) {
        text += ", about " + rest_text(*rest) + " left";
    }
    return text;
}

std::vector<std::string> wait_lines(const Json& progress) {
    const Json& wait = progress["waits"];
    std::vector<std::string> lines;
    if (!wait.is_object()) {
        return lines;
    }
    lines.push_back("waits for " + wait["for"].as_string());
    std::string times;
    if (wait["since_ms"].is_integer()) {
        times = "since " + show_time(wait["since_ms"].as_int());
    }
    if (wait["until_ms"].is_integer()) {
        times += times.empty() ? "" : ", ";
        times += "until " + show_time(wait["until_ms"].as_int()) + " at the latest";
    }
    if (!times.empty()) {
        lines.push_back(times);
    }
    if (const std::string& remedy = wait["remedy"].as_string(); !remedy.empty()) {
        lines.push_back("to do: " + remedy);
    }
    return lines;
}

std::string report_text(const Json& progress) {
    std::vector<std::string> parts = wait_lines(progress);
    if (const std::string amounts = progress_text(progress); !amounts.empty()) {
        parts.insert(parts.begin(), amounts);
    }
    return join(parts, "; ");
}

// An attempt that was ended has a position and no rate.
std::string cancelled_text(const Json& evidence) {
    Json position = evidence["progress"];
    if (position.is_object()) {
        position.set("rate", Json());
    }
    const std::string text = progress_text(position);
    const std::string ending = evidence["paused"].as_bool() ? "paused" : "cancelled";
    return text.empty() ? ending : ending + " at " + text;
}

// Says whether a resume goes on from the position, or begins anew.
std::string cancelled_for_resume_text(const Json& evidence) {
    const bool has_cursor = evidence["cursor"].as_bool() || evidence["paused"].as_bool();
    return cancelled_text(evidence)
           + (has_cursor ? "; goes on from there on resume" : "; begins anew on resume");
}

}  // namespace drydock::run
