// Resolves and judges the operations of a patch against an object.
//
// "Applied" is judged by results alone: each replaced or added value is there, and each removed one
// is not. Tests of values that the patch itself changes are then passed over. They describe the
// state before, and a patch that is done must not look like one that cannot be done.
#include "kubernetes/json_patch.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace drydock::kubernetes {
namespace {

constexpr std::size_t k_operations_max = 256;
constexpr std::size_t k_shown_bytes_max = 200;

tl::unexpected<Error> refuse(std::string message, std::string remedy) {
    return fail("kubernetes.patch", std::move(message), std::move(remedy));
}

Json operation(std::string_view op, const std::string& path, Json value) {
    return Json().set("op", op).set("path", path).set("value", std::move(value));
}

std::optional<std::size_t>
index_of(const Json& list, const std::string& key, const std::string& value) {
    const auto& items = list.items();
    const auto item = std::find_if(items.begin(), items.end(), [&](const Json& candidate) {
        return candidate.contains(key) && candidate[key].show() == value;
    });
    return item == items.end() ? std::nullopt
                               : std::optional(static_cast<std::size_t>(item - items.begin()));
}

// Returns an integer in place of a text where the object has one.
Json fit(const Json& value, const Json* present) {
    const std::string& text = value.as_string();
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number =
        !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
    return present != nullptr && present->is_integer() && is_number ? Json(number) : value;
}

class Preparer {
public:
    explicit Preparer(const Json& object) : object_(object) {}

    Result<PreparedPatch> prepare(const Json& operations) {
        if (!operations.is_array() || operations.items().size() > k_operations_max) {
            return refuse("a patch is no list of operations, or too long a list",
                          fmt::format("give up to {} operations", k_operations_max));
        }
        for (const Json& one : operations.items()) {
            DRYDOCK_TRY(add(one));
        }
        if (changed_.empty()) {
            return refuse("a patch changes nothing", "add an operation other than `test`");
        }
        prepared_.is_applied = are_changes_there();
        judge_tests();
        prepared_.is_applied = prepared_.is_applied && prepared_.failed_test.empty();
        return std::move(prepared_);
    }

private:
    Status add(const Json& one) {
        const std::string& op = one["op"].as_string();
        DRYDOCK_TRY_ASSIGN(const std::string path, resolve(one["path"].as_string()));
        const Json* present = object_.find(path);
        if (op == "remove") {
            prepared_.operations.push(Json().set("op", op).set("path", path));
        } else if (op == "test" || op == "replace" || op == "add") {
            if (!one.contains("value")) {
                return refuse(fmt::format("`{} {}` has no value", op, path), "add `value`");
            }
            prepared_.operations.push(operation(op, path, fit(one["value"], present)));
        } else {
            return refuse(fmt::format("`{}` is no operation of a patch", op),
                          "use test, replace, add or remove");
        }
        if (op != "test") {
            changed_.insert(path);
        }
        return {};
    }

    // Replaces each part [KEY=VALUE] by the item's index, and guards it.
    Result<std::string> resolve(const std::string& path) {
        std::string resolved;
        std::string_view rest = path;
        while (!rest.empty()) {
            if (!rest.starts_with('/')) {
                return refuse(fmt::format("`{}` is no JSON pointer", path), "begin it with `/`");
            }
            const bool is_item = rest.starts_with("/[");
            const auto end = is_item ? rest.find(']') : rest.find('/', 1);
            if (is_item && end == rest.npos) {
                return refuse(fmt::format("`{}`: a `[` without its `]`", path), "close it");
            }
            if (is_item) {
                DRYDOCK_TRY_ASSIGN(const std::string index,
                                   resolve_item(resolved, rest.substr(2, end - 2), path));
                resolved += "/" + index;
                rest.remove_prefix(end + 1);
            } else {
                resolved += rest.substr(0, end);
                rest.remove_prefix(std::min(end, rest.size()));
            }
        }
        return resolved;
    }

    Result<std::string>
    resolve_item(const std::string& list_path, std::string_view item, const std::string& path) {
        const auto equals = item.find('=');
        const Json* list = object_.find(list_path);
        if (equals == item.npos || list == nullptr) {
            return refuse(fmt::format("`{}`: nothing to look for an item in", path),
                          "write [KEY=VALUE] behind the path of a list");
        }
        const std::string key(item.substr(0, equals));
        const std::string value(item.substr(equals + 1));
        const auto index = index_of(*list, key, value);
        if (!index) {
            return refuse(fmt::format("no item of {} has {} `{}`", list_path, key, value),
                          "look at the object: it is not the one that is meant");
        }
        const std::string item_path = fmt::format("{}/{}", list_path, *index);
        if (guards_.insert(item_path + key).second) {
            prepared_.operations.push(
                operation("test", item_path + "/" + key, list->items().at(*index)[key]));
        }
        return std::to_string(*index);
    }

    [[nodiscard]] bool are_changes_there() const {
        const auto& operations = prepared_.operations.items();
        return std::all_of(operations.begin(), operations.end(), [this](const Json& one) {
            return one["op"] == Json("test") || is_there(one);
        });
    }

    // A path that ends in "-" appends to a list: then any item will do.
    [[nodiscard]] bool is_there(const Json& one) const {
        const std::string& path = one["path"].as_string();
        if (path.ends_with("/-")) {
            const Json* list = object_.find(path.substr(0, path.size() - 2));
            return list != nullptr
                   && std::find(list->items().begin(), list->items().end(), one["value"])
                          != list->items().end();
        }
        const Json* present = object_.find(path);
        return one["op"] == Json("remove") ? present == nullptr
                                           : present != nullptr && *present == one["value"];
    }

    // Keeps the first test that does not hold.
    void judge_tests() {
        for (const Json& one : prepared_.operations.items()) {
            const std::string& path = one["path"].as_string();
            const bool is_judged =
                one["op"] == Json("test") && !(prepared_.is_applied && changed_.contains(path));
            const Json* present = is_judged ? object_.find(path) : nullptr;
            if (is_judged && (present == nullptr || !(*present == one["value"]))) {
                prepared_.failed_test = fmt::format(
                    "{} is {}, not {}",
                    path,
                    present == nullptr ? "not there" : clip(present->show(), k_shown_bytes_max),
                    clip(one["value"].show(), k_shown_bytes_max));
                return;
            }
        }
    }

    const Json& object_;
    PreparedPatch prepared_;
    std::set<std::string> changed_;
    std::set<std::string> guards_;
};

}  // namespace

Result<PreparedPatch> prepare_patch(const Json& object, const Json& operations) {
    return Preparer(object).prepare(operations);
}

Json guarded(const Json& operations, const std::string& uid, const std::string& version) {
    Json all{Json::Array{}};
    all.push(operation("replace", "/metadata/resourceVersion", version));
    all.push(operation("test", "/metadata/uid", uid));
    for (const Json& one : operations.items()) {
        all.push(one);
    }
    return all;
}

bool contains(const Json& object, const Json& wanted) {
    if (wanted.is_object()) {
        const auto& members = wanted.members();
        return object.is_object()
               && std::all_of(members.begin(), members.end(), [&](const auto& member) {
                      return contains(object[member.first], member.second);
                  });
    }
    if (wanted.is_array()) {
        const auto& items = wanted.items();
        return object.items().size() == items.size()
               && std::equal(
                   items.begin(),
                   items.end(),
                   object.items().begin(),
                   [](const Json& want, const Json& have) { return contains(have, want); });
    }
    return object == wanted;
}

}  // namespace drydock::kubernetes
