// XmlReader: a stream gives the same events and the same failure wherever it is cut; a stanza never
// exceeds its bounds; a failure is for ever. And XmlWriter: what it writes of any text reads as
// that text.
#include "component/xml/xml_writer.hpp"
#include "fuzz/stanzas.hpp"

using namespace component;
using fuzz::check;

namespace {

/// All that a stream came to.
struct Outcome {
    std::vector<std::string> events;
    std::optional<base::Error> error;
};

void check_bounds(const gloox::Tag& tag, XmlReader::Limits limits, std::size_t depth,
                  std::size_t& elements) {
    check(depth <= limits.depth, "no stanza is deeper than its bound");
    check(++elements <= limits.elements, "no stanza has more elements than its bound");
    // gloox keeps the namespace among the attributes.
    check(tag.attributes().size() <= limits.attributes + 1, "attributes are bounded");
    for (const auto* child : tag.children())
        check_bounds(*child, limits, depth + 1, elements);
}

std::string text_of(const IqHead& head) {
    return head.type + '|' + head.id + '|' + head.from + '|' + head.to + '|';
}

std::string describe(const XmlEvent& event, XmlReader::Limits limits) {
    if (const auto* opened = std::get_if<StreamOpened>(&event))
        return "opened " + opened->id + ' ' + opened->from;
    if (const auto* stanza = std::get_if<TagStanza>(&event)) {
        std::size_t elements = 0;
        check_bounds(*stanza->tag, limits, 2, elements);  // below the stream
        return stanza->tag->xml();
    }
    if (const auto* transfer = std::get_if<TransferStanza>(&event))
        return text_of(transfer->head) + fuzz::describe(transfer->payload);
    if (const auto* refused = std::get_if<RefusedStanza>(&event))
        return "refused " + refused->name + text_of(refused->head) + refused->why;
    return "closed";
}

Outcome read(std::string_view input, XmlReader::Limits limits, bool cut) {
    Outcome outcome;
    XmlReader reader(limits);
    const auto feed = [&](std::string_view piece) {
        const auto parsed = reader.parse(piece);
        for (const auto& event : reader.take_events())
            outcome.events.push_back(describe(event, limits));
        if (!parsed) outcome.error = parsed.error();
        return parsed.has_value();
    };
    const std::string all = std::string(fuzz::kOpening).append(input);
    if (cut) {
        fuzz::in_pieces(all, feed);
    } else {
        feed(all);
    }
    if (outcome.error) {
        const auto again = reader.parse("<iq/>");
        check(!again && again.error().text == outcome.error->text, "a failure is for ever");
        check(reader.take_events().empty(), "nothing happens behind a failure");
    }
    return outcome;
}

void check_cuts(std::string_view input, XmlReader::Limits limits) {
    const auto whole = read(input, limits, false);
    const auto pieces = read(input, limits, true);
    check(whole.events == pieces.events, "the events do not depend on the cuts");
    check(whole.error.has_value() == pieces.error.has_value(), "nor does whether it fails");
    // Of two mistakes, the cuts decide which one is seen first; a size may show before either.
    if (!whole.error || pieces.error->code == base::Errc::limit) return;
    check(whole.error->code == pieces.error->code, "nor does the kind of failure");
}

void check_writer(std::string_view text) {
    XmlWriter xml;
    xml.open("message").attribute("id", text).element("body", text);
    const auto written = xml.finish();
    check(written.has_value() == is_xml_text(text), "all XML text can be written, and no other");
    if (!written) return;
    const auto events = fuzz::read_stanzas(*written);
    check(events.size() == 1 && std::holds_alternative<TagStanza>(events[0]),
          "what is written is one stanza");
    const auto& tag = *std::get<TagStanza>(events[0]).tag;
    check(tag.findAttribute("id") == text, "an attribute reads as it was written");
    check(tag.children().size() == 1 && tag.children().front()->cdata() == text,
          "text reads as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::text_of(data, size);
    check_cuts(input, {});
    check_cuts(input, {.stanza = 300,
                       .tag = 200,
                       .depth = 5,
                       .attributes = 3,
                       .elements = 10,
                       .skipped = 900,
                       .skipped_depth = 8});
    check_writer(input);
    return 0;
}
