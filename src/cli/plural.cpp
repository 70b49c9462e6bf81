// Counts and durations in words, as several screens use them.
#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

// "3 entries", and "3 keys".
std::string counted(std::size_t count, std::string_view noun) {
    if (count != 1 && noun.ends_with("ry")) {
        return say("{} {}ies", count, noun.substr(0, noun.size() - 1));
    }
    return say("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// Leaves out figures that say nothing: no seconds for whole minutes, no tenths for a few seconds.
std::string about(std::int64_t duration_ms) {
    const bool whole_minutes =
        duration_ms >= 60'000 && duration_ms < 3'600'000 && duration_ms / 1000 % 60 == 0;
    if (whole_minutes) {
        return say("{} min", duration_ms / 60'000);
    }
    const bool few_seconds = duration_ms >= 1000 && duration_ms < 10'000;
    return few_seconds ? say("{} s", (duration_ms + 500) / 1000) : show_duration(duration_ms);
}

}  // namespace drydock::cli
