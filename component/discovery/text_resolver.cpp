#include "component/discovery/text_resolver.hpp"

#include "component/discovery/dns_records.hpp"

#include <optional>

#include <arpa/nameser.h>

namespace component {
namespace {

/// The character-strings of a record in one; nothing if they do not fill it, or are too long.
std::optional<std::string> joined(std::string_view data) {
    std::string text;
    while (!data.empty()) {
        const auto length = static_cast<unsigned char>(data.front());
        data.remove_prefix(1);
        if (length > data.size() || text.size() + length > TextResolver::kTextBytes)
            return std::nullopt;
        text += data.substr(0, length);
        data.remove_prefix(length);
    }
    return text;
}

TextAnswer read_texts(const DnsRecords& records) {
    TextAnswer answer{records.known, {}, records.ttl};
    for (const auto& data : records.data) {
        auto text = joined(data);
        if (!text) return {};
        answer.texts.push_back(std::move(*text));
    }
    return answer;
}

}  // namespace

base::Task<std::vector<TextAnswer>> DnsTextResolver::find_texts(std::vector<std::string> names,
                                                                std::chrono::milliseconds limit) {
    DnsQuestions questions{server_, std::move(names), ns_t_txt, kNames, kTexts, limit};
    const auto records = co_await find_records(std::move(questions));
    std::vector<TextAnswer> answers;
    answers.reserve(records.size());
    for (const auto& each : records)
        answers.push_back(read_texts(each));
    co_return answers;
}

}  // namespace component
