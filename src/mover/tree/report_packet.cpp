#include "mover/tree/report_packet.h"

#include <array>

namespace drydock::mover::tree {
namespace {

constexpr std::array k_counts = {&CopyReport::folders,
                                 &CopyReport::files,
                                 &CopyReport::links,
                                 &CopyReport::specials,
                                 &CopyReport::names,
                                 &CopyReport::copied,
                                 &CopyReport::bytes,
                                 &CopyReport::equal,
                                 &CopyReport::kept,
                                 &CopyReport::kept_bytes,
                                 &CopyReport::restored};
constexpr std::array k_lists = {&CopyReport::removed,
                                &CopyReport::differ,
                                &CopyReport::refused,
                                &CopyReport::changed,
                                &CopyReport::failures};

}  // namespace

void ProblemList::add(const ProblemList& other) {
    const std::int64_t sum = count + other.count;
    for (const Problem& problem : other.first) {
        add(problem.path, problem.code, problem.message);
    }
    count = sum;  // the other one may have more than it kept
}

void CopyReport::add(const CopyReport& other) {
    for (const auto number : k_counts) {
        this->*number += other.*number;
    }
    for (const auto list : k_lists) {
        (this->*list).add(other.*list);
    }
}

void add_report(PacketWriter& packet, const CopyReport& report) {
    for (const auto number : k_counts) {
        packet.number(report.*number);
    }
    for (const auto list : k_lists) {
        const ProblemList& problems = report.*list;
        packet.number(problems.count).number(static_cast<std::int64_t>(problems.first.size()));
        for (const Problem& problem : problems.first) {
            packet.text(problem.path).text(problem.code).text(problem.message);
        }
    }
}

CopyReport report_of(PacketReader& reader) {
    CopyReport report;
    for (const auto number : k_counts) {
        report.*number = reader.number();
    }
    for (const auto list : k_lists) {
        ProblemList& problems = report.*list;
        problems.count = reader.number();
        for (std::int64_t left = reader.number(); left > 0; --left) {
            Problem problem;
            problem.path = reader.text();
            problem.code = reader.text();
            problem.message = reader.text();
            problems.first.push_back(std::move(problem));
        }
    }
    return report;
}

}  // namespace drydock::mover::tree
