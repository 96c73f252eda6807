#include "component/protocol/mirror_codec.hpp"

#include "component/xml/namespaces.hpp"
#include "component/xml/xml_writer.hpp"

namespace component {
namespace {

constexpr Standing kStandings[] = {Standing::verified,    Standing::unacknowledged,
                                   Standing::disputed,    Standing::no_server,
                                   Standing::unreachable, Standing::later};

}  // namespace

const char* to_text(Standing standing) {
    switch (standing) {
        case Standing::verified:
            return "verified";
        case Standing::unacknowledged:
            return "unacknowledged";
        case Standing::disputed:
            return "disputed";
        case Standing::no_server:
            return "no-server";
        case Standing::unreachable:
            return "unreachable";
        case Standing::later:
            break;
    }
    return "later";
}

std::optional<Standing> parse_standing(std::string_view word) {
    for (const Standing each : kStandings) {
        if (word == to_text(each)) return each;
    }
    return std::nullopt;
}

std::string encode_mirror(std::span<const mail::Domain> domains) {
    XmlWriter xml;
    xml.open("mirror", ns::kMailTransfer);
    for (const auto& domain : domains)
        xml.open("domain").attribute("name", domain.ascii()).close();
    return *xml.finish();
}

std::string encode_mirrored(const Mirrored& mirrored) {
    XmlWriter xml;
    xml.open("mirrored", ns::kMailTransfer);
    xml.attribute("assurance", to_text(mirrored.assurance));
    xml.attribute("max-size", mirrored.max_size).attribute("max-stanza", mirrored.max_stanza);
    xml.attribute("time", base::to_precise_datetime(mirrored.time));
    xml.attribute("took", mirrored.took.count());
    for (const auto& seen : mirrored.domains) {
        xml.open("domain").attribute("name", seen.domain.ascii());
        xml.attribute("state", to_text(seen.standing)).close();
    }
    return *xml.finish();
}

}  // namespace component
