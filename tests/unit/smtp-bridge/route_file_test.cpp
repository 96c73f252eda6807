// The table that Postfix reads by itself, looked at as Postfix does.
#include "smtp-bridge/route_file.hpp"

#include "mail/domain.hpp"
#include "support/folder.hpp"

#include <catch2/catch.hpp>
#include <lmdb.h>
#include <sys/stat.h>

using smtp_bridge::RouteFile;

namespace {

std::map<std::string, std::string> read(const std::string& file) {
    MDB_env* env = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    REQUIRE(mdb_env_open(env, file.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0) == 0);
    MDB_txn* transaction = nullptr;
    REQUIRE(mdb_txn_begin(env, nullptr, MDB_RDONLY, &transaction) == 0);
    MDB_dbi table = 0;
    REQUIRE(mdb_dbi_open(transaction, nullptr, 0, &table) == 0);
    MDB_cursor* cursor = nullptr;
    REQUIRE(mdb_cursor_open(transaction, table, &cursor) == 0);
    std::map<std::string, std::string> rows;
    MDB_val key{};
    MDB_val value{};
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
        rows.emplace(std::string(static_cast<char*>(key.mv_data), key.mv_size),
                     std::string(static_cast<char*>(value.mv_data), value.mv_size));
    mdb_cursor_close(cursor);
    mdb_txn_abort(transaction);
    mdb_env_close(env);
    return rows;
}

using Rows = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("the file lists what it is told, at the start and afterwards, and survives its writer") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    {
        RouteFile table(file, "lmtp:x");
        REQUIRE(table.start({"b.test", "old.test"}));
        CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {"old.test", "lmtp:x"}});
        table.set("c.test", true);
        table.set("old.test", false);
        table.set("never.test", false);
        table.stop();
    }
    CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {"c.test", "lmtp:x"}});
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0644);
    RouteFile again(file, "lmtp:y");
    REQUIRE(again.start({"d.test"}));
    CHECK(read(file) == Rows{{"d.test", "lmtp:y"}});
}

TEST_CASE("all domains that can be known have room") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    std::set<std::string> domains;
    for (int i = 0; i < 100'000; ++i)
        domains.insert("a-name-of-usual-length-" + std::to_string(i) + ".example.org");
    RouteFile table(file, "lmtp:inet:[127.0.0.1]:2424");
    REQUIRE(table.start(domains));
    CHECK(read(file).size() == domains.size());
}

TEST_CASE("a folder that is not there is said at the start") {
    RouteFile table("/nowhere/at/all/routes.lmdb", "lmtp:x");
    const auto started = table.start({});
    REQUIRE_FALSE(started);
    CHECK(started.error().text.starts_with("/nowhere/at/all/routes.lmdb: "));
}

TEST_CASE("a domain is listed, and taken out, in all of its spellings") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    const std::string buecher =
        "b\xC3\xBC"
        "cher.test";
    {
        RouteFile table(file, "lmtp:x");
        REQUIRE(table.start({"xn--bcher-kva.test"}));
        CHECK(read(file) == Rows{{buecher, "lmtp:x"}, {"xn--bcher-kva.test", "lmtp:x"}});
        table.set("xn--bcher-kva.test", false);
        table.set("mail.xn--bcher-kva.test", true);
        table.stop();
    }
    CHECK(read(file) == Rows{{"mail." + buecher, "lmtp:x"}, {"mail.xn--bcher-kva.test", "lmtp:x"}});
}

TEST_CASE("a name whose U-labels no table can have keeps the others from nothing") {
    const support::Folder folder;
    const std::string file = (folder.path() / "routes.lmdb").string();
    // 20 times the same ideograph: 60 octets in UTF-8, and far less as an A-label.
    std::string label;
    for (int i = 0; i < 40; ++i)
        label += "\xE4\xBE\x8B";
    const auto peer =
        mail::Domain::parse(label + "." + label + "." + label + "." + label + ".test");
    REQUIRE(peer);
    REQUIRE(peer->unicode().size() > 480);
    const auto longer = mail::Domain::parse(label + "." + peer->unicode());
    REQUIRE(longer);
    REQUIRE(longer->unicode().size() > 511);
    RouteFile table(file, "lmtp:x");
    REQUIRE(table.start({longer->ascii(), "b.test"}));
    CHECK(read(file) == Rows{{"b.test", "lmtp:x"}, {longer->ascii(), "lmtp:x"}});
}
