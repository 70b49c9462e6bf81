// Indices of what the plan names: stores, values, formats.
#include "checker/model_builder.h"

#include <algorithm>

namespace drydock::checker {

Index store_named(const Model& model, const std::string& name) {
    const auto store = std::find_if(model.stores.begin(),
                                    model.stores.end(),
                                    [&](const Store& candidate) { return candidate.name == name; });
    return store == model.stores.end() ? k_no_index : distance_between(model.stores.begin(), store);
}

bool is_listed(const std::vector<std::string>& formats, const std::string& format) {
    return index_in(formats, format) != k_no_index;
}

bool opens(const model::FormatSupport& support, const std::string& format) {
    return is_listed(support.reads, format) || is_listed(support.starts_on, format);
}

Byte index_of(Model& model, const Json& value) {
    return model.values.index_of(
        {value.is_null() ? model::ObservationStatus::absent : model::ObservationStatus::known,
         value,
         "",
         0});
}

std::uint64_t values_of_release(const Model& model, const std::string& release) {
    std::uint64_t set = 0;
    for (std::size_t i = 0; i < model.values.size(); ++i) {
        const model::Observation& value = model.values.at(i);
        if (value.status == model::ObservationStatus::known && value.value.is_string()
            && value.value.as_string() == release) {
            set |= 1ULL << i;
        }
    }
    return set;
}

}  // namespace drydock::checker
