#include "component/discovery/dns_records.hpp"

#include "component/discovery/dns_channel.hpp"

#include <algorithm>

#include <ares.h>
#include <arpa/nameser.h>

namespace component {
namespace {

using namespace std::chrono_literals;

/// By the C library's parser, as c-ares' own keeps no record's TTL.
DnsRecords read_records(int status, const unsigned char* bytes, int size, int type,
                        std::size_t most) {
    // A name that is too long for the DNS has no records either.
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME)
        return {true, {}, 0s};
    ns_msg message{};
    if (status != ARES_SUCCESS || ns_initparse(bytes, size, &message) != 0) return {};
    DnsRecords records{true, {}, std::chrono::seconds::max()};
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record{};
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) return {};
        if (ns_rr_type(record) != type || ns_rr_class(record) != ns_c_in) continue;
        if (records.data.size() == most) return {};
        const unsigned char* const data = ns_rr_rdata(record);
        records.data.emplace_back(data, data + ns_rr_rdlen(record));
        records.ttl = std::min(records.ttl, std::chrono::seconds(ns_rr_ttl(record)));
    }
    if (records.data.empty()) records.ttl = 0s;
    return records;
}

}  // namespace

base::Task<std::vector<DnsRecords>> find_records(DnsQuestions questions) {
    std::vector<DnsRecords> answers(questions.names.size());
    const std::size_t asked = std::min(questions.names.size(), questions.most_names);
    std::size_t done = 0;
    {
        DnsChannel channel(questions.server, questions.limit / 3);
        for (std::size_t i = 0; i < asked && channel.is_open(); ++i) {
            channel.ask(questions.names[i], questions.type,
                        [&answer = answers[i], &done, &questions](
                            int status, const unsigned char* bytes, int size) {
                            answer = read_records(status, bytes, size, questions.type,
                                                  questions.most_records);
                            ++done;
                        });
        }
        const std::function<bool()> is_done = [&done, asked] { return done == asked; };
        if (channel.is_open()) co_await channel.run(is_done, questions.limit);
    }
    co_return answers;
}

}  // namespace component
