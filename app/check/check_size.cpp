#include "app/check/check_size.hpp"

#include "app/servers/postfix_config.hpp"
#include "app/servers/program.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

namespace app {

bool takes_all(const smtp_bridge::ListenerSettings& intake, std::uint64_t message_size_limit) {
    if (message_size_limit == 0) message_size_limit = smtp_bridge::kIntakeMessage;
    return intake.max_size >= message_size_limit;
}

void check_size(Findings& findings, const Config& config) {
    const auto answer = run_program({kPostconf, "-h", "message_size_limit"});
    if (!answer || answer->status != 0) return;
    const auto words = base::split(answer->output, " \t\r\n");
    const auto limit = base::parse_number(words.empty() ? std::string_view() : words.front());
    if (!limit) return;
    for (const auto& intake : config.intakes) {
        if (takes_all(intake, *limit)) continue;
        const std::string theirs =
            *limit == 0 ? "no message_size_limit" : fmt::format("message_size_limit = {}", *limit);
        findings.add(false,
                     fmt::format("[intake {}]: max-size is {} and Postfix has {}: it returns what "
                                 "is larger to the sender; leave max-size out",
                                 intake.name, intake.max_size, theirs));
    }
    for (const auto& component : config.components) {
        if (*limit == 0 || component.max_size <= *limit) continue;
        findings.add(
            false, fmt::format("[component {}]: max-size is {} and Postfix has message_size_limit "
                               "= {}: what is between is taken, and then refused at the "
                               "hand-over; make the first no larger",
                               component.jid, component.max_size, *limit));
    }
}

}  // namespace app
