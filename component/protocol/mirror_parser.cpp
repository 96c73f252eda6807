#include "component/protocol/mirror_parser.hpp"

#include "component/protocol/payload_values.hpp"

namespace component {

std::span<const PayloadElement<MirrorParser>> MirrorParser::elements() {
    using P = MirrorParser;
    static constexpr PayloadElement<P> kElements[] = {
        {"", "mirror", &P::start_mirror, nullptr, &P::end_mirror},
        {"mirror", "domain", &P::start_asked},
        {"", "mirrored", &P::start_mirrored},
        {"mirrored", "domain", &P::start_seen},
    };
    return kElements;
}

std::optional<mail::Domain> MirrorParser::read_name(const PayloadAttributes& attributes) {
    auto name = read_domain(attributes, "name");
    if (!name) return std::nullopt;
    if (names_.size() >= kMirrorDomains) {
        fail("too many domains");
    } else if (!names_.insert(*name).second) {
        fail("a domain is named twice");
    }
    if (failed()) return std::nullopt;
    return name;
}

void MirrorParser::start_mirror(const PayloadAttributes& attributes) {
    attributes.only({});
    value_ = IncomingMirror();
}

void MirrorParser::start_asked(const PayloadAttributes& attributes) {
    attributes.only({"name"});
    if (auto name = read_name(attributes))
        std::get<IncomingMirror>(value_).domains.push_back(std::move(*name));
}

void MirrorParser::end_mirror() {
    if (names_.empty()) fail("no domain is named");
}

void MirrorParser::start_mirrored(const PayloadAttributes& attributes) {
    attributes.only({"assurance", "max-size", "max-stanza", "time", "took"});
    const auto assurance = parse_assurance(attributes.required("assurance"));
    if (!assurance) attributes.fail("the assurance is none of pkix, dialback and none");
    Mirrored mirrored;
    mirrored.assurance = assurance.value_or(Assurance::none);
    mirrored.max_size = attributes.number("max-size", kOctetsType);
    mirrored.max_stanza = attributes.number("max-stanza", kOctetsType);
    const auto time = base::parse_precise_datetime(attributes.required("time"));
    if (!time) attributes.fail("the time is not one in UTC and milliseconds");
    if (time) mirrored.time = *time;
    const auto longest = static_cast<std::uint64_t>(kMirrorTook.count());
    mirrored.took = std::chrono::milliseconds(attributes.number("took", longest));
    value_ = std::move(mirrored);
}

void MirrorParser::start_seen(const PayloadAttributes& attributes) {
    attributes.only({"name", "state"});
    auto name = read_name(attributes);
    // A word of a later version says as little as that it was not looked up.
    const auto standing = parse_standing(attributes.required("state"));
    if (!name || failed()) return;
    std::get<Mirrored>(value_).domains.push_back(
        {std::move(*name), standing.value_or(Standing::later)});
}

}  // namespace component
