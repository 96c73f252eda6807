// DnsRecords: what the DNS has of one type at several names, asked at once by a DnsChannel, from
// the event loop and without a thread.
//
// Whatever a server sends is bounded, and nothing of it is more than octets here.
//
// Tested by tests/unit/component/discovery/resolver_test.cpp.
#pragma once

#include "base/async.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace component {

/// The records of a type at one name.
struct DnsRecords {
    bool known = false;             ///< false: SERVFAIL, time-out, or more than is read
    std::vector<std::string> data;  ///< of each; empty: there are none
    std::chrono::seconds ttl{0};    ///< the shortest of those that there are
};

struct DnsQuestions {
    std::string server;  ///< `IP` or `IP:port`, `[IPv6]:port`; empty: as resolv.conf says
    std::vector<std::string> names;
    int type = 0;
    std::size_t most_names = 0;         ///< that are asked; any further one is not known
    std::size_t most_records = 0;       ///< that are read of an answer; one with more is not known
    std::chrono::milliseconds limit{};  ///< what is not there then is not known
};

/// One answer for each name, in order. The second try of each takes twice as long as the first.
base::Task<std::vector<DnsRecords>> find_records(DnsQuestions questions);

}  // namespace component
