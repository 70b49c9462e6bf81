// The input of a trial: files of YAML, checked by a schema, with every problem at its place.
//
// A function that reads input returns InputResult: the value, or all problems that prevent it.
#pragma once

#include "base/diagnostics.h"
#include "pack/value_schema.h"
#include "pack/yaml.h"

#include <tl/expected.hpp>

#include <string>

namespace drydock::trial {

template <class T>
using InputResult = tl::expected<T, Diagnostics>;

// Returns an error of another folder as the problem of a file.
[[nodiscard]] tl::unexpected<Diagnostics> refuse(const Error& error, const std::string& file);

// Reads a file of one document that fits the schema. An empty document is a map without keys.
[[nodiscard]] InputResult<pack::Node> read_document(const std::string& file,
                                                    const pack::Schema& schema);

[[nodiscard]] bool is_file(const std::string& path);
[[nodiscard]] bool is_folder(const std::string& path);

}  // namespace drydock::trial
