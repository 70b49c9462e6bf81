// The screens of `drydock store export` and `import`.
#include "base/text.h"
#include "cli/render.h"
#include "cli/render_store.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

std::string block_rows(std::int64_t count) {
    return counted(static_cast<std::size_t>(count), "block row");
}

}  // namespace

// Columns that the format of the file cannot hold are named, since a later import lacks them.
std::string render_exported(const mover::blocks::ExportReport& report,
                            const std::string& path,
                            const Screen& screen) {
    std::string text = say("{}: {} to {}, {}, format {}\n",
                           screen.paint(Tone::good, "exported"),
                           clip(report.version.name, k_name_bytes_max),
                           path,
                           block_rows(report.rows),
                           report.format);
    if (!report.left_out.empty()) {
        text += hang("  the format has no place for: ", join(report.left_out, ", "), screen.width);
    }
    return text;
}

// An import compares names of blobs only, so the screen names the command that reads them.
std::string render_imported(const mover::blocks::ImportReport& report, const Screen& screen) {
    return say("{}: {} as {}, {}, format {}; every blob is there by its name "
               "(`drydock store verify` reads them)\n",
               screen.paint(Tone::good, "imported"),
               clip(report.version.name, k_name_bytes_max),
               report.version.uid,
               block_rows(report.rows),
               report.format);
}

}  // namespace drydock::cli
