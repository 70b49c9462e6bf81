// Orders versions by semver, PEP 440 and Debian's rules.
//
// For semver and PEP 440 a version becomes a key, a list of parts that compare one by one. Every
// optional part has a rank for its absence: "1.0" is newer than "1.0rc1", because a missing
// pre-release has the highest rank. Numbers are compared as texts by length and then by digits,
// since dates and build numbers may exceed 64 bits. Debian's versions have no such key: digits and
// other characters alternate, and `~` is older than the end of the text.
#include "updates/scheme.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace drydock::updates {

namespace {

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

// A number of any length, or a word. Numbers are compared by length without zeros, then as texts.
struct Part {
    int rank = 0;  // decides first; parts of one rank are compared by their texts
    std::string text;

    [[nodiscard]] int compare(const Part& part) const {
        if (rank != part.rank) {
            return rank < part.rank ? -1 : 1;
        }
        const bool is_number = !text.empty() && is_digit(text.front());
        if (is_number && text.size() != part.text.size()) {
            return text.size() < part.text.size() ? -1 : 1;
        }
        const int order = text.compare(part.text);
        return order < 0 ? -1 : order > 0 ? 1 : 0;
    }
};

using Key = std::vector<Part>;

std::string number_text(std::string_view digits) {
    const auto begin = digits.find_first_not_of('0');
    return begin == digits.npos ? "0" : std::string(digits.substr(begin));
}

// Removes the digits at the front and returns them; nullopt if there are none.
std::optional<std::string> take_number(std::string_view& rest) {
    const auto end = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit)
                                              - rest.begin());
    if (end == 0) {
        return std::nullopt;
    }
    std::string number = number_text(rest.substr(0, end));
    rest.remove_prefix(end);
    return number;
}

std::string take_letters(std::string_view& rest) {
    const auto end = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_letter)
                                              - rest.begin());
    std::string word(rest.substr(0, end));
    std::transform(word.begin(), word.end(), word.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    });
    rest.remove_prefix(end);
    return word;
}

// Removes the prefix and returns true, if the text begins with it.
bool take(std::string_view& rest, std::string_view prefix) {
    const bool is_there = rest.substr(0, prefix.size()) == prefix;
    rest.remove_prefix(is_there ? prefix.size() : 0);
    return is_there;
}

// Three numbers, then the pre-release: numbers in it are older than words, and a version without
// one is the newest. Build metadata behind "+" does not count.
std::optional<Key> semver_key(std::string_view rest) {
    rest = rest.substr(0, rest.find('+'));
    Key key;
    for (int i = 0; i < 3; ++i) {
        const auto number = i == 0 || take(rest, ".") ? take_number(rest) : std::nullopt;
        if (!number) {
            return std::nullopt;
        }
        key.push_back({0, *number});
    }
    if (rest.empty()) {
        key.push_back({9, ""});
        return key;
    }
    if (!take(rest, "-") || rest.empty()) {
        return std::nullopt;
    }
    while (!rest.empty()) {
        const auto end = std::min(rest.find('.'), rest.size());
        const std::string_view part = rest.substr(0, end);
        const bool is_number = std::all_of(part.begin(), part.end(), is_digit);
        key.push_back({is_number ? 1 : 2, is_number ? number_text(part) : std::string(part)});
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    key.push_back({0, ""});  // a longer pre-release is newer than its beginning
    return key;
}

// PEP 440. The key has the epoch, the release, and then four parts: pre-release, post-release,
// development release, local version. Spellings are normalised on the way: `alpha` and `a`, `-1`
// and `.post1`, trailing zeros of the release.
class Pep440 {
public:
    explicit Pep440(std::string_view text) : rest_(text) {}

    std::optional<Key> key() {
        take(rest_, "v");
        if (!read_release()) {
            return std::nullopt;
        }
        read_tail();
        return rest_.empty() ? std::optional(std::move(key_)) : std::nullopt;
    }

private:
    void skip_separator() {
        if (!rest_.empty()
            && (rest_.front() == '.' || rest_.front() == '-' || rest_.front() == '_')) {
            rest_.remove_prefix(1);
        }
    }

    bool read_release() {
        auto number = take_number(rest_);
        if (number && take(rest_, "!")) {
            key_.push_back({0, *number});
            number = take_number(rest_);
        } else {
            key_.push_back({0, "0"});
        }
        while (number) {
            release_.push_back({1, *number});
            const bool goes_on = rest_.size() > 1 && rest_.front() == '.' && is_digit(rest_[1]);
            number = goes_on && take(rest_, ".") ? take_number(rest_) : std::nullopt;
        }
        if (release_.empty()) {
            return false;
        }
        while (release_.size() > 1 && release_.back().text == "0") {
            release_.pop_back();
        }
        key_.insert(key_.end(), release_.begin(), release_.end());
        key_.push_back({0, ""});  // the end of the release is older than another number
        return true;
    }

    std::optional<std::pair<std::string, std::string>>
    piece(std::initializer_list<std::string_view> words) {
        const std::string_view original_rest = rest_;
        skip_separator();
        const std::string word = take_letters(rest_);
        if (std::find(words.begin(), words.end(), word) == words.end()) {
            rest_ = original_rest;
            return std::nullopt;
        }
        const std::string_view after_word = rest_;
        skip_separator();
        const auto number = take_number(rest_);
        if (!number) {
            rest_ = after_word;
        }
        return std::pair(word, number.value_or("0"));
    }

    // A development release without pre- or post-release comes before every pre-release: 1.0.dev1 <
    // 1.0a1.
    void read_tail() {
        const auto pre = piece({"a", "alpha", "b", "beta", "c", "rc", "pre", "preview"});
        auto post = piece({"post", "rev", "r"});
        if (!post && rest_.size() > 1 && rest_.front() == '-' && is_digit(rest_[1])) {
            rest_.remove_prefix(1);
            post = std::pair(std::string("post"), *take_number(rest_));
        }
        const auto dev = piece({"dev"});
        const bool is_dev_of_release = !pre && !post && dev;
        const int kind = pre ? pre_rank(pre->first) : is_dev_of_release ? 1 : 5;
        key_.push_back({kind, pre ? pre->second : ""});
        key_.push_back({post ? 1 : 0, post ? post->second : ""});
        key_.push_back({dev ? 0 : 1, dev ? dev->second : ""});
        read_local();
    }

    static int pre_rank(const std::string& word) {
        return word.front() == 'a' ? 2 : word.front() == 'b' ? 3 : 4;
    }

    // Numbers of a local version are newer than words.
    void read_local() {
        if (!take(rest_, "+")) {
            return;
        }
        while (!rest_.empty()) {
            const auto end = std::min(rest_.find_first_of(".-_"), rest_.size());
            const std::string_view part = rest_.substr(0, end);
            const bool is_number = std::all_of(part.begin(), part.end(), is_digit);
            key_.push_back({is_number ? 2 : 1, is_number ? number_text(part) : std::string(part)});
            rest_.remove_prefix(std::min(end + 1, rest_.size()));
        }
    }

    std::string_view rest_;
    Key release_;
    Key key_;
};

// Debian's order of characters: `~`, then the end, then letters, then all others.
int debian_order(std::string_view text, std::size_t position) {
    if (position >= text.size() || is_digit(text[position])) {
        return 0;
    }
    const int byte = static_cast<unsigned char>(text[position]);
    return text[position] == '~' ? -1 : is_letter(text[position]) ? byte : byte + 256;
}

// Compares alternately a run of other characters and a run of digits, as dpkg does.
int compare_debian_part(std::string_view a, std::string_view b) {
    while (!a.empty() || !b.empty()) {
        std::size_t position = 0;
        while ((position < a.size() && !is_digit(a[position]))
               || (position < b.size() && !is_digit(b[position]))) {
            const int order_a = debian_order(a, position);
            const int order_b = debian_order(b, position);
            if (order_a != order_b) {
                return order_a < order_b ? -1 : 1;
            }
            ++position;
        }
        a.remove_prefix(std::min(position, a.size()));
        b.remove_prefix(std::min(position, b.size()));
        const Part number_a = {0, take_number(a).value_or("0")};
        const Part number_b = {0, take_number(b).value_or("0")};
        if (const int order = number_a.compare(number_b); order != 0) {
            return order;
        }
    }
    return 0;
}

// A Debian version, taken apart. A missing epoch is 0, a missing revision the oldest.
struct Debian {
    std::string epoch = "0";
    std::string_view upstream;
    std::string_view revision;
};

// The epoch ends at the first colon, the revision begins at the last dash.
std::optional<Debian> debian_of(std::string_view text) {
    Debian version;
    if (const auto colon = text.find(':'); colon != text.npos) {
        std::string_view digits = text.substr(0, colon);
        const auto epoch = take_number(digits);
        if (!epoch || !digits.empty()) {
            return std::nullopt;
        }
        version.epoch = *epoch;
        text.remove_prefix(colon + 1);
    }
    const auto dash = text.rfind('-');
    version.upstream = text.substr(0, dash);
    version.revision = dash == text.npos ? "" : text.substr(dash + 1);
    const bool is_good =
        !version.upstream.empty() && is_digit(version.upstream.front())
        && std::all_of(text.begin(), text.end(), [](char byte) {
               return is_digit(byte) || is_letter(byte)
                      || std::string_view(".+-~:").find(byte) != std::string_view::npos;
           });
    return is_good ? std::optional(version) : std::nullopt;
}

std::optional<Key> key_of(Scheme scheme, std::string_view text) {
    return scheme == Scheme::semver ? semver_key(text) : Pep440(text).key();
}

// A key that is a prefix of another is older.
int compare_keys(const Key& a, const Key& b) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (const int order = a[i].compare(b[i]); order != 0) {
            return order;
        }
    }
    return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

int compare_debian(const Debian& a, const Debian& b) {
    const Part epoch = {0, a.epoch};
    if (const int order = epoch.compare({0, b.epoch}); order != 0) {
        return order;
    }
    const int order = compare_debian_part(a.upstream, b.upstream);
    return order != 0 ? order : compare_debian_part(a.revision, b.revision);
}

}  // namespace

bool is_version(Scheme scheme, std::string_view text) {
    return scheme == Scheme::debian ? debian_of(text).has_value()
                                    : key_of(scheme, text).has_value();
}

// The order must be total, so that texts without a version have a place too.
int compare(Scheme scheme, std::string_view a, std::string_view b) {
    const bool is_a = is_version(scheme, a);
    const bool is_b = is_version(scheme, b);
    if (!is_a || !is_b) {
        return is_a != is_b ? (is_a ? 1 : -1) : a.compare(b);
    }
    return scheme == Scheme::debian ? compare_debian(*debian_of(a), *debian_of(b))
                                    : compare_keys(*key_of(scheme, a), *key_of(scheme, b));
}

// Spellings of one version are neighbours after the sort: the smaller text comes first and stays.
std::vector<std::string> sorted(Scheme scheme, std::vector<std::string> versions) {
    std::sort(versions.begin(), versions.end(), [&](const auto& a, const auto& b) {
        const int order = compare(scheme, a, b);
        return order != 0 ? order < 0 : a < b;
    });
    const auto end =
        std::unique(versions.begin(), versions.end(), [&](const auto& a, const auto& b) {
            return compare(scheme, a, b) == 0;
        });
    versions.erase(end, versions.end());
    return versions;
}

}  // namespace drydock::updates
