#include "app/daemon/list_files.hpp"

#include "support/catch_result.hpp"
#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

using queue::PeerClass;

namespace {

struct Files {
    std::filesystem::path write(const char* name, std::string_view text) const {
        const auto path = folder.path() / name;
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }
    std::vector<std::string> read(const std::vector<app::ListFile>& wanted) {
        std::vector<std::string> texts;
        for (const auto& fault : files.read(wanted))
            texts.push_back(fault.text.substr(folder.path().string().size()));
        return texts;
    }
    support::Folder folder;
    app::ListFiles files;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("of a list that is broken what was good before stays") {
    Files site;
    const auto bad = site.write("bad", "a.test\n");
    const auto good = site.write("good", "b.test\n");
    const std::vector<app::ListFile> wanted{{PeerClass::blocked, bad}, {PeerClass::trusted, good}};
    CHECK(site.read(wanted).empty());
    site.write("bad", "c.test\nno domain\n");
    site.write("good", "d.test\n");
    CHECK(site.read(wanted) == Texts{"/bad:2: not a domain name"});
    const auto lists = site.files.lists();
    REQUIRE(lists.size() == 2);
    CHECK(lists[0].makes == PeerClass::blocked);
    CHECK(lists[0].name == bad.string());
    CHECK(lists[0].domains->names(*mail::Domain::parse("a.test")));
    CHECK_FALSE(lists[0].domains->names(*mail::Domain::parse("c.test")));
    CHECK(lists[1].domains->names(*mail::Domain::parse("d.test")));
    // One that is there no more; twice in a row.
    std::filesystem::remove(bad);
    CHECK(site.read(wanted) == Texts{"/bad: can't read this file"});
    CHECK(site.read(wanted) == Texts{"/bad: can't read this file"});
    CHECK(site.files.lists()[0].domains->names(*mail::Domain::parse("a.test")));
    // Who is trusted by it does not become blocked.
    site.write("good", "no domain\n");
    CHECK(site.read({{PeerClass::blocked, bad}, {PeerClass::blocked, good}}) ==
          Texts{"/bad: can't read this file", "/good:1: not a domain name"});
    REQUIRE(site.files.lists().size() == 1);
    CHECK(site.files.lists()[0].name == bad.string());
    // It is not wanted any more, and then it is.
    CHECK(site.read({}).empty());
    CHECK(site.files.lists().empty());
    CHECK(site.read({{PeerClass::blocked, bad}}) == Texts{"/bad: can't read this file"});
    CHECK(site.files.lists().empty());
}

TEST_CASE("what is no file, or too large, is no list") {
    Files site;
    const auto pipe = site.folder.path() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK_FALSE(app::read_list(pipe));
    CHECK_FALSE(app::read_list(site.folder.path()));
    const auto large = site.write("large", std::string(queue::DomainList::kBytes + 1, '\n'));
    const auto list = app::read_list(large);
    REQUIRE_FALSE(list);
    CHECK(list.error().text == large.string() + ":0: the file is larger than 4 MB");
    CHECK(app::read_list(site.write("empty", "")).value().size() == 0);
}
