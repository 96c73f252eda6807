#include "app/command-line/complaint_command.hpp"

#include "app/control_client.hpp"
#include "app/json_text.hpp"
#include "app/terminal.hpp"
#include "base/limits.hpp"
#include "mail/header_scanner.hpp"
#include "mail/own_trace.hpp"

#include <algorithm>
#include <array>
#include <istream>

#include <boost/json.hpp>

namespace app {
namespace {

namespace json = boost::json;

// Of a request, with what JSON adds to it.
constexpr std::size_t kFields = base::limits::kControlRequest / 2;

/// As much as a header may have; the rest is read, and dropped.
std::string read_start(std::istream& in) {
    std::string start;
    std::array<char, 65536> buffer{};
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
        const auto count = static_cast<std::size_t>(in.gcount());
        if (start.size() < base::limits::kHeader) start.append(buffer.data(), count);
    }
    start.resize(std::min(start.size(), base::limits::kHeader));
    // mbox's separator, where a program keeps mail so.
    if (start.starts_with("From ")) start.erase(0, start.find('\n') + 1);
    return start;
}

}  // namespace

int complain_of_mail(const std::filesystem::path& socket, std::istream& in,
                     const std::string& recipient, bool is_spam) {
    const std::string start = read_start(in);
    const std::string fields = mail::own_trace_fields(mail::header_of(start), kFields);
    const auto answer = ask_daemon(socket, {{"command", "complaint"},
                                            {"header", fields},
                                            {"recipient", recipient},
                                            {"spam", is_spam}});
    if (!answer) return complain(answer.error());
    const bool counted = answer->at("counted").as_bool();
    const std::string by = text_of(*answer, "recipient");
    const std::string domain = text_of(*answer, "domain");
    if (!counted)
        terminal::line("{} has said so before", by);
    else if (is_spam)
        terminal::line("a complaint of {} about {}", by, domain);
    else
        terminal::line("{} takes the complaint about {} back", by, domain);
    return 0;
}

}  // namespace app
