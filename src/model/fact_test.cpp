#include "model/fact.h"

#include <gtest/gtest.h>

namespace drydock::model {
namespace {

const Observation k_absent = {ObservationStatus::absent, {}, "refused", 0};
const Observation k_unknown = {ObservationStatus::unknown, {}, "timed out", 0};

Observation known(Json value) {
    return {ObservationStatus::known, std::move(value), "read", 0};
}

FactSource derived(Derivation how) {
    FactSource source;
    source.type = FactType::release;
    source.derive = how;
    source.inputs = {"m1/v", "m2/v"};
    return source;
}

Observation derive_of(const FactSource& source, const Observation& one, const Observation& other) {
    return derive(source, {{"m1/v", one}, {"m2/v", other}});
}

// An unknown member may have the value that matters.
TEST(Derive, TellsNothingWhereAMemberCannotTell) {
    for (const Derivation how : {Derivation::lowest, Derivation::highest, Derivation::agreed}) {
        const Observation fact = derive_of(derived(how), known("3.4.0"), k_unknown);
        EXPECT_EQ(fact.status, ObservationStatus::unknown) << name_of(how);
        EXPECT_NE(fact.evidence.find("m2/v is not known (timed out)"), std::string::npos)
            << fact.evidence;
        EXPECT_EQ(derive_of(derived(how), k_unknown, known("3.4.0")).status,
                  ObservationStatus::unknown);
        EXPECT_EQ(derive(derived(how), {{"m1/v", known("3.4.0")}}).status,
                  ObservationStatus::unknown);
    }
}

TEST(Derive, SkipsWhatIsUnknownIfThePackSaysSo) {
    for (const Derivation how : {Derivation::lowest, Derivation::highest, Derivation::agreed}) {
        FactSource source = derived(how);
        source.skips_unknown = true;
        EXPECT_EQ(derive_of(source, known("3.4.0"), k_unknown).value, Json("3.4.0"))
            << name_of(how);
        EXPECT_EQ(derive_of(source, k_unknown, k_unknown).status, ObservationStatus::unknown)
            << name_of(how);
    }
}

// A member that is down certainly has no value.
TEST(Derive, SkipsWhatIsAbsent) {
    for (const Derivation how : {Derivation::lowest, Derivation::highest, Derivation::agreed}) {
        EXPECT_EQ(derive_of(derived(how), k_absent, known("3.4.0")).value, Json("3.4.0"))
            << name_of(how);
        EXPECT_EQ(derive_of(derived(how), k_absent, k_absent).status, ObservationStatus::unknown)
            << name_of(how);
    }
}

TEST(Derive, OrdersAndCompares) {
    const Observation low = known("3.9.0");
    const Observation high = known("3.10.0");
    EXPECT_EQ(derive_of(derived(Derivation::lowest), high, low).value, low.value);
    EXPECT_EQ(derive_of(derived(Derivation::highest), low, high).value, high.value);
    EXPECT_EQ(derive_of(derived(Derivation::agreed), low, low).value, low.value);
    const Observation differ = derive_of(derived(Derivation::agreed), low, high);
    EXPECT_EQ(differ.status, ObservationStatus::unknown);
    EXPECT_NE(differ.evidence.find("members differ"), std::string::npos);
}

}  // namespace
}  // namespace drydock::model
