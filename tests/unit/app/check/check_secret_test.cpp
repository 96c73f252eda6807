#include "app/check/check_secret.hpp"

#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

TEST_CASE("the findings say which file, and what to do") {
    const support::Folder folder;
    ::chmod(folder.path().c_str(), 0755);
    const auto make = [&](const char* name, mode_t mode) {
        const auto file = folder.path() / name;
        std::ofstream(file) << "x";
        ::chmod(file.c_str(), mode);
        return file;
    };
    app::Config config;
    config.secrets = {make("good", 0600)};
    app::Findings good;
    app::check_secrets(good, config);
    CHECK(good.exit_status() == 0);
    config.secrets.insert(make("bad", 0644));
    app::Findings bad;
    app::check_secrets(bad, config);
    CHECK(bad.exit_status() == 1);
}
