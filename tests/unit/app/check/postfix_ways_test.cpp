#include "app/check/postfix_ways.hpp"

#include <catch2/catch.hpp>

namespace {

constexpr const char* kMaster =
    "smtp           inet n - y - - smtpd\n"
    "127.0.0.1:2526 inet n - y - - smtpd\n"
    "127.0.0.1:2527 inet n - y - - smtpd\n"
    "cleanup        unix n - y - 0 cleanup\n"
    "smtp           unix - - y - - smtp\n"
    "lmtp           unix - - y - - lmtp\n";
constexpr const char* kOverrides = "127.0.0.1:2527/inet/content_filter = smtp:\n";
constexpr const char* kMain =
    "content_filter =\n"
    "queue_directory = /var/spool/postfix\n"
    "smtpd_recipient_restrictions = check_policy_service { inet:127.0.0.1:2426, timeout=2s }\n";
constexpr const char* kTable =
    "transport_maps = hash:/etc/postfix/transport, lmdb:/var/lib/pb/routes\n";

template <class T>
T parsed(base::Result<T> result) {
    REQUIRE(result);
    return std::move(*result);
}

/// As the examples are.
app::Config by_the_book() {
    app::Config config;
    smtp_bridge::ListenerSettings intake;
    intake.name = "postfix";
    intake.endpoint = parsed(smtp_bridge::Endpoint::parse("127.0.0.1:2424"));
    intake.protocol = smtp_bridge::Protocol::lmtp;
    config.intakes = {intake};
    config.deliver_to[""] = {parsed(smtp_bridge::Target::parse("smtp:127.0.0.1:2526"))};
    config.return_to = {parsed(smtp_bridge::Target::parse("smtp:127.0.0.1:2527"))};
    config.route_table =
        app::Config::RouteTable{"/var/lib/pb/routes.lmdb", "lmtp:inet:[127.0.0.1]:2424"};
    config.policy_service.emplace();
    config.policy_service->endpoint = parsed(smtp_bridge::Endpoint::parse("127.0.0.1:2426"));
    return config;
}

std::vector<std::string> faults(const app::Config& config, const std::string& main = kTable,
                                const std::string& overrides = kOverrides,
                                const std::vector<std::string>& types = {"hash", "lmdb",
                                                                         "socketmap"}) {
    return app::faults_of_ways(config, app::PostfixConfig(kMaster, overrides, kMain + main), types);
}

/// The one fault that there is.
std::string fault(const std::vector<std::string>& all) {
    REQUIRE(all.size() == 1);
    return all.front();
}

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("by the examples nothing is wrong, with a table or with a socketmap") {
    auto config = by_the_book();
    CHECK(faults(config).empty());
    CHECK(faults(config, "transport_maps = proxy:lmdb:/var/lib/pb/routes\n").empty());
    config.route_lookup.emplace();
    config.route_lookup->server.endpoint = parsed(smtp_bridge::Endpoint::parse("127.0.0.1:2425"));
    config.route_lookup->answer = "lmtp:inet:[127.0.0.1]:2424";
    CHECK(faults(config, "transport_maps = regexp:/a, socketmap:inet:127.0.0.1:2425:route\n",
                 kOverrides, {"hash"})
              .empty());
    // Neither is configured: routes are the administrator's own.
    config.route_lookup.reset();
    config.route_table.reset();
    CHECK(faults(config, "").empty());
}

TEST_CASE("a Postfix that does not ask for the way") {
    const auto config = by_the_book();
    CHECK_THAT(fault(faults(config, "")), Contains("add lmdb:/var/lib/pb/routes"));
    CHECK_THAT(fault(faults(config, "transport_maps = lmdb:/var/lib/packetboat/routes\n")),
               Contains("\"lmdb:/var/lib/packetboat/routes\""));
    CHECK_THAT(fault(faults(config, "transport_maps = socketmap:inet:127.0.0.1:2425:route\n")),
               Contains("transport_maps is"));
    CHECK_THAT(fault(faults(config, kTable, kOverrides, {"hash"})), Contains("postfix-lmdb"));
}

TEST_CASE("an answer that leads nowhere") {
    auto config = by_the_book();
    const auto answers = [&](const char* answer) {
        config.route_table->answer = answer;
        return faults(config);
    };
    CHECK_THAT(fault(answers("lmtp:inet:[127.0.0.1]:2423")), Contains("no [intake] listens there"));
    CHECK_THAT(fault(answers("lmtp:unix:private/packetboat")),
               Contains("no [intake] listens there"));
    CHECK_THAT(fault(answers("lntp:inet:[127.0.0.1]:2424")),
               Contains("master.cf has no transport lntp"));
    CHECK_THAT(fault(answers("smtp:inet:[127.0.0.1]:2424")),
               Contains("[intake postfix] speaks lmtp"));
    CHECK(answers("lmtp:[127.0.0.1]:2424").empty());
    CHECK(answers("lmtp:inet:127.0.0.1:2424").empty());
    // Somebody else's.
    CHECK(answers("lmtp:inet:[192.0.2.1]:2424").empty());
    CHECK(answers("lmtp:inet:mx2.a.test:2424").empty());
    config.intakes.front().endpoint =
        parsed(smtp_bridge::Endpoint::parse("unix:/var/spool/postfix/private/packetboat"));
    CHECK(answers("lmtp:unix:private/packetboat").empty());
    CHECK(answers("lmtp:unix:/var/spool/postfix/private/packetboat").empty());
    CHECK(answers("lmtp:inet:[127.0.0.1]:2424").size() == 1);
    config.intakes.front().endpoint = parsed(smtp_bridge::Endpoint::parse("0.0.0.0:2424"));
    CHECK(answers("lmtp:inet:[127.0.0.1]:2424").empty());
    config.intakes.front().endpoint = parsed(smtp_bridge::Endpoint::parse("[::1]:2424"));
    CHECK(answers("lmtp:inet:[::1]:2424").empty());
}

TEST_CASE("a policy service that nobody asks") {
    const auto config = by_the_book();
    const auto restricted = [&](const std::string& to) {
        return faults(config, kTable + ("smtpd_recipient_restrictions = " + to + "\n"));
    };
    CHECK_THAT(fault(restricted("")), Contains("does not ask [policy-service] at 127.0.0.1:2426"));
    CHECK_THAT(fault(restricted("check_policy_service inet:127.0.0.1:24261")),
               Contains("does not ask"));
    CHECK(
        restricted("permit_mynetworks, check_policy_service inet:127.0.0.1:2426, reject").empty());
    // One service that does is enough: users log in at another.
    CHECK(faults(config, kTable + std::string("smtpd_recipient_restrictions =\n"),
                 kOverrides + std::string("smtp/inet/smtpd_recipient_restrictions = "
                                          "check_policy_service inet:127.0.0.1:2426\n"))
              .empty());
}

TEST_CASE("sockets of a Postfix in its chroot") {
    auto config = by_the_book();
    const auto listens = [](const char* path) {
        return parsed(smtp_bridge::Endpoint::parse(std::string("unix:/var/spool/postfix/") + path));
    };
    config.policy_service->endpoint = listens("private/policy");
    const auto asked = [&](const std::string& where) {
        return faults(config,
                      kTable + ("smtpd_relay_restrictions = check_policy_service " + where + "\n") +
                          "smtpd_recipient_restrictions =\n");
    };
    CHECK(asked("unix:private/policy").empty());
    CHECK(asked("unix:/var/spool/postfix/private/policy").empty());
    CHECK(asked("unix:private/policy2").size() == 1);
    CHECK(asked("unix:private/other").size() == 1);
    // What a class has is not known.
    CHECK(faults(config,
                 kTable +
                     std::string(
                         "smtpd_recipient_restrictions = mine\nsmtpd_restriction_classes = mine\n"))
              .empty());
    config.route_lookup.emplace();
    config.route_lookup->server.endpoint = listens("private/routes");
    config.route_lookup->answer = "lmtp:inet:[127.0.0.1]:2424";
    CHECK(faults(config, "transport_maps = proxy:socketmap:unix:private/routes:route\n").empty());
    CHECK(faults(config,
                 "transport_maps = unionmap:{hash:/a, lmdb:/var/lib/pb/routes}\n"
                 "smtpd_data_restrictions = check_policy_service unix:private/policy\n")
              .empty());
    CHECK(faults(config, "transport_maps = lmdb:/var/lib/pb/routes-old\n").size() == 2);
    config.intakes.front().endpoint = listens("packetboat");
    config.route_table->answer = "lmtp:unix:/packetboat";
    CHECK(
        faults(config,
               kTable + std::string(
                            "smtpd_data_restrictions = check_policy_service unix:private/policy\n"))
            .empty());
}

TEST_CASE("deliver-to and return-to, each with the other's service") {
    auto config = by_the_book();
    CHECK_THAT(fault(faults(config, kTable, "")),
               Contains("127.0.0.1:2527/inet goes by transport_maps, and comes round again"));
    std::swap(config.return_to, config.deliver_to[""]);
    const auto swapped = faults(config);
    REQUIRE(swapped.size() == 2);
    CHECK_THAT(swapped[0], Contains("127.0.0.1:2526/inet goes by transport_maps"));
    CHECK_THAT(swapped[1], Contains("are deliver-to and return-to swapped?"));
    // A filter of the site's is none of these mistakes; but that of all mail brings it round.
    std::swap(config.return_to, config.deliver_to[""]);
    CHECK(faults(config, kTable,
                 kOverrides +
                     std::string("127.0.0.1:2526/inet/content_filter = smtp:[127.0.0.1]:10024\n"))
              .empty());
    CHECK_THAT(
        fault(faults(config, kTable + std::string("content_filter = amavis:[127.0.0.1]:10024\n"),
                     "")),
        Contains("comes round again"));
    // Not this Postfix's.
    config.return_to = {parsed(smtp_bridge::Target::parse("smtp:192.0.2.1:2526"))};
    config.deliver_to[""] = {parsed(smtp_bridge::Target::parse("lmtp:unix:/run/dovecot/lmtp"))};
    CHECK(faults(config).empty());
}
