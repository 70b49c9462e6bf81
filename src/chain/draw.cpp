// Draws two chains. The picture is made once, as nodes and lines with rows and columns, and then
// written as SVG or as DOT.
//
// A schema may have hundreds of revisions, of which few matter. Drawn are the difference (runs,
// skipped, lost), the parents of these, the heads and the meeting point. All other revisions are
// folded: a dashed line stands for a path through them. Parents stand below their children. DOT
// output leaves the layout to Graphviz.
#include "chain/draw.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace drydock::chain {

namespace {

// Each revision has one mark. Later marks win: a skipped one is drawn as skipped.
enum class Mark { both, runs, skipped, lost };

constexpr std::size_t k_words_max = 44;  // bytes of a description
constexpr int k_width = 330;             // width of a box, in pixels
constexpr int k_height = 38;
constexpr int k_gap_x = 24;
constexpr int k_gap_y = 26;
constexpr int k_margin = 20;
constexpr int k_legend = 70;  // height of the title and legend above the boxes

struct Node {
    std::string id;
    std::string words;
    Mark mark = Mark::both;
    bool is_head = false;
    int row = 0;
    int column = 0;
};

struct Line {
    std::size_t child = 0;
    std::size_t parent = 0;
    bool is_folded = false;  // revisions between them are not drawn
};

// Colours follow the order of Mark.
std::string_view color_of(Mark mark) {
    static constexpr std::string_view k_colors[] = {"#e8e8e8", "#b7e1b0", "#f4a6a0", "#f6d08b"};
    return k_colors[static_cast<std::size_t>(mark)];
}

std::string_view name_of(Mark mark) {
    static constexpr std::string_view k_names[] = {
        "in both", "runs", "skipped: never runs", "only in OLD"};
    return k_names[static_cast<std::size_t>(mark)];
}

class Picture {
public:
    Picture(const Reading& old_reading, const Reading& new_reading, const Comparison& comparison)
        : old_graph_(old_reading.graph)
        , new_graph_(new_reading.graph) {
        mark(comparison.runs, Mark::runs);
        mark(comparison.skipped, Mark::skipped);
        mark(comparison.lost, Mark::lost);
        choose(comparison);
        for (const auto& [id, mark] : marks_) {
            add_node(id, mark, comparison);
        }
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            add_lines(i);
        }
        lay_out();
    }

    std::vector<Node> nodes;
    std::vector<Line> lines;

private:
    // The marks decide on the nodes: a revision without a mark is folded.
    void mark(const std::vector<std::string>& ids, Mark new_mark) {
        for (const std::string& id : ids) {
            marks_[id] = new_mark;
        }
    }

    // A revision of both graphs is drawn as NEW has it.
    [[nodiscard]] const Revision* find(const std::string& id) const {
        const Revision* revision = new_graph_.find(id);
        return revision == nullptr ? old_graph_.find(id) : revision;
    }

    [[nodiscard]] std::vector<std::string> lower(const std::string& id) const {
        const Revision* revision = find(id);
        if (revision == nullptr) {
            return {};
        }
        auto ids = revision->parents;
        ids.insert(ids.end(), revision->depends_on.begin(), revision->depends_on.end());
        return ids;
    }

    // Adds the unchanged revisions to draw: parents of the difference, the heads and the meeting
    // point.
    void choose(const Comparison& comparison) {
        std::vector<std::string> neighbours;
        for (const auto& [id, mark] : marks_) {
            const auto below = lower(id);
            neighbours.insert(neighbours.end(), below.begin(), below.end());
        }
        neighbours.insert(
            neighbours.end(), comparison.old_heads.begin(), comparison.old_heads.end());
        neighbours.insert(
            neighbours.end(), comparison.new_heads.begin(), comparison.new_heads.end());
        neighbours.push_back(comparison.meeting_point);
        for (const std::string& id : neighbours) {
            if (find(id) != nullptr) {
                marks_.emplace(id, Mark::both);
            }
        }
    }

    // Heads of either side get a thicker frame: there the database stands before and after.
    void add_node(const std::string& id, Mark mark, const Comparison& comparison) {
        const auto contains = [&](const std::vector<std::string>& list) {
            return std::find(list.begin(), list.end(), id) != list.end();
        };
        std::string words = find(id)->doc;
        if (words.size() > k_words_max) {
            words = words.substr(0, k_words_max) + "...";
        }
        places_[id] = nodes.size();
        nodes.push_back({id,
                         words,
                         mark,
                         contains(comparison.old_heads) || contains(comparison.new_heads),
                         0,
                         0});
    }

    // Adds a line to each drawn revision that is reached without passing another drawn one.
    void add_lines(std::size_t child) {
        std::set<std::string> visited_ids;
        std::vector<std::pair<std::string, bool>> stack;
        for (const std::string& id : lower(nodes[child].id)) {
            stack.emplace_back(id, false);
        }
        while (!stack.empty()) {
            const auto [id, is_folded] = stack.back();
            stack.pop_back();
            if (!visited_ids.insert(id).second) {
                continue;
            }
            if (const auto drawn_node = places_.find(id); drawn_node != places_.end()) {
                lines.push_back({child, drawn_node->second, is_folded});
                continue;
            }
            for (const std::string& next : lower(id)) {
                stack.emplace_back(next, true);
            }
        }
    }

    // Puts each revision a row above its highest parent, by repetition until nothing moves. The
    // number of rounds is bounded, so that a cycle in a refused reading ends too.
    void lay_out() {
        for (std::size_t round = 0; round < nodes.size(); ++round) {
            bool has_moved = false;
            for (const Line& line : lines) {
                if (nodes[line.child].row <= nodes[line.parent].row
                    && nodes[line.child].row < static_cast<int>(nodes.size())) {
                    nodes[line.child].row = nodes[line.parent].row + 1;
                    has_moved = true;
                }
            }
            if (!has_moved) {
                break;
            }
        }
        std::map<int, std::vector<std::size_t>> rows;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            rows[nodes[i].row].push_back(i);
        }
        for (auto& [row, members] : rows) {
            place(members);
        }
    }

    // Sorts a row by the smallest column of the parents, so that branches stay beside each other.
    void place(std::vector<std::size_t>& members) {
        std::map<std::size_t, int> wish;
        for (const Line& line : lines) {
            const int column = nodes[line.parent].column;
            const auto entry = wish.find(line.child);
            wish[line.child] = entry == wish.end() ? column : std::min(entry->second, column);
        }
        std::sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
            return wish[a] != wish[b] ? wish[a] < wish[b] : a < b;
        });
        int column = 0;
        for (const std::size_t member : members) {
            column = std::max(column, wish[member]);
            nodes[member].column = column++;
        }
    }

    const Graph& old_graph_;
    const Graph& new_graph_;
    std::map<std::string, Mark> marks_;
    std::map<std::string, std::size_t> places_;
};

// Ids and descriptions come from the package: they must not add markup to the picture.
std::string escaped(std::string_view text, bool for_xml) {
    std::string result;
    for (const char byte : text) {
        const bool is_control = static_cast<unsigned char>(byte) < 0x20;
        if (for_xml && (byte == '<' || byte == '>' || byte == '&' || byte == '"')) {
            result += fmt::format("&#{};", static_cast<int>(byte));
        } else if (!for_xml && (byte == '"' || byte == '\\')) {
            result += std::string("\\") + byte;
        } else {
            result += is_control ? ' ' : byte;
        }
    }
    return result;
}

// Edges go from parent to child, and rankdir=BT puts children on top.
std::string to_dot(const Picture& picture, const std::string& title) {
    std::string text = fmt::format("digraph chain {{\n  label=\"{}\"; labelloc=t; rankdir=BT;\n"
                                   "  node [shape=box, style=filled, fontname=\"sans-serif\"];\n",
                                   escaped(title, false));
    for (const Node& node : picture.nodes) {
        text += fmt::format("  \"{0}\" [label=\"{0}\\n{1}\", fillcolor=\"{2}\"{3}];\n",
                            escaped(node.id, false),
                            escaped(node.words, false),
                            color_of(node.mark),
                            node.is_head ? ", penwidth=3" : "");
    }
    for (const Line& line : picture.lines) {
        text += fmt::format("  \"{}\" -> \"{}\"{};\n",
                            escaped(picture.nodes[line.parent].id, false),
                            escaped(picture.nodes[line.child].id, false),
                            line.is_folded ? " [style=dashed]" : "");
    }
    return text + "}\n";
}

// Plain SVG: no scripts, no embedded fonts.
class Svg {
public:
    Svg(const Picture& picture, const std::string& title) : picture_(picture), title_(title) {
        for (const Node& node : picture.nodes) {
            rows_ = std::max(rows_, node.row + 1);
            columns_ = std::max(columns_, node.column + 1);
        }
    }

    std::string text() {
        const int width = 2 * k_margin + std::max(columns_ * (k_width + k_gap_x), 2 * k_width);
        const int height = 2 * k_margin + k_legend + rows_ * (k_height + k_gap_y);
        text_ =
            fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
                        "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
                        "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
                        width,
                        height);
        add_text(k_margin, k_margin + 4, title_, true);
        add_legend();
        for (const Line& line : picture_.lines) {
            add_line(line);
        }
        for (const Node& node : picture_.nodes) {
            add_node(node);
        }
        return text_ + "</svg>\n";
    }

private:
    [[nodiscard]] static int x_of(const Node& node) {
        return k_margin + node.column * (k_width + k_gap_x);
    }

    // SVG counts from the top, while row 0 holds the roots, at the bottom.
    [[nodiscard]] int y_of(const Node& node) const {
        return k_margin + k_legend + (rows_ - 1 - node.row) * (k_height + k_gap_y);
    }

    void add_text(int x, int y, std::string_view words, bool is_strong) {
        text_ += fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n",
                             x,
                             y,
                             is_strong ? " font-weight=\"bold\"" : "",
                             escaped(words, true));
    }

    void add_box(int x, int y, int width, int height, Mark mark, bool is_strong) {
        text_ +=
            fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"{}\" "
                        "stroke=\"#333333\" stroke-width=\"{}\"/>\n",
                        x,
                        y,
                        width,
                        height,
                        color_of(mark),
                        is_strong ? 3 : 1);
    }

    void add_legend() {
        int x = k_margin;
        for (const Mark mark : {Mark::both, Mark::runs, Mark::skipped, Mark::lost}) {
            add_box(x, k_margin + 18, 14, 14, mark, false);
            add_text(x + 20, k_margin + 30, name_of(mark), false);
            x += 150;
        }
    }

    // From the bottom of the child's box to the top of the parent's.
    void add_line(const Line& line) {
        const Node& child = picture_.nodes[line.child];
        const Node& parent = picture_.nodes[line.parent];
        text_ +=
            fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#333333\"{}/>\n",
                        x_of(child) + k_width / 2,
                        y_of(child) + k_height,
                        x_of(parent) + k_width / 2,
                        y_of(parent),
                        line.is_folded ? " stroke-dasharray=\"5 4\"" : "");
    }

    void add_node(const Node& node) {
        add_box(x_of(node), y_of(node), k_width, k_height, node.mark, node.is_head);
        add_text(x_of(node) + 8, y_of(node) + 15, node.id, true);
        add_text(x_of(node) + 8, y_of(node) + 31, node.words, false);
    }

    const Picture& picture_;
    std::string title_;
    int rows_ = 1;
    int columns_ = 1;
    std::string text_;
};

}  // namespace

std::string draw(const Reading& old_reading,
                 const Reading& new_reading,
                 const Comparison& comparison,
                 PictureFormat format) {
    const Picture picture(old_reading, new_reading, comparison);
    const std::string title = fmt::format(
        "{} -> {}: {}", old_reading.package, new_reading.package, name_of(comparison.verdict));
    return format == PictureFormat::dot ? to_dot(picture, title) : Svg(picture, title).text();
}

}  // namespace drydock::chain
