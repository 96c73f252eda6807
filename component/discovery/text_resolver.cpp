#include "component/discovery/text_resolver.hpp"

#include "component/discovery/dns_channel.hpp"

#include <algorithm>
#include <optional>

#include <ares.h>
#include <arpa/nameser.h>

namespace component {
namespace {

using namespace std::chrono_literals;

/// The character-strings of a record in one; nothing if they do not fill it, or are too long.
std::optional<std::string> joined(const ns_rr& record) {
    std::string text;
    const unsigned char* at = ns_rr_rdata(record);
    std::size_t left = ns_rr_rdlen(record);
    while (left > 0) {
        const std::size_t length = *at;
        if (length >= left || text.size() + length > TextResolver::kTextBytes) return std::nullopt;
        text.append(at + 1, at + 1 + length);
        at += 1 + length;
        left -= 1 + length;
    }
    return text;
}

/// By the C library's parser, as c-ares' own keeps no record's TTL.
TextAnswer read_texts(int status, const unsigned char* bytes, int size) {
    // A name that is too long for the DNS has no records either.
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME)
        return {true, {}, 0s};
    ns_msg message{};
    if (status != ARES_SUCCESS || ns_initparse(bytes, size, &message) != 0) return {};
    TextAnswer answer{true, {}, std::chrono::seconds::max()};
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record{};
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) return {};
        if (ns_rr_type(record) != ns_t_txt || ns_rr_class(record) != ns_c_in) continue;
        auto text = joined(record);
        if (!text || answer.texts.size() == TextResolver::kTexts) return {};
        answer.texts.push_back(std::move(*text));
        answer.ttl = std::min(answer.ttl, std::chrono::seconds(ns_rr_ttl(record)));
    }
    if (answer.texts.empty()) answer.ttl = 0s;
    return answer;
}

}  // namespace

base::Task<std::vector<TextAnswer>> DnsTextResolver::find_texts(std::vector<std::string> names,
                                                                std::chrono::milliseconds limit) {
    std::vector<TextAnswer> answers(names.size());
    const std::size_t asked = std::min(names.size(), kNames);
    std::size_t done = 0;
    {
        // The second try takes twice as long as the first.
        DnsChannel channel(server_, limit / 3);
        for (std::size_t i = 0; i < asked && channel.is_open(); ++i) {
            channel.ask(
                names[i], ns_t_txt,
                [&answer = answers[i], &done](int status, const unsigned char* bytes, int size) {
                    answer = read_texts(status, bytes, size);
                    ++done;
                });
        }
        const std::function<bool()> is_done = [&done, asked] { return done == asked; };
        if (channel.is_open()) co_await channel.run(is_done, limit);
    }
    co_return answers;
}

}  // namespace component
