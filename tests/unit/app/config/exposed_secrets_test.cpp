// Who can read what nobody else should.
#include "app/config/exposed_secrets.hpp"

#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

namespace {

namespace fs = std::filesystem;

struct Secrets {
    fs::path make(const fs::path& name, mode_t mode) {
        const fs::path file = folder.path() / name;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << "x";
        ::chmod(file.c_str(), mode);
        return file;
    }
    bool is_exposed(const fs::path& file) {
        app::Config config;
        config.secrets = {file};
        return !app::exposed_secrets(config).empty();
    }
    support::Folder folder;
};

}  // namespace

TEST_CASE("a secret that every account can read is exposed") {
    Secrets secrets;
    ::chmod(secrets.folder.path().c_str(), 0755);
    CHECK(secrets.is_exposed(secrets.make("conf", 0644)));
    CHECK(secrets.is_exposed(secrets.make("conf", 0604)));
    CHECK_FALSE(secrets.is_exposed(secrets.make("conf", 0640)));
    CHECK_FALSE(secrets.is_exposed(secrets.make("conf", 0600)));
    CHECK_FALSE(secrets.is_exposed("/nowhere/at/all"));
}

TEST_CASE("a folder that is shut keeps what is in it, and a link does not") {
    Secrets secrets;
    ::chmod(secrets.folder.path().c_str(), 0755);
    const auto file = secrets.make("inner/conf", 0644);
    const auto inner = file.parent_path();
    ::chmod(inner.c_str(), 0750);
    CHECK_FALSE(secrets.is_exposed(file));
    ::chmod(inner.c_str(), 0755);
    CHECK(secrets.is_exposed(file));
    const auto shut = secrets.folder.path() / "shut";
    fs::create_directory(shut);
    fs::create_symlink(file, shut / "link");
    ::chmod(shut.c_str(), 0700);
    CHECK(secrets.is_exposed(shut / "link"));
}
