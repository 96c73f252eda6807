#include "queue/sqlite/store/sql.hpp"

#include <catch2/catch.hpp>

using namespace queue;

TEST_CASE("a statement has the numbers that its names stand for") {
    constexpr Sql statement =
        "SELECT 1 FROM recipient WHERE state IN ({queued}, {deferred})"
        " AND class <> {large} AND lane = {lane_report}"_sql;
    CHECK(std::string(statement.text()) ==
          "SELECT 1 FROM recipient WHERE state IN (1, 3) AND class <> 2 AND lane = 4");
}

TEST_CASE("a statement is where it was, and the same one for the same text") {
    const auto made = [] { return "SELECT {held}"_sql; };
    CHECK(made().text() == "SELECT {held}"_sql.text());
    CHECK(std::string(""_sql.text()).empty());
}
