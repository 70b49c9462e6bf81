// Reads the label of an app from its apps.py, by Django's own choice among the classes there.
//
// Django takes the class that derives from AppConfig. Of several it takes the class with `default =
// True`. If there is no such class, it makes a plain one with the folder's name. The label is half
// of each migration's id, so that a wrong label would cut the app out of the graph.
//
// Only classes at the top of the file count, and in them only the lines of the body itself.
#include "chain/django_apps.h"

#include "chain/python_assignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

namespace drydock::chain {

namespace {

// The three attributes of one class that decide; nullopt: the class does not set it.
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
        while (source_.next_line(line, std::numeric_limits<int>::max())) {
            if (line.indent == 0) {
                is_inside = is_config(line);
                body_indent_ = 0;
                if (is_inside) {
                    configs_.emplace_back();
                }
            } else if (is_inside) {
                body_indent_ = body_indent_ == 0 ? line.indent : body_indent_;
                read_line(line);
            }
        }
        return std::move(configs_);
    }

private:
    // A base such as `BaseAppConfig` counts: its text may lie in another package.
    static bool is_config(const LogicalLine& line) {
        static constexpr std::string_view k_base = "AppConfig";
        const Tokens& tokens = line.tokens;
        return tokens.front().is_name("class") && line.opens_block
               && std::any_of(tokens.begin() + 2, tokens.end(), [](const Token& token) {
                      return token.kind == TokenKind::name && token.text.ends_with(k_base);
                  });
    }

    // The first line of the body has its indent. Deeper lines belong to methods or conditions.
    void read_line(const LogicalLine& line) {
        static const std::vector<std::string_view> k_names = {"label", "name"};
        if (line.indent != body_indent_) {
            return;
        }
        AppConfig& config = configs_.back();
        for (const Assignment& assignment : assignments_of(line, k_names)) {
            (assignment.name == "label" ? config.label : config.name) = assignment;
        }
        const Tokens& tokens = line.tokens;
        if (tokens.size() == 3 && tokens[0].is_name("default") && tokens[1].is_op("=")) {
            config.is_default = tokens[2].is_name("True");
        }
    }

    PythonSource source_;
    int body_indent_ = 0;
    std::vector<AppConfig> configs_;
};

// Returns the class that Django takes; nullptr if it takes its own.
const AppConfig* chosen_of(const std::vector<AppConfig>& configs) {
    const auto default_config =
        std::find_if(configs.begin(), configs.end(), [](const AppConfig& config) {
            return config.is_default == true;
        });
    const bool is_alone = configs.size() == 1 && configs.front().is_default != false;
    return default_config != configs.end() ? &*default_config
           : is_alone                      ? &configs.front()
                                           : nullptr;
}

// An empty label would be no label for Django, and is refused like an expression.
Result<std::string> text_of(const Assignment& assignment) {
    if (!assignment.value || assignment.value->kind != Value::Kind::text
        || assignment.value->text.empty()) {
        return fail("chain.value",
                    fmt::format("line {}: `{}` is no plain string, so the app's label cannot be "
                                "told",
                                assignment.line,
                                assignment.name));
    }
    return assignment.value->text;
}

}  // namespace

Result<std::string> django_label(std::string_view apps_py, std::string_view folder_name) {
    const std::vector<AppConfig> configs = AppsReader(apps_py).read();
    const AppConfig* config = chosen_of(configs);
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
