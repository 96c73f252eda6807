#include "app/servers/postfix_config.hpp"

#include <catch2/catch.hpp>

using app::PostfixConfig;

namespace {

const PostfixConfig& config() {
    static const PostfixConfig read(
        "smtp       inet  n       -       y       -       -       smtpd\n"
        "127.0.0.1:2526 inet n    -       y       -       -       smtpd -o mynetworks= -o x=y\n"
        "cleanup    unix  n       -       y       -       0       cleanup\n"
        "maildrop   unix  -       n       n       -       -       pipe flags=DRXhu user=vmail\n"
        "broken     unix\n",
        "127.0.0.1:2526/inet/cleanup_service_name = from-packetboat\n"
        "127.0.0.1:2526/inet/mynetworks =\n",
        "cleanup_service_name = cleanup\n"
        "header_checks = regexp:/a, pcre:{ {/x = y/ IGNORE} }\n"
        "receive_override_options =\n"
        "postconf: warning: what is this\n");
    return read;
}

}  // namespace

TEST_CASE("master.cf's services, and what they have of their own and of main.cf") {
    REQUIRE(config().services().size() == 4);
    const auto* const hand_over = config().find("127.0.0.1:2526", "inet");
    const auto* const smtp = config().find("smtp", "inet");
    REQUIRE(hand_over != nullptr);
    REQUIRE(smtp != nullptr);
    CHECK(hand_over->command == "smtpd");
    CHECK(hand_over->text() == "127.0.0.1:2526/inet");
    CHECK(config().value(*hand_over, "cleanup_service_name") == "from-packetboat");
    CHECK(config().value(*smtp, "cleanup_service_name") == "cleanup");
    CHECK(config().value(*hand_over, "mynetworks").empty());
    CHECK(config().value(*smtp, "receive_override_options").empty());
    CHECK(config().value(*smtp, "no_such_parameter").empty());
    CHECK(config().main_value("header_checks") == "regexp:/a, pcre:{ {/x = y/ IGNORE} }");
    CHECK(config().find("smtp", "unix") == nullptr);
    CHECK(config().find("broken", "unix") == nullptr);
}

TEST_CASE("where a service listens") {
    const auto service = [](const char* name, const char* type) {
        return app::PostfixService{name, type, "smtpd"};
    };
    CHECK(service("127.0.0.1:2526", "inet").has_port(2526));
    CHECK(service("[::1]:2526", "inet").has_port(2526));
    CHECK(service("2526", "inet").has_port(2526));
    CHECK_FALSE(service("12526", "inet").has_port(2526));
    CHECK_FALSE(service("127.0.0.1:2526", "unix").has_port(2526));
    CHECK(service("127.0.0.1:10025", "inet").is_on_loopback());
    CHECK(service("localhost:10025", "inet").is_on_loopback());
    CHECK(service("[::1]:10025", "inet").is_on_loopback());
    CHECK_FALSE(service("10025", "inet").is_on_loopback());
    CHECK_FALSE(service("smtp", "inet").is_on_loopback());
    CHECK_FALSE(service("192.0.2.1:10025", "inet").is_on_loopback());
}

TEST_CASE("a list of tables is split between tables only") {
    using Parts = std::vector<std::string>;
    CHECK(app::split_postfix_list("regexp:/a, pcre:/b hash:/c\tlmdb:/d,") ==
          Parts{"regexp:/a", "pcre:/b", "hash:/c", "lmdb:/d"});
    CHECK(app::split_postfix_list("pcre:{ {/a, b/ IGNORE}, {/c/ DUNNO} } regexp:/a") ==
          Parts{"pcre:{ {/a, b/ IGNORE}, {/c/ DUNNO} }", "regexp:/a"});
    CHECK(app::split_postfix_list("").empty());
    CHECK(app::split_postfix_list(" , ").empty());
    CHECK(app::split_postfix_list("a}, b") == Parts{"a}", "b"});
}

TEST_CASE("warnings of Postfix's programs are no part of their answer") {
    CHECK(
        app::without_warnings("postmap: warning: /etc/postfix/main.cf, line 9: overriding earlier "
                              "entry: x=y\nIGNORE\n") == "IGNORE\n");
    CHECK(app::without_warnings("a = b\n/usr/sbin/postconf: warning: unused parameter: c=d\n") ==
          "a = b\n");
    CHECK(app::without_warnings("").empty());
}
