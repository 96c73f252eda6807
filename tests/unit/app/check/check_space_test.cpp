#include "app/check/check_space.hpp"

#include "support/folder.hpp"

#include <catch2/catch.hpp>

TEST_CASE("what a disk lacks is said before mail is refused") {
    constexpr std::uintmax_t kMiB = std::uintmax_t{1} << 20;
    constexpr std::uintmax_t kReserve = 64 * kMiB;
    const auto lack = [](std::uintmax_t mib, std::uintmax_t files, bool counts = true) {
        return app::lack_of_space({mib * kMiB, files, counts}, kReserve).value_or("");
    };
    CHECK(lack(1000, 100'000).empty());
    CHECK(lack(63, 100'000) == "no mail is taken: 63 MiB are free, and 64 have to stay so");
    CHECK(lack(200, 100'000) == "200 MiB are free; with less than 64 no mail is taken");
    CHECK(lack(1000, 9'999) == "only 9999 more files can be made (df -i)");
    CHECK(lack(1000, 0, false).empty());
}

TEST_CASE("a state directory that is not there is told of") {
    const support::Folder folder;
    app::Config config;
    const auto is_good = [&] {
        app::Findings findings;
        app::check_space(findings, config);
        return findings.exit_status() == 0;
    };
    config.store.directory = folder.path();
    CHECK(is_good());
    config.store.directory = folder.path() / "nothing";
    CHECK_FALSE(is_good());
}
