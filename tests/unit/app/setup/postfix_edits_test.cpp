#include "app/setup/postfix_edits.hpp"

#include "app/setup/examples.hpp"

#include <catch2/catch.hpp>

namespace {

using app::Assignments;

app::MainCf stock_main() {
    app::MainCf main;
    main.values = {{"transport_maps", ""},
                   {"smtpd_recipient_restrictions", ""},
                   {"header_checks", ""},
                   {"mime_header_checks", "$header_checks"},
                   {"nested_header_checks", "$header_checks"},
                   {"lmtp_line_length_limit", "998"},
                   {"smtp_line_length_limit", "998"},
                   {"local_header_rewrite_clients", "permit_inet_interfaces"},
                   {"header_size_limit", "102400"}};
    return main;
}

void set(app::MainCf& main, const std::string& name, const std::string& value) {
    main.values[name] = value;
    main.set.insert(name);
}

constexpr const char* kTable = "lmdb:/var/lib/packetboat/routes";

}  // namespace

TEST_CASE("a stock Postfix gets what the example has") {
    CHECK(app::header_check_settings(stock_main()) ==
          Assignments{
              "own_header_checks=",
              "header_checks=regexp:/etc/postfix/packetboat-header-checks, $own_header_checks",
              "mime_header_checks=$own_header_checks", "nested_header_checks=$own_header_checks"});
    CHECK(app::byte_settings(stock_main()) ==
          Assignments{"lmtp_line_length_limit=0", "smtp_line_length_limit=0",
                      "local_header_rewrite_clients=", "header_size_limit=1048576"});
    CHECK(app::table_settings(stock_main(), kTable) ==
          Assignments{std::string("transport_maps=") + kTable});
    CHECK(app::policy_settings(stock_main(), "inet:127.0.0.1:2426") ==
          Assignments{"packetboat_policy=check_policy_service { inet:127.0.0.1:2426, timeout=2s, "
                      "try_limit=1, default_action=DUNNO }",
                      "smtpd_recipient_restrictions=$packetboat_policy"});
}

TEST_CASE("what is set already goes on as it was") {
    app::MainCf main = stock_main();
    set(main, "transport_maps", "hash:/etc/postfix/transport");
    set(main, "header_checks", "pcre:/etc/postfix/mine");
    set(main, "nested_header_checks", "");
    set(main, "smtpd_recipient_restrictions", "permit_mynetworks reject_unauth_destination");
    set(main, "header_size_limit", "2000000");
    CHECK(app::table_settings(main, kTable) ==
          Assignments{std::string("transport_maps=hash:/etc/postfix/transport, ") + kTable});
    CHECK(app::header_check_settings(main) ==
          Assignments{
              "own_header_checks=pcre:/etc/postfix/mine",
              "header_checks=regexp:/etc/postfix/packetboat-header-checks, $own_header_checks",
              "mime_header_checks=$own_header_checks"});
    CHECK(app::policy_settings(main, "inet:127.0.0.1:2426")[1] ==
          "smtpd_recipient_restrictions=$packetboat_policy, permit_mynetworks "
          "reject_unauth_destination");
    CHECK(app::byte_settings(main).size() == 3);
}

TEST_CASE("nothing is set twice") {
    app::MainCf main = stock_main();
    set(main, "transport_maps", std::string("hash:/etc/x, ") + kTable);
    set(main, "header_checks", "regexp:/etc/postfix/packetboat-header-checks, $own_header_checks");
    set(main, "packetboat_policy", "check_policy_service inet:127.0.0.1:2426");
    set(main, "smtpd_recipient_restrictions", "permit_mynetworks, $packetboat_policy");
    for (const char* const name : {"lmtp_line_length_limit", "smtp_line_length_limit"})
        set(main, name, "0");
    set(main, "local_header_rewrite_clients", "");
    set(main, "header_size_limit", "1048576");
    CHECK(app::table_settings(main, kTable).empty());
    CHECK(app::header_check_settings(main).empty());
    CHECK(app::policy_settings(main, "inet:127.0.0.1:2426").empty());
    CHECK(app::byte_settings(main).empty());
}

TEST_CASE("services where users log in ask, too; what brings mail back does not") {
    const std::string master =
        "smtp inet n - y - - smtpd\n"
        "submission inet n - y - - smtpd\n"
        "  -o syslog_name=postfix/submission\n"
        "#  -o smtpd_recipient_restrictions=reject\n"
        "  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject\n"
        "smtps inet n - y - - smtpd\n"
        "\t-o { smtpd_recipient_restrictions = permit_sasl_authenticated, reject }\n"
        "465 inet n - y - - smtpd -o smtpd_recipient_restrictions=\n"
        "587 inet n - y - - smtpd\n"
        "  -o smtpd_recipient_restrictions=$packetboat_policy,reject\n"
        "127.0.0.1:10025 inet n - y - - smtpd\n"
        "  -o smtpd_recipient_restrictions=permit_mynetworks,reject\n"
        "x_smtpd_recipient_restrictions unix - - n - - pipe\n"
        "  -o smtpd_recipient_restrictions=untouched";
    const app::PostfixConfig postfix(
        "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\nsmtps inet n - y - - smtpd\n"
        "465 inet n - y - - smtpd\n587 inet n - y - - smtpd\n127.0.0.1:10025 inet n - y - - smtpd\n"
        "x_smtpd_recipient_restrictions unix - - n - - pipe\n",
        "", "");
    std::string wanted = master;
    const auto put = [&wanted](const std::string& before, const std::string& after) {
        wanted.replace(wanted.find(before), before.size(), after);
    };
    put("ions=permit_sasl", "ions=$packetboat_policy,permit_sasl");
    put("ions = permit_sasl", "ions = $packetboat_policy,permit_sasl");
    put("smtpd -o smtpd_recipient_restrictions=\n",
        "smtpd -o smtpd_recipient_restrictions=$packetboat_policy,\n");
    const std::string after = app::with_service_policy(postfix, master);
    CHECK(after == wanted);
    CHECK(app::with_service_policy(postfix, after) == after);
}

TEST_CASE("the services of the example come once") {
    const std::string master = "smtp inet n - y - - smtpd";
    const app::PostfixConfig before(master, "", "");
    const std::string after = app::with_services(before, master);
    CHECK(after == master + "\n\n" + app::example("postfix/master.cf"));
    const app::PostfixConfig now("127.0.0.1:2526 inet n - y - - smtpd\n", "", "");
    CHECK(app::with_services(now, master) == master);
    CHECK_THROWS_AS(app::example("no/such"), std::logic_error);
}
