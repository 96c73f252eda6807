#include "component/protocol/transfer_parser.hpp"

#include "component/protocol/batch_parser.hpp"
#include "component/protocol/mirror_parser.hpp"
#include "component/protocol/open_parser.hpp"
#include "component/protocol/report_parser.hpp"
#include "component/protocol/single_parser.hpp"
#include "component/protocol/verdicts_parser.hpp"

namespace component {
namespace {

template <class Parser>
std::unique_ptr<PayloadParser> make() {
    return std::make_unique<Parser>();
}

struct Payload {
    std::string_view name;  ///< of its root element
    std::unique_ptr<PayloadParser> (*make)();
};
constexpr Payload kPayloads[] = {
    {"transfers", make<BatchParser>}, {"verdicts", make<VerdictsParser>},
    {"open", make<OpenParser>},       {"chunk", make<SingleParser>},
    {"commit", make<SingleParser>},   {"status", make<SingleParser>},
    {"abort", make<SingleParser>},    {"ack", make<SingleParser>},
    {"report", make<ReportParser>},   {"complaint", make<SingleParser>},
    {"mirror", make<MirrorParser>},   {"mirrored", make<MirrorParser>},
};

}  // namespace

std::unique_ptr<PayloadParser> transfer_parser(std::string_view xmlns, std::string_view name) {
    if (xmlns != ns::kMailTransfer) return nullptr;
    for (const Payload& each : kPayloads) {
        if (each.name == name) return each.make();
    }
    return nullptr;
}

}  // namespace component
