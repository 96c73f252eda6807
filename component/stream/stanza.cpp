#include "component/stream/stanza.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "component/xml/namespaces.hpp"
#include "component/xml/xml_writer.hpp"

#include <algorithm>

namespace component {
namespace {

constexpr std::uint64_t kLongestWait = 86400;              // seconds; the schema's secondsType
constexpr std::uint64_t kOctets = std::uint64_t(1) << 40;  // the schema's octetsType

std::string bounded(std::string_view text) {
    return base::printable(text, base::limits::kStatusText);
}

}  // namespace

const gloox::Tag* find_child(const gloox::Tag& parent, std::string_view name,
                             std::string_view xmlns) {
    for (const auto* child : parent.children()) {
        if (child->name() == name && child->xmlns() == xmlns) return child;
    }
    return nullptr;
}

const gloox::Tag* first_child(const gloox::Tag& parent) {
    return parent.children().empty() ? nullptr : parent.children().front();
}

IqHead head_of(const gloox::Tag& stanza) {
    return {stanza.findAttribute("type"), stanza.findAttribute("id"), stanza.findAttribute("from"),
            stanza.findAttribute("to")};
}

StanzaError read_error(const gloox::Tag& stanza) {
    StanzaError result;
    result.condition = "undefined-condition";
    const gloox::Tag* error = nullptr;
    for (const auto* child : stanza.children()) {
        if (child->name() == "error") error = child;
    }
    if (error == nullptr) return result;
    result.type = bounded(error->findAttribute("type"));
    for (const auto* child : error->children()) {
        const auto xmlns = child->xmlns();
        if (xmlns == ns::kStanzaErrors && child->name() == "text") {
            result.text = bounded(child->cdata());
        } else if (xmlns == ns::kStanzaErrors) {
            result.condition = bounded(child->name());
        } else if (xmlns == ns::kMailTransfer && result.ours.empty()) {
            // One condition of an application's own (RFC 6120 8.3.4): the first counts.
            result.ours = bounded(child->name());
            const auto wait = base::parse_number(child->findAttribute("retry-after"));
            if (result.ours == "busy" && wait)
                result.retry_after =
                    std::chrono::seconds(std::clamp<std::uint64_t>(*wait, 1, kLongestWait));
            if (result.ours == "busy") result.cause = parse_cause(child->findAttribute("cause"));
            const auto offset = base::parse_number(child->findAttribute("offset"), kOctets);
            if (result.ours == "bad-offset" && offset) result.offset = *offset;
        }
    }
    return result;
}

base::Result<std::string> write_iq(const IqHead& head, std::string_view payload) {
    XmlWriter xml;
    xml.reserve(payload.size() + 200);
    xml.open("iq").attribute("type", head.type).attribute("id", head.id);
    xml.attribute("from", head.from).attribute("to", head.to);
    if (!payload.empty()) xml.raw(payload);
    return xml.finish();
}

base::Result<std::string> write_presence(std::string_view from, std::string_view to,
                                         std::string_view type) {
    XmlWriter xml;
    xml.open("presence");
    if (!type.empty()) xml.attribute("type", type);
    return xml.attribute("from", from).attribute("to", to).finish();
}

base::Result<std::string> write_error(std::string_view kind, const IqHead& request,
                                      const StanzaError& error) {
    XmlWriter xml;
    xml.open(kind).attribute("type", "error");
    if (!request.id.empty()) xml.attribute("id", request.id);
    xml.attribute("from", request.to).attribute("to", request.from);
    xml.open("error").attribute("type", error.type);
    xml.open(error.condition, ns::kStanzaErrors).close();
    if (!error.ours.empty()) {
        xml.open(error.ours, ns::kMailTransfer);
        if (error.offset) xml.attribute("offset", *error.offset);
        if (error.retry_after) xml.attribute("retry-after", error.retry_after->count());
        if (error.cause != BusyCause::none) xml.attribute("cause", to_text(error.cause));
        xml.close();
    }
    if (!error.text.empty()) {
        xml.open("text", ns::kStanzaErrors).attribute("xml:lang", "en");
        xml.text(bounded(error.text)).close();
    }
    return xml.finish();
}

}  // namespace component
