// Walks the logical lines of a module with a stack of the open blocks.
//
// The stack decides on the meaning of a line. At the top, an assignment gives a name its value. In
// a conditional block (`if`, `try`, `with`) the assignment may not happen, so that its value
// becomes an error. In a function or another class it binds other names and is ignored, except for
// `global`. Lines of `downgrade` are weighed: the first one with an effect decides.
//
// Python's own tokens and indents are enough for this; no syntax tree is built. Each line is
// checked by PythonGrammar first. Words that may change a name from elsewhere are searched for in a
// second pass (python_rebinding.h). Most files do not need it.
#include "chain/python_module.h"

#include "base/text.h"
#include "chain/python_grammar.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

namespace drydock::chain {

namespace {

constexpr std::size_t k_all = std::numeric_limits<std::size_t>::max();

// `of_class` is the wanted class, `other_class` any other; all blocks of statements are
// conditional.
enum class BlockKind { function, way_down, of_class, other_class, conditional };

struct Block {
    int indent = 0;  // of its head
    BlockKind kind = BlockKind::conditional;
};

// Checks lengths and continuation bytes only, so that overlong forms pass.
bool is_valid_utf8(std::string_view text) {
    std::size_t position = 0;
    while (position < text.size()) {
        // Skips eight bytes at a time while they are ASCII, as nearly all are.
        std::uint64_t eight = 0;
        if (position + sizeof eight <= text.size()) {
            std::memcpy(&eight, text.data() + position, sizeof eight);
            if ((eight & 0x8080808080808080) == 0) {
                position += sizeof eight;
                continue;
            }
        }
        const auto byte = static_cast<unsigned char>(text[position]);
        const std::size_t tail_size = byte < 0x80          ? 0
                                      : byte >> 5U == 0x6  ? 1
                                      : byte >> 4U == 0xE  ? 2
                                      : byte >> 3U == 0x1E ? 3
                                                           : k_all;
        if (tail_size == k_all || position + tail_size >= text.size()) {
            return false;
        }
        for (std::size_t i = 1; i <= tail_size; ++i) {
            if ((static_cast<unsigned char>(text[position + i]) >> 6U) != 2) {
                return false;
            }
        }
        position += tail_size + 1;
    }
    return true;
}

// Returns the encoding that a comment in one of the first two lines names (PEP 263); empty if there
// is none.
std::string coding_of(std::string_view text) {
    const auto first = text.find('\n');
    const auto second = first == text.npos ? first : text.find('\n', first + 1);
    for (std::string_view line :
         {text.substr(0, first), first == text.npos ? "" : text.substr(first, second - first)}) {
        const auto comment = line.find('#');
        const auto word = line.find("coding", comment == line.npos ? line.size() : comment);
        if (word == line.npos || word + 6 >= line.size()
            || (line[word + 6] != ':' && line[word + 6] != '=')) {
            continue;
        }
        const auto begin = line.find_first_not_of(" \t", word + 7);
        const auto end = line.find_first_of(" \t\r\n*", begin);
        return begin == line.npos ? "" : std::string(line.substr(begin, end - begin));
    }
    return {};
}

// Returns the reason why the bytes cannot be read as Python; empty if they can. Files of other
// encodings are read if they are ASCII, which those encodings share.
std::string bad_encoding(std::string_view text) {
    std::string coding = coding_of(text);
    std::transform(coding.begin(), coding.end(), coding.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32)
               : letter == '_'                ? '-'
                                              : letter;
    });
    const bool is_utf8 = coding.empty() || coding == "utf-8" || coding == "utf8"
                         || coding == "ascii" || coding == "us-ascii" || coding == "utf-8-sig";
    if (is_utf8) {
        return is_valid_utf8(text) ? "" : "it is not UTF-8";
    }
    const bool is_ascii =
        std::all_of(text.begin(), text.end(), [](char byte) { return byte >= 0; });
    return is_ascii ? "" : "its encoding `" + coding + "` is not read here; only UTF-8 is";
}

std::string first_line(const std::string& text) {
    for (const std::string& line : split(text, '\n')) {
        if (const std::string words = trim(line); !words.empty()) {
            return words;
        }
    }
    return {};
}

class ModuleReader {
public:
    ModuleReader(std::string_view text,
                 const std::vector<std::string_view>& names,
                 std::string_view in_class,
                 PythonModule& module)
        : text_(text)
        , source_(text)
        , names_(names)
        , in_class_(in_class)
        , module_(module) {}

    void run() {
        LogicalLine line;
        bool is_first = true;
        while (source_.next_line(line, function_indent())) {
            leave_blocks(line);
            if (!check(line)) {
                return;
            }
            read_doc(line, is_first);
            is_first = false;
            read_line(line);
            enter_block(line);
        }
        module_.problem = source_.problem();
        module_.problem_line = source_.line();
        find_doubts_of_names();
    }

private:
    bool check(const LogicalLine& line) {
        module_.problem = grammar_.problem_of(line);
        module_.problem_line = line.line;
        return module_.problem.empty();
    }

    // Searches for changes from elsewhere. In a class every wanted name is a list; in a module only
    // the names with a mutable value are. Without a list, and without a word such as `exec`, there
    // is nothing to search for.
    void find_doubts_of_names() {
        std::vector<std::string> lists;
        if (!in_class_.empty()) {
            lists.assign(names_.begin(), names_.end());
        }
        for (const Assignment& assignment : module_.assignments) {
            if (in_class_.empty() && assignment.value && assignment.value->is_mutable) {
                lists.push_back(assignment.name);
            }
        }
        if (!lists.empty() || source_.names_namespace()) {
            for (Doubt& doubt : find_doubts(text_, lists, in_class_)) {
                module_.doubts.push_back(std::move(doubt));
            }
        }
    }

    [[nodiscard]] bool is_in_function() const {
        return std::any_of(blocks_.begin(), blocks_.end(), [](const Block& block) {
            return block.kind == BlockKind::function || block.kind == BlockKind::way_down;
        });
    }

    // Returns the indent of the outermost open function. Lines up to there may bind the module's
    // names; deeper ones keep only their first tokens, which makes long functions cheap.
    [[nodiscard]] int function_indent() const {
        const auto function = std::find_if(blocks_.begin(), blocks_.end(), [](const Block& block) {
            return block.kind == BlockKind::function || block.kind == BlockKind::way_down;
        });
        return function == blocks_.end() ? std::numeric_limits<int>::max() : function->indent;
    }

    [[nodiscard]] bool is_in(BlockKind kind) const {
        return std::any_of(
            blocks_.begin(), blocks_.end(), [&](const Block& block) { return block.kind == kind; });
    }

    // A line closes the blocks with a head indented as deep or deeper.
    void leave_blocks(const LogicalLine& line) {
        while (!blocks_.empty() && line.indent <= blocks_.back().indent) {
            blocks_.pop_back();
        }
    }

    // The docstring is a first line with only a string.
    void read_doc(const LogicalLine& line, bool is_first) {
        const bool is_text =
            is_first && line.tokens.size() == 1 && line.tokens.front().kind == TokenKind::string;
        if (is_text) {
            module_.doc = first_line(text_of(line.tokens.front()).value_or(""));
        }
    }

    // A module is read either at its top level or in one class, never both.
    void read_line(const LogicalLine& line) {
        if (is_in(BlockKind::way_down)) {
            weigh(line.tokens.data(), line.tokens.data() + line.tokens.size());
        }
        if (is_in_function()) {
            read_global(line);
            return;
        }
        if (is_in(BlockKind::other_class)) {
            read_global(line);
            return;
        }
        if (blocks_.empty() && line.tokens.front().is_name("raise")) {
            module_.doubts.push_back({line.line, "the file raises while it is imported"});
        }
        const bool in_class = is_in(BlockKind::of_class);
        if (in_class != !in_class_.empty()) {
            read_way_down_name(line);
            return;
        }
        read_names(line);
    }

    // Assignments in a conditional block keep their place, so that they hide earlier values.
    void read_names(const LogicalLine& line) {
        read_star(line);
        read_way_down_name(line);
        for (Assignment& assignment : assignments_of(line, names_)) {
            if (is_in(BlockKind::conditional)) {
                assignment.value = fail(
                    "chain.value", "only running the file could tell whether this line is reached");
            }
            module_.assignments.push_back(std::move(assignment));
        }
    }

    // `downgrade = other_function` binds a function that the text does not show.
    void read_way_down_name(const LogicalLine& line) {
        static const std::vector<std::string_view> k_way_down = {"downgrade"};
        const bool is_definition = !line.tokens.empty() && is_function(line);
        if (!is_definition && !assignments_of(line, k_way_down).empty()) {
            module_.way_down = WayDown::unknown;
        }
    }

    // `from x import *` may bind any name. Only its line is noted: later assignments bind again.
    void read_star(const LogicalLine& line) {
        const auto size = line.tokens.size();
        const bool is_star = size > 2 && line.tokens.front().is_name("from")
                             && line.tokens[size - 2].is_name("import")
                             && line.tokens[size - 1].is_op("*");
        if (is_star) {
            module_.star_line = line.line;
        }
    }

    // A function or a class may bind a name of the module by `global`. The text does not show
    // whether the function is called.
    void read_global(const LogicalLine& line) {
        if (in_class_.empty() && !line.tokens.empty() && line.tokens.front().is_name("global")) {
            for (Assignment& assignment : assignments_of(line, names_)) {
                module_.assignments.push_back(std::move(assignment));
            }
        }
    }

    static bool is_function(const LogicalLine& line) {
        return line.tokens.front().is_name("def")
               || (line.tokens.front().is_name("async") && line.tokens.size() > 1
                   && line.tokens[1].is_name("def"));
    }

    // Classes bind names of their own, except for the wanted class at the top of the module.
    void enter_block(const LogicalLine& line) {
        if (line.tokens.empty()) {
            return;
        }
        const bool is_top = blocks_.empty();
        if (!is_in_function() && is_function(line)) {
            enter_function(line);
        } else if (line.opens_block && line.tokens.front().is_name("class")) {
            const bool is_ours = is_top && line.tokens.size() > 1 && !in_class_.empty()
                                 && line.tokens[1].is_name(in_class_);
            if (is_ours) {
                note_class(line);
            }
            blocks_.push_back(
                {line.indent, is_ours ? BlockKind::of_class : BlockKind::other_class});
        } else if (line.opens_block) {
            blocks_.push_back({line.indent, BlockKind::conditional});
        }
    }

    // The bases are the tokens between the parentheses of `class NAME(...):`.
    void note_class(const LogicalLine& line) {
        if (module_.has_class) {
            module_.doubts.push_back({line.line, "the class is there twice"});
        }
        module_.has_class = true;
        for (std::size_t i = 3; i + 2 < line.tokens.size(); ++i) {
            module_.bases += line.tokens[i].text;
        }
    }

    // The last definition at the top counts. One inside a block may never be executed.
    void enter_function(const LogicalLine& line) {
        const bool is_top = blocks_.empty();
        const bool is_way_down = line.tokens.size() > 1 && line.tokens[1].is_name("downgrade");
        if (is_way_down) {
            module_.way_down = is_top ? WayDown::empty : WayDown::unknown;
        }
        if (line.opens_block) {
            blocks_.push_back(
                {line.indent, is_way_down && is_top ? BlockKind::way_down : BlockKind::function});
        } else if (is_way_down && is_top) {
            weigh_inline(line);
        }
    }

    // Weighs `def downgrade(): pass`, a body on the line of its head.
    void weigh_inline(const LogicalLine& line) {
        int depth = 0;
        for (const Token& token : line.tokens) {
            depth += token.is_op("(") || token.is_op("[") ? 1 : 0;
            depth -= token.is_op(")") || token.is_op("]") ? 1 : 0;
            if (depth == 0 && token.is_op(":")) {
                weigh(&token + 1, line.tokens.data() + line.tokens.size());
                return;
            }
        }
    }

    // Weighs one line of `downgrade`. The first line with an effect decides.
    void weigh(const Token* begin, const Token* end) {
        const bool is_decided =
            module_.way_down != WayDown::empty && module_.way_down != WayDown::real;
        if (is_decided || begin == end) {
            return;
        }
        const auto size = end - begin;
        const bool is_nothing =
            begin->is_name("pass") || begin->is_name("global") || begin->is_name("import")
            || begin->is_name("from") || begin->kind == TokenKind::string || begin->is_op(".")
            || (begin->is_name("return") && (size == 1 || begin[1].is_name("None")));
        // An exception under a condition does not refuse every downgrade.
        const bool is_nested = !blocks_.empty() && blocks_.back().kind != BlockKind::way_down;
        if (begin->is_name("raise") && !is_nested) {
            module_.way_down = WayDown::refuses;
        } else if (!is_nothing) {
            module_.way_down = WayDown::real;
        }
    }

    std::string_view text_;
    PythonSource source_;
    PythonGrammar grammar_;
    const std::vector<std::string_view>& names_;
    std::string_view in_class_;
    PythonModule& module_;
    std::vector<Block> blocks_;
};

}  // namespace

PythonModule::PythonModule(std::string_view text,
                           const std::vector<std::string_view>& names,
                           std::string_view in_class) {
    problem = bad_encoding(text);
    if (problem.empty()) {
        ModuleReader(text, names, in_class, *this).run();
    }
}

// Searches from the end: a later assignment hides an earlier one.
const Assignment* PythonModule::find(std::string_view name) const {
    const auto match =
        std::find_if(assignments.rbegin(), assignments.rend(), [&](const Assignment& assignment) {
            return assignment.name == name;
        });
    return match == assignments.rend() ? nullptr : &*match;
}

}  // namespace drydock::chain
