// Hostile packages. The first byte chooses: an archive, one revision file, or several files with
// lines "%% NAME" before each. Each gives a graph or problems, and the comparison must end.
#include "base/check.h"
#include "chain/alembic.h"
#include "chain/catalogue.h"
#include "chain/draw.h"
#include "chain/explain.h"
#include "chain/graph.h"
#include "files_of.h"

#include <cstdint>

using namespace drydock;

namespace {

void read_archive(std::string_view bytes) {
    const auto package = chain::open_archive(std::string(bytes));
    if (package) {
        (void)(*package)->read((*package)->paths());
    }
}

void read_file(std::string_view text) {
    const auto file = chain::read_alembic("versions/a.py", text);
    CHECK(!file.revision || file.problems.empty());
    CHECK(!file.revision || !file.revision->id.empty());
}

// The files against themselves, and against the half of them.
void compare_files(std::string_view text) {
    const chain::Reading after = chain::read_texts("new", files_of(text));
    const chain::Reading before =
        chain::read_texts("old", files_of(text.substr(0, text.size() / 2)));
    for (const chain::Reading* old : {&after, &before}) {
        const auto found = chain::compare(*old, after);
        const bool is_refused = found.verdict == chain::Verdict::refused;
        CHECK(is_refused == !(old->problems.empty() && after.problems.empty()));
        (void)chain::report(*old, after, found, chain::explain(*old, after, found)).dump();
        (void)chain::draw(*old, after, found, chain::PictureFormat::svg);
        (void)chain::draw(*old, after, found, chain::PictureFormat::dot);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0]) {
    case 'a':
        read_archive(rest);
        break;
    case 'f':
        read_file(rest);
        break;
    case 'c':
        (void)chain::read_catalogue(rest);
        break;
    default:
        compare_files(rest);
    }
    return 0;
}
