#include "component/discovery/address_resolver.hpp"

#include "component/discovery/dns_records.hpp"

#include <arpa/nameser.h>

namespace component {
namespace {

AddressAnswer read_addresses(const DnsRecords& records) {
    AddressAnswer answer{records.known, {}, records.ttl};
    for (const auto& data : records.data) {
        if (data.size() != NS_INADDRSZ) return {};
        answer.addresses.push_back(static_cast<std::uint32_t>(
            ns_get32(reinterpret_cast<const unsigned char*>(data.data()))));
    }
    return answer;
}

}  // namespace

base::Task<std::vector<AddressAnswer>> DnsAddressResolver::find_addresses(
    std::vector<std::string> names, std::chrono::milliseconds limit) {
    DnsQuestions questions{server_, std::move(names), ns_t_a, kNames, kAddresses, limit};
    const auto records = co_await find_records(std::move(questions));
    std::vector<AddressAnswer> answers;
    answers.reserve(records.size());
    for (const auto& each : records)
        answers.push_back(read_addresses(each));
    co_return answers;
}

}  // namespace component
