#include "queue/peer_report.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

namespace queue {
namespace {

// A tab stands between fields: no value can have one, as control characters are made visible.
constexpr std::string_view kTab = "\t";

std::string field(std::string_view text, std::size_t most) {
    return base::printable(text, most);
}

std::optional<mail::Action> to_action(std::string_view word) {
    using mail::Action;
    for (const auto action :
         {Action::failed, Action::delayed, Action::delivered, Action::relayed, Action::expanded}) {
        if (word == mail::to_text(action)) return action;
    }
    return std::nullopt;
}

/// As base::split, but empty fields count.
std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    for (std::size_t at = line.find(kTab); at != std::string_view::npos; at = line.find(kTab)) {
        fields.push_back(line.substr(0, at));
        line.remove_prefix(at + 1);
    }
    fields.push_back(line);
    return fields;
}

}  // namespace

std::string encode(const PeerReport& report) {
    std::string text =
        fmt::format("report\t{}\t{}\t{}\r\n", report.key.id, report.key.domain.ascii(), report.seq);
    for (const auto& line : report.recipients) {
        text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\r\n", line.n,
                            mail::to_text(line.action), base::to_datetime(line.at), line.reply.code,
                            line.reply.status.to_text(), field(line.mta, base::limits::kDomain),
                            field(line.final_address, base::limits::kMailbox),
                            field(line.reply.text, base::limits::kStatusText));
    }
    return text;
}

base::Result<PeerReport> decode_peer_report(std::string_view text) {
    const auto bad = [] { return base::fail(base::Errc::storage, "a stored report is damaged"); };
    const auto lines = base::split(text, "\r\n");
    if (lines.size() < 2) return bad();
    const auto head = fields_of(lines.front());
    if (head.size() != 4 || head[0] != "report") return bad();
    auto domain = mail::Domain::parse(head[2]);
    const auto seq = base::parse_number(head[3], UINT32_MAX);
    if (!domain || !seq) return bad();
    PeerReport report{
        {std::move(*domain), std::string(head[1])}, static_cast<std::uint32_t>(*seq), {}};
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto fields = fields_of(lines[i]);
        if (fields.size() != 8) return bad();
        const auto n = base::parse_number(fields[0], UINT32_MAX);
        const auto action = to_action(fields[1]);
        const auto at = base::parse_datetime(fields[2]);
        const auto code = base::parse_number(fields[3], 599);
        const auto status = mail::EnhancedStatus::parse(fields[4]);
        if (!n || !action || !at || !code || !status) return bad();
        report.recipients.push_back({static_cast<std::uint32_t>(*n),
                                     *action,
                                     {static_cast<int>(*code), *status, std::string(fields[7])},
                                     *at,
                                     std::string(fields[5]),
                                     std::string(fields[6])});
    }
    return report;
}

}  // namespace queue
