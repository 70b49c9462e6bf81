// Django takes the class of apps.py that derives from AppConfig. Of several it takes the one that
// says `default = True`; none of them, and it makes a plain one with the folder's name.
#include "chain/django_apps.h"

#include "chain/python_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

namespace drydock::chain {

namespace {

struct AppConfig {
    std::optional<Assignment> label;
    std::optional<Assignment> name;
    std::optional<bool> is_default;
};

class AppsReader {
public:
    explicit AppsReader(std::string_view text) : source_(text) {}

    std::vector<AppConfig> read() {
        LogicalLine line;
        bool is_inside = false;
        while (source_.next(line, std::numeric_limits<int>::max())) {
            if (line.indent == 0) {
                is_inside = is_config(line);
                body_indent_ = 0;
                if (is_inside) {
                    found_.emplace_back();
                }
            } else if (is_inside) {
                body_indent_ = body_indent_ == 0 ? line.indent : body_indent_;
                read_line(line);
            }
        }
        return std::move(found_);
    }

private:
    static bool is_config(const LogicalLine& line) {
        static constexpr std::string_view k_base = "AppConfig";
        const Tokens& tokens = line.tokens;
        return tokens.front().is_name("class") && line.opens_block
               && std::any_of(tokens.begin() + 2, tokens.end(), [](const Token& one) {
                      return one.kind == TokenKind::name && one.text.ends_with(k_base);
                  });
    }

    void read_line(const LogicalLine& line) {
        static const std::vector<std::string_view> k_names = {"label", "name"};
        if (line.indent != body_indent_) {
            return;
        }
        AppConfig& config = found_.back();
        for (const Assignment& one : assignments_of(line, k_names)) {
            (one.name == "label" ? config.label : config.name) = one;
        }
        const Tokens& tokens = line.tokens;
        if (tokens.size() == 3 && tokens[0].is_name("default") && tokens[1].is_op("=")) {
            config.is_default = tokens[2].is_name("True");
        }
    }

    PythonSource source_;
    int body_indent_ = 0;
    std::vector<AppConfig> found_;
};

const AppConfig* chosen_of(const std::vector<AppConfig>& all) {
    const auto it = std::find_if(
        all.begin(), all.end(), [](const AppConfig& one) { return one.is_default == true; });
    const bool is_alone = all.size() == 1 && all.front().is_default != false;
    return it != all.end() ? &*it : is_alone ? &all.front() : nullptr;
}

Result<std::string> text_of(const Assignment& given) {
    if (!given.value || given.value->kind != Value::Kind::text || given.value->text.empty()) {
        return fail("chain.value",
                    fmt::format("line {}: `{}` is no plain string, so the app's label cannot be "
                                "told",
                                given.line,
                                given.name));
    }
    return given.value->text;
}

}  // namespace

Result<std::string> django_label(std::string_view apps_py, std::string_view folder_name) {
    const std::vector<AppConfig> all = AppsReader(apps_py).read();
    const AppConfig* config = chosen_of(all);
    if (config == nullptr || (!config->label && !config->name)) {
        return std::string(folder_name);
    }
    if (config->label) {
        return text_of(*config->label);
    }
    DRYDOCK_TRY_ASSIGN(const std::string name, text_of(*config->name));
    return name.substr(name.rfind('.') + 1);
}

}  // namespace drydock::chain
