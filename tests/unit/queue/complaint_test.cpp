#include "queue/complaint.hpp"

#include "support/catch_result.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;
using queue::Complaint;

TEST_CASE("a batch of complaints waits as it is, and is taken for nothing else") {
    const std::vector<Complaint> batch{{{domain("b.test"), "018f00000001"}, true},
                                       {{domain("c.test"), "018f00000002"}, false}};
    const std::string text = queue::encode(batch);
    CHECK(queue::is_complaints(text));
    CHECK(queue::decode_complaints(text).value() == batch);
    for (const char* const bad : {"", "complaints", "report\t01\tb.test\t1\r\n"})
        CHECK_FALSE(queue::is_complaints(bad));
    for (const char* const bad :
         {"nonsense", "complaints\r\n01 b.test\r\n", "complaints\r\n01 b.test ham\r\n",
          "complaints\r\n01 b..test spam\r\n", "complaints\r\n01 b.test spam more\r\n"})
        CHECK_FALSE(queue::decode_complaints(bad));
}

TEST_CASE("who is complained of on more days waits longer, up to an hour") {
    CHECK(queue::pause_after_complaints(0) == 0min);
    CHECK(queue::pause_after_complaints(1) == 5min);
    CHECK(queue::pause_after_complaints(2) == 10min);
    CHECK(queue::pause_after_complaints(4) == 40min);
    CHECK(queue::pause_after_complaints(5) == 60min);
    CHECK(queue::pause_after_complaints(INT64_MAX) == 60min);
}
