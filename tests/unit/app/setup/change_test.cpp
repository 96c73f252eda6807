#include "app/setup/change.hpp"

#include "app/setup/private_folder.hpp"
#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

TEST_CASE("a file is written as a whole, with the rights that it has") {
    const support::Folder folder;
    const fs::path file = folder.path() / "file";
    const app::FileOwner owner{0640, ::geteuid(), ::getegid()};
    REQUIRE(app::write_file(file, "one\n", owner));
    CHECK(*app::read_file(file) == "one\n");
    struct stat state {};
    REQUIRE(::stat(file.c_str(), &state) == 0);
    CHECK((state.st_mode & 07777u) == 0640);
    REQUIRE(::chmod(file.c_str(), 0604) == 0);
    REQUIRE(app::write_file(file, "two\n", std::nullopt));
    REQUIRE(::stat(file.c_str(), &state) == 0);
    CHECK((state.st_mode & 07777u) == 0604);
    CHECK(*app::read_file(file) == "two\n");
    // Nothing else is left beside it.
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
    CHECK_FALSE(app::write_file(folder.path() / "none", "x", std::nullopt));
    CHECK_FALSE(app::write_file(folder.path() / "no/such", "x", owner));
}

TEST_CASE("what can't be read is an error of its own kind") {
    const support::Folder folder;
    CHECK(app::read_file(folder.path() / "none").error().code == base::Errc::not_found);
    CHECK(app::read_file(folder.path()).error().code == base::Errc::io);
    const fs::path large = folder.path() / "large";
    std::ofstream(large) << "x";
    fs::resize_file(large, (4u << 20) + 1);
    CHECK(app::read_file(large).error().code == base::Errc::limit);
    const fs::path empty = folder.path() / "empty";
    std::ofstream{empty};
    CHECK(app::read_file(empty)->empty());
}

TEST_CASE("a change is shown line by line") {
    app::Change change;
    change.file = "/etc/x";
    change.before = "a\nb\n";
    change.after = "a\nc\n";
    CHECK(*app::diff_of(change) == "--- /etc/x\n+++ /etc/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
    change.after = "a\nb\n";
    CHECK(app::diff_of(change)->empty());
    change.before.reset();
    CHECK(app::diff_of(change)->starts_with("--- /dev/null\n+++ /etc/x\n@@ -0,0 +1,2 @@\n"));
}

TEST_CASE("a private folder is for this process alone, and goes with it") {
    fs::path path;
    {
        const app::PrivateFolder folder;
        path = folder.path();
        REQUIRE(fs::is_directory(path));
        CHECK((fs::status(path).permissions() & fs::perms::mask) == fs::perms::owner_all);
        std::ofstream(path / "x") << "y";
    }
    CHECK_FALSE(fs::exists(path));
}
