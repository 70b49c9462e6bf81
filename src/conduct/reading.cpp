#include "conduct/reading.h"

#include "base/text.h"

#include <fmt/format.h>

namespace drydock::conduct {

namespace {

using model::FactSource;
using model::Known;

// ${fact.NAME} in a probe is a system fact that an earlier round has read. A string that is nothing
// but one keeps its type.
Result<Json> fill_facts(const Json& value, const model::FactBook& book) {
    const auto look_up = [&](std::string_view name) -> Result<std::string> {
        if (!name.starts_with("fact.")) {
            return fmt::format("${{{}}}", name);
        }
        const auto it = book.find(name.substr(5));
        if (it == book.end() || it->second.status != Known::known) {
            return fail("fact.input", fmt::format("needs {}, which is not known", name.substr(5)));
        }
        return it->second.value.show();
    };
    if (value.is_string()) {
        DRYDOCK_TRY_ASSIGN(std::string text, interpolate(value.as_string(), look_up));
        const bool number = value.as_string().starts_with("${fact.") && text != value.as_string()
                            && Json::parse(text).has_value();
        return number ? *Json::parse(text) : Json(std::move(text));
    }
    Json out = value;
    if (value.is_array()) {
        out = Json(Json::Array{});
        for (const Json& item : value.items()) {
            DRYDOCK_TRY_ASSIGN(Json one, fill_facts(item, book));
            out.push(std::move(one));
        }
    }
    for (const auto& [key, item] : value.members()) {
        DRYDOCK_TRY_ASSIGN(Json one, fill_facts(item, book));
        out.set(key, std::move(one));
    }
    return out;
}

}  // namespace

const Json& Probes::of(const FactSource& source) {
    const auto [it, fresh] = probes_.try_emplace(&source, source.probe);
    if (fresh) {
        it->second.set("id", source.key);
    }
    return it->second;
}

Reading::Reading(const model::FactSources& sources,
                 const std::vector<std::string>& wanted,
                 Hosts& hosts,
                 Probes* probes)
    : sources_(sources)
    , probes_(probes)
    , rounds_(model::reading_rounds(sources, wanted)) {
    start_round(hosts);
}

void Reading::add_probe(const FactSource& source, std::map<std::string, Json>& by_host) {
    if (source.inputs.empty() && probes_ != nullptr) {
        by_host[source.host].push(probes_->of(source));
        return;
    }
    auto probe =
        source.inputs.empty() ? Result<Json>(source.probe) : fill_facts(source.probe, book_);
    if (!probe) {
        book_[source.key] = {Known::unknown, {}, probe.error().message, 0};
        return;
    }
    probe->set("id", source.key);
    by_host[source.host].push(std::move(*probe));
}

// Rounds that need no host end at once.
void Reading::start_round(Hosts& hosts) {
    while (!done() && asked_.empty()) {
        std::map<std::string, Json> by_host;
        for (const std::string& key : rounds_[round_]) {
            const auto source = sources_.find(key);
            if (source == sources_.end()) {
                book_[key] = {Known::unknown, {}, "no such fact", 0};
            } else if (source->second.derive.empty()) {
                add_probe(source->second, by_host);
            }
        }
        for (auto& [host, probes] : by_host) {
            std::vector<std::string> keys;
            for (const Json& probe : probes.items()) {
                keys.push_back(probe["id"].as_string());
            }
            Json request;
            request.set("do", "probe").set("probes", std::move(probes));
            asked_.emplace(hosts.ask(host, std::move(request)), std::move(keys));
        }
        if (asked_.empty()) {
            end_round();
        }
    }
}

void Reading::end_round() {
    for (const std::string& key : rounds_[round_]) {
        const auto source = sources_.find(key);
        if (source != sources_.end() && !source->second.derive.empty()) {
            book_[key] = model::derive(source->second, book_);
        }
    }
    ++round_;
}

void Reading::take_facts(const Json& facts) {
    for (const Json& fact : facts.items()) {
        book_[fact["id"].as_string()] = model::observation_from_json(fact);
    }
}

bool Reading::take(const Reply& reply, Hosts& hosts) {
    const auto asked = asked_.find(reply.ticket);
    if (asked == asked_.end()) {
        return false;
    }
    if (reply.kind == Reply::Kind::progress) {
        return true;
    }
    if (reply.kind == Reply::Kind::answer) {
        take_facts(reply.body["facts"]);
    } else {
        for (const std::string& key : asked->second) {
            book_[key] = {Known::unknown, {}, reply.error.message, 0};
        }
    }
    asked_.erase(asked);
    if (asked_.empty()) {
        end_round();
        start_round(hosts);
    }
    return true;
}

model::FactBook
read_now(const model::FactSources& sources, const std::vector<std::string>& wanted, Hosts& hosts) {
    Reading reading(sources, wanted, hosts);
    while (!reading.done()) {
        for (const Reply& reply : hosts.poll(1000)) {
            reading.take(reply, hosts);
        }
    }
    return reading.book();
}

}  // namespace drydock::conduct
