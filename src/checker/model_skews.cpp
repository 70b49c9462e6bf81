// The releases and roles that may not serve together.
#include "checker/model_builder.h"
#include "model/version.h"

namespace drydock::checker {

// A rule concerns two pairs of releases: the newer one in one role beside the older one in the
// other, and the reverse. If the release lines are too far apart, both pairs are forbidden. Else
// only the newer release of the first role may be.
void add_skews(Model& model) {
    for (const model::SkewRule& rule : model.plan.skew) {
        const Index role = index_in(model.roles, rule.role);
        const Index other_role = index_in(model.roles, rule.peer_role);
        for (const bool newer : {false, true}) {
            const bool forward =
                model::compare_versions(model.plan.from_version, model.plan.to_version) < 0;
            const std::string& release =
                newer == forward ? model.plan.to_version : model.plan.from_version;
            const std::string& other_release =
                newer == forward ? model.plan.from_version : model.plan.to_version;
            const bool apart = model.plan.max_skew > rule.max_skew;
            if (role != k_no_index && other_role != k_no_index
                && (apart || (newer && !rule.newer))) {
                model.skews.push_back({role,
                                       other_role,
                                       values_of_release(model, release),
                                       values_of_release(model, other_release),
                                       &rule});
            }
        }
    }
}

}  // namespace drydock::checker
