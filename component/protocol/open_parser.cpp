#include "component/protocol/open_parser.hpp"

#include "component/protocol/payload_values.hpp"

namespace component {

OpenParser::OpenParser() : ElementParser(kOctetsType) {}

std::span<const PayloadElement<OpenParser>> OpenParser::elements() {
    using P = OpenParser;
    static constexpr PayloadElement<P> kElements[] = {
        {"", "open", &P::start_open, nullptr, &P::end_open},
        {"open", "envelope", &P::start_envelope},
        {"envelope", "from", &P::start_from},
        {"envelope", "rcpt", &P::start_recipient},
        {"open", "hash", &P::start_hash, &P::hash_text, &P::end_hash, ns::kHashes},
    };
    return kElements;
}

void OpenParser::start_open(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain"});
    draft_.key = read_key(attributes);
}

void OpenParser::end_open() {
    if (!is_complete()) return;
    value_ = IncomingOpen{{std::move(*draft_.key), std::move(draft_.envelope), draft_.expires,
                           *draft_.hash, 0, *draft_.stated_size}};
}

}  // namespace component
