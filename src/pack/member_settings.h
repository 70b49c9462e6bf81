// The settings of one member, and the ${names} in its strings.
//
// Settings have three levels: the pack's default, the role, the member; the last one present wins.
// Settings may use each other, so they are resolved on demand, depth first, with the path of names
// under way to detect cycles. The release's symlink takes part in this as a setting called
// `release`. Secrets are never read here: a setting keeps a reference ${secret:LEVEL.NAME}. The
// size of replaced texts is limited, because settings that use each other grow exponentially.
#pragma once

#include "pack/cluster_reader.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace drydock::pack {

// Writes into `member`, which must outlive it, as the two nodes must.
class MemberSettings {
public:
    // `node` is the entry of the member, `role` the one that all members of its role share.
    MemberSettings(const Node& node, const Node& role, model::Member& member, ClusterReader& reader)
        : node_(node)
        , role_(role)
        , member_(member)
        , reader_(reader) {}

    // Resolves all settings, and reports those that the pack needs and nobody gives.
    void read();

    // Replaces the ${names} in a string of this member, and records them as used.
    std::string replaced(const std::string& text, const Position& position);
    // Returns the release's symlink. It may use settings, and settings may use it, but not in a
    // cycle.
    std::string release_link();

    // Reports once that no release is given, whether the pack needs it or a ${release} of the
    // cluster file does.
    void report_no_release();

    // Reports settings that the pack does not declare and no ${name} of the member uses:
    // misspellings.
    void report_unused();

private:
    // A setting before its ${names} are replaced.
    struct RawSetting {
        const Node* node = nullptr;  // null: the pack's default
        std::string text;
        std::string level;  // the role's or the member's name: part of a secret's id
        Position position;
    };

    [[nodiscard]] const std::map<std::string, model::SettingSpec>& declared() const;
    void collect();
    std::string setting(const std::string& name);
    std::string read_secret(const std::string& name, const RawSetting& raw);
    std::string
    check_type(const std::string& name, const std::string& value, const RawSetting& raw);
    std::string limit_size(std::string value, const Position& position);

    const Node& node_;
    const Node& role_;
    model::Member& member_;
    ClusterReader& reader_;
    std::map<std::string, RawSetting> raw_;
    std::set<std::string> missing_;  // reported once, not again where they are used
    std::set<std::string> used_;
    std::vector<std::string> path_;
};

}  // namespace drydock::pack
