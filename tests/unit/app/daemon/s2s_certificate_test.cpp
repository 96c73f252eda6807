#include "app/daemon/s2s_certificate.hpp"

#include <catch2/catch.hpp>

using Catch::Matchers::Contains;
using namespace std::chrono_literals;

TEST_CASE("what peers mind of a certificate") {
    const base::TimePoint now = base::TimePoint(std::chrono::hours(500'000));
    app::S2sCertificate certificate{{"a.test", "*.a.test"}, true, now + 24h * 60, ""};
    const auto fault = [&](bool needs_trust = true) {
        return app::certificate_fault(certificate, "mail.a.test", needs_trust, now).value_or("");
    };
    CHECK(fault().empty());
    certificate.distrust = "self-signed certificate";
    CHECK_THAT(fault(), Contains("not vouched for (self-signed certificate)"));
    certificate.distrust.clear();
    certificate.ends = now + 24h * 14 + 1s;
    CHECK(fault().empty());
    certificate.ends = now + 24h * 14;
    CHECK_THAT(fault(), Contains("it ends soon, 2027-01-29T08:00:00Z"));
    certificate.ends = now;
    CHECK_THAT(fault(), Contains("it has ended"));
    certificate.is_for_name = false;
    CHECK(fault() == "it names a.test, *.a.test and not mail.a.test: peers refuse such a link");
    certificate.names.clear();
    CHECK_THAT(fault(), Contains("it names nothing"));
    // By dialback nobody looks at it.
    CHECK(fault(false).empty());
}

TEST_CASE("a server that is not there") {
    boost::asio::io_context io;
    std::optional<base::Errc> why;
    base::spawn(io.get_executor(), "probe", [&]() -> base::Task<void> {
        const component::ServerAddress nobody{"127.0.0.1", 1};
        const auto found =
            co_await app::s2s_certificate(nobody, *mail::Domain::parse("mail.a.test"));
        if (!found) why = found.error().code;
    });
    io.run();
    CHECK(why == base::Errc::io);
}
