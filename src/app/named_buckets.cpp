// Trust is asked for before a secret is read: the id of a key goes to the server as it is, so a
// foreign cluster file could send a file of this account to a server of its own.
#include "app/named_buckets.h"

#include "app/internal.h"
#include "app/trust.h"
#include "base/hash.h"
#include "base/text.h"
#include "pack/buckets.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

namespace drydock::app {
namespace {

constexpr std::string_view k_scheme = "s3://";

std::string source_text(const std::optional<model::SecretSource>& source) {
    return source ? fmt::format("{} {}", model::name_of(source->kind), source->origin.at(0)) : "";
}

// All that decides which secret goes to which server.
Executed
executed_by(const std::string& file, const std::string& name, const pack::NamedBucket& bucket) {
    Json decides = Json::Array{};
    for (const std::string& part : {file,
                                    name,
                                    bucket.bucket,
                                    bucket.endpoint,
                                    bucket.region,
                                    bucket.addressing,
                                    bucket.ca_file,
                                    bucket.profile,
                                    source_text(bucket.access_key),
                                    source_text(bucket.secret_key)}) {
        decides.push(part);
    }
    const std::string key = bucket.access_key ? source_text(bucket.access_key) + " and "
                                                    + source_text(bucket.secret_key)
                            : bucket.profile.empty() ? "the usual place"
                                                     : "profile " + bucket.profile;
    return {fmt::format("bucket {} at {}: key from {}",
                        name,
                        bucket.endpoint.empty() ? "the usual server" : bucket.endpoint,
                        key),
            sha256_hex(decides.dump())};
}

// Both halves of a key come from the same entry, so no half is joined with one of the environment.
Result<mover::s3::TypedSettings> settings_of(const pack::NamedBucket& bucket) {
    mover::s3::TypedSettings settings = {.endpoint = bucket.endpoint,
                                         .region = bucket.region,
                                         .profile = bucket.profile,
                                         .ca_file = bucket.ca_file,
                                         .addressing = bucket.addressing};
    if (bucket.access_key) {
        DRYDOCK_TRY_ASSIGN(
            const Json values,
            read_secrets({{"access_key", *bucket.access_key}, {"secret_key", *bucket.secret_key}}));
        settings.key = {values["access_key"].as_string(), values["secret_key"].as_string(), ""};
        if (settings.key.access_key.empty() || settings.key.secret_key.empty()) {
            return fail("s3.credentials", "the key is empty", "look at where it comes from");
        }
    }
    return settings;
}

// An endpoint that was typed would get the key of the file's server.
bool has_typed_settings(const BucketSide& side) {
    const mover::s3::TypedSettings& typed = side.settings;
    return !typed.endpoint.empty() || !typed.region.empty() || !typed.profile.empty()
           || !typed.ca_file.empty() || !typed.addressing.empty();
}

// Returns NAME of "s3://NAME/PREFIX".
std::string name_of(const BucketSide& side) {
    const std::string rest = side.uri.substr(k_scheme.size());
    return rest.substr(0, rest.find('/'));
}

// Afterwards the side is as if all had been typed.
AppResult<void>
resolve(const Options& options, const pack::NamedBuckets& buckets, BucketSide& side) {
    const std::string name = name_of(side);
    const auto place = buckets.find(name);
    if (place == buckets.end()) {
        return refuse(
            {"s3.setting",
             fmt::format("{} names no bucket `{}`", options.cluster_file, name),
             buckets.empty() ? "add it to `buckets:`" : pack::suggest(name, pack::keys_of(buckets)),
             ErrorClass::permanent},
            k_exit_usage);
    }
    if (has_typed_settings(side)) {
        return refuse({"s3.setting",
                       "the cluster file says how the servers are reached",
                       "leave out --endpoint and its like, or -c",
                       ErrorClass::permanent},
                      k_exit_usage);
    }
    const pack::NamedBucket& bucket = place->second;
    DRYDOCK_TRY(check_trust(options, options.cluster_file, [&] {
        return std::vector<Executed>{executed_by(options.cluster_file, name, bucket)};
    }));
    auto settings = settings_of(bucket);
    if (!settings) {
        return refuse(settings.error().with_context("bucket " + name), k_exit_usage);
    }
    side.settings = std::move(*settings);
    const std::string rest = side.uri.substr(k_scheme.size() + name.size());
    const std::string prefix = bucket.prefix + (rest.empty() ? rest : rest.substr(1));
    side.uri = std::string(k_scheme) + bucket.bucket + (prefix.empty() ? "" : "/" + prefix);
    return {};
}

}  // namespace

AppResult<void> resolve_buckets(const Options& options, std::initializer_list<BucketSide*> sides) {
    if (options.cluster_file.empty()) {
        return {};
    }
    auto loaded = pack::load_buckets(options.cluster_file);
    if (!loaded.value) {
        return refuse_input(std::move(loaded.diagnostics));
    }
    for (BucketSide* side : sides) {
        if (side->uri.starts_with(k_scheme)) {
            DRYDOCK_TRY(resolve(options, *loaded.value, *side));
        }
    }
    return {};
}

}  // namespace drydock::app
