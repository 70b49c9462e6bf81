#include "mutants/bases.h"

#include "planner/ozone_fixture.h"
#include "planner/small_fixtures.h"

#include <algorithm>

namespace drydock::mutants {

namespace {

using planner::Fixture;

Result<model::Plan> compiled(const planner::Request& request) {
    auto result = planner::compile(request);
    if (!result.plan) {
        return tl::unexpected(result.problems.front());
    }
    return std::move(*result.plan);
}

Base small(const std::string& pack, const std::string& procedure = "upgrade") {
    auto site = std::make_shared<Fixture>(planner::small_site(pack, 3, "1.0"));
    return {pack + " " + procedure, site, "1.0", "2.0", procedure, {}};
}

// As `plan` makes it: with its gate where the way back really closes.
Base settled(const std::string& name, planner::Fixture at) {
    Base base = {
        name, std::make_shared<Fixture>(std::move(at)), "1.0", "2.0", "upgrade", std::nullopt};
    checker::Options options;
    options.faults = {0, 0, 0, 0, 0};
    options.compile_downgrade = base.back();
    const auto plan = base.plan();
    base.closing = plan ? checker::check(*plan, options).return_point_hint : std::nullopt;
    return base;
}

// All run 3.5, and the level has not risen yet: the way down is open.
Base etcd_downgrade() {
    auto site = std::make_shared<Fixture>(planner::etcd_site(3, "3.5.21"));
    site->set("", "level", "3.4.0");
    for (const char* member : {"m1", "m2", "m3"}) {
        site->set(member, "cluster_version", "3.4.0");
    }
    return {"etcd downgrade 3.5", site, "3.5.21", "3.4.23", "downgrade", {}};
}

Base etcd(const std::string& name,
          const std::string& from,
          const std::string& to,
          const std::string& procedure,
          int members = 3) {
    auto site = std::make_shared<Fixture>(planner::etcd_site(members, from, members));
    for (model::Member& member : site->cluster.members) {
        member.settings["initial_cluster"] = "m1=http://127.0.0.1:3001";
        site->set(member.name, "copy_digest", "sha-copy");
    }
    return {"etcd " + name, site, from, to, procedure, {}, procedure == "restore"};
}

std::shared_ptr<Fixture> offline(const std::string& version) {
    return std::make_shared<Fixture>(planner::offline_site(version, {1, 2, 1, 0}));
}

// A way back that is still open: everybody runs 2.0 on the formats of 1.0.
Base offline_downgrade() {
    auto site = offline("1.0");
    for (const model::Member& member : site->cluster.members) {
        planner::install(*site, member.name, "2.0");
        planner::start(*site, member.name, "2.0");
    }
    return {"offline downgrade", site, "2.0", "1.0", "downgrade", {}};
}

// Two datanodes where the pack asks for three.
void ask_for_two(model::Pack& pack) {
    for (model::ProcedureSpec& procedure : pack.procedures) {
        for (model::PhaseSpec& phase : procedure.phases) {
            for (model::StepSpec& step : phase.steps) {
                for (auto* conditions : {&step.preconditions, &step.postconditions}) {
                    for (model::Condition& one : *conditions) {
                        one.members_min = std::min(one.members_min, 2);
                    }
                }
            }
        }
    }
}

// Without a Recon, an S3 gateway and all datanodes but two.
std::shared_ptr<Fixture> small_ozone() {
    auto site = std::make_shared<Fixture>(planner::ozone_fixture(planner::k_ozone_own));
    std::erase_if(site->cluster.members, [](const model::Member& member) {
        return member.role == "recon" || member.role == "s3g" || member.name == "dn3";
    });
    std::erase_if(site->facts, [](const auto& fact) {
        const std::string member = fact.first.substr(0, fact.first.find('/'));
        return member == "recon1" || member == "s3g1" || member == "dn3";
    });
    site->set("scm1", "healthy_nodes", 2);
    ask_for_two(site->pack);
    return site;
}

Base ozone_downgrade() {
    auto site = small_ozone();
    for (const model::Member& member : site->cluster.members) {
        planner::ozone_stop(*site, member.name);
        planner::install(*site, member.name, "2.2.1");
        planner::ozone_start(*site, member.name);
    }
    return {"ozone downgrade", site, "2.2.1", planner::k_ozone_own, "downgrade", {}};
}

bool has_downgrade(const model::Pack& pack) {
    return std::any_of(pack.procedures.begin(), pack.procedures.end(), [](const auto& procedure) {
        return procedure.name == "downgrade";
    });
}

}  // namespace

Result<model::Plan> Base::plan() const {
    return plan_with(site->pack);
}

Result<model::Plan> Base::plan_with(const model::Pack& pack) const {
    planner::Request request = {
        pack, site->cluster, site->facts, procedure, from, to, "run", "/copy", "", closing};
    if (!temporaries.empty()) {
        request.reverts_run = "the run before";
        request.temporaries = &temporaries;
    }
    return compiled(request);
}

checker::CompileDowngrade Base::back() const {
    return back_with(site->pack);
}

checker::CompileDowngrade Base::back_with(const model::Pack& pack) const {
    const auto plan = this->plan();
    if (procedure != "upgrade" || !has_downgrade(pack) || !plan) {
        return {};
    }
    return [site = site, pack, old = from, now = to, before = plan->temporaries](
               const model::FactBook& facts) {
        planner::Request request = {
            pack, site->cluster, facts, "downgrade", now, old, "run-back", "/copy", "run"};
        request.temporaries = &before;
        return compiled(request);
    };
}

std::vector<Base> all_bases() {
    std::vector<Base> all = {
        etcd("upgrade 3.5", "3.4.23", "3.5.21", "upgrade"),
        etcd_downgrade(),
        etcd("upgrade 3.6", "3.5.21", "3.6.1", "upgrade"),
        etcd("downgrade 3.6", "3.6.1", "3.5.21", "downgrade"),
        etcd("rebuild", "3.5.21", "3.4.23", "rebuild", 2),
        etcd("restore", "3.5.21", "3.4.23", "restore", 2),
        {"ozone upgrade", small_ozone(), planner::k_ozone_own, "2.2.1", "upgrade", {}},
        ozone_downgrade(),
        {"offline upgrade", offline("1.0"), "1.0", "2.0", "upgrade", {}},
        offline_downgrade(),
        small("finalize"),
        small("lowers"),
        small("migrate"),
        small("two-stores"),
        small("linked"),
        settled("copied upgrade", planner::copied_site()),
        settled("beside upgrade", planner::beside_site()),
        settled("chain upgrade", planner::small_site("chain", 2, "1.0")),
        settled("sealed upgrade", planner::sealed_site()),
        small("when-all"),
        small("when-all", "serial"),
        small("when-all", "all"),
        small("when-all", "batch"),
        small("when-all", "gate-right"),
    };
    for (Base& base : law_bases()) {
        all.push_back(std::move(base));
    }
    return all;
}

}  // namespace drydock::mutants
