// The result that alembic would get from importing a revision file: its module-level names, and
// whether `downgrade` does anything.
//
// A statement counts where Python would bind the module's own names: at the top, and also inside
// `if`, `try` and the like. There its value is unknown, as the line may not be reached. Functions
// and classes have names of their own. A name that is bound in an unreadable way is a problem and
// never a guess. A wrong parent would give a wrong verdict. The rules are in docs/chains.md ("How a
// file is read").
#include "chain/alembic.h"

#include "base/text.h"
#include "chain/python_module.h"
#include "chain/python_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace drydock::chain {

namespace {

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> k_names = {
        "revision", "down_revision", "branch_labels", "depends_on"};
    return k_names;
}

class Reader {
public:
    Reader(const std::string& path, std::string_view text) : path_(path), module_(text, names()) {}

    // Collects all problems of the file. A file with a problem gives no revision.
    RevisionFile read() {
        if (!module_.problem.empty()) {
            add_problem(module_.problem_line, "this is no Python: " + module_.problem);
            return std::move(result_);
        }
        result_.declares = module_.has("revision") || module_.has("down_revision");
        if (!module_.has("revision")) {
            refuse_half_a_revision();
            return std::move(result_);
        }
        Revision revision;
        revision.file = path_;
        revision.doc = module_.doc;
        revision.way_down = module_.way_down;
        read_id(revision);
        revision.parents = read_names("down_revision", true);
        revision.labels = read_names("branch_labels", false);
        revision.depends_on = read_names("depends_on", false);
        add_star_problem();
        for (const Doubt& doubt : module_.doubts) {
            add_problem(doubt.line, doubt.text);
        }
        if (result_.problems.empty()) {
            result_.revision = std::move(revision);
        }
        return std::move(result_);
    }

private:
    void add_problem(int line, const std::string& text) {
        result_.problems.push_back({path_, line, text});
    }

    // A file without any of the names is no revision, and no problem.
    void refuse_half_a_revision() {
        if (module_.has("down_revision")) {
            add_problem(module_.find("down_revision")->line,
                        "there is a `down_revision` but no `revision`");
        }
    }

    // An id must be a literal: every other revision refers to it.
    void read_id(Revision& revision) {
        const Assignment& assignment = *module_.find("revision");
        revision.line = assignment.line;
        if (!assignment.value) {
            add_problem(assignment.line, "`revision`: " + assignment.value.error().message);
        } else if (assignment.value->kind != Value::Kind::text || assignment.value->text.empty()) {
            add_problem(assignment.line, "`revision` is no string, or an empty one");
        } else {
            revision.id = assignment.value->text;
        }
    }

    // alembic takes a single string, a sequence of strings, or None.
    std::vector<std::string> read_names(std::string_view name, bool is_required) {
        const Assignment* assignment = module_.find(name);
        if (assignment == nullptr) {
            if (is_required) {
                add_problem(0, fmt::format("there is no `{}`", name));
            }
            return {};
        }
        auto list = assignment->value ? names_of(*assignment->value)
                                      : tl::unexpected(assignment->value.error());
        if (!list) {
            add_problem(assignment->line, fmt::format("`{}`: {}", name, list.error().message));
            return {};
        }
        return std::move(*list);
    }

    // An `import *` may bind any name. It is harmless if every name is assigned after it.
    void add_star_problem() {
        for (const std::string_view name : names()) {
            const Assignment* assignment = module_.find(name);
            if (module_.star_line > (assignment == nullptr ? 0 : assignment->line)) {
                add_problem(
                    module_.star_line,
                    fmt::format("this `import *` may bind `{}`; only running could tell", name));
                return;
            }
        }
    }

    std::string path_;
    PythonModule module_;
    RevisionFile result_;
};

}  // namespace

RevisionFile read_alembic(const std::string& path, std::string_view text) {
    return Reader(path, text).read();
}

}  // namespace drydock::chain
