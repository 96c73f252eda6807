// Lists of domains: whatever is in a file, the list names what its lines say, and a fault has its
// line. What is in front of the first NUL is the file, what is behind it the answers of a list in
// the DNS, four octets each.
#include "queue/domain_list.hpp"

#include "component/discovery/list_answers.hpp"
#include "fuzz/fuzz.hpp"

#include <charconv>
#include <string>
#include <vector>

using fuzz::check;
using Meaning = component::ListAnswers::Meaning;

namespace {

void check_fault(std::string_view text, const std::string& fault) {
    std::size_t line = 0;
    const auto [end, error] = std::from_chars(fault.data(), fault.data() + fault.size(), line);
    check(error == std::errc() && *end == ':', "a fault begins with its line");
    // Without that line and all behind it, nothing is wrong.
    std::size_t start = 0;
    for (std::size_t i = 1; i < line; ++i)
        start = text.find('\n', start) + 1;
    check(line == 0 || queue::DomainList::parse(text.substr(0, start)).has_value(),
          "the fault is in the line that is named");
}

void check_list(std::string_view text) {
    const auto list = queue::DomainList::parse(text);
    if (!list) return check_fault(text, list.error().text);
    check(list->size() <= queue::DomainList::kLines, "a list is bounded");
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const auto domain = mail::Domain::parse(text.substr(start, end - start));
        if (domain) check(list->names(*domain), "a domain that is a line is on the list");
        const auto below = domain ? mail::Domain::parse("x." + domain->ascii()) : domain;
        if (below && list->size() == 1) check(!list->names(*below), "and nothing below it");
        start = end + 1;
    }
}

void check_answers(std::string_view octets) {
    std::vector<std::uint32_t> addresses;
    bool is_loopback = false;
    bool is_error = false;
    for (; octets.size() >= 4; octets.remove_prefix(4)) {
        std::uint32_t address = 0;
        for (std::size_t i = 0; i < 4; ++i)
            address = address << 8u | static_cast<unsigned char>(octets[i]);
        addresses.push_back(address);
        is_loopback = is_loopback || address >> 24u == 127;
        is_error = is_error || address >> 8u == 0x7FFFFF;
    }
    const Meaning meaning = component::ListAnswers().of(addresses);
    check(!is_error || meaning == Meaning::fault, "an error is one");
    check(is_loopback || meaning == Meaning::absent, "only 127.0.0.0/8 lists");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::text_of(data, size);
    const std::size_t end = std::min(input.find('\0'), input.size());
    check_list(input.substr(0, end));
    check_answers(input.substr(std::min(end + 1, input.size())));
    return 0;
}
