#include "run/request.h"

namespace drydock::run {

namespace {

constexpr std::string_view k_refused = "refused: ";

}  // namespace

std::string refusal(std::string_view reason) {
    return std::string(k_refused).append(reason);
}

std::optional<std::string> refusal_of(std::string_view answer) {
    return answer.starts_with(k_refused)
               ? std::optional(std::string(answer.substr(k_refused.size())))
               : std::nullopt;
}

}  // namespace drydock::run
