// Answers the planner's question whether a hop would skip schema revisions, from the pack's
// catalogue of migration chains.
//
// The catalogue holds the chains of many releases in one file, so no package is opened here. A pair
// without an entry has no opinion: the hop is then judged by the rules alone.
#include "app/route_chains.h"

#include "chain/catalogue.h"
#include "chain/explain.h"
#include "os/files.h"

#include <map>
#include <memory>

namespace drydock::app {

namespace {

constexpr std::size_t k_chains_max = 16UL << 20;  // bytes; those of 184 releases have 17 kB

// Keeps the chains by release, and the verdict of each pair that was asked: the search for a route
// asks for the same pair many times.
class ChainBook {
public:
    explicit ChainBook(const chain::Catalogue& catalogue) {
        for (const chain::CatalogueEntry& entry : catalogue) {
            readings_.emplace(entry.release, chain::reading_of(entry));
        }
    }

    const planner::ChainVerdict& ask(const std::string& start, const std::string& target) {
        auto [entry, is_new] = words_.try_emplace({start, target});
        if (is_new) {
            entry->second = judge(start, target);
        }
        return entry->second;
    }

private:
    // A chain that is not clean is told in the sentences that `drydock chain` prints.
    [[nodiscard]] planner::ChainVerdict judge(const std::string& start,
                                              const std::string& target) const {
        const auto old_reading = readings_.find(start);
        const auto new_reading = readings_.find(target);
        if (old_reading == readings_.end() || new_reading == readings_.end()) {
            return {};
        }
        const auto comparison = chain::compare(old_reading->second, new_reading->second);
        if (comparison.verdict == chain::Verdict::clean) {
            return {true, true, {}};
        }
        std::string text = std::string(chain::name_of(comparison.verdict)) + ".";
        for (const std::string& sentence :
             chain::explain(old_reading->second, new_reading->second, comparison).happens) {
            text += " " + sentence;
        }
        return {true, false, text};
    }

    std::map<std::string, chain::Reading> readings_;
    std::map<std::pair<std::string, std::string>, planner::ChainVerdict> words_;
};

}  // namespace

Result<ChainQuestion> load_chains(const model::Pack& pack) {
    const std::string file = pack.folder + "/releases.chains";
    if (!os::exists(file)) {
        return ChainQuestion();
    }
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(file, k_chains_max));
    DRYDOCK_TRY_ASSIGN(const chain::Catalogue catalogue, chain::read_catalogue(text));
    // Copies of the question share one book: std::function wants to be copied.
    auto book = std::make_shared<ChainBook>(catalogue);
    return ChainQuestion([book](const std::string& start, const std::string& target) {
        return book->ask(start, target);
    });
}

}  // namespace drydock::app
