// Shows the numbers of a long action in the form that a person reads: few digits, a unit that fits.
#include "run/progress.h"

#include <fmt/format.h>

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

// A number without a unit stands alone.
std::string with_unit(const std::string& number, const std::string& unit) {
    return unit.empty() ? number : number + " " + unit;
}

}  // namespace

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
    if (progress["rate"].is_number()) {
        const double rate = progress["rate"].as_double();
        const Scale of_rate = scale_for(rate, unit);
        text += ", " + with_unit(number_text(rate / of_rate.divisor), of_rate.unit) + "/s";
    }
    return text;
}

// A cancelled attempt has a position and no rate.
std::string cancelled_text(const Json& evidence) {
    Json position = evidence["progress"];
    if (position.is_object()) {
        position.set("rate", Json());
    }
    const std::string text = progress_text(position);
    return text.empty() ? "cancelled" : "cancelled at " + text;
}

// Says whether a resume goes on from the position, or begins anew.
std::string cancelled_for_resume_text(const Json& evidence) {
    const bool has_cursor = evidence["cursor"].as_bool();
    return cancelled_text(evidence)
           + (has_cursor ? "; goes on from there on resume" : "; begins anew on resume");
}

}  // namespace drydock::run
