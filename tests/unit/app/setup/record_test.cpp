#include "app/setup/record.hpp"

#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using app::Part;

struct Disk {
    support::Folder folder;
    fs::path file = folder.path() / "main.cf";
    app::Record record{folder.path() / "record"};

    void write(const std::string& text) const { std::ofstream(file) << text; }
    std::string text() const {
        const auto now = app::read_file(file);
        return now ? *now : now.error().text;
    }
    /// The file's change to `after`, from what it is.
    app::Change change(const std::string& after) const {
        app::Change change;
        change.file = file;
        change.part = Part::way_in;
        change.owner = {0640, ::geteuid(), ::getegid()};
        const auto now = app::read_file(file);
        if (now) change.before = *now;
        change.after = after;
        return change;
    }
};

const std::string kBefore = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n";

}  // namespace

TEST_CASE("what was written is taken back, the last change first") {
    Disk disk;
    disk.write(kBefore);
    CHECK(disk.record.is_empty());
    REQUIRE(disk.record.apply(disk.change(kBefore + "f = 6\n")));
    REQUIRE(disk.record.apply(disk.change("z = 0\n" + kBefore + "f = 6\n")));
    CHECK(disk.record.next() == 3);
    CHECK_FALSE(disk.record.is_empty());
    const auto undone = disk.record.undo(Part::way_in);
    REQUIRE(undone);
    CHECK(undone->size() == 2);
    CHECK(disk.text() == kBefore);
    CHECK(disk.record.is_empty());
    disk.record.close();
    CHECK_FALSE(fs::exists(disk.folder.path() / "record"));
}

TEST_CASE("what somebody has changed since stays") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change(kBefore + "f = 6\ng = 7\n")));
    disk.write("first\na = 1\nb = 2\nc = 33\nd = 4\ne = 5\nf = 6\ng = 7\nlast\n");
    const auto undone = disk.record.undo(Part::way_in);
    REQUIRE(undone);
    CHECK(undone->front().left.empty());
    CHECK(disk.text() == "first\na = 1\nb = 2\nc = 33\nd = 4\ne = 5\nlast\n");
}

TEST_CASE("where both have changed the same lines, the file stays, and so does the record") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change("a = 1\nb = 22\nc = 3\nd = 4\ne = 5\n")));
    const std::string own = "a = 1\nb = 99\nc = 3\nd = 4\ne = 5\n";
    disk.write(own);
    const auto undone = disk.record.undo(Part::way_in);
    REQUIRE(undone);
    CHECK(undone->front().left.find("by hand") != std::string::npos);
    CHECK(disk.text() == own);
    CHECK(undone->front().is_stuck);
    CHECK_FALSE(disk.record.is_empty());
    // Set right by hand, it can be told so again.
    disk.write("a = 1\nb = 22\nc = 3\nd = 4\ne = 5\n");
    REQUIRE(disk.record.undo(Part::way_in));
    CHECK(disk.text() == kBefore);
    CHECK(disk.record.is_empty());
}

TEST_CASE("a file that was made goes, with the folders that were made for it") {
    Disk disk;
    disk.file = disk.folder.path() / "new/folder/module.lua";
    REQUIRE(disk.record.apply(disk.change("text\n")));
    CHECK(disk.text() == "text\n");
    REQUIRE(disk.record.undo(Part::way_in));
    CHECK_FALSE(fs::exists(disk.folder.path() / "new"));
}

TEST_CASE("a file that was made and then changed goes, too, and is kept beside the record") {
    Disk disk;
    REQUIRE(disk.record.apply(disk.change("text\n")));
    disk.write("text\nmore\n");
    const auto undone = disk.record.undo(Part::way_in);
    REQUIRE(undone);
    CHECK(undone->front().left.find("kept-main.cf") != std::string::npos);
    CHECK_FALSE(fs::exists(disk.file));
    CHECK(*app::read_file(disk.folder.path() / "record/kept-main.cf") == "text\nmore\n");
    disk.record.close();
    CHECK(fs::exists(disk.folder.path() / "record/kept-main.cf"));
}

TEST_CASE("a file that somebody has removed stays removed") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change(kBefore + "f = 6\n")));
    fs::remove(disk.file);
    REQUIRE(disk.record.undo(Part::way_in));
    CHECK_FALSE(fs::exists(disk.file));
    CHECK(disk.record.is_empty());
}

TEST_CASE("only the part that is named is taken back, and only since then") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change(kBefore + "f = 6\n")));
    const int since = disk.record.next();
    REQUIRE(disk.record.apply(disk.change(kBefore + "f = 6\ng = 7\n")));
    REQUIRE(disk.record.undo(Part::xmpp));
    CHECK(disk.text() == kBefore + "f = 6\ng = 7\n");
    REQUIRE(disk.record.undo(Part::way_in, since));
    CHECK(disk.text() == kBefore + "f = 6\n");
}

TEST_CASE("a change that was recorded, and cut off before it was made, does no harm") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change(kBefore + "f = 6\n")));
    disk.write(kBefore);
    REQUIRE(disk.record.undo(Part::way_in));
    CHECK(disk.text() == kBefore);
    // Without its description nothing has been done of it.
    fs::create_directories(disk.folder.path() / "record/0007");
    CHECK(disk.record.is_empty());
    CHECK(disk.record.next() == 1);
}

TEST_CASE("a damaged record is an error, and changes nothing") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change(kBefore + "f = 6\n")));
    std::ofstream(disk.folder.path() / "record/0001/change.json") << "{\"file\": 3}";
    const auto undone = disk.record.undo(Part::way_in);
    REQUIRE_FALSE(undone);
    CHECK(undone.error().code == base::Errc::damaged);
    CHECK(disk.text() == kBefore + "f = 6\n");
}

TEST_CASE("marks are remembered until they are removed") {
    const Disk disk;
    app::Record record(disk.folder.path() / "record");
    CHECK_FALSE(record.has_mark("enabled"));
    REQUIRE(record.mark("enabled"));
    CHECK(record.has_mark("enabled"));
    CHECK_FALSE(record.is_empty());
    REQUIRE(record.remove_mark("enabled"));
    CHECK(record.is_empty());
}

TEST_CASE("where lines have been changed, what is ours can be found by its meaning") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change("a = 1\nb = 2 ours\nc = 3\nd = 4\ne = 5\n")));
    disk.write("a = 1\nb = 2 ours and more\nc = 3\nd = 4\ne = 5\n");
    const auto undone = disk.record.undo(
        Part::way_in, 0,
        [](const app::Change&, const std::string& now) -> std::optional<base::Result<std::string>> {
            std::string text = now;
            text.erase(text.find(" ours"), 5);
            return text;
        });
    REQUIRE(undone);
    CHECK_FALSE(undone->front().is_stuck);
    CHECK(disk.text() == "a = 1\nb = 2 and more\nc = 3\nd = 4\ne = 5\n");
    CHECK(disk.record.is_empty());
}

TEST_CASE("a file that can't be set right leaves the record if that is wanted") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change("a = 1\nb = 22\nc = 3\nd = 4\ne = 5\n")));
    const std::string own = "a = 1\nb = 99\nc = 3\nd = 4\ne = 5\n";
    disk.write(own);
    const auto undone = disk.record.undo(Part::way_in, 0, {}, true);
    REQUIRE(undone);
    CHECK(undone->front().is_stuck);
    CHECK(disk.text() == own);
    CHECK(disk.record.is_empty());
}

TEST_CASE("what has been taken back by hand is not put in again") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change(kBefore + "f = 6\ng = 7\n")));
    disk.write("a = 1\nb = 22\nc = 3\nd = 4\ne = 5\n");
    const auto undone = disk.record.undo(Part::way_in);
    REQUIRE(undone);
    CHECK_FALSE(undone->front().is_stuck);
    CHECK(disk.text() == "a = 1\nb = 22\nc = 3\nd = 4\ne = 5\n");
    CHECK(disk.record.is_empty());
}

TEST_CASE("what somebody has written since the question is not overwritten") {
    Disk disk;
    disk.write(kBefore);
    const auto change = disk.change(kBefore + "f = 6\n");
    disk.write("mine\n");
    const auto applied = disk.record.apply(change);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == base::Errc::conflict);
    CHECK(disk.text() == "mine\n");
    CHECK(disk.record.is_empty());
    CHECK_FALSE(disk.record.has(Part::way_in));
    REQUIRE(disk.record.apply(disk.change("ours\n")));
    CHECK(disk.record.has(Part::way_in));
    CHECK_FALSE(disk.record.has(Part::xmpp));
}

TEST_CASE("a line of ours that was added and then extended is not taken for gone") {
    Disk disk;
    disk.write(kBefore);
    REQUIRE(disk.record.apply(disk.change(kBefore + "tables = ours\n")));
    disk.write(kBefore + "tables = ours, mine\n");
    const auto undone = disk.record.undo(
        Part::way_in, 0,
        [](const app::Change&, const std::string& now) -> std::optional<base::Result<std::string>> {
            std::string text = now;
            text.erase(text.find("ours, "), 6);
            return text;
        });
    REQUIRE(undone);
    CHECK(disk.text() == kBefore + "tables = mine\n");
}
