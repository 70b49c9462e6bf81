// The content of the screens for machines: one JSON value for each answer. Pure.
#pragma once

#include "app/app.h"

#include <vector>

namespace drydock::cli {

[[nodiscard]] Json json_of(const app::Survey& survey);
[[nodiscard]] Json json_of(const app::RouteAnswer& answer);
[[nodiscard]] Json json_of(const run::Journey& journey);
[[nodiscard]] Json json_of(const app::RunStatus& status);
[[nodiscard]] Json json_of(const app::Simulation& simulation);
[[nodiscard]] Json json_of(const app::Replay& replay);
[[nodiscard]] Json json_of(const app::Failure& failure);
[[nodiscard]] Json json_of(const std::vector<app::LogLine>& lines);
[[nodiscard]] Json json_of(const app::VerifiedJournal& journal);
[[nodiscard]] Json json_of(const Diagnostics& diagnostics);

}  // namespace drydock::cli
