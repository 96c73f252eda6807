#include "component/stream/disco_info.hpp"

#include "component/protocol/transfer_codec.hpp"
#include "component/xml/jid.hpp"
#include "component/xml/namespaces.hpp"
#include "component/xml/xml_writer.hpp"

namespace component {
namespace {

constexpr std::string_view kName = "Packetboat";

void write_field(XmlWriter& xml, std::string_view name, std::string_view type,
                 const std::vector<std::string>& values) {
    xml.open("field").attribute("var", name);
    if (!type.empty()) xml.attribute("type", type);
    for (const auto& value : values)
        xml.element("value", value);
    xml.close();
}

void write_number(XmlWriter& xml, std::string_view name, std::size_t value) {
    write_field(xml, name, {}, {std::to_string(value)});
}

/// Ping (XEP-0199 3), disco#info (XEP-0030 3.1), disco#items (XEP-0030 4.1) and version (XEP-0092
/// 2); nothing for what is not known here, as any node
/// is (XEP-0030 3.2).
std::optional<std::string> result_for(const gloox::Tag& payload,
                                      const ComponentSettings& settings) {
    const std::string what = payload.xmlns();
    const std::string& name = payload.name();
    if (what == ns::kPing && name == "ping") return std::string();
    if (name != "query") return std::nullopt;
    const bool has_node = !payload.findAttribute("node").empty();
    if (what == ns::kDiscoInfo && !has_node) return disco_info_query(settings);
    if (what == ns::kDiscoItems && !has_node)
        return *XmlWriter().open("query", ns::kDiscoItems).finish();
    // Without a number: strangers need not know which holes we have.
    if (what == ns::kVersion)
        return *XmlWriter()
                    .open("query", ns::kVersion)
                    .element("name", kName)
                    .element("version", "0")
                    .finish();
    return std::nullopt;
}

/// Of one stanza: our answer, which has a line for each, has to pass, too.
std::size_t most_recipients(const ComponentSettings& settings) {
    const std::size_t room = room_for_answer(settings.max_stanza);
    return std::min(base::limits::kBatchRecipients, answered_recipients(room));
}

}  // namespace

std::string disco_info_query(const ComponentSettings& settings) {
    std::vector<std::string> domains;
    for (const auto& domain : settings.domains) {
        if (!settings.retired) domains.push_back(domain.ascii());
    }
    std::vector<std::string> extensions{"8bitmime", "smtputf8", "dsn", "report", "mirror"};
    if (settings.takes_complaints) extensions.emplace_back("complaint");
    if (settings.requiretls) extensions.emplace_back("requiretls");

    XmlWriter xml;
    xml.open("query", ns::kDiscoInfo);
    xml.open("identity").attribute("category", "gateway").attribute("type", "smtp");
    xml.attribute("name", kName).close();
    for (const auto feature :
         {ns::kDiscoInfo, ns::kDiscoItems, ns::kPing, ns::kVersion, ns::kMailTransfer})
        xml.open("feature").attribute("var", feature).close();
    xml.open("x", ns::kData).attribute("type", "result");
    write_field(xml, "FORM_TYPE", "hidden", {std::string(ns::kMailTransfer)});
    write_field(xml, "domains", "list-multi", domains);
    write_number(xml, "max-stanza", settings.max_stanza);
    write_number(xml, "max-size", settings.max_size);
    write_number(xml, "max-recipients", most_recipients(settings));
    write_number(xml, "max-batch", base::limits::kBatch);
    write_number(xml, "window", base::limits::kBlock);
    write_number(xml, "retention", std::chrono::seconds(base::limits::kRetention).count());
    write_field(xml, "extensions", "list-multi", extensions);
    if (settings.promise && !settings.retired) {
        std::vector<std::string> promised;
        for (const auto& domain : settings.promise->domains)
            promised.push_back(domain.ascii());
        write_field(xml, "promise", "list-multi", promised);
        write_field(xml, "promise-until", "text-single",
                    {base::to_datetime(settings.promise->until)});
    }
    return *xml.finish();
}

bool asks_for_info(const gloox::Tag& iq) {
    const auto* payload = first_child(iq);
    return payload != nullptr && payload->name() == "query" && payload->xmlns() == ns::kDiscoInfo &&
           payload->findAttribute("node").empty();
}

std::string answer_iq(const gloox::Tag& iq, const ComponentSettings& settings) {
    const IqHead request = head_of(iq);
    const auto to = Jid::parse(request.to);
    const auto* payload = first_child(iq);
    if (!to || request.from.empty() || request.id.empty() || payload == nullptr) return {};
    std::optional<std::string> result;
    if (to->is_domain() && request.type == "get") result = result_for(*payload, settings);
    const auto answer =
        result ? write_iq({"result", request.id, request.to, request.from}, *result)
               : write_error("iq", request, {"cancel", "service-unavailable", {}, {}, {}});
    return answer ? *answer : std::string();
}

}  // namespace component
