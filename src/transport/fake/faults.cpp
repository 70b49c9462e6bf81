// Drawing of faults: a xorshift generator and one budget for each kind of fault.
//
// The generator is our own, so that a seed gives the same faults with every standard library. The
// first eight numbers are dropped, so that similar seeds diverge. A draw is made only while a
// fault has budget left. So faults outside of the mix do not shift the sequence of the others.
#include "transport/fake/faults.h"

namespace drydock::transport {

namespace {

constexpr std::array<std::string_view, k_faults> k_names = {"request lost",
                                                            "answer lost",
                                                            "answer twice",
                                                            "answer late",
                                                            "host away",
                                                            "torn at once",
                                                            "torn before the effect",
                                                            "torn after the effect",
                                                            "torn before the result",
                                                            "action fails",
                                                            "disk full",
                                                            "member dies",
                                                            "host reboots",
                                                            "host cut off",
                                                            "clock steps",
                                                            "journal full",
                                                            "conductor dies",
                                                            "conductor hangs",
                                                            "writes lost",
                                                            "request late",
                                                            "commit slow",
                                                            "commit busy",
                                                            "commit unknown",
                                                            "probe slow",
                                                            "agent hangs",
                                                            "connect slow",
                                                            "process stopped",
                                                            "machine stopped",
                                                            "member restarts"};

// Rates of a fault in the mix. Rare faults meet many places of a run over many seeds; common
// faults strike several at once.
constexpr std::array<int, 4> k_per_mille = {5, 20, 60, 150};

}  // namespace

// Scrambles the seed first: xorshift never leaves a state of 0.
Faults::Faults(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 0x1234567ULL) {
    for (int i = 0; i < 8; ++i) {
        draw();
    }
}

std::uint64_t Faults::draw() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_;
}

std::int64_t Faults::between(std::int64_t low, std::int64_t high) {
    const auto span = static_cast<std::uint64_t>(high - low) + 1;
    return low + static_cast<std::int64_t>(draw() % span);
}

// Puts a fault into the mix with a chance of one in three.
void Faults::draw_mix(Mix& fault_mix, int budget) {
    const bool in_the_mix = between(0, 2) == 0;
    fault_mix.per_mille = k_per_mille.at(static_cast<std::size_t>(between(0, 3)));
    fault_mix.budget = in_the_mix ? static_cast<int>(between(1, budget)) : 0;
}

// Starts by themselves have dice of their own: most systems know none, and their runs stay as they
// are.
Faults Faults::hostile(std::uint64_t seed, int budget) {
    Faults faults(seed);
    for (std::size_t i = 0; i + 1 < k_faults; ++i) {
        faults.draw_mix(faults.mixes_.at(i), budget);
    }
    Faults own_dice(seed + 1);
    own_dice.draw_mix(faults.mix(Fault::member_restarts), budget);
    return faults;
}

Faults Faults::at(std::uint64_t seed, Fault fault, int nth) {
    Faults faults(seed);
    faults.mix(fault).nth = nth;
    return faults;
}

// Counts the opportunity, then decides by chance within the budget, or by number for an aimed
// fault.
bool Faults::should_inject(Fault fault) {
    Mix& fault_mix = mix(fault);
    ++fault_mix.opportunities;
    const bool drawn = fault_mix.injected < fault_mix.budget
                       && between(0, 999) < static_cast<std::int64_t>(fault_mix.per_mille);
    const bool struck = drawn || fault_mix.opportunities == fault_mix.nth;
    fault_mix.injected += struck ? 1 : 0;
    if (struck && listener_) {
        listener_(fault);
    }
    return struck;
}

void Faults::stop_faults() {
    for (Mix& fault_mix : mixes_) {
        fault_mix.budget = 0;
        fault_mix.nth = 0;
    }
}

std::string_view name_of(Fault fault) {
    return k_names.at(static_cast<std::size_t>(fault));
}

}  // namespace drydock::transport
