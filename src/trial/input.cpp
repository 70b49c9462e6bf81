#include "trial/input.h"

#include "pack/files.h"

#include <filesystem>

namespace drydock::trial {

tl::unexpected<Diagnostics> refuse(const Error& error, const std::string& file) {
    Diagnostics diagnostics;
    diagnostics.error(error.code, {file, 0, 0}, error.message, error.remedy);
    return tl::unexpected(std::move(diagnostics));
}

InputResult<pack::Node> read_document(const std::string& file, const pack::Schema& schema) {
    Diagnostics diagnostics;
    const auto text = pack::read_text(file, diagnostics);
    auto documents =
        text ? pack::parse_yaml(*text, file, false, diagnostics) : std::vector<pack::Node>();
    if (diagnostics.has_errors()) {
        return tl::unexpected(std::move(diagnostics));
    }
    pack::Node document = documents.empty() ? pack::Node() : std::move(documents.front());
    if (document.kind == pack::Node::Kind::nothing) {
        document.kind = pack::Node::Kind::map;
        document.position = {file, 1, 1};
    }
    pack::check(document, schema, "the file", diagnostics);
    if (diagnostics.has_errors()) {
        return tl::unexpected(std::move(diagnostics));
    }
    return document;
}

bool is_file(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
}

bool is_folder(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_directory(path, ignored);
}

}  // namespace drydock::trial
